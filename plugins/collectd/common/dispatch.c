/* From our value lists to collectd's. */
#include "common/dispatch.h"

#include "utils/common/common.h"

void sl_dispatch_part(char *out, const char *text) {
    sstrncpy(out, text, DATA_MAX_NAME_LEN);
    size_t len = strlen(out);
    if (text[len] != '\0')
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            out[--len] = '\0';
    for (char *c = out; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '_';
}

static value_t value_of(const struct sl_metric *metric, double value) {
    return metric->kind == SL_METRIC_DERIVE ? (value_t){.derive = (derive_t)value}
                                            : (value_t){.gauge = value};
}

void sl_dispatch_values(const struct sl_values *from, int64_t realtime_ms, cdtime_t interval) {
    value_t values[SL_TYPE_DS_MAX];
    for (size_t i = 0; i < from->type->count; i++)
        values[i] = value_of(&from->type->metrics[i], from->values[i]);
    cdtime_t own = MS_TO_CDTIME_T(from->interval_ms);
    value_list_t vl = {
        .values = values,
        .values_len = from->type->count,
        .time = MS_TO_CDTIME_T(realtime_ms),
        .interval = own > interval ? own : interval,
    };
    if (from->true_name != NULL && (vl.meta = meta_data_create()) != NULL)
        meta_data_add_string(vl.meta, SL_META_WORKER_POOL_NAME, from->true_name);
    sstrncpy(vl.plugin, from->type->plugin, sizeof(vl.plugin));
    sstrncpy(vl.type, from->type->name, sizeof(vl.type));
    sl_dispatch_part(vl.plugin_instance, from->plugin_instance);
    sl_dispatch_part(vl.type_instance, from->type_instance);
    plugin_dispatch_values(&vl);
    meta_data_destroy(vl.meta);
}
