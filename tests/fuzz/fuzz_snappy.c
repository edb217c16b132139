/* Whatever the message and whatever is said of its records: what comes out fits its bound, and is
 * the message again for a reader who knows nothing but the format (github.com/google/snappy,
 * format_description.txt). The input: how many records there are, the records, the message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "remote_write/snappy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
    const uint8_t *at, *end;
    const uint8_t *want; /* the message */
    size_t len, done;
};

static size_t next(struct reader *r, int bytes) {
    size_t value = 0;
    for (int i = 0; i < bytes; i++) {
        if (r->at == r->end)
            abort();
        value |= (size_t)*r->at++ << (8 * i);
    }
    return value;
}

static size_t next_varint(struct reader *r) {
    size_t value = 0, byte = 0x80;
    for (int shift = 0; byte >= 0x80; shift += 7) {
        byte = next(r, 1);
        value |= (byte & 0x7f) << shift;
    }
    return value;
}

static void read_literal(struct reader *r, size_t len) {
    if (len > (size_t)(r->end - r->at) || len > r->len - r->done ||
        memcmp(r->at, r->want + r->done, len) != 0)
        abort();
    r->at += len;
    r->done += len;
}

/* All before has been found right, so the message itself stands for what has been read. */
static void read_copy(struct reader *r, size_t distance, size_t len) {
    if (distance == 0 || distance > r->done || len > r->len - r->done)
        abort();
    for (; len > 0; len--, r->done++)
        if (r->want[r->done] != r->want[r->done - distance])
            abort();
}

static void read_element(struct reader *r) {
    size_t tag = next(r, 1), upper = tag >> 2;
    switch (tag & 3) {
    case 0:
        read_literal(r, 1 + (upper < 60 ? upper : next(r, (int)upper - 59)));
        break;
    case 1:
        read_copy(r, tag >> 5 << 8 | next(r, 1), 4 + (upper & 7));
        break;
    case 2:
        read_copy(r, next(r, 2), 1 + upper);
        break;
    default:
        read_copy(r, next(r, 4), 1 + upper);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_snappy_record records[255];
    struct sl_snappy_advice advice = {.records = records};
    size_t given = size > 1 ? (size - 1) / sizeof(records[0]) : 0;
    if (size > 0)
        advice.count = data[0] < given ? data[0] : given;
    if (advice.count > 0)
        memcpy(records, data + 1, advice.count * sizeof(records[0]));
    const uint8_t *message = data + (size > 0) + advice.count * sizeof(records[0]);
    size_t len = (size_t)(data + size - message);
    char *out = malloc(sl_snappy_bound(len));
    if (out == NULL)
        return 0;
    const uint8_t *begin = (const uint8_t *)out;
    size_t out_len = sl_snappy_compress((const char *)message, len, &advice, out);
    struct reader reader = {begin, begin + out_len, message, len, 0};
    if (out_len > sl_snappy_bound(len) || next_varint(&reader) != len)
        abort();
    while (reader.at < reader.end)
        read_element(&reader);
    if (reader.done != len)
        abort();
    free(out);
    return 0;
}
