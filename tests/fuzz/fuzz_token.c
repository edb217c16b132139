/* Ready tokens, and profiles of spacectl (first byte 'p'): either refused, or there is an expiry
 * and a URL, or an address and a secret. */
#include <stdlib.h>
#include <string.h>

#include "spacelift/profile.h"
#include "base/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_token(const char *text, size_t len) {
    struct sl_token token = {.audience = NULL};
    if (sl_token_parse(text, len, &token, NULL) != SL_OK)
        return;
    if (token.expires_s <= 0 || (token.audience != NULL && strncmp(token.audience, "http", 4) != 0))
        abort();
    sl_token_release(&token);
}

static void read_profile(const char *text, size_t len) {
    struct sl_profile profile = {.endpoint = NULL};
    if (sl_profile_parse(text, len, NULL, &profile, NULL) != SL_OK)
        return;
    if (profile.endpoint == NULL || profile.secret.len == 0)
        abort();
    sl_profile_release(&profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 0 && data[0] == 'p')
        read_profile((const char *)data + 1, size - 1);
    else
        read_token((const char *)data, size);
    return 0;
}
