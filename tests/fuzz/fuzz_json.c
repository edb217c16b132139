/* JSON documents: whatever comes in, either it is refused or every value of it can be asked for. */
#include "base/json_document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const struct sl_json *value) {
    int64_t number = 0;
    bool boolean = false;

    (void)sl_json_get(value, "metadata");
    (void)sl_json_string(value);
    (void)sl_json_int64(value, &number);
    (void)sl_json_bool(value, &boolean);
    for (size_t i = 0; i < sl_json_size(value); i++) {
        visit(sl_json_at(value, i));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_json *document = NULL;

    if (sl_json_parse((const char *)data, size, &document, NULL) == SL_OK) {
        visit(document);
        sl_json_free(document);
    }
    return 0;
}
