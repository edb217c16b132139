/* What an exec program prints: refused, or something to log in with. */
#include <stdlib.h>

#include "kubernetes/exec_credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_exec_credential c;

    if (sl_exec_credential_parse((const char *)data, size, "client.authentication.k8s.io/v1", &c,
                                 NULL) == SL_OK) {
        if (!sl_secret_is_set(&c.token) && c.cert_pem == NULL) {
            abort();
        }
        if ((c.cert_pem != NULL) != sl_secret_is_set(&c.key_pem)) {
            abort();
        }
        sl_exec_credential_release(&c);
    }
    return 0;
}
