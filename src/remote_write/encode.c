/* Remote write 1.0 messages, byte by byte. */
#include "remote_write/encode.h"

#include <math.h>
#include <snappy-c.h>
#include <string.h>

/* Field number and wire type, as protobuf writes them (protobuf.dev, "Encoding"). */
enum {
    SERIES_TAG = 1 << 3 | 2,
    LABELS_TAG = 1 << 3 | 2,
    SAMPLES_TAG = 2 << 3 | 2,
    NAME_TAG = 1 << 3 | 2,
    VALUE_TAG = 2 << 3 | 2,
    SAMPLE_VALUE_TAG = 1 << 3 | 1,
    SAMPLE_TIME_TAG = 2 << 3 | 0,
    VARINT_BYTES = 10,
};

static const uint64_t quiet_nan = 0x7ff8000000000001;

static size_t put_varint(unsigned char *out, uint64_t n) {
    size_t len = 0;
    for (; n >= 0x80; n >>= 7)
        out[len++] = (unsigned char)(n | 0x80);
    out[len++] = (unsigned char)n;
    return len;
}

static size_t varint_length(uint64_t n) {
    unsigned char unused[VARINT_BYTES];
    return put_varint(unused, n);
}

static void put_head(struct sl_buffer *out, unsigned char tag, size_t len) {
    unsigned char head[1 + VARINT_BYTES] = {tag};
    sl_buffer_append(out, head, 1 + put_varint(head + 1, len));
}

void sl_encode_label(struct sl_buffer *out, const char *name, size_t name_len, const char *value,
                     size_t value_len) {
    size_t len = 2 + varint_length(name_len) + name_len + varint_length(value_len) + value_len;
    put_head(out, LABELS_TAG, len);
    put_head(out, NAME_TAG, name_len);
    sl_buffer_append(out, name, name_len);
    put_head(out, VALUE_TAG, value_len);
    sl_buffer_append(out, value, value_len);
}

static size_t put_fixed64(unsigned char *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if (isnan(value))
        bits = quiet_nan;
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(bits >> (8 * i));
    return 8;
}

void sl_encode_sample(struct sl_buffer *out, const char *labels, size_t labels_len, double value,
                      int64_t timestamp_ms) {
    unsigned char sample[2 + 1 + 8 + 1 + VARINT_BYTES] = {SAMPLES_TAG};
    size_t len = 2;
    sample[len++] = SAMPLE_VALUE_TAG;
    len += put_fixed64(sample + len, value);
    sample[len++] = SAMPLE_TIME_TAG;
    len += put_varint(sample + len, (uint64_t)timestamp_ms);
    sample[1] = (unsigned char)(len - 2); /* at most 20: a varint of one byte */
    put_head(out, SERIES_TAG, labels_len + len);
    sl_buffer_append(out, labels, labels_len);
    sl_buffer_append(out, sample, len);
}

int sl_encode_compress(const struct sl_buffer *message, struct sl_buffer *out,
                       struct sl_error *err) {
    size_t len = snappy_max_compressed_length(message->len);
    sl_buffer_reset(out);
    sl_buffer_reserve(out, len);
    int code = sl_buffer_check(out, "a compressed batch", err);
    if (code != SL_OK)
        return code;
    if (snappy_compress(message->data, message->len, out->data, &len) != SNAPPY_OK)
        return sl_fail(err, SL_BUG, "snappy refuses %zu bytes", message->len);
    out->len = len;
    out->data[len] = '\0';
    return SL_OK;
}
