/* What the answers of Spacelift's GraphQL API mean: the walker, and what the server's errors are.
 */
#include "spacelift/answer.h"

#include <stdlib.h>
#include <string.h>

#include "spacelift/answer_internal.h"

enum { FIRST_WORDS = 40, DATA_DEPTH = 2 };

/* Each step of the walker saves the registers it needs, not those of all together. */
#define SL_STEP __attribute__((noinline))

static const struct sl_shape error_path = {
    .places = (const struct sl_place[]){{.kind = SL_PLACE_LONG_TEXT, .may_lack = true}},
    .count = 1,
};
static const struct sl_place error_places[] = {
    {.name = "message", .len = 7, .kind = SL_PLACE_LONG_TEXT, .may_lack = true},
    {.name = "path", .len = 4, .kind = SL_PLACE_LIST, .may_lack = true, .inside = &error_path},
};
static const struct sl_shape error_shape = {.places = error_places, .count = 2};
static const struct sl_shape errors_shape = {
    .places = (const struct sl_place[]){{.kind = SL_PLACE_OBJECT, .inside = &error_shape}},
    .count = 1,
};
static const struct sl_place root_places[] = {
    {.name = "data", .len = 4, .kind = SL_PLACE_OBJECT, .may_lack = true},
    {.name = "errors", .len = 6, .kind = SL_PLACE_LIST, .may_lack = true, .inside = &errors_shape},
};
static const struct sl_shape root_shape = {.places = root_places, .count = 2};
static const struct sl_shape top_shape = {
    .places = (const struct sl_place[]){{.kind = SL_PLACE_OBJECT, .inside = &root_shape}},
    .count = 1,
};

/* ---- messages ---- */

/* "workerPools[3].pendingRuns is null" */
static int refuse(const struct sl_answer_parser *p, const char *what, struct sl_error *err) {
    struct sl_buffer where;
    sl_buffer_init(&where, SL_ERROR_TEXT_BYTES);
    for (const struct sl_frame *f = &p->frames[DATA_DEPTH]; f <= p->top; f++) {
        if (f->is_list)
            sl_buffer_printf(&where, "[%llu]", (unsigned long long)f->elements - 1);
        else if (f->place != NULL)
            sl_buffer_printf(&where, "%s%s", where.len > 0 ? "." : "", f->place->name);
    }
    int code = sl_fail(err, SL_PARSE, "%s %s",
                       where.len > 0 ? where.data : sl_document_name(p->document), what);
    sl_buffer_release(&where);
    return code;
}

/* ---- scalars ---- */

static int put_count(struct sl_answer_parser *p, const struct sl_json_event *e, void *to,
                     struct sl_error *err) {
    int64_t value;
    if (e->kind != SL_JSON_NUMBER)
        return refuse(p, "is no number", err);
    if (sl_json_to_int64(e->text, e->len, &value, NULL) != SL_OK)
        return refuse(p, "is no whole number", err);
    if (value < 0)
        return refuse(p, "is negative", err);
    memcpy(to, &value, sizeof(value));
    return SL_OK;
}

static int put_number(struct sl_answer_parser *p, const struct sl_json_event *e, void *to,
                      struct sl_error *err) {
    double value;
    if (e->kind != SL_JSON_NUMBER)
        return refuse(p, "is no number", err);
    if (sl_json_to_double(e->text, e->len, &value, NULL) != SL_OK)
        return refuse(p, "is out of range", err);
    memcpy(to, &value, sizeof(value));
    return SL_OK;
}

static int put_text(struct sl_answer_parser *p, const struct sl_json_event *e, bool is_name,
                    void *to, struct sl_error *err) {
    char **text = to;
    if (e->kind != SL_JSON_STRING)
        return refuse(p, "is no string", err);
    if (is_name && e->len == 0)
        return refuse(p, "is empty", err);
    if (is_name && e->len > SL_LIMIT_NAME_BYTES)
        return refuse(p, "is longer than 512 bytes", err);
    free(*text);
    *text = strndup(e->text, e->len);
    return *text != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory for an answer");
}

static int put_word(struct sl_answer_parser *p, const struct sl_json_event *e, char *to,
                    struct sl_error *err) {
    size_t len = e->len < SL_WORD_BYTES - 1 ? e->len : SL_WORD_BYTES - 1;
    if (e->kind != SL_JSON_STRING)
        return refuse(p, "is no string", err);
    while (len < e->len && len > 0 && ((unsigned char)e->text[len] & 0xc0) == 0x80)
        len--; /* between characters */
    memcpy(to, e->text, len);
    to[len] = '\0';
    return SL_OK;
}

static int put_secret(struct sl_answer_parser *p, const struct sl_json_event *e,
                      struct sl_secret *to, struct sl_error *err) {
    if (e->kind != SL_JSON_STRING || e->len == 0)
        return refuse(p, "is no token", err);
    return sl_secret_set(to, e->text, e->len, err);
}

SL_STEP static int put_scalar(struct sl_answer_parser *p, const struct sl_place *place,
                              const struct sl_json_event *e, struct sl_error *err) {
    char *to = (char *)p + place->at;
    if (e->kind == SL_JSON_NULL)
        return place->may_lack ? SL_OK : refuse(p, "is null", err);
    switch (place->kind) {
    case SL_PLACE_COUNT:
        return put_count(p, e, to, err);
    case SL_PLACE_NUMBER:
        return put_number(p, e, to, err);
    case SL_PLACE_BOOL:
        return refuse(p, "is not true or false", err);
    case SL_PLACE_TEXT:
    case SL_PLACE_LONG_TEXT:
        return put_text(p, e, place->kind == SL_PLACE_TEXT, to, err);
    case SL_PLACE_WORD:
        return put_word(p, e, to, err);
    case SL_PLACE_SECRET:
        return put_secret(p, e, (struct sl_secret *)to, err);
    case SL_PLACE_OBJECT:
        return refuse(p, "is no object", err);
    case SL_PLACE_LIST:
        return refuse(p, "is no list", err);
    }
    return SL_OK;
}

/* ---- the server's errors ---- */

static void keep_words(char *out, const char *text, size_t len) {
    size_t used = strlen(out);
    size_t room = SL_MESSAGE_BYTES - 1 - used;
    memcpy(out + used, text, len < room ? len : room);
    out[used + (len < room ? len : room)] = '\0';
}

/* Only the first error is kept: the others follow from it, or say the same of other fields. */
static void error_value(struct sl_answer_parser *p, const struct sl_frame *f,
                        const struct sl_json_event *e) {
    if (p->frames[DATA_DEPTH].elements > 1 || e->text == NULL)
        return;
    if (f->shape == &error_shape && f->place == &error_places[0])
        keep_words(p->message, e->text, e->len);
    if (f->shape == &error_path) {
        if (p->path[0] != '\0')
            keep_words(p->path, ".", 1);
        keep_words(p->path, e->text, e->len);
    }
}

/* ---- the walker: called for every bracket and word of megabytes, so each step is short ---- */

static int on_key(struct sl_answer_parser *p, const struct sl_json_event *e, struct sl_error *err) {
    struct sl_frame *f = p->top;
    const struct sl_shape *shape = f->shape;
    (void)err;
    f->place = NULL;
    for (size_t tried = 0; shape != NULL && tried < shape->count; tried++) {
        size_t i = f->next;
        const struct sl_place *place = &shape->places[i];
        f->next = i + 1 < shape->count ? i + 1 : 0;
        if (place->len == e->len && memcmp(place->name, e->text, e->len) == 0) {
            f->place = place;
            f->bit = 1u << i;
            break;
        }
    }
    return SL_OK;
}

static bool is_of_error(const struct sl_frame *f) {
    return f->shape == &error_shape || f->shape == &error_path;
}

static int on_scalar(struct sl_answer_parser *p, const struct sl_json_event *e,
                     struct sl_error *err) {
    struct sl_frame *f = p->top;
    if (f->place == NULL)
        return SL_OK;
    f->elements += f->is_list;
    if (p->has_errors && is_of_error(f)) {
        error_value(p, f, e);
        return SL_OK;
    }
    f->seen |= f->bit;
    if (f->place->kind == SL_PLACE_BOOL && e->kind == SL_JSON_BOOL) { /* the usual one by far */
        *((bool *)((char *)p + f->place->at)) = e->boolean;
        return SL_OK;
    }
    if (f->shape->element == NULL)
        return put_scalar(p, f->place, e, err);
    int code = put_scalar(p, f->place, e, err);
    return code == SL_OK ? f->shape->element(p, err) : code;
}

/* What the outermost brackets say about the answer. */
static const struct sl_shape *outer_shape(struct sl_answer_parser *p,
                                          const struct sl_place *place) {
    p->has_errors |= place == &root_places[1];
    p->has_root_field |=
        p->top == &p->frames[DATA_DEPTH + 1] && p->frames[1].place == &root_places[0];
    return place == &root_places[0] ? sl_answer_shape(p->document) : place->inside;
}

static int on_begin(struct sl_answer_parser *p, const struct sl_json_event *e,
                    struct sl_error *err) {
    struct sl_frame *outer = p->top, *inner = outer + 1;
    const struct sl_place *place = outer->place;
    bool is_list = e->kind == SL_JSON_ARRAY_BEGIN;
    outer->elements += outer->is_list;
    if (place != NULL && place->kind != (is_list ? SL_PLACE_LIST : SL_PLACE_OBJECT)) {
        if (!is_of_error(outer))
            return refuse(p, is_list ? "is a list" : "is an object", err);
        place = NULL; /* a strange error is an error still */
    }
    p->top = inner;
    *inner = (struct sl_frame){.is_list = is_list, .bit = 1};
    if (place == NULL)
        return SL_OK;
    outer->seen |= outer->bit;
    const struct sl_shape *shape =
        inner > &p->frames[DATA_DEPTH + 1] ? place->inside : outer_shape(p, place);
    inner->shape = shape;
    inner->place = is_list ? shape->places : NULL;
    return shape->begin != NULL ? shape->begin(p, err) : SL_OK;
}

static int check_complete(struct sl_answer_parser *p, struct sl_frame *f, struct sl_error *err) {
    for (size_t i = 0; i < f->shape->count; i++) {
        if ((f->seen & 1u << i) == 0 && !f->shape->places[i].may_lack) {
            f->place = &f->shape->places[i];
            return refuse(p, "is missing", err);
        }
    }
    return SL_OK;
}

static int on_end(struct sl_answer_parser *p, const struct sl_json_event *e, struct sl_error *err) {
    struct sl_frame *inner = p->top;
    const struct sl_shape *shape = inner->shape;
    int code = SL_OK;
    (void)e;
    if (shape != NULL) {
        if (!inner->is_list && inner->seen != shape->all)
            code = check_complete(p, inner, err);
        if (code == SL_OK && shape->end != NULL)
            code = shape->end(p, err);
    }
    p->top = inner - 1;
    return code;
}

static int on_event(void *parser, const struct sl_json_event *e, struct sl_error *err) {
    static int (*const steps[])(struct sl_answer_parser *, const struct sl_json_event *,
                                struct sl_error *) = {
        [SL_JSON_NULL] = on_scalar,       [SL_JSON_BOOL] = on_scalar,
        [SL_JSON_NUMBER] = on_scalar,     [SL_JSON_STRING] = on_scalar,
        [SL_JSON_KEY] = on_key,           [SL_JSON_OBJECT_BEGIN] = on_begin,
        [SL_JSON_ARRAY_BEGIN] = on_begin, [SL_JSON_OBJECT_END] = on_end,
        [SL_JSON_ARRAY_END] = on_end,
    };
    return steps[e->kind](parser, e, err);
}

/* ---- the parser ---- */

struct sl_answer_parser *sl_answer_parser_new(enum sl_document document,
                                              const struct sl_answer_settings *settings) {
    struct sl_answer_parser *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    struct sl_json_limits limits = sl_json_default_limits();
    p->document = document;
    p->settings = *settings;
    p->top = &p->frames[0];
    p->frames[0] = (struct sl_frame){
        .shape = &top_shape, .place = top_shape.places, .bit = 1, .is_list = true};
    p->json = sl_json_parser_new(&limits, on_event, p);
    if (p->json == NULL) {
        free(p);
        return NULL;
    }
    return p;
}

void sl_answer_parser_free(struct sl_answer_parser *p) {
    if (p == NULL)
        return;
    sl_json_parser_free(p->json);
    sl_answer_drop_records(p);
    sl_answer_release(&p->answer);
    free(p);
}

/* A proxy's web page is the usual thing that is no JSON; say so instead of where a brace lacks. */
static int check_beginning(struct sl_answer_parser *p, const char *bytes, size_t len,
                           struct sl_error *err) {
    if (p->has_begun)
        return SL_OK;
    size_t blank = 0;
    while (blank < len && strchr(" \t\r\n", bytes[blank]) != NULL && bytes[blank] != '\0')
        blank++;
    if (blank == len)
        return SL_OK;
    p->has_begun = true;
    if (bytes[blank] == '{')
        return SL_OK;
    size_t words = len - blank < FIRST_WORDS ? len - blank : FIRST_WORDS;
    return sl_fail(err, SL_PARSE,
                   "the answer is no GraphQL answer but begins with \"%.*s\": is URL right, and is "
                   "there a proxy in between?",
                   (int)words, bytes + blank);
}

int sl_answer_parser_feed(void *parser, const char *bytes, size_t len, struct sl_error *err) {
    struct sl_answer_parser *p = parser;
    int code = check_beginning(p, bytes, len, err);
    return code != SL_OK ? code : sl_json_parser_feed(p->json, bytes, len, err);
}

/* The engine has no machine-readable error codes: its words are all there is. */
static enum sl_code code_of(const char *message) {
    static const struct {
        const char *words;
        enum sl_code code;
    } known[] = {
        {"not available for machine sessions", SL_REJECTED},
        {"unauthorized", SL_AUTH},
        {"rate limit exceeded", SL_RATELIMIT},
        {"Cannot query field", SL_REJECTED},
        {"syntax error", SL_REJECTED},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcasestr(message, known[i].words) != NULL)
            return known[i].code;
    return SL_REMOTE;
}

static int fail_for_errors(const struct sl_answer_parser *p, struct sl_error *err) {
    const char *message = p->message[0] != '\0' ? p->message : "an error without a message";
    return sl_fail(err, code_of(message), "Spacelift says: %s%s%s%s", message,
                   p->path[0] != '\0' ? " (at " : "", p->path, p->path[0] != '\0' ? ")" : "");
}

/* null where the schema allows it: no public workers, nobody logged in, the pool is gone. */
static bool may_be_null(enum sl_document document) {
    return document == SL_DOCUMENT_PUBLIC_WORKER_POOL || document == SL_DOCUMENT_VIEWER ||
           document == SL_DOCUMENT_QUEUE || document == SL_DOCUMENT_BLOCKED ||
           document == SL_DOCUMENT_STACK;
}

int sl_answer_parser_finish(struct sl_answer_parser *p, struct sl_answer *ret,
                            struct sl_error *err) {
    int code = sl_json_parser_finish(p->json, err);
    if (code != SL_OK)
        return code;
    if (!p->has_root_field && p->has_errors)
        return fail_for_errors(p, err);
    if (!p->has_root_field && p->document == SL_DOCUMENT_API_KEY_USER)
        return sl_fail(err, SL_NOTFOUND, "Spacelift knows no API key of this id: check APIKeyID");
    if (!p->has_root_field && !may_be_null(p->document))
        return sl_fail(err, SL_PARSE, "the answer holds no %s and no error",
                       sl_document_name(p->document));
    p->answer.has_public_pool = p->document == SL_DOCUMENT_PUBLIC_WORKER_POOL && p->has_root_field;
    p->answer.has_viewer = p->document == SL_DOCUMENT_VIEWER && p->has_root_field;
    p->answer.queue.has_pool =
        (p->document == SL_DOCUMENT_QUEUE || p->document == SL_DOCUMENT_BLOCKED) &&
        p->has_root_field;
    p->answer.has_stack = p->document == SL_DOCUMENT_STACK && p->has_root_field;
    *ret = p->answer;
    p->answer = (struct sl_answer){.pools = NULL};
    return SL_OK;
}
