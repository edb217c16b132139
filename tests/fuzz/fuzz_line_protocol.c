/* Line protocol. Out: whatever a pool is called, what is written is one line that follows the rules
 * of Telegraf's parser and says the same when it is read. In: whatever comes is refused or read. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/line_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

/* No character that Telegraf's parser forbids, one newline, nothing empty. */
static void check_rules(const char *line, size_t len) {
    check(len > 0 && line[len - 1] == '\n');
    for (size_t i = 0; i + 1 < len; i++)
        check((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
    check(strstr(line, ",=") == NULL);
}

/* What a tag of this text says when it is read again: without control characters, and without
 * backslashes at its end. */
static void check_tag(const struct sl_line *line, const char *name, const char *text) {
    struct sl_buffer escaped;
    sl_buffer_init(&escaped, 1 << 20);
    bool is_left = sl_line_put_word(&escaped, text, strlen(text));
    const char *read = sl_line_tag(line, name);
    check(is_left == (read != NULL));
    if (read != NULL) {
        size_t len = strlen(read);
        check(len > 0 && read[len - 1] != '\\');
        struct sl_buffer again;
        sl_buffer_init(&again, 1 << 20);
        sl_line_put_word(&again, read, len);
        check(strcmp(again.data, escaped.data) == 0);
        sl_buffer_release(&again);
    }
    sl_buffer_release(&escaped);
}

static void write_and_read(char *name, char *id, double number) {
    const struct sl_metric_type *type = sl_catalogue_find(SL_SPACELIFT_PLUGIN, SL_TYPE_WORKER_POOL);
    const double values[SL_TYPE_DS_MAX] = {3, number, NAN, 7};
    const struct sl_values list = {.type = type,
                                   .plugin_instance = name,
                                   .type_instance = id,
                                   .true_name = name,
                                   .values = values};
    struct sl_buffer out;
    sl_buffer_init(&out, 1 << 20);
    sl_line_put(&out, &list, 1795452671000);
    check(out.failed == SL_OK);
    check_rules(out.data, out.len);
    check(sl_line_length(out.data, out.len) == out.len);
    out.data[out.len - 1] = '\0';

    static struct sl_line line; /* large */
    bool is_empty;
    check(sl_line_parse(out.data, &line, &is_empty, NULL) == SL_OK && !is_empty);
    check(strcmp(line.measurement, "spacelift_worker_pool") == 0);
    check(line.has_time && line.time_ns == 1795452671000000000);
    check(sl_line_field(&line, "runs_pending") == 3);
    check(isnan(sl_line_field(&line, "workers")));
    check_tag(&line, SL_LABEL_WORKER_POOL_NAME, name);
    check_tag(&line, SL_LABEL_WORKER_POOL_ID, id);
    sl_buffer_release(&out);
}

static void read_lines(const uint8_t *data, size_t size) {
    static struct sl_line line;
    char *text = malloc(size + 1);
    if (text == NULL)
        return;
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t at = 0, len = 0; (len = sl_line_length(text + at, size - at)) > 0; at += len) {
        bool is_empty;
        check(len <= size - at && text[at + len - 1] == '\n');
        text[at + len - 1] = '\0';
        if (sl_line_parse(text + at, &line, &is_empty, NULL) == SL_OK && !is_empty)
            check(line.measurement[0] != '\0' && line.field_count > 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_lines(data, size);
    size_t half = size / 2;
    char *name = malloc(half + 1), *id = malloc(size - half + 1);
    if (name != NULL && id != NULL) {
        memcpy(name, data, half);
        memcpy(id, data + half, size - half);
        name[half] = id[size - half] = '\0';
        write_and_read(name, id, (double)size);
    }
    free(name);
    free(id);
    return 0;
}
