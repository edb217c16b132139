/* Telegraf's line protocol, out. */
#include "format/line_protocol.h"

#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

static bool needs_escape(char c) {
    return c == ',' || c == '=' || c == ' ';
}

bool sl_line_put_word(struct sl_buffer *out, const char *text, size_t len) {
    struct sl_buffer clean;
    char terminated[SL_LIMIT_LABEL_VALUE_BYTES + 1];
    len = len < sizeof(terminated) ? len : sizeof(terminated) - 1;
    memcpy(terminated, text, len);
    terminated[len] = '\0';
    sl_buffer_init(&clean, 3 * sizeof(terminated));
    sl_utf8_append(&clean, terminated, SL_LIMIT_LABEL_VALUE_BYTES);
    while (clean.len > 0 && clean.data[clean.len - 1] == '\\')
        clean.len--;
    for (size_t i = 0; i < clean.len; i++) {
        char c = clean.data[i];
        if ((unsigned char)c < 0x20 || c == 0x7f)
            c = ' ';
        if (needs_escape(c))
            sl_buffer_putc(out, '\\');
        sl_buffer_putc(out, c);
    }
    bool is_left = clean.len > 0;
    if (clean.failed != SL_OK)
        out->failed = clean.failed;
    sl_buffer_release(&clean);
    return is_left;
}

static void put_tags(struct sl_buffer *out, const struct sl_measurement *m) {
    for (size_t i = 0; i < m->label_count; i++) {
        size_t before = out->len;
        sl_buffer_printf(out, ",%s=", m->labels[i].name);
        if (!sl_line_put_word(out, m->labels[i].value, m->labels[i].len) && out->failed == SL_OK)
            out->len = before;
    }
}

static void put_measurement(struct sl_buffer *out, const struct sl_measurement *m,
                            int64_t realtime_ms) {
    sl_buffer_append(out, m->name, m->name_len);
    put_tags(out, m);
    for (size_t i = 0; i < m->field_count; i++) {
        const struct sl_field *f = &m->fields[i];
        sl_buffer_printf(out, "%c%s=", i == 0 ? ' ' : ',', f->name);
        if (f->is_whole)
            sl_buffer_printf(out, "%.0fi", f->value);
        else
            sl_format_number(out, f->value);
    }
    sl_buffer_printf(out, " %lld000000\n", (long long)realtime_ms);
}

void sl_line_put(struct sl_buffer *out, const struct sl_values *values, int64_t realtime_ms) {
    struct sl_measurement measurements[SL_TYPE_DS_MAX];
    size_t count = sl_measurements(values, measurements);
    for (size_t i = 0; i < count; i++)
        put_measurement(out, &measurements[i], realtime_ms);
}
