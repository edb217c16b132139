/* The series that a sender knows, each once. */
#include "remote_write/series_set.h"

#include <stdlib.h>
#include <string.h>

#include "remote_write/hash.h"
#include "remote_write/wire.h"

enum { BUCKETS_AT_START = 256 };

struct sl_series_set {
    struct sl_symbols *symbols;
    struct sl_series **buckets; /* a power of two of them */
    size_t bucket_count;
    size_t count;
};

int sl_series_set_new(struct sl_series_set **ret, struct sl_error *err) {
    struct sl_series_set *set = calloc(1, sizeof(*set));
    if (set == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a set of series");
    set->bucket_count = BUCKETS_AT_START;
    set->buckets = calloc(set->bucket_count, sizeof(*set->buckets));
    int code = set->buckets != NULL ? sl_symbols_new(&set->symbols, err)
                                    : sl_fail(err, SL_NOMEM, "out of memory for a set of series");
    if (code != SL_OK)
        sl_series_set_free(set);
    else
        *ret = set;
    return code;
}

void sl_series_set_free(struct sl_series_set *set) {
    if (set == NULL)
        return;
    for (size_t i = 0; set->buckets != NULL && i < set->bucket_count; i++) {
        for (struct sl_series *s = set->buckets[i], *next; s != NULL; s = next) {
            next = s->next;
            free(s);
        }
    }
    sl_symbols_free(set->symbols);
    free(set->buckets);
    free(set);
}

static struct sl_series **bucket_of(const struct sl_series_set *set, uint64_t hash) {
    return &set->buckets[hash & (set->bucket_count - 1)];
}

/* Without memory it only gets slower. */
static void grow(struct sl_series_set *set) {
    struct sl_series_set wider = *set;
    wider.bucket_count *= 2;
    wider.buckets = calloc(wider.bucket_count, sizeof(*wider.buckets));
    if (wider.buckets == NULL)
        return;
    for (size_t i = 0; i < set->bucket_count; i++) {
        for (struct sl_series *s = set->buckets[i], *next; s != NULL; s = next) {
            next = s->next;
            s->next = *bucket_of(&wider, s->hash);
            *bucket_of(&wider, s->hash) = s;
        }
    }
    free(set->buckets);
    *set = wider;
}

static bool is_text(const struct sl_symbol *symbol, const char *text, size_t len) {
    return symbol->len == len && memcmp(symbol->bytes, text, len) == 0;
}

static bool has_labels(const struct sl_series *s, const struct sl_packed *packed) {
    struct sl_label label;
    size_t i = 0;
    if (s->label_count != packed->label_count)
        return false;
    for (const char *at = packed->labels; sl_packed_next(packed, &at, &label); i += 2)
        if (!is_text(s->labels[i], label.name, label.name_len) ||
            !is_text(s->labels[i + 1], label.value, label.value_len))
            return false;
    return true;
}

static void free_series(struct sl_series_set *set, struct sl_series *s) {
    sl_symbols_drop(set->symbols, s->unit);
    sl_symbols_drop(set->symbols, s->help);
    for (size_t i = 0; i < 2u * s->label_count; i++)
        sl_symbols_drop(set->symbols, s->labels[i]);
    free(s);
}

/* First by the metric's name, then by all other labels but the host's. */
static void set_order(struct sl_series *s) {
    uint64_t name = 0, rest = 0;
    for (size_t i = 0; i < 2u * s->label_count; i += 2) {
        uint32_t value = s->labels[i + 1]->hash;
        if (is_text(s->labels[i], "__name__", strlen("__name__")))
            name = value;
        else if (is_text(s->labels[i], "instance", strlen("instance")))
            s->host = value;
        else
            rest = rest * 31 + value;
    }
    const uint64_t spread = UINT64_C(0x9e3779b97f4a7c15);
    s->order =
        (uint32_t)(name * spread >> 53) << SL_ORDER_BITS / 2 | (uint32_t)(rest * spread >> 53);
}

static struct sl_series *make_series(struct sl_series_set *set, const struct sl_packed *packed) {
    size_t count = packed->label_count;
    struct sl_series *s = calloc(1, sizeof(*s) + 2 * count * sizeof(*s->labels));
    if (s == NULL)
        return NULL;
    s->users = 1;
    s->label_count = (uint16_t)count;
    s->kind = (uint8_t)packed->kind;
    s->last_ms = s->sent_ms = INT64_MIN;
    s->unit = sl_symbols_take(set->symbols, packed->unit, packed->unit_len);
    s->help = sl_symbols_take(set->symbols, packed->help, packed->help_len);
    bool is_good = s->unit != NULL && s->help != NULL;
    struct sl_symbol **to = s->labels;
    struct sl_label label;
    for (const char *at = packed->labels; sl_packed_next(packed, &at, &label); to += 2) {
        to[0] = sl_symbols_take(set->symbols, label.name, label.name_len);
        to[1] = sl_symbols_take(set->symbols, label.value, label.value_len);
        is_good = is_good && to[0] != NULL && to[1] != NULL;
    }
    if (is_good) {
        set_order(s);
        return s;
    }
    free_series(set, s);
    return NULL;
}

struct sl_series *sl_series_take(struct sl_series_set *set, const struct sl_packed *packed) {
    uint64_t hash = sl_hash(packed->labels, packed->labels_len);
    struct sl_series *s = *bucket_of(set, hash);
    for (; s != NULL; s = s->next) {
        if (s->hash == hash && has_labels(s, packed)) {
            s->users++;
            return s;
        }
    }
    if ((s = make_series(set, packed)) == NULL)
        return NULL;
    s->hash = hash;
    if (set->count++ >= set->bucket_count)
        grow(set);
    s->next = *bucket_of(set, hash);
    *bucket_of(set, hash) = s;
    return s;
}

void sl_series_drop(struct sl_series_set *set, struct sl_series *series) {
    if (series == NULL || --series->users > 0)
        return;
    struct sl_series **at = bucket_of(set, series->hash);
    while (*at != series)
        at = &(*at)->next;
    *at = series->next;
    set->count--;
    free_series(set, series);
}

/* ---- the packed form ---- */

static size_t text_length(const struct sl_symbol *symbol) {
    return sl_wire_varint_length(symbol->len) + symbol->len;
}

static char *put_text(char *out, const struct sl_symbol *symbol) {
    out = sl_wire_varint(out, symbol->len);
    memcpy(out, symbol->bytes, symbol->len);
    return out + symbol->len;
}

size_t sl_series_packed_length(const struct sl_series *series) {
    size_t len = 1 + text_length(series->unit) + text_length(series->help) +
                 sl_wire_varint_length(series->label_count);
    for (size_t i = 0; i < 2u * series->label_count; i++)
        len += text_length(series->labels[i]);
    return len;
}

char *sl_series_put_packed(const struct sl_series *series, char *out) {
    *out++ = (char)series->kind;
    out = put_text(out, series->unit);
    out = put_text(out, series->help);
    out = sl_wire_varint(out, series->label_count);
    for (size_t i = 0; i < 2u * series->label_count; i++)
        out = put_text(out, series->labels[i]);
    return out;
}
