/* JSON in, as a stream, over yajl's callbacks. */
#include "base/json_parser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "base/limits.h"

struct sl_json_parser {
    struct sl_json_limits limits;
    sl_json_handler *handler;
    void *context;
    yajl_handle yajl;
    unsigned depth;
    size_t fed_bytes;
    bool has_value;
    struct sl_json_event event; /* the one under way: building one on the stack costs more */
    struct sl_error failure;    /* code SL_OK while all is well */
};

struct sl_json_limits sl_json_default_limits(void) {
    return (struct sl_json_limits){
        .max_bytes = SL_LIMIT_HTTP_BODY_BYTES,
        .max_string_bytes = SL_LIMIT_JSON_STRING_BYTES,
        .max_depth = SL_LIMIT_JSON_DEPTH,
    };
}

/* What yajl wants to hear: 1 goes on, 0 stops. */
static inline int emit(struct sl_json_parser *p, enum sl_json_kind kind, unsigned depth) {
    p->event.kind = kind;
    p->event.depth = depth;
    int code = p->handler(p->context, &p->event, &p->failure);
    if (__builtin_expect(code == SL_OK, 1))
        return 1;
    p->failure.code = code; /* also where the handler left the error alone */
    return 0;
}

static inline int emit_scalar(struct sl_json_parser *p, enum sl_json_kind kind, const char *text,
                              size_t len, bool boolean) {
    p->event.text = text;
    p->event.len = len;
    p->event.boolean = boolean;
    p->has_value |= p->depth == 0;
    return emit(p, kind, p->depth);
}

static int on_null(void *context) {
    return emit_scalar(context, SL_JSON_NULL, NULL, 0, false);
}

static int on_boolean(void *context, int value) {
    return emit_scalar(context, SL_JSON_BOOL, NULL, 0, value != 0);
}

static int on_number(void *context, const char *text, size_t len) {
    return emit_scalar(context, SL_JSON_NUMBER, text, len, false);
}

static int emit_text(struct sl_json_parser *p, enum sl_json_kind kind, const unsigned char *text,
                     size_t len) {
    if (len > p->limits.max_string_bytes) {
        sl_fail(&p->failure, SL_TOOBIG, "a JSON string is longer than %zu bytes",
                p->limits.max_string_bytes);
        return 0;
    }
    /* A NUL would cut the string for every reader that does not carry the length. */
    if (memchr(text, 0, len) != NULL) {
        sl_fail(&p->failure, SL_PARSE, "a JSON string holds a NUL character");
        return 0;
    }
    return emit_scalar(p, kind, (const char *)text, len, false);
}

static int on_string(void *context, const unsigned char *text, size_t len) {
    return emit_text(context, SL_JSON_STRING, text, len);
}

static int on_key(void *context, const unsigned char *text, size_t len) {
    return emit_text(context, SL_JSON_KEY, text, len);
}

static int begin(struct sl_json_parser *p, enum sl_json_kind kind) {
    if (p->depth >= p->limits.max_depth) {
        sl_fail(&p->failure, SL_TOOBIG, "JSON is nested deeper than %u levels",
                p->limits.max_depth);
        return 0;
    }
    p->event.text = NULL;
    p->event.len = 0;
    p->has_value = true;
    return emit(p, kind, p->depth++);
}

static int end(struct sl_json_parser *p, enum sl_json_kind kind) {
    p->event.text = NULL;
    p->event.len = 0;
    return emit(p, kind, --p->depth);
}

static int on_object_begin(void *context) {
    return begin(context, SL_JSON_OBJECT_BEGIN);
}

static int on_object_end(void *context) {
    return end(context, SL_JSON_OBJECT_END);
}

static int on_array_begin(void *context) {
    return begin(context, SL_JSON_ARRAY_BEGIN);
}

static int on_array_end(void *context) {
    return end(context, SL_JSON_ARRAY_END);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number, /* the literal: yajl's own conversion loses range and precision */
    .yajl_string = on_string,
    .yajl_start_map = on_object_begin,
    .yajl_map_key = on_key,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array_begin,
    .yajl_end_array = on_array_end,
};

struct sl_json_parser *sl_json_parser_new(const struct sl_json_limits *limits,
                                          sl_json_handler *handler, void *context) {
    struct sl_json_parser *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->limits = *limits;
    p->handler = handler;
    p->context = context;
    p->yajl = yajl_alloc(&callbacks, NULL, p);
    if (p->yajl == NULL) {
        free(p);
        return NULL;
    }
    return p;
}

void sl_json_parser_free(struct sl_json_parser *p) {
    if (p == NULL)
        return;
    yajl_free(p->yajl);
    free(p);
}

static int report(const struct sl_json_parser *p, struct sl_error *err) {
    if (err != NULL)
        *err = p->failure;
    return p->failure.code;
}

/* yajl has stopped: at our callback's wish, or because the input is no JSON. */
static int take_yajl_failure(struct sl_json_parser *p, size_t offset, struct sl_error *err) {
    if (p->failure.code == SL_OK) {
        unsigned char *text = yajl_get_error(p->yajl, 0, NULL, 0);
        sl_fail(&p->failure, SL_PARSE, "not valid JSON at byte %zu: %s", offset,
                text != NULL ? (const char *)text : "out of memory");
        if (text != NULL)
            yajl_free_error(p->yajl, text);
    }
    return report(p, err);
}

int sl_json_parser_feed(struct sl_json_parser *p, const char *bytes, size_t len,
                        struct sl_error *err) {
    if (p->failure.code != SL_OK)
        return report(p, err);
    if (len > p->limits.max_bytes - p->fed_bytes) {
        sl_fail(&p->failure, SL_TOOBIG, "JSON is larger than %zu bytes", p->limits.max_bytes);
        return report(p, err);
    }
    size_t before = p->fed_bytes;
    p->fed_bytes += len;
    if (yajl_parse(p->yajl, (const unsigned char *)bytes, len) == yajl_status_ok)
        return SL_OK;
    return take_yajl_failure(p, before + yajl_get_bytes_consumed(p->yajl), err);
}

int sl_json_parser_finish(struct sl_json_parser *p, struct sl_error *err) {
    if (p->failure.code != SL_OK)
        return report(p, err);
    if (yajl_complete_parse(p->yajl) != yajl_status_ok)
        return take_yajl_failure(p, p->fed_bytes, err);
    if (!p->has_value) {
        sl_fail(&p->failure, SL_PARSE, "no JSON: the text is empty");
        return report(p, err);
    }
    return SL_OK;
}

int sl_json_to_int64(const char *text, size_t len, int64_t *ret, struct sl_error *err) {
    size_t i = len > 0 && text[0] == '-' ? 1 : 0;
    bool negative = i == 1;
    if (i == len)
        return sl_fail(err, SL_PARSE, "not a number");
    /* Counted downwards: the negative range is the larger one. */
    int64_t value = 0;
    for (; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return sl_fail(err, SL_PARSE, "%.*s is no whole number", (int)(len < 40 ? len : 40),
                           text);
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, text[i] - '0', &value))
            return sl_fail(err, SL_PARSE, "%.*s is out of range", (int)(len < 40 ? len : 40), text);
    }
    if (!negative && value == INT64_MIN)
        return sl_fail(err, SL_PARSE, "%.*s is out of range", (int)(len < 40 ? len : 40), text);
    *ret = negative ? value : -value;
    return SL_OK;
}

/* RFC 8259 section 6, so that neither strtod()'s "inf" and "0x10" nor a locale gets in. */
static bool is_json_number(const char *text, size_t len) {
    size_t i = 0, digits;
    if (i < len && text[i] == '-')
        i++;
    for (digits = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
        digits++;
    if (digits == 0)
        return false;
    if (i < len && text[i] == '.') {
        for (i++, digits = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
            digits++;
        if (digits == 0)
            return false;
    }
    if (i < len && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < len && (text[i] == '+' || text[i] == '-'))
            i++;
        for (digits = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
            digits++;
        if (digits == 0)
            return false;
    }
    return i == len;
}

int sl_json_to_double(const char *text, size_t len, double *ret, struct sl_error *err) {
    char copy[64];
    if (len >= sizeof(copy) || !is_json_number(text, len))
        return sl_fail(err, SL_PARSE, "%.*s is no number", (int)(len < 40 ? len : 40), text);
    memcpy(copy, text, len);
    copy[len] = '\0';
    /* The daemon runs in the C locale; a host that does not would cut the fraction off. */
    char *rest = NULL;
    double value = strtod(copy, &rest);
    if (*rest != '\0' || !isfinite(value))
        return sl_fail(err, SL_PARSE, "%s is out of range", copy);
    *ret = value;
    return SL_OK;
}
