/* The one place that knows libyaml. Its documents are flat arrays of nodes, so anchors cannot make
 * them grow; what is written out again as JSON is capped. */
#include "kubernetes/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/json_writer.h"
#include "base/limits.h"

struct sl_yaml {
    yaml_document_t document;
};

static int load(yaml_parser_t *parser, yaml_document_t *ret, struct sl_error *err) {
    if (yaml_parser_load(parser, ret))
        return SL_OK;
    return sl_fail(err, SL_PARSE, "not YAML at line %zu: %s", parser->problem_mark.line + 1,
                   parser->problem != NULL ? parser->problem : "it ends too early");
}

static int begin(yaml_parser_t *parser, const char *yaml, size_t len, struct sl_error *err) {
    if (!yaml_parser_initialize(parser))
        return sl_fail(err, SL_NOMEM, "out of memory for YAML");
    yaml_parser_set_input_string(parser, (const unsigned char *)yaml, len);
    return SL_OK;
}

/* ---- node by node ---- */

static const yaml_node_t *node_of(const struct sl_yaml_node *node, yaml_node_type_t type) {
    const yaml_node_t *n = (const void *)node;
    return n != NULL && n->type == type ? n : NULL;
}

static const struct sl_yaml_node *node_at(struct sl_yaml *y, int index) {
    return (const void *)yaml_document_get_node(&y->document, index);
}

int sl_yaml_parse(const char *yaml, size_t len, struct sl_yaml **ret, struct sl_error *err) {
    yaml_parser_t parser;
    struct sl_yaml *y = calloc(1, sizeof(*y));
    int code = y != NULL ? begin(&parser, yaml, len, err)
                         : sl_fail(err, SL_NOMEM, "out of memory for YAML");
    if (code != SL_OK) {
        free(y);
        return code;
    }
    code = load(&parser, &y->document, err);
    yaml_parser_delete(&parser);
    if (code == SL_OK)
        *ret = y;
    else
        free(y);
    return code;
}

void sl_yaml_free(struct sl_yaml *y) {
    if (y == NULL)
        return;
    yaml_document_delete(&y->document);
    free(y);
}

const struct sl_yaml_node *sl_yaml_root(struct sl_yaml *y) {
    return (const void *)yaml_document_get_root_node(&y->document);
}

bool sl_yaml_is_mapping(const struct sl_yaml_node *node) {
    return node_of(node, YAML_MAPPING_NODE) != NULL;
}

const char *sl_yaml_text(const struct sl_yaml_node *node) {
    const yaml_node_t *n = node_of(node, YAML_SCALAR_NODE);
    return n != NULL ? (const char *)n->data.scalar.value : NULL;
}

const struct sl_yaml_node *sl_yaml_get(struct sl_yaml *y, const struct sl_yaml_node *map,
                                       const char *key) {
    const yaml_node_t *n = node_of(map, YAML_MAPPING_NODE);
    if (n == NULL)
        return NULL;
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        const char *name = sl_yaml_text(node_at(y, p->key));
        if (name != NULL && strcmp(name, key) == 0)
            return node_at(y, p->value);
    }
    return NULL;
}

size_t sl_yaml_size(const struct sl_yaml_node *list) {
    const yaml_node_t *n = node_of(list, YAML_SEQUENCE_NODE);
    return n != NULL ? (size_t)(n->data.sequence.items.top - n->data.sequence.items.start) : 0;
}

const struct sl_yaml_node *sl_yaml_at(struct sl_yaml *y, const struct sl_yaml_node *list,
                                      size_t i) {
    const yaml_node_t *n = node_of(list, YAML_SEQUENCE_NODE);
    return i < sl_yaml_size(list) ? node_at(y, n->data.sequence.items.start[i]) : NULL;
}

/* ---- as JSON ---- */

struct writer {
    yaml_document_t *document;
    struct sl_json_writer json;
    struct sl_error *err;
};

static int fail_at(struct writer *w, const yaml_node_t *node, const char *what) {
    return sl_fail(w->err, SL_PARSE, "line %zu: %s", node->start_mark.line + 1, what);
}

static size_t skip_digits(const char *text) {
    return strspn(text, "0123456789");
}

/* RFC 8259 section 6. */
static bool is_number(const char *text) {
    text += *text == '-';
    size_t digits = skip_digits(text);
    if (digits == 0 || (digits > 1 && *text == '0'))
        return false;
    text += digits;
    if (*text == '.') {
        text++;
        if ((digits = skip_digits(text)) == 0)
            return false;
        text += digits;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '+' || *text == '-';
        if ((digits = skip_digits(text)) == 0)
            return false;
        text += digits;
    }
    return *text == '\0';
}

static bool is_one_of(const char *text, const char *const *words) {
    for (; *words != NULL; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static int put_plain(struct writer *w, const char *key, const char *text) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    if (is_one_of(text, nulls))
        sl_json_put_null(&w->json, key);
    else if (is_one_of(text, yes) || is_one_of(text, no))
        sl_json_put_bool(&w->json, key, is_one_of(text, yes));
    else if (is_number(text))
        sl_json_put_raw(&w->json, key, text);
    else
        sl_json_put_string(&w->json, key, text);
    return SL_OK;
}

static bool has_nul(const yaml_node_t *node) {
    return strlen((const char *)node->data.scalar.value) != node->data.scalar.length;
}

static int put_scalar(struct writer *w, const char *key, const yaml_node_t *node) {
    const char *text = (const char *)node->data.scalar.value;
    if (has_nul(node))
        return fail_at(w, node, "a NUL character");
    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return put_plain(w, key, text);
    sl_json_put_string(&w->json, key, text);
    return SL_OK;
}

static int put_node(struct writer *w, const char *key, int index, unsigned depth);

static int put_mapping(struct writer *w, const yaml_node_t *node, unsigned depth) {
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(w->document, pair->key);
        if (name == NULL || name->type != YAML_SCALAR_NODE || has_nul(name))
            return fail_at(w, node, "a key that is no plain text");
        int code = put_node(w, (const char *)name->data.scalar.value, pair->value, depth + 1);
        if (code != SL_OK)
            return code;
    }
    return SL_OK;
}

static int put_sequence(struct writer *w, const yaml_node_t *node, unsigned depth) {
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (; item < node->data.sequence.items.top; item++) {
        int code = put_node(w, NULL, *item, depth + 1);
        if (code != SL_OK)
            return code;
    }
    return SL_OK;
}

/* Aliases make a graph of the document: what it grows to is for the depth and the buffer to stop.
 */
static int put_node(struct writer *w, const char *key, int index, unsigned depth) {
    const yaml_node_t *node = yaml_document_get_node(w->document, index);
    int code = sl_buffer_check(w->json.out, "YAML as JSON", w->err);
    if (code != SL_OK)
        return code;
    if (node == NULL)
        return sl_fail(w->err, SL_PARSE, "a value that is not there");
    if (depth >= SL_LIMIT_JSON_DEPTH)
        return sl_fail(w->err, SL_TOOBIG, "line %zu: nested deeper than %u",
                       node->start_mark.line + 1, SL_LIMIT_JSON_DEPTH);
    switch (node->type) {
    case YAML_MAPPING_NODE:
        sl_json_object_begin(&w->json, key);
        code = put_mapping(w, node, depth);
        sl_json_object_end(&w->json);
        return code;
    case YAML_SEQUENCE_NODE:
        sl_json_array_begin(&w->json, key);
        code = put_sequence(w, node, depth);
        sl_json_array_end(&w->json);
        return code;
    case YAML_SCALAR_NODE:
        return put_scalar(w, key, node);
    case YAML_NO_NODE:
        break;
    }
    return fail_at(w, node, "a value that is not there");
}

static int put_documents(struct writer *w, yaml_parser_t *parser) {
    for (;;) {
        int code = load(parser, w->document, w->err);
        if (code != SL_OK)
            return code;
        bool is_end = yaml_document_get_root_node(w->document) == NULL;
        code = is_end ? SL_OK : put_node(w, NULL, 1, 1);
        yaml_document_delete(w->document);
        if (is_end || code != SL_OK)
            return code;
    }
}

int sl_yaml_to_json(const char *yaml, size_t len, struct sl_buffer *out, struct sl_error *err) {
    yaml_document_t document;
    struct writer w = {.document = &document, .err = err};
    yaml_parser_t parser;
    int code = begin(&parser, yaml, len, err);
    if (code != SL_OK)
        return code;
    sl_json_writer_init(&w.json, out);
    sl_json_array_begin(&w.json, NULL);
    code = put_documents(&w, &parser);
    sl_json_array_end(&w.json);
    yaml_parser_delete(&parser);
    return code != SL_OK ? code : sl_buffer_check(out, "YAML as JSON", err);
}

int sl_yaml_node_to_json(struct sl_yaml *y, const struct sl_yaml_node *node, struct sl_buffer *out,
                         struct sl_error *err) {
    struct writer w = {.document = &y->document, .err = err};
    const yaml_node_t *n = (const void *)node;
    sl_json_writer_init(&w.json, out);
    int code = put_node(&w, NULL, (int)(n - y->document.nodes.start) + 1, 1);
    return code != SL_OK ? code : sl_buffer_check(out, "YAML as JSON", err);
}
