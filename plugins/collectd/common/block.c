/* From collectd's configuration tree to ours. */
#include "common/block.h"

#include "common/collectd_log.h"

static int convert_value(const oconfig_value_t *value, struct sl_config_item *ret,
                         struct sl_error *err) {
    if (value->type == OCONFIG_TYPE_BOOLEAN)
        return sl_config_add_boolean(ret, value->value.boolean != 0, err);
    if (value->type == OCONFIG_TYPE_NUMBER)
        return sl_config_add_number(ret, value->value.number, err);
    return sl_config_add_string(ret, value->value.string, err);
}

static int convert(const oconfig_item_t *item, struct sl_config_item *ret, struct sl_error *err) {
    int code = SL_OK;
    for (int i = 0; code == SL_OK && i < item->values_num; i++)
        code = convert_value(&item->values[i], ret, err);
    for (int i = 0; code == SL_OK && i < item->children_num; i++) {
        struct sl_config_item *child;
        code = sl_config_add_child(ret, item->children[i].key, &child, err);
        if (code == SL_OK)
            code = convert(&item->children[i], child, err);
    }
    return code;
}

int sl_block_read(const char *plugin, const oconfig_item_t *item,
                  int (*read)(const struct sl_config_item *item, struct sl_error *err)) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_config_item tree = {.key = NULL};
    int code = convert(item, &tree, &err);
    if (code == SL_OK)
        code = read(&tree, &err);
    sl_config_release(&tree);
    if (code == SL_OK)
        return 0;
    struct sl_log log = sl_collectd_log(plugin);
    sl_log(&log, SL_LOG_ERROR, "%s", err.text);
    return -1;
}
