/* The bytes of a zone file. Nothing in them is trusted: a count that does not fit the length is an
 * error. */
#include "calendar/timezone_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER_BYTES = 44,
    MAX_CHANGES = 20000,
    MAX_TYPES = 256,
    TYPE_BYTES = 6,
    MAX_RULE_BYTES = 100
};

struct header {
    char version;
    uint32_t is_utc, is_std, leap, time, type, chars;
};

static uint32_t read_u32(const char *at) {
    const unsigned char *b = (const unsigned char *)at;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t read_i64(const char *at) {
    uint64_t high = read_u32(at);

    return (int64_t)(high << 32 | read_u32(at + 4));
}

static bool read_header(const char *bytes, size_t len, struct header *ret) {
    if (len < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0) {
        return false;
    }
    *ret = (struct header){
        .version = bytes[4],
        .is_utc = read_u32(bytes + 20),
        .is_std = read_u32(bytes + 24),
        .leap = read_u32(bytes + 28),
        .time = read_u32(bytes + 32),
        .type = read_u32(bytes + 36),
        .chars = read_u32(bytes + 40),
    };
    return ret->time <= MAX_CHANGES && ret->type >= 1 && ret->type <= MAX_TYPES &&
           ret->is_utc <= MAX_TYPES && ret->is_std <= MAX_TYPES && ret->leap <= MAX_CHANGES &&
           ret->chars <= MAX_CHANGES;
}

/* Of the data behind a header; time_bytes is 4 in the first block and 8 in the second. */
static size_t data_bytes(const struct header *h, size_t time_bytes) {
    return (size_t)h->time * (time_bytes + 1) + (size_t)h->type * TYPE_BYTES + h->chars +
           (size_t)h->leap * (time_bytes + 4) + h->is_std + h->is_utc;
}

static int read_changes(struct sl_timezone *tz, const struct header *h, const char *data,
                        struct sl_error *err) {
    const char *indexes = data + (size_t)h->time * 8;
    const char *types = indexes + h->time;

    tz->first_offset_s = (int32_t)read_u32(types);
    tz->changes = calloc((size_t)h->time + 1, sizeof *tz->changes);
    if (tz->changes == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < h->time; i++) {
        size_t type = (unsigned char)indexes[i];

        if (type >= h->type) {
            return sl_fail(err, SL_PARSE, "a zone file that contradicts itself");
        }
        tz->changes[i].at_s = read_i64(data + i * 8);
        tz->changes[i].offset_s = (int32_t)read_u32(types + type * TYPE_BYTES);
    }
    tz->change_count = h->time;
    return SL_OK;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n" behind the second block. */
static int read_footer(struct sl_timezone *tz, const char *at, size_t len, struct sl_error *err) {
    char rule[MAX_RULE_BYTES];
    const char *end = len > 1 ? memchr(at + 1, '\n', len - 1) : NULL;
    size_t rule_len = 0;

    if (len < 2 || at[0] != '\n' || end == NULL || (size_t)(end - at) > sizeof rule) {
        return sl_fail(err, SL_PARSE, "a zone file without its last line");
    }
    rule_len = (size_t)(end - at - 1);
    memcpy(rule, at + 1, rule_len);
    rule[rule_len] = '\0';
    if (rule_len > 0 && !sl_zone_rule_parse(rule, &tz->rule)) {
        return sl_fail(err, SL_PARSE, "a zone file with a rule that is not understood: %s", rule);
    }
    tz->has_rule = rule_len > 0;
    return SL_OK;
}

static int parse_blocks(struct sl_timezone *tz, const char *bytes, size_t len,
                        struct sl_error *err) {
    struct header h = {0};
    size_t first = 0;
    size_t second = 0;
    int rc = SL_OK;

    if (!read_header(bytes, len, &h) || h.version < '2') {
        return sl_fail(err, SL_PARSE, "not a zone file of version 2 or later");
    }
    first = HEADER_BYTES + data_bytes(&h, 4);
    if (first > len || !read_header(bytes + first, len - first, &h)) {
        return sl_fail(err, SL_PARSE, "a zone file that is cut short");
    }
    second = first + HEADER_BYTES + data_bytes(&h, 8);
    if (second > len) {
        return sl_fail(err, SL_PARSE, "a zone file that is cut short");
    }
    rc = read_changes(tz, &h, bytes + first + HEADER_BYTES, err);
    return rc != SL_OK ? rc : read_footer(tz, bytes + second, len - second, err);
}

int sl_timezone_parse(const char *bytes, size_t len, struct sl_timezone **ret,
                      struct sl_error *err) {
    struct sl_timezone *tz = calloc(1, sizeof *tz);
    int rc = SL_OK;

    if (tz == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    rc = parse_blocks(tz, bytes, len, err);
    if (rc != SL_OK) {
        sl_timezone_free(tz);
        return rc;
    }
    *ret = tz;
    return SL_OK;
}

void sl_timezone_free(struct sl_timezone *tz) {
    if (tz == NULL) {
        return;
    }
    free(tz->changes);
    free(tz);
}

int64_t sl_timezone_offset_s(const struct sl_timezone *tz, int64_t utc_s) {
    size_t low = 0;
    size_t high = tz->change_count;

    if (high > 0 && utc_s >= tz->changes[high - 1].at_s && tz->has_rule) {
        return sl_zone_rule_offset_s(&tz->rule, utc_s);
    }
    if (high == 0 && tz->has_rule) {
        return sl_zone_rule_offset_s(&tz->rule, utc_s);
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tz->changes[middle].at_s <= utc_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? tz->first_offset_s : tz->changes[low - 1].offset_s;
}

int64_t sl_timezone_to_utc_s(const struct sl_timezone *tz, int64_t local_s) {
    const int64_t day_s = 86400;
    int64_t before_s = sl_timezone_offset_s(tz, local_s - day_s);
    int64_t after_s = sl_timezone_offset_s(tz, local_s + day_s);

    if (sl_timezone_offset_s(tz, local_s - before_s) == before_s) {
        return local_s - before_s;
    }
    if (sl_timezone_offset_s(tz, local_s - after_s) == after_s) {
        return local_s - after_s;
    }
    return local_s - before_s; /* skipped */
}
