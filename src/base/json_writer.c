/* JSON out, into a buffer. */
#include "base/json_writer.h"

#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

void sl_json_writer_init(struct sl_json_writer *w, struct sl_buffer *out) {
    *w = (struct sl_json_writer){.out = out};
}

static void misuse(struct sl_json_writer *w) {
    if (w->out->failed == SL_OK)
        w->out->failed = SL_BUG;
}

static void put_text(struct sl_buffer *out, const char *text) {
    static const char hex[] = "0123456789abcdef";
    sl_buffer_putc(out, '"');
    const char *plain = text;
    for (const char *c = text;; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f)
            continue;
        sl_buffer_append(out, plain, (size_t)(c - plain));
        if (byte == '\0')
            break;
        plain = c + 1;
        if (byte == '"' || byte == '\\') {
            sl_buffer_putc(out, '\\');
            sl_buffer_putc(out, (char)byte);
        } else {
            char escape[] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
            sl_buffer_append(out, escape, sizeof(escape));
        }
    }
    sl_buffer_putc(out, '"');
}

/* The comma and the key before a value; false where no value may stand. */
static bool before_value(struct sl_json_writer *w, const char *key) {
    uint32_t bit = w->depth > 0 ? UINT32_C(1) << (w->depth - 1) : 0;
    bool wants_key = w->depth > 0 && (w->is_array & bit) == 0;
    if (wants_key != (key != NULL) || (w->depth == 0 && w->out->len > 0)) {
        misuse(w);
        return false;
    }
    if ((w->has_element & bit) != 0)
        sl_buffer_putc(w->out, ',');
    w->has_element |= bit;
    if (key != NULL) {
        put_text(w->out, key);
        sl_buffer_putc(w->out, ':');
    }
    return true;
}

static void begin(struct sl_json_writer *w, const char *key, char bracket) {
    if (w->depth >= MAX_DEPTH) {
        misuse(w);
        return;
    }
    if (!before_value(w, key))
        return;
    sl_buffer_putc(w->out, bracket);
    uint32_t bit = UINT32_C(1) << w->depth;
    w->depth++;
    w->has_element &= ~bit;
    w->is_array = bracket == '[' ? w->is_array | bit : w->is_array & ~bit;
}

static void end(struct sl_json_writer *w, char bracket) {
    uint32_t bit = w->depth > 0 ? UINT32_C(1) << (w->depth - 1) : 0;
    if (w->depth == 0 || ((w->is_array & bit) != 0) != (bracket == ']')) {
        misuse(w);
        return;
    }
    w->depth--;
    sl_buffer_putc(w->out, bracket);
}

void sl_json_object_begin(struct sl_json_writer *w, const char *key) {
    begin(w, key, '{');
}

void sl_json_object_end(struct sl_json_writer *w) {
    end(w, '}');
}

void sl_json_array_begin(struct sl_json_writer *w, const char *key) {
    begin(w, key, '[');
}

void sl_json_array_end(struct sl_json_writer *w) {
    end(w, ']');
}

void sl_json_put_string(struct sl_json_writer *w, const char *key, const char *value) {
    if (before_value(w, key))
        put_text(w->out, value);
}

void sl_json_put_int64(struct sl_json_writer *w, const char *key, int64_t value) {
    if (before_value(w, key))
        sl_buffer_printf(w->out, "%lld", (long long)value);
}

void sl_json_put_double(struct sl_json_writer *w, const char *key, double value) {
    if (!isfinite(value))
        sl_json_put_null(w, key);
    else if (before_value(w, key))
        sl_buffer_printf(w->out, "%.17g", value);
}

void sl_json_put_raw(struct sl_json_writer *w, const char *key, const char *json) {
    if (before_value(w, key))
        sl_buffer_puts(w->out, json);
}

void sl_json_put_bool(struct sl_json_writer *w, const char *key, bool value) {
    if (before_value(w, key))
        sl_buffer_puts(w->out, value ? "true" : "false");
}

void sl_json_put_null(struct sl_json_writer *w, const char *key) {
    if (before_value(w, key))
        sl_buffer_puts(w->out, "null");
}
