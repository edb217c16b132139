/* The configuration as a tree. */
#include "base/config_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int out_of_memory(struct sl_error *err) {
    return sl_fail(err, SL_NOMEM, "out of memory while reading the configuration");
}

/* ---- building ---- */

int sl_config_add_child(struct sl_config_item *parent, const char *key, struct sl_config_item **ret,
                        struct sl_error *err) {
    struct sl_config_item *grown =
        realloc(parent->children, (parent->child_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return out_of_memory(err);
    parent->children = grown;
    struct sl_config_item *child = &grown[parent->child_count];
    *child = (struct sl_config_item){.key = strdup(key)};
    if (child->key == NULL)
        return out_of_memory(err);
    parent->child_count++;
    *ret = child;
    return SL_OK;
}

static int add_value(struct sl_config_item *item, const struct sl_config_value *value,
                     struct sl_error *err) {
    struct sl_config_value *grown = realloc(item->values, (item->value_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return out_of_memory(err);
    item->values = grown;
    grown[item->value_count++] = *value;
    return SL_OK;
}

int sl_config_add_string(struct sl_config_item *item, const char *text, struct sl_error *err) {
    struct sl_config_value value = {.type = SL_CONFIG_STRING, .text = strdup(text)};
    if (value.text == NULL)
        return out_of_memory(err);
    int code = add_value(item, &value, err);
    if (code != SL_OK)
        free(value.text);
    return code;
}

int sl_config_add_number(struct sl_config_item *item, double number, struct sl_error *err) {
    struct sl_config_value value = {.type = SL_CONFIG_NUMBER, .number = number};
    return add_value(item, &value, err);
}

int sl_config_add_boolean(struct sl_config_item *item, bool boolean, struct sl_error *err) {
    struct sl_config_value value = {.type = SL_CONFIG_BOOLEAN, .boolean = boolean};
    return add_value(item, &value, err);
}

int sl_config_take(struct sl_config_item *root, struct sl_config_item *child,
                   struct sl_error *err) {
    struct sl_config_item *grown =
        realloc(root->children, (root->child_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return out_of_memory(err);
    root->children = grown;
    grown[root->child_count++] = *child;
    *child = (struct sl_config_item){.key = NULL};
    return SL_OK;
}

void sl_config_release(struct sl_config_item *item) {
    for (size_t i = 0; i < item->child_count; i++)
        sl_config_release(&item->children[i]);
    for (size_t i = 0; i < item->value_count; i++)
        free(item->values[i].text);
    free(item->children);
    free(item->values);
    free(item->key);
    *item = (struct sl_config_item){.key = NULL};
}

/* ---- reading ---- */

void sl_config_where(const struct sl_option_block *block, const char *label, char *out,
                     size_t size) {
    if (label[0] != '\0')
        snprintf(out, size, "%s \"%s\"", block->name, label);
    else
        snprintf(out, size, "%s", block->name);
}

static const struct sl_option_block *find_block(const struct sl_option_block *block,
                                                const char *name) {
    for (size_t i = 0; block->blocks != NULL && block->blocks[i] != NULL; i++)
        if (strcasecmp(block->blocks[i]->name, name) == 0)
            return block->blocks[i];
    return NULL;
}

/* A daemon changes its directory when it has read its configuration: files that are read again, and
 * most are, would be looked for elsewhere. */
static int check_path(const struct sl_option *option, const char *where,
                      const struct sl_config_value *value, struct sl_error *err) {
    bool is_path = option->type == SL_OPTION_PATH && value->type == SL_CONFIG_STRING;
    if (!is_path || value->text[0] == '/' || value->text[0] == '\0')
        return SL_OK;
    return sl_fail(err, SL_CONFIG, "%s: option %s \"%s\" must be a whole path, from / on", where,
                   option->name, value->text);
}

static int set_value(const struct sl_option_block *block, const char *where, const char *key,
                     const struct sl_config_value *value, void *target, struct sl_error *err) {
    if (value->type == SL_CONFIG_BOOLEAN)
        return sl_option_set_boolean(block->options, target, where, key, value->boolean, err);
    if (value->type == SL_CONFIG_NUMBER)
        return sl_option_set_number(block->options, target, where, key, value->number, err);
    return sl_option_set(block->options, target, where, key, value->text, err);
}

/* A list may stand on one line. */
static int set_option(const struct sl_option_block *block, const char *where,
                      const struct sl_config_item *item, void *target, struct sl_error *err) {
    const struct sl_option *option = sl_option_find(block->options, item->key);
    if (option == NULL) /* says which name is near */
        return sl_option_set(block->options, target, where, item->key, "", err);
    if (item->child_count > 0)
        return sl_fail(err, SL_CONFIG, "%s: %s is an option, not a block: %s VALUE", where,
                       item->key, option->name);
    bool may_be_many = option->type == SL_OPTION_LIST && item->value_count > 1;
    if (item->value_count != 1 && !may_be_many)
        return sl_fail(err, SL_CONFIG, "%s: option %s takes one value, not %zu", where, item->key,
                       item->value_count);
    int code = check_path(option, where, &item->values[0], err);
    for (size_t i = 0; i < item->value_count && code == SL_OK; i++)
        code = set_value(block, where, item->key, &item->values[i], target, err);
    return code;
}

/* The name in <Account "acme">; "" for a block without one. */
static int read_label(const struct sl_option_block *block, const char *where,
                      const struct sl_config_item *item, const char **ret, struct sl_error *err) {
    *ret = "";
    if (block->label == NULL)
        return SL_OK;
    if (item->value_count != 1 || item->values[0].type != SL_CONFIG_STRING ||
        item->values[0].text[0] == '\0')
        return sl_fail(err, SL_CONFIG, "%s: a <%s> block needs %s in quotes: <%s \"%s\">", where,
                       block->name, block->label, block->name, block->example);
    *ret = item->values[0].text;
    return SL_OK;
}

static int read_inner(const struct sl_option_block *block, const char *where,
                      const struct sl_config_item *item, sl_config_inner_fn *inner, void *context,
                      struct sl_error *err) {
    const char *label;
    int code = read_label(block, where, item, &label, err);
    if (code != SL_OK)
        return code;
    if (inner == NULL)
        return sl_fail(err, SL_BUG, "%s: nobody reads <%s>", where, block->name);
    return inner(context, block, label, item, err);
}

int sl_config_read_block(const struct sl_option_block *block, const char *where,
                         const struct sl_config_item *item, void *target, sl_config_inner_fn *inner,
                         void *context, struct sl_error *err) {
    int code = sl_option_defaults(block->options, target, err);
    for (size_t i = 0; code == SL_OK && i < item->child_count; i++) {
        const struct sl_config_item *child = &item->children[i];
        const struct sl_option_block *inner_block = find_block(block, child->key);
        if (inner_block == NULL)
            code = set_option(block, where, child, target, err);
        else
            code = read_inner(inner_block, where, child, inner, context, err);
    }
    return code != SL_OK ? code : sl_option_check(block->options, target, where, err);
}
