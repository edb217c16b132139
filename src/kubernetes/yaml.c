/* libyaml's documents, written as JSON. */
#include "kubernetes/yaml.h"

#include <string.h>

#include "base/json_writer.h"
#include "base/limits.h"
#include "kubernetes/yaml_node.h"

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
        if (!yaml_parser_load(parser, w->document))
            return sl_fail(w->err, SL_PARSE, "not YAML at line %zu: %s",
                           parser->problem_mark.line + 1,
                           parser->problem != NULL ? parser->problem : "it ends too early");
        bool is_end = yaml_document_get_root_node(w->document) == NULL;
        int code = is_end ? SL_OK : put_node(w, NULL, 1, 1);
        yaml_document_delete(w->document);
        if (is_end || code != SL_OK)
            return code;
    }
}

int sl_yaml_to_json(const char *yaml, size_t len, struct sl_buffer *out, struct sl_error *err) {
    yaml_document_t document;
    struct writer w = {.document = &document, .err = err};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return sl_fail(err, SL_NOMEM, "out of memory for YAML");
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, len);
    sl_json_writer_init(&w.json, out);
    sl_json_array_begin(&w.json, NULL);
    int code = put_documents(&w, &parser);
    sl_json_array_end(&w.json);
    yaml_parser_delete(&parser);
    return code != SL_OK ? code : sl_buffer_check(out, "YAML as JSON", err);
}

int sl_yaml_node_to_json(yaml_document_t *document, const yaml_node_t *node, struct sl_buffer *out,
                         struct sl_error *err) {
    struct writer w = {.document = document, .err = err};
    sl_json_writer_init(&w.json, out);
    int code = put_node(&w, NULL, (int)(node - document->nodes.start) + 1, 1);
    return code != SL_OK ? code : sl_buffer_check(out, "YAML as JSON", err);
}
