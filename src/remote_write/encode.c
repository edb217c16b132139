/* Remote write messages, byte by byte. */
#include "remote_write/encode.h"

#include "remote_write/wire.h"

enum {
    ONE_BYTE_VARINT_MAX = 0x7f,
    /* Of a TimeSeries in 2.0 without its references: all tags and lengths, a sample, metadata. */
    SERIES_FIXED_BYTES = 100,
    REF_BYTES = 5,
    VALUE_BYTES = 8,
    VALUE_END = 3 + VALUE_BYTES, /* in a sample */
    SAMPLE_BYTES = VALUE_END + 2 * (1 + SL_WIRE_VARINT_BYTES),
};

enum field {
    SERIES_1 = SL_WIRE_LEN(1),
    LABELS_1 = SL_WIRE_LEN(1),
    LABEL_NAME = SL_WIRE_LEN(1),
    LABEL_VALUE = SL_WIRE_LEN(2),

    SYMBOLS_2 = SL_WIRE_LEN(4),
    SERIES_2 = SL_WIRE_LEN(5),
    LABELS_REFS_2 = SL_WIRE_LEN(1),
    METADATA_2 = SL_WIRE_LEN(5),
    METADATA_TYPE = SL_WIRE_VARINT(1),
    METADATA_HELP = SL_WIRE_VARINT(3),
    METADATA_UNIT = SL_WIRE_VARINT(4),

    /* Both. */
    SAMPLES = SL_WIRE_LEN(2),
    SAMPLE_VALUE = SL_WIRE_I64(1),
    SAMPLE_TIME = SL_WIRE_VARINT(2),
    SAMPLE_START = SL_WIRE_VARINT(3),
};

void sl_encoder_init(struct sl_encoder *e, size_t max_bytes) {
    *e = (struct sl_encoder){.batch = 0};
    sl_buffer_init(&e->symbols, max_bytes);
    sl_buffer_init(&e->series, max_bytes);
    sl_buffer_init(&e->records, max_bytes);
}

void sl_encoder_release(struct sl_encoder *e) {
    sl_buffer_release(&e->symbols);
    sl_buffer_release(&e->series);
    sl_buffer_release(&e->records);
}

/* Room for so many bytes at the end; NULL: the buffer has failed. */
static char *room(struct sl_buffer *b, size_t bytes) {
    if (b->cap <= b->len + bytes)
        sl_buffer_reserve(b, b->len + bytes);
    return b->failed == SL_OK ? b->data + b->len : NULL;
}

static void advance(struct sl_buffer *b, const char *end) {
    b->len = (size_t)(end - b->data);
    b->data[b->len] = '\0';
}

static const struct sl_buffer *message_of(const struct sl_encoder *e) {
    return e->protocol == SL_WRITE_2_0 ? &e->symbols : &e->series;
}

/* A TimeSeries ends here; after_value: what it has behind its value. */
static void close_record(struct sl_encoder *e, const struct sl_series *series, const char *end,
                         size_t after_value) {
    struct sl_snappy_record record = {.at = (uint32_t)e->series.len, .host = series->host};
    advance(&e->series, end);
    record.value = (uint32_t)(e->series.len - after_value - VALUE_BYTES);
    char *to = room(&e->records, sizeof(record));
    if (to == NULL)
        return;
    memcpy(to, &record, sizeof(record));
    advance(&e->records, to + sizeof(record));
}

void sl_encoder_begin(struct sl_encoder *e, enum sl_write_protocol protocol) {
    static const char no_symbol[] = {SYMBOLS_2, 0}; /* "MUST start with an empty string" */
    e->protocol = protocol;
    e->batch++;
    e->symbol_count = 1;
    sl_buffer_reset(&e->symbols);
    sl_buffer_reset(&e->series);
    sl_buffer_reset(&e->records);
    if (protocol == SL_WRITE_2_0)
        sl_buffer_append(&e->symbols, no_symbol, sizeof(no_symbol));
}

static char *put_sample(char *out, const struct sl_sample *sample) {
    char *const begin = out;
    out += 2;
    *out++ = SAMPLE_VALUE;
    out = sl_wire_fixed64(out, sample->bits);
    *out++ = SAMPLE_TIME;
    out = sl_wire_varint(out, (uint64_t)sample->time_ms);
    if (sample->start_ms != 0) {
        *out++ = SAMPLE_START;
        out = sl_wire_varint(out, (uint64_t)sample->start_ms);
    }
    begin[0] = SAMPLES;
    begin[1] = (char)(out - begin - 2); /* at most 31: a varint of one byte */
    return out;
}

/* ---- 1.0 ---- */

static size_t label_length(const struct sl_symbol *name, const struct sl_symbol *value) {
    return 2 + sl_wire_varint_length(name->len) + name->len + sl_wire_varint_length(value->len) +
           value->len;
}

static char *put_string(char *out, int tag, const struct sl_symbol *s) {
    out = sl_wire_head(out, tag, s->len);
    memcpy(out, s->bytes, s->len);
    return out + s->len;
}

static void add_1(struct sl_encoder *e, const struct sl_series *series,
                  const struct sl_sample *sample) {
    char sample_bytes[SAMPLE_BYTES];
    struct sl_sample plain = {.bits = sample->bits, .time_ms = sample->time_ms};
    size_t sample_len = (size_t)(put_sample(sample_bytes, &plain) - sample_bytes);
    size_t labels_len = 0;
    for (size_t i = 0; i < 2u * series->label_count; i += 2) {
        size_t len = label_length(series->labels[i], series->labels[i + 1]);
        labels_len += 1 + sl_wire_varint_length(len) + len;
    }
    char *out = room(&e->series, 1 + SL_WIRE_VARINT_BYTES + labels_len + sample_len);
    if (out == NULL)
        return;
    out = sl_wire_head(out, SERIES_1, labels_len + sample_len);
    for (size_t i = 0; i < 2u * series->label_count; i += 2) {
        const struct sl_symbol *name = series->labels[i], *value = series->labels[i + 1];
        out = sl_wire_head(out, LABELS_1, label_length(name, value));
        out = put_string(out, LABEL_NAME, name);
        out = put_string(out, LABEL_VALUE, value);
    }
    memcpy(out, sample_bytes, sample_len);
    close_record(e, series, out + sample_len, sample_len - VALUE_END);
}

/* ---- 2.0 ---- */

/* The symbol's place in the table of this request, where it is put when it is first used. */
static uint32_t ref_of(struct sl_encoder *e, struct sl_symbol *s) {
    if (s->batch == e->batch)
        return s->number;
    char *out = room(&e->symbols, 1 + SL_WIRE_VARINT_BYTES + s->len);
    if (out == NULL)
        return 0;
    advance(&e->symbols, put_string(out, SYMBOLS_2, s));
    s->batch = e->batch;
    return s->number = e->symbol_count++;
}

/* Puts the length of what stands between begin and out in front of it; almost always it fits the
 * one byte that begin[-1] is. */
static char *close_length(char *begin, char *out) {
    size_t len = (size_t)(out - begin);
    if (len <= ONE_BYTE_VARINT_MAX) {
        begin[-1] = (char)len;
        return out;
    }
    size_t more = sl_wire_varint_length(len) - 1;
    memmove(begin + more, begin, len);
    sl_wire_varint(begin - 1, len);
    return out + more;
}

static char *put_metadata(struct sl_encoder *e, char *out, const struct sl_series *series) {
    char *const begin = out + 2;
    out[0] = METADATA_2;
    out = begin;
    *out++ = METADATA_TYPE;
    *out++ = (char)series->kind;
    if (series->help->len > 0) {
        *out++ = METADATA_HELP;
        out = sl_wire_varint(out, ref_of(e, series->help));
    }
    if (series->unit->len > 0) {
        *out++ = METADATA_UNIT;
        out = sl_wire_varint(out, ref_of(e, series->unit));
    }
    return close_length(begin, out);
}

static void add_2(struct sl_encoder *e, const struct sl_series *series,
                  const struct sl_sample *sample) {
    size_t count = 2u * series->label_count;
    char *out = room(&e->series, SERIES_FIXED_BYTES + REF_BYTES * count);
    if (out == NULL)
        return;
    out[0] = (char)SERIES_2;
    char *const begin = out + 2;
    out = begin;
    out[0] = LABELS_REFS_2;
    char *const refs = out + 2;
    out = refs;
    for (size_t i = 0; i < count; i++)
        out = sl_wire_varint(out, ref_of(e, series->labels[i]));
    out = close_length(refs, out);
    const char *after_value = out + VALUE_END;
    out = put_sample(out, sample);
    out = put_metadata(e, out, series);
    size_t rest = (size_t)(out - after_value);
    close_record(e, series, close_length(begin, out), rest);
}

/* ---- both ---- */

void sl_encoder_add(struct sl_encoder *e, const struct sl_series *series,
                    const struct sl_sample *sample) {
    if (e->protocol == SL_WRITE_2_0)
        add_2(e, series, sample);
    else
        add_1(e, series, sample);
}

/* The table of symbols comes first; 1.0 has none. */
int sl_encoder_end(struct sl_encoder *e, const struct sl_buffer **ret, struct sl_error *err) {
    bool has_symbols = e->protocol == SL_WRITE_2_0;
    int code = sl_buffer_check(&e->series, "a batch", err);
    if (code == SL_OK)
        code = sl_buffer_check(&e->records, "the places in a batch", err);
    e->first = 0;
    if (code == SL_OK && has_symbols) {
        e->first = e->symbols.len;
        sl_buffer_append(&e->symbols, e->series.data, e->series.len);
        code = sl_buffer_check(&e->symbols, "a batch with its symbols", err);
    }
    *ret = message_of(e);
    return code;
}

int sl_encoder_compress(const struct sl_encoder *e, struct sl_buffer *out, struct sl_error *err) {
    const struct sl_buffer *message = message_of(e);
    const struct sl_snappy_advice advice = {
        .first = e->first,
        .records = (const void *)e->records.data,
        .count = e->records.len / sizeof(struct sl_snappy_record),
    };
    if (message->len > UINT32_MAX)
        return sl_fail(err, SL_TOOBIG, "snappy has no message of %zu bytes", message->len);
    sl_buffer_reset(out);
    sl_buffer_reserve(out, sl_snappy_bound(message->len));
    int code = sl_buffer_check(out, "a compressed batch", err);
    if (code != SL_OK)
        return code;
    out->len = sl_snappy_compress(message->data, message->len, &advice, out->data);
    out->data[out->len] = '\0';
    return SL_OK;
}
