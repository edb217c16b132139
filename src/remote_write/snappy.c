/* Snappy's block format. */
#include "remote_write/snappy.h"

#include <stdbool.h>
#include <string.h>

#include "remote_write/wire.h"

/* Elements: the lower two bits of the first byte say which. */
enum {
    LITERAL = 0,   /* length - 1 in the upper six bits, or in the bytes that follow */
    COPY_NEAR = 1, /* 2 bytes: lengths 4 to 11, distances of 11 bits */
    COPY_FAR = 2,  /* 3 bytes: lengths 1 to 64, distances of 16 bits */

    LITERAL_SHORT_MAX = 60, /* longer ones have their length in up to four bytes of its own */
    NEAR_LENGTH_MAX = 11,
    NEAR_MAX = 2047,
    COPY_MIN = 4, /* none is shorter here, so that each takes a byte less than what it stands for */
    COPY_MAX = 64,
    FAR_MAX = 65535,
};

enum {
    MARGIN = 16, /* at the end, where nothing is searched: so many bytes can be read everywhere */
    PLACE_BITS = 12,
    HOST_BITS = 11,
    NOISE_FROM = 1, /* of the eight bytes of a value, those that are never searched */
    NOISE_BYTES = 5,
};

struct search {
    const uint8_t *in;
    const uint8_t *limit;
    const uint8_t *at;
    const uint8_t *literal; /* begins here, and has not been put yet */
    uint8_t *out;
};

/* The last places of what begins with the same four bytes, and of the values of one host. */
struct places {
    uint32_t fours[1 << PLACE_BITS];
    uint32_t hosts[1 << HOST_BITS];
};

static inline uint32_t load_four(const uint8_t *from) {
    uint32_t four;
    memcpy(&four, from, sizeof(four));
    return four;
}

static inline uint64_t load_word(const uint8_t *from) {
    uint64_t word;
    memcpy(&word, from, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* ---- elements ---- */

static uint8_t *put_long_literal(uint8_t *out, const uint8_t *from, size_t len) {
    uint8_t *tag = out++;
    if (len <= LITERAL_SHORT_MAX) {
        *tag = (uint8_t)((len - 1) << 2 | LITERAL);
    } else {
        size_t bytes = 0;
        for (size_t rest = len - 1; rest > 0; rest >>= 8, bytes++)
            *out++ = (uint8_t)rest;
        *tag = (uint8_t)((LITERAL_SHORT_MAX - 1 + bytes) << 2 | LITERAL);
    }
    memcpy(out, from, len);
    return out + len;
}

/* More than len bytes are copied, where a copy is to follow: see sl_snappy_bound(). */
static inline uint8_t *put_literal(uint8_t *out, const uint8_t *from, size_t len) {
    if (len > MARGIN)
        return put_long_literal(out, from, len);
    *out++ = (uint8_t)((len - 1) << 2 | LITERAL);
    memcpy(out, from, MARGIN);
    return out + len;
}

static inline uint8_t *put_copy_piece(uint8_t *out, size_t distance, size_t len) {
    if (len <= NEAR_LENGTH_MAX && distance <= NEAR_MAX) {
        *out++ = (uint8_t)(distance >> 8 << 5 | (len - COPY_MIN) << 2 | COPY_NEAR);
    } else {
        out[0] = (uint8_t)((len - 1) << 2 | COPY_FAR);
        out[2] = (uint8_t)(distance >> 8);
        out[1] = (uint8_t)distance;
        return out + 3;
    }
    *out++ = (uint8_t)distance;
    return out;
}

/* No piece is shorter than COPY_MIN. */
static inline uint8_t *put_copy(uint8_t *out, size_t distance, size_t len) {
    for (; len >= COPY_MAX + COPY_MIN; len -= COPY_MAX)
        out = put_copy_piece(out, distance, COPY_MAX);
    if (len > COPY_MAX) {
        out = put_copy_piece(out, distance, COPY_MAX - COPY_MIN);
        len -= COPY_MAX - COPY_MIN;
    }
    return put_copy_piece(out, distance, len);
}

/* ---- the search ---- */

static inline size_t equal_bytes(const uint8_t *a, const uint8_t *b, const uint8_t *limit) {
    const uint8_t *begin = b;
    for (; limit - b >= 8; a += 8, b += 8) {
        uint64_t difference = load_word(a) ^ load_word(b);
        if (difference != 0)
            return (size_t)(b - begin) + ((size_t)__builtin_ctzll(difference) >> 3);
    }
    while (b < limit && *a == *b)
        a++, b++;
    return (size_t)(b - begin);
}

static inline uint32_t *place_of(struct places *p, uint32_t four) {
    return &p->fours[four * UINT32_C(0x1e35a7bd) >> (32 - PLACE_BITS)];
}

/* Goes on to end, or a little farther. guess: a distance that is worth a look, at most FAR_MAX and
 * never before the input. */
static inline void search(struct search *state, struct places *p, const uint8_t *end, size_t guess,
                          const uint8_t *noise) {
    struct search s = *state;
    while (s.at < end) {
        if ((size_t)(s.at - noise) < NOISE_BYTES) {
            s.at = noise + NOISE_BYTES;
            continue;
        }
        uint32_t four = load_four(s.at);
        uint32_t *place = place_of(p, four);
        const uint8_t *from = s.in + *place;
        *place = (uint32_t)(s.at - s.in);
        bool is_guess = load_four(s.at - guess) == four;
        bool is_last = load_four(from) == four && s.at - from <= FAR_MAX;
        if (!is_guess && !is_last) {
            s.at++;
            continue;
        }
        size_t distance = guess, len = 0;
        if (is_guess)
            len = COPY_MIN + equal_bytes(s.at - guess + COPY_MIN, s.at + COPY_MIN, s.limit);
        if (is_last) {
            size_t other = COPY_MIN + equal_bytes(from + COPY_MIN, s.at + COPY_MIN, s.limit);
            distance = other > len ? (size_t)(s.at - from) : distance;
            len = other > len ? other : len;
        }
        if (s.at > s.literal)
            s.out = put_literal(s.out, s.literal, (size_t)(s.at - s.literal));
        s.out = put_copy(s.out, distance, len);
        s.literal = s.at = s.at + len;
        if (s.at < end)
            *place_of(p, load_four(s.at - 1)) = (uint32_t)(s.at - 1 - s.in);
    }
    *state = s;
}

/* How far back the last record of the same host is; 1 if that is no use. */
static inline size_t distance_of_host(struct places *p, uint32_t host, size_t value, size_t at) {
    uint32_t *place = &p->hosts[host * UINT32_C(0x9e3779b1) >> (32 - HOST_BITS)];
    size_t distance = value - *place;
    *place = (uint32_t)value;
    return distance > 0 && distance <= FAR_MAX && distance <= at ? distance : 1;
}

static void compress(struct search *s, const struct sl_snappy_advice *advice) {
    struct places places = {.fours = {0}};
    const size_t len = (size_t)(s->limit - s->in), stop = len - MARGIN;
    size_t guess = 1, noise = len;
    s->at++;
    for (size_t i = 0;; i++) {
        bool is_rest = i == advice->count;
        size_t end = is_rest ? stop : advice->first + advice->records[i].at;
        search(s, &places, s->in + (end < stop ? end : stop), guess, s->in + noise);
        if (is_rest)
            return;
        size_t value = advice->first + advice->records[i].value;
        guess = distance_of_host(&places, advice->records[i].host, value, (size_t)(s->at - s->in));
        noise = value < stop ? value + NOISE_FROM : len;
    }
}

/* Of each copy at least a byte is left over, which pays for the first byte of the literal after it;
 * what else a literal needs is a sixtieth of it at most. So at every moment no more has been put
 * than this makes of what has been read, but for the first literal's byte and the length's five;
 * and put_literal(), which copies up to MARGIN bytes too many, is MARGIN bytes from the end. */
size_t sl_snappy_bound(size_t len) {
    return len + len / LITERAL_SHORT_MAX + 6;
}

size_t sl_snappy_compress(const char *in, size_t len, const struct sl_snappy_advice *advice,
                          char *out) {
    static const struct sl_snappy_advice none = {.count = 0};
    const uint8_t *begin = (const uint8_t *)in;
    struct search s = {begin, begin + len, begin, begin, NULL};
    s.out = (uint8_t *)sl_wire_varint(out, len);
    if (len > 2 * MARGIN)
        compress(&s, advice != NULL ? advice : &none);
    if (s.literal < s.limit)
        s.out = put_long_literal(s.out, s.literal, (size_t)(s.limit - s.literal));
    return (size_t)(s.out - (uint8_t *)out);
}
