/* The catalogue's types, as collectd's data sets. */
#include "common/types.h"

#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"

#include "spacelift/catalogue.h"

static int register_type(const struct sl_metric_type *type) {
    data_source_t sources[SL_TYPE_DS_MAX];
    for (size_t i = 0; i < type->count; i++) {
        bool is_gauge = type->metrics[i].kind == SL_METRIC_GAUGE;
        sources[i] = (data_source_t){
            .type = is_gauge ? DS_TYPE_GAUGE : DS_TYPE_DERIVE, .min = 0, .max = NAN};
        sstrncpy(sources[i].name, type->metrics[i].ds, sizeof(sources[i].name));
    }
    data_set_t set = {.ds_num = type->count, .ds = sources};
    sstrncpy(set.type, type->name, sizeof(set.type));
    return plugin_register_data_set(&set) == 0 ? 0 : -1; /* copies */
}

static int register_types(bool only_missing) {
    const struct sl_metric_type *type;
    int status = 0;
    for (size_t i = 0; (type = sl_catalogue(i)) != NULL; i++)
        if (!only_missing || plugin_get_ds(type->name) == NULL)
            status |= register_type(type);
    return status;
}

int sl_types_register(void) {
    return register_types(false);
}

int sl_types_register_missing(void) {
    return register_types(true);
}
