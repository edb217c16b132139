/* JSON out, into a buffer: compact, escaped, commas and brackets kept right. A failure sticks in
 * the buffer; misuse (a value where a key belongs, an end without its begin) makes the buffer fail
 * with SL_BUG, never prints broken JSON. No I/O. */
#ifndef SL_BASE_JSON_WRITER_H
#define SL_BASE_JSON_WRITER_H

#include <stdint.h>

#include "base/buffer.h"

struct sl_json_writer {
    struct sl_buffer *out;
    unsigned depth;
    uint32_t is_array;    /* one bit per open bracket */
    uint32_t has_element; /* likewise */
};

void sl_json_writer_init(struct sl_json_writer *w, struct sl_buffer *out);

/* key is NULL inside an array and for the outermost value. */
void sl_json_object_begin(struct sl_json_writer *w, const char *key);
void sl_json_object_end(struct sl_json_writer *w);
void sl_json_array_begin(struct sl_json_writer *w, const char *key);
void sl_json_array_end(struct sl_json_writer *w);
void sl_json_put_string(struct sl_json_writer *w, const char *key, const char *value);
void sl_json_put_int64(struct sl_json_writer *w, const char *key, int64_t value);
void sl_json_put_double(struct sl_json_writer *w, const char *key, double value); /* NaN: null */
/* json is one value as JSON writes it, say a number (RFC 8259); it is not checked. */
void sl_json_put_raw(struct sl_json_writer *w, const char *key, const char *json);
void sl_json_put_bool(struct sl_json_writer *w, const char *key, bool value);
void sl_json_put_null(struct sl_json_writer *w, const char *key);

#endif
