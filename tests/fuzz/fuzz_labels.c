/* Names and labels: whatever a value list says of itself, the series that is made of it obeys the
 * rules of remote write, and its packed form reads back; and any bytes as a packed form.
 *
 * The input: texts that end in NUL: host, plugin, plugin instance, type, type instance, data
 * source, then keys and values of meta data. */
#include <stdlib.h>
#include <string.h>

#include "remote_write/series.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXTS = 6, META = 8 };

static void check(const struct sl_buffer *bytes) {
    struct sl_packed packed;
    struct sl_label label, before = {.name = ""};
    bool has_name = false;
    if (sl_packed_read(bytes->data, bytes->len, &packed, NULL) != SL_OK)
        abort();
    for (const char *at = packed.labels; sl_packed_next(&packed, &at, &label);) {
        char name[SL_LABEL_NAME_BYTES_MAX + 1] = "";
        if (label.name_len >= sizeof(name) || label.value_len == 0)
            abort();
        memcpy(name, label.name, label.name_len);
        if (!sl_label_name_is_good(name) || sl_label_compare(&before, &label) >= 0)
            abort();
        bool is_reserved = strncmp(name, "__", 2) == 0;
        if (is_reserved && strcmp(name, "__name__") != 0)
            abort();
        has_name = has_name || is_reserved;
        before = label;
    }
    if (!has_name)
        abort();
}

static void make(char *text, size_t size) {
    static const struct sl_series_rules rules = {.job = "j"};
    const char *texts[TEXTS + 2 * META];
    struct sl_value_meta meta[META];
    size_t count = 0;
    for (size_t at = 0; at < size && count < TEXTS + 2 * META; at += strlen(text + at) + 1)
        texts[count++] = text + at;
    if (count < TEXTS)
        return;
    size_t pairs = (count - TEXTS) / 2;
    for (size_t i = 0; i < pairs; i++)
        meta[i] = (struct sl_value_meta){texts[TEXTS + 2 * i], texts[TEXTS + 2 * i + 1]};
    struct sl_value_source source = {texts[5], SL_VALUE_DERIVE};
    struct sl_value_id id = {texts[0], texts[1], texts[2], texts[3], texts[4],
                             &source,  1,        meta,     pairs};
    struct sl_buffer bytes;
    sl_buffer_init(&bytes, 1 << 22);
    if (sl_series_pack(&id, 0, &rules, &bytes) == SL_SERIES_KEPT)
        check(&bytes);
    sl_buffer_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_packed packed;
    struct sl_label label;
    if (sl_packed_read((const char *)data, size, &packed, NULL) == SL_OK)
        for (const char *at = packed.labels; sl_packed_next(&packed, &at, &label);)
            if (label.value_len == 0)
                abort();
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    make(text, size);
    free(text);
    return 0;
}
