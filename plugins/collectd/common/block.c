/* From collectd's configuration tree to a struct, by an option table. */
#include "common/block.h"

#include <string.h>
#include <strings.h>

#include "common/collectd_log.h"

static int complain(const char *plugin, const struct sl_error *err) {
    struct sl_log log = sl_collectd_log(plugin);
    sl_log(&log, SL_LOG_ERROR, "%s", err->text);
    return -1;
}

static const struct sl_option_block *find_block(const struct sl_option_block *block,
                                                const char *name) {
    for (size_t i = 0; block->blocks != NULL && block->blocks[i] != NULL; i++)
        if (strcasecmp(block->blocks[i]->name, name) == 0)
            return block->blocks[i];
    return NULL;
}

static int set_option(const struct sl_option_block *block, const char *where,
                      const oconfig_item_t *item, void *target, struct sl_error *err) {
    const struct sl_option *option = sl_option_find(block->options, item->key);
    if (option != NULL && item->values_num != 1)
        return sl_fail(err, SL_CONFIG, "%s: option %s takes one value, not %d", where, item->key,
                       item->values_num);
    if (option == NULL || item->values[0].type == OCONFIG_TYPE_STRING)
        return sl_option_set(block->options, target, where, item->key,
                             option != NULL ? item->values[0].value.string : "", err);
    if (item->values[0].type == OCONFIG_TYPE_BOOLEAN)
        return sl_option_set_boolean(block->options, target, where, item->key,
                                     item->values[0].value.boolean != 0, err);
    return sl_option_set_number(block->options, target, where, item->key,
                                item->values[0].value.number, err);
}

/* The name in <Account "acme">; "" for a block without one. */
static int read_label(const struct sl_option_block *block, const char *where,
                      const oconfig_item_t *item, const char **ret, struct sl_error *err) {
    *ret = "";
    if (block->label == NULL)
        return SL_OK;
    if (item->values_num != 1 || item->values[0].type != OCONFIG_TYPE_STRING ||
        item->values[0].value.string[0] == '\0')
        return sl_fail(err, SL_CONFIG, "%s: a <%s> block needs %s in quotes: <%s \"%s\">", where,
                       block->name, block->label, block->name, block->example);
    *ret = item->values[0].value.string;
    return SL_OK;
}

int sl_block_read(const char *plugin, const struct sl_option_block *block, const char *where,
                  const oconfig_item_t *item, void *target, sl_inner_block_fn *inner,
                  void *context) {
    struct sl_error err = SL_ERROR_INIT;
    if (sl_option_defaults(block->options, target, &err) != SL_OK)
        return complain(plugin, &err);
    for (int i = 0; i < item->children_num; i++) {
        const oconfig_item_t *child = &item->children[i];
        const struct sl_option_block *inner_block = find_block(block, child->key);
        const char *label;
        if (inner_block == NULL) {
            if (set_option(block, where, child, target, &err) != SL_OK)
                return complain(plugin, &err);
        } else if (read_label(inner_block, where, child, &label, &err) != SL_OK) {
            return complain(plugin, &err);
        } else if (inner(context, inner_block->name, label, child) != 0) {
            return -1;
        }
    }
    if (sl_option_check(block->options, target, where, &err) != SL_OK)
        return complain(plugin, &err);
    return 0;
}
