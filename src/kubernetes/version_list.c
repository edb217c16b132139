/* A LIST as a stream: {"kind": ..., "items": [{"metadata": {"name": ...}}, ...]}. */
#include "kubernetes/version_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_parser.h"
#include "kubernetes/message.h"

enum { NAME_BYTES = 254 };

/* Where the members of each stand: json_parser.h counts the open brackets. */
enum { IN_LIST = 1, IN_ITEMS = 2, IN_ITEM = 3, IN_METADATA = 4 };

/* A text of an item. */
struct field {
    bool was_seen;
    char text[NAME_BYTES]; /* "": of no usable length */
};

struct sl_version_list {
    struct sl_json_parser *parser;
    void (*take)(void *context, const struct sl_kube_version *item);
    void *context;
    bool is_kind; /* the last key of the outermost object */
    bool is_items;
    bool is_metadata; /* the last key of the item */
    bool has_kind;
    bool has_items;
    bool in_items;
    bool in_item;
    bool in_metadata;
    struct field name, uid, version;
    struct field *field; /* the last key of its metadata; NULL: nothing for us */
    size_t count;
};

static bool is(const struct sl_json_event *e, const char *word) {
    return e->len == strlen(word) && memcmp(e->text, word, e->len) == 0;
}

static void begin_item(struct sl_version_list *l) {
    l->count++;
    l->in_item = true;
    l->is_metadata = false;
    l->name = l->uid = l->version = (struct field){.was_seen = false};
}

static void end_item(struct sl_version_list *l) {
    struct sl_kube_version item = {l->name.text, l->uid.text, l->version.text};
    l->in_item = false;
    if (item.name[0] != '\0' && item.version[0] != '\0')
        l->take(l->context, &item);
}

static int set_field(struct sl_version_list *l, const struct sl_json_event *e,
                     struct sl_error *err) {
    size_t size = l->field == &l->version ? (size_t)SL_KUBE_VERSION_BYTES
                  : l->field == &l->uid   ? (size_t)SL_KUBE_UID_BYTES
                                          : sizeof(l->name.text);
    if (l->field->was_seen)
        return sl_fail(err, SL_PARSE, "metadata says the same thing twice");
    l->field->was_seen = true;
    if (e->len < size) {
        memcpy(l->field->text, e->text, e->len);
        l->field->text[e->len] = '\0';
    }
    return SL_OK;
}

static void on_key(struct sl_version_list *l, const struct sl_json_event *e) {
    if (e->depth == IN_LIST) {
        l->is_kind = is(e, "kind");
        l->is_items = is(e, "items");
    } else if (l->in_item && e->depth == IN_ITEM) {
        l->is_metadata = is(e, "metadata");
    } else if (l->in_metadata && e->depth == IN_METADATA) {
        l->field = is(e, "name")              ? &l->name
                   : is(e, "uid")             ? &l->uid
                   : is(e, "resourceVersion") ? &l->version
                                              : NULL;
    }
}

static int on_string(struct sl_version_list *l, const struct sl_json_event *e,
                     struct sl_error *err) {
    if (e->depth == IN_LIST && l->is_kind) {
        l->has_kind = is(e, "PartialObjectMetadataList") || is(e, "WorkerPoolList");
        return l->has_kind ? SL_OK : sl_fail(err, SL_PARSE, "the answer is no list of WorkerPools");
    }
    if (l->in_metadata && e->depth == IN_METADATA && l->field != NULL)
        return set_field(l, e, err);
    return SL_OK;
}

static int on_bracket(struct sl_version_list *l, const struct sl_json_event *e,
                      struct sl_error *err) {
    bool is_begin = e->kind == SL_JSON_OBJECT_BEGIN || e->kind == SL_JSON_ARRAY_BEGIN;
    bool is_object = e->kind == SL_JSON_OBJECT_BEGIN || e->kind == SL_JSON_OBJECT_END;
    if (!is_object && e->depth == IN_LIST && l->is_items) {
        if (is_begin && l->has_items)
            return sl_fail(err, SL_PARSE, "a list with its items twice");
        l->in_items = is_begin;
        l->has_items = true;
    } else if (is_object && e->depth == IN_ITEMS && l->in_items) {
        if (is_begin)
            begin_item(l);
        else
            end_item(l);
    } else if (is_object && e->depth == IN_ITEM && l->in_item && l->is_metadata) {
        l->in_metadata = is_begin;
        l->field = NULL;
    }
    return SL_OK;
}

static int on_event(void *context, const struct sl_json_event *e, struct sl_error *err) {
    struct sl_version_list *l = context;
    switch (e->kind) {
    case SL_JSON_KEY:
        on_key(l, e);
        return SL_OK;
    case SL_JSON_STRING:
        return on_string(l, e, err);
    case SL_JSON_OBJECT_BEGIN:
    case SL_JSON_OBJECT_END:
    case SL_JSON_ARRAY_BEGIN:
    case SL_JSON_ARRAY_END:
        return on_bracket(l, e, err);
    case SL_JSON_NULL:
    case SL_JSON_BOOL:
    case SL_JSON_NUMBER:
        break;
    }
    return SL_OK;
}

struct sl_version_list *sl_version_list_new(void (*take)(void *context,
                                                         const struct sl_kube_version *item),
                                            void *context) {
    struct sl_json_limits limits = sl_json_default_limits();
    struct sl_version_list *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return NULL;
    l->take = take;
    l->context = context;
    l->parser = sl_json_parser_new(&limits, on_event, l);
    if (l->parser == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

void sl_version_list_free(struct sl_version_list *l) {
    if (l == NULL)
        return;
    sl_json_parser_free(l->parser);
    free(l);
}

int sl_version_list_feed(void *list, const char *bytes, size_t len, struct sl_error *err) {
    struct sl_version_list *l = list;
    return sl_json_parser_feed(l->parser, bytes, len, err);
}

int sl_version_list_finish(struct sl_version_list *l, size_t *ret_count, struct sl_error *err) {
    int code = sl_json_parser_finish(l->parser, err);
    if (code == SL_OK && (!l->has_kind || !l->has_items))
        code = sl_fail(err, SL_PARSE, "the answer is no list of WorkerPools");
    if (code == SL_OK)
        *ret_count = l->count;
    return code;
}
