/* Relabelling rules: any rule is taken or refused with a word, and what is taken leaves labels of
 * which a series can be made.
 *
 * The input: a byte for the action, then texts that end in NUL: regular expression, separator,
 * target label, replacement, two source labels, a value. */
#include <stdlib.h>
#include <string.h>

#include "remote_write/relabel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXTS = 7 };

static void apply(const struct sl_relabel *r, const char *first, const char *second,
                  const char *value) {
    struct sl_labels labels;
    struct sl_buffer packed;
    sl_labels_init(&labels);
    sl_labels_set_metric_name(&labels, "metric");
    sl_labels_set_text(&labels, first, value);
    sl_labels_set_text(&labels, second, "second");
    sl_labels_set_text(&labels, "instance", "host:9100");
    sl_buffer_init(&packed, 1 << 22);
    if (sl_relabel_apply(r, &labels) && sl_labels_finish(&labels, NULL) == SL_OK) {
        struct sl_packed again;
        sl_labels_pack(&labels, SL_KIND_GAUGE, "", "", &packed);
        if (packed.failed == SL_OK &&
            sl_packed_read(packed.data, packed.len, &again, NULL) != SL_OK)
            abort();
    }
    sl_buffer_release(&packed);
    sl_labels_release(&labels);
}

static void run(uint8_t action, char *texts[TEXTS]) {
    struct sl_relabel *r = NULL;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_relabel_options options = {
        .source_labels = {.items = texts + 4, .count = 2},
        .separator = texts[1],
        .regex = texts[0],
        .target_label = texts[2],
        .replacement = texts[3],
        .action = action % (SL_RELABEL_HASHMOD + 1),
    };
    options.modulus = options.action == SL_RELABEL_HASHMOD ? 1 + action : 0;
    if (options.action >= SL_RELABEL_LABELMAP && options.action <= SL_RELABEL_LABELKEEP) {
        options.source_labels.count = 0;
        options.target_label = NULL;
    }
    if (sl_relabel_new(&r, NULL) != SL_OK)
        return;
    if (sl_relabel_add(r, &options, &err) == SL_OK)
        apply(r, texts[4], texts[5], texts[6]);
    else if (err.text[0] == '\0')
        abort();
    sl_relabel_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *texts[TEXTS];
    size_t count = 0;
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    copy[size] = '\0';
    for (size_t at = 1; at < size && count < TEXTS; at += strlen(copy + at) + 1)
        texts[count++] = copy + at;
    if (count == TEXTS)
        run(data[0], texts);
    free(copy);
    return 0;
}
