/* A small JSON document held in memory: one array of nodes, one buffer of texts. */
#include "base/json_document.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_parser.h"
#include "base/limits.h"
#include "base/secret.h"

/* The outermost value is the first node; the others are reached by distance in nodes, so that the
 * array may move while it grows. */
struct sl_json {
    enum sl_json_kind kind;
    bool boolean;
    size_t key;  /* while parsing: offset + 1 into the texts, 0: none */
    size_t text; /* likewise */
    const char *key_text;
    const char *value_text;
    size_t len;
    uint32_t first; /* distance to the first child; 0: none */
    uint32_t next;  /* distance to the next sibling; 0: none */
    uint32_t count;
    char *owned; /* of the outermost value: the texts */
    size_t owned_len;
};

struct builder {
    struct sl_json *nodes;
    size_t count, cap;
    struct sl_buffer texts;
    size_t open[SL_LIMIT_JSON_DEPTH]; /* the containers that are open */
    size_t last[SL_LIMIT_JSON_DEPTH]; /* the newest child of each; 0: none yet */
    size_t key;
};

static int put_text(struct builder *b, const char *text, size_t len, size_t *ret,
                    struct sl_error *err) {
    *ret = b->texts.len + 1;
    sl_buffer_append(&b->texts, text, len);
    sl_buffer_append(&b->texts, "", 1);
    return sl_buffer_check(&b->texts, "a JSON document", err);
}

static int grow(struct builder *b, struct sl_error *err) {
    if (b->count == SL_LIMIT_JSON_NODES)
        return sl_fail(err, SL_TOOBIG, "a JSON document has more than %u values",
                       SL_LIMIT_JSON_NODES);
    if (b->count < b->cap)
        return SL_OK;
    size_t cap = b->cap == 0 ? 32 : b->cap * 2;
    struct sl_json *nodes = realloc(b->nodes, cap * sizeof(*nodes));
    if (nodes == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a JSON document");
    b->nodes = nodes;
    b->cap = cap;
    return SL_OK;
}

static int refuse_repeated_key(const struct builder *b, const struct sl_json *parent,
                               struct sl_error *err) {
    const char *key = b->texts.data + b->key - 1;
    const struct sl_json *child = parent->first == 0 ? NULL : parent + parent->first;
    while (child != NULL) {
        if (strcmp(b->texts.data + child->key - 1, key) == 0)
            return sl_fail(err, SL_PARSE, "a JSON object has the key \"%s\" twice", key);
        child = child->next == 0 ? NULL : child + child->next;
    }
    return SL_OK;
}

/* Hangs the newest node below its container. */
static void link_node(struct builder *b, size_t index, unsigned depth) {
    if (depth == 0)
        return;
    size_t parent = b->open[depth - 1], previous = b->last[depth - 1];
    if (previous == 0)
        b->nodes[parent].first = (uint32_t)(index - parent);
    else
        b->nodes[previous].next = (uint32_t)(index - previous);
    b->nodes[parent].count++;
    b->last[depth - 1] = index;
}

static int add_node(struct builder *b, const struct sl_json_event *event, struct sl_error *err) {
    int code = grow(b, err);
    if (code == SL_OK && b->key != 0)
        code = refuse_repeated_key(b, &b->nodes[b->open[event->depth - 1]], err);
    struct sl_json node = {.kind = event->kind, .boolean = event->boolean, .key = b->key};
    if (code == SL_OK && event->text != NULL) {
        node.len = event->len;
        code = put_text(b, event->text, event->len, &node.text, err);
    }
    if (code != SL_OK)
        return code;
    size_t index = b->count++;
    b->nodes[index] = node;
    b->key = 0;
    link_node(b, index, event->depth);
    if (event->kind == SL_JSON_OBJECT_BEGIN || event->kind == SL_JSON_ARRAY_BEGIN) {
        b->open[event->depth] = index;
        b->last[event->depth] = 0;
    }
    return SL_OK;
}

static int on_event(void *context, const struct sl_json_event *event, struct sl_error *err) {
    struct builder *b = context;
    if (event->kind == SL_JSON_OBJECT_END || event->kind == SL_JSON_ARRAY_END)
        return SL_OK;
    if (event->kind == SL_JSON_KEY)
        return put_text(b, event->text, event->len, &b->key, err);
    return add_node(b, event, err);
}

/* From offsets to pointers, once nothing moves any more. */
static int finish(struct builder *b, struct sl_json **ret, struct sl_error *err) {
    size_t len = b->texts.len;
    char *texts = sl_buffer_steal(&b->texts);
    if (texts == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a JSON document");
    for (size_t i = 0; i < b->count; i++) {
        struct sl_json *node = &b->nodes[i];
        node->key_text = node->key == 0 ? NULL : texts + node->key - 1;
        node->value_text = node->text == 0 ? NULL : texts + node->text - 1;
    }
    b->nodes[0].owned = texts;
    b->nodes[0].owned_len = len;
    *ret = b->nodes;
    b->nodes = NULL;
    return SL_OK;
}

int sl_json_parse(const char *bytes, size_t len, struct sl_json **ret, struct sl_error *err) {
    struct builder b = {.nodes = NULL};
    struct sl_json_limits limits = sl_json_default_limits();
    sl_buffer_init(&b.texts, limits.max_bytes);
    /* A text with its NUL is no longer than it was in quotes. Sized once: there may be a secret
     * among them, and growing would leave copies of it behind. */
    sl_buffer_reserve(&b.texts, len < limits.max_bytes ? len : limits.max_bytes);
    struct sl_json_parser *parser = sl_json_parser_new(&limits, on_event, &b);
    int code = SL_OK;
    if (parser == NULL)
        code = sl_fail(err, SL_NOMEM, "out of memory for a JSON document");
    if (code == SL_OK)
        code = sl_json_parser_feed(parser, bytes, len, err);
    if (code == SL_OK)
        code = sl_json_parser_finish(parser, err);
    if (code == SL_OK)
        code = finish(&b, ret, err);
    sl_json_parser_free(parser);
    sl_buffer_wipe(&b.texts);
    free(b.nodes);
    return code;
}

void sl_json_free(struct sl_json *document) {
    if (document == NULL)
        return;
    sl_wipe(document->owned, document->owned_len);
    free(document->owned);
    free(document);
}

const struct sl_json *sl_json_get(const struct sl_json *value, const char *key) {
    if (!sl_json_is_object(value))
        return NULL;
    const struct sl_json *child = value + value->first;
    for (size_t left = value->count; left > 0; left--, child += child->next)
        if (strcmp(child->key_text, key) == 0)
            return child;
    return NULL;
}

size_t sl_json_size(const struct sl_json *value) {
    return value == NULL ? 0 : value->count;
}

const struct sl_json *sl_json_at(const struct sl_json *value, size_t index) {
    if (value == NULL || index >= value->count)
        return NULL;
    const struct sl_json *child = value + value->first;
    while (index-- > 0)
        child += child->next;
    return child;
}

bool sl_json_is_object(const struct sl_json *value) {
    return value != NULL && value->kind == SL_JSON_OBJECT_BEGIN;
}

bool sl_json_is_array(const struct sl_json *value) {
    return value != NULL && value->kind == SL_JSON_ARRAY_BEGIN;
}

bool sl_json_is_null(const struct sl_json *value) {
    return value != NULL && value->kind == SL_JSON_NULL;
}

const char *sl_json_key(const struct sl_json *value) {
    return value != NULL ? value->key_text : NULL;
}

const char *sl_json_string(const struct sl_json *value) {
    return value != NULL && value->kind == SL_JSON_STRING ? value->value_text : NULL;
}

bool sl_json_int64(const struct sl_json *value, int64_t *ret) {
    return value != NULL && value->kind == SL_JSON_NUMBER &&
           sl_json_to_int64(value->value_text, value->len, ret, NULL) == SL_OK;
}

bool sl_json_double(const struct sl_json *value, double *ret) {
    return value != NULL && value->kind == SL_JSON_NUMBER &&
           sl_json_to_double(value->value_text, value->len, ret, NULL) == SL_OK;
}

bool sl_json_bool(const struct sl_json *value, bool *ret) {
    if (value == NULL || value->kind != SL_JSON_BOOL)
        return false;
    *ret = value->boolean;
    return true;
}
