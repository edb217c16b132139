/* What servers and proxies say when they refuse, and what they say about rights: always words. */
#include <stdlib.h>
#include <string.h>

#include "kubernetes/access.h"
#include "kubernetes/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int statuses[] = {400, 401, 403, 404, 409, 410, 415, 422, 429, 500, 503, 504};
    bool is_allowed = false;

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;

        (void)sl_fail(&err, SL_REMOTE, "HTTP");
        err.http_status = statuses[i];
        sl_kube_explain((const char *)data, size, &err);
        if (strncmp(err.text, "HTTP", 4) != 0 || strchr(err.text, '\n') != NULL ||
            err.http_status != statuses[i]) {
            abort();
        }
    }
    (void)sl_kube_says_unset(500, (const char *)data, size);
    if (sl_kube_access_parse((const char *)data, size, &is_allowed, NULL) != SL_OK && is_allowed) {
        abort();
    }
    return 0;
}
