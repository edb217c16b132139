/* The packed form of a series. */
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "remote_write/labels.h"

enum { VARINT_BYTES = 10 };

static void put_varint(struct sl_buffer *out, uint64_t n) {
    unsigned char bytes[VARINT_BYTES];
    size_t len = 0;
    for (; n >= 0x80; n >>= 7)
        bytes[len++] = (unsigned char)(n | 0x80);
    bytes[len++] = (unsigned char)n;
    sl_buffer_append(out, bytes, len);
}

static void put_text(struct sl_buffer *out, const char *text, size_t len) {
    put_varint(out, len);
    sl_buffer_append(out, text, len);
}

static void put_mended(struct sl_buffer *out, const char *text) {
    struct sl_buffer mended;
    sl_buffer_init(&mended, SL_LIMIT_LABEL_VALUE_BYTES);
    if (text != NULL)
        sl_utf8_append(&mended, text, SL_LIMIT_LABEL_VALUE_BYTES);
    put_text(out, mended.data, mended.len);
    if (mended.failed != SL_OK && out->failed == SL_OK)
        out->failed = mended.failed;
    sl_buffer_release(&mended);
}

void sl_labels_pack(const struct sl_labels *l, enum sl_series_kind kind, const char *unit,
                    const char *help, struct sl_buffer *out) {
    sl_buffer_putc(out, (char)kind);
    put_mended(out, unit);
    put_mended(out, help);
    put_varint(out, l->count);
    for (size_t i = 0; i < l->count; i++) {
        struct sl_label label = sl_labels_at(l, i);
        put_text(out, label.name, label.name_len);
        put_text(out, label.value, label.value_len);
    }
}

/* ---- reading ---- */

struct reader {
    const char *at;
    const char *end;
};

static bool read_varint(struct reader *r, uint64_t *ret) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        unsigned char byte = (unsigned char)*r->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool read_text(struct reader *r, const char **ret, size_t *ret_len) {
    uint64_t len;
    if (!read_varint(r, &len) || len > (uint64_t)(r->end - r->at))
        return false;
    *ret = r->at;
    *ret_len = (size_t)len;
    r->at += len;
    return true;
}

static bool read_label(struct reader *r, struct sl_label *ret) {
    return read_text(r, &ret->name, &ret->name_len) && read_text(r, &ret->value, &ret->value_len);
}

static bool are_labels_good(struct reader r, size_t count) {
    struct sl_label last = {.name = "", .name_len = 0};
    for (size_t i = 0; i < count; i++) {
        struct sl_label label;
        if (!read_label(&r, &label) || label.value_len == 0 || sl_label_compare(&last, &label) >= 0)
            return false;
        last = label;
    }
    return r.at == r.end;
}

int sl_packed_read(const char *bytes, size_t len, struct sl_packed *ret, struct sl_error *err) {
    struct reader r = {bytes, bytes + len};
    struct sl_packed p = {.kind = SL_KIND_UNKNOWN};
    uint64_t count = 0;
    bool good = len > 0 && (unsigned char)*r.at <= SL_KIND_STATESET;
    if (good) {
        p.kind = (enum sl_series_kind) * r.at++;
        good = read_text(&r, &p.unit, &p.unit_len) && read_text(&r, &p.help, &p.help_len) &&
               read_varint(&r, &count) && count > 0 && count <= SL_LABELS_MAX &&
               are_labels_good(r, (size_t)count);
    }
    if (!good)
        return sl_fail(err, SL_PARSE, "%zu bytes are no packed series", len);
    p.label_count = (size_t)count;
    p.labels = r.at;
    p.labels_len = (size_t)(r.end - r.at);
    *ret = p;
    return SL_OK;
}

bool sl_packed_next(const struct sl_packed *p, const char **at, struct sl_label *ret) {
    struct reader r = {*at, p->labels + p->labels_len};
    if (r.at >= r.end || !read_label(&r, ret))
        return false;
    *at = r.at;
    return true;
}
