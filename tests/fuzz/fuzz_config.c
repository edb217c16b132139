/* collectd's configuration syntax: whatever comes is refused or read, and what was read is whole.
 */
#include <stdlib.h>

#include "base/config_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const struct sl_config_item *item) {
    for (size_t i = 0; i < item->value_count; i++)
        if ((item->values[i].type == SL_CONFIG_STRING) != (item->values[i].text != NULL))
            abort();
    for (size_t i = 0; i < item->child_count; i++) {
        if (item->children[i].key == NULL || item->children[i].key[0] == '\0')
            abort();
        visit(&item->children[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_config_item root = {.key = NULL};
    struct sl_error err = SL_ERROR_INIT;
    if (sl_config_parse((const char *)data, size, "file", &root, &err) != SL_OK &&
        err.text[0] == '\0')
        abort();
    visit(&root);
    sl_config_release(&root);
    return 0;
}
