/* Protobuf's four wire shapes, written at a place that has room (protobuf.dev, "Encoding"). Pure;
 * any thread. */
#ifndef SL_REMOTE_WRITE_WIRE_H
#define SL_REMOTE_WRITE_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SL_WIRE_VARINT_BYTES = 10 };

/* Field number and wire type. */
#define SL_WIRE_VARINT(field) ((field) << 3 | 0)
#define SL_WIRE_I64(field)    ((field) << 3 | 1)
#define SL_WIRE_LEN(field)    ((field) << 3 | 2)

static inline char *sl_wire_varint(char *out, uint64_t n) {
    for (; n >= 0x80; n >>= 7)
        *out++ = (char)(n | 0x80);
    *out++ = (char)n;
    return out;
}

static inline size_t sl_wire_varint_length(uint64_t n) {
    size_t len = 1;
    for (; n >= 0x80; n >>= 7)
        len++;
    return len;
}

static inline char *sl_wire_fixed64(char *out, uint64_t bits) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(out, &bits, 8);
#else
    for (int i = 0; i < 8; i++)
        out[i] = (char)(bits >> (8 * i));
#endif
    return out + 8;
}

/* What stands in front of len bytes of a LEN field. */
static inline char *sl_wire_head(char *out, int tag, uint64_t len) {
    *out++ = (char)tag;
    return sl_wire_varint(out, len);
}

#endif
