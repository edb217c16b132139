/* The dead-letter file. */
#include "remote_write/rejected.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/civil.h"
#include "os/file.h"
#include "remote_write/value.h"

enum {
    FILE_BYTES_MAX = 64 * 1024 * 1024,
    TEXT_BYTES_MAX = 256 * 1024 * 1024,
};

static bool is_name(const struct sl_symbol *s) {
    return s->len == strlen("__name__") && memcmp(s->bytes, "__name__", s->len) == 0;
}

static void put_value(struct sl_buffer *out, const struct sl_symbol *value) {
    for (uint32_t i = 0; i < value->len; i++) {
        char c = value->bytes[i];
        if (c == '\n')
            sl_buffer_puts(out, "\\n");
        else if (c == '"' || c == '\\')
            sl_buffer_printf(out, "\\%c", c);
        else
            sl_buffer_putc(out, c);
    }
}

static void put_number(struct sl_buffer *out, uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    if (bits == SL_VALUE_STALE_BITS)
        sl_buffer_puts(out, "StaleNaN");
    else if (isnan(value))
        sl_buffer_puts(out, "NaN");
    else if (isinf(value))
        sl_buffer_puts(out, value < 0 ? "-Inf" : "+Inf");
    else
        sl_buffer_printf(out, "%.17g", value);
}

void sl_rejected_format(struct sl_buffer *out, const struct sl_series *series, uint64_t bits,
                        int64_t time_ms) {
    for (size_t i = 0; i < 2u * series->label_count; i += 2)
        if (is_name(series->labels[i]))
            sl_buffer_append(out, series->labels[i + 1]->bytes, series->labels[i + 1]->len);
    char before = '{';
    for (size_t i = 0; i < 2u * series->label_count; i += 2) {
        if (is_name(series->labels[i]))
            continue;
        sl_buffer_putc(out, before);
        sl_buffer_append(out, series->labels[i]->bytes, series->labels[i]->len);
        sl_buffer_puts(out, "=\"");
        put_value(out, series->labels[i + 1]);
        sl_buffer_putc(out, '"');
        before = ',';
    }
    sl_buffer_puts(out, before == ',' ? "} " : " ");
    put_number(out, bits);
    sl_buffer_printf(out, " %" PRId64 "\n", time_ms);
}

static int append(const char *path, const struct sl_buffer *text, struct sl_error *err) {
    struct stat stat_now;
    char old[4096];
    int len = snprintf(old, sizeof(old), "%s.old", path);
    if (stat(path, &stat_now) == 0 && stat_now.st_size > FILE_BYTES_MAX && len > 0 &&
        (size_t)len < sizeof(old))
        (void)rename(path, old);
    return sl_file_append(path, text->data, text->len, err);
}

int sl_rejected_append(const char *path, const struct sl_batch *batch, const char *reason,
                       int64_t now_ms, struct sl_error *err) {
    struct sl_buffer text;
    char stamp[SL_RFC3339_BYTES];
    sl_buffer_init(&text, TEXT_BYTES_MAX);
    sl_format_rfc3339(now_ms * 1000, stamp, sizeof(stamp));
    sl_buffer_printf(&text, "# %s %s\n", stamp, reason);
    for (size_t n = 0; n < batch->count; n++) {
        const struct sl_batch_item *item = &batch->items[n];
        for (size_t i = 0; i < item->list->kept; i++)
            if (item->bits[i] != SL_SEGMENT_NO_VALUE)
                sl_rejected_format(&text, item->list->series[i], item->bits[i], item->time_ms);
    }
    int code = sl_buffer_check(&text, "a dead letter", err);
    if (code == SL_OK)
        code = append(path, &text, err);
    sl_buffer_release(&text);
    return code;
}
