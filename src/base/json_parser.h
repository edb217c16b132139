/* JSON in, as a stream: bytes are pushed, events come out, nothing is held but the stack of open
 * brackets. A wrapper of yajl's callbacks that adds what yajl lacks: a cap on size, depth and
 * string length (yajl's own stack grows without limit), NUL refused inside strings, comments and
 * trailing bytes refused. UTF-8 is checked by yajl. One thread at a time; no I/O.
 *
 * RFC 8259 is the grammar. Errors: SL_PARSE (with the byte offset), SL_TOOBIG, SL_NOMEM, and
 * whatever the handler returned. */
#ifndef SL_BASE_JSON_PARSER_H
#define SL_BASE_JSON_PARSER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum sl_json_kind {
    SL_JSON_NULL,
    SL_JSON_BOOL,
    SL_JSON_NUMBER, /* text is the literal as it came */
    SL_JSON_STRING,
    SL_JSON_KEY,
    SL_JSON_OBJECT_BEGIN,
    SL_JSON_OBJECT_END,
    SL_JSON_ARRAY_BEGIN,
    SL_JSON_ARRAY_END,
};

struct sl_json_event {
    enum sl_json_kind kind;
    const char *text; /* KEY, STRING, NUMBER: not NUL-terminated, valid during the call only */
    size_t len;
    bool boolean;   /* BOOL */
    unsigned depth; /* of the container the value stands in; 0 for the outermost value. A BEGIN
                       and its END carry the same depth. */
};

struct sl_json_limits {
    size_t max_bytes;
    size_t max_string_bytes;
    unsigned max_depth;
};

/* The limits of base/limits.h. */
struct sl_json_limits sl_json_default_limits(void);

/* Returns SL_OK to go on; anything else stops the parse and is returned from feed(). */
typedef int sl_json_handler(void *context, const struct sl_json_event *event, struct sl_error *err);

struct sl_json_parser;

/* NULL when memory is out. handler and context must outlive the parser. */
struct sl_json_parser *sl_json_parser_new(const struct sl_json_limits *limits,
                                          sl_json_handler *handler, void *context);
void sl_json_parser_free(struct sl_json_parser *p);

/* After a failure every further call returns the same failure. */
int sl_json_parser_feed(struct sl_json_parser *p, const char *bytes, size_t len,
                        struct sl_error *err) SL_CHECKED;

/* The input has ended: SL_PARSE if a value is not complete, or nothing came at all. */
int sl_json_parser_finish(struct sl_json_parser *p, struct sl_error *err) SL_CHECKED;

/* Numbers, exact and independent of the locale. SL_PARSE for a fraction, an exponent or a value
 * outside the range of the type; a double may not be infinite. */
int sl_json_to_int64(const char *text, size_t len, int64_t *ret, struct sl_error *err) SL_CHECKED;
int sl_json_to_double(const char *text, size_t len, double *ret, struct sl_error *err) SL_CHECKED;

#endif
