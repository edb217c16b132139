/* Files of API keys: either refused, or there is a secret of one word. */
#include <stdlib.h>
#include <string.h>

#include "spacelift/key_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_secret secret = SL_SECRET_INIT;
    char id[SL_KEY_ID_BYTES];
    if (sl_key_file_parse((const char *)data, size, &secret, id, NULL) != SL_OK)
        return 0;
    if (secret.len == 0 || strcspn(secret.text, " \t\r\n") != secret.len ||
        strcspn(id, " \t\r\n") != strlen(id))
        abort();
    sl_secret_release(&secret);
    return 0;
}
