/* The tables of the plugins as one, and what they say about one value. */
#include "spacelift/catalogue_internal.h"

#include <string.h>

const struct sl_metric_type *sl_catalogue(size_t place) {
    const struct {
        const struct sl_metric_type *types;
        size_t count;
    } parts[] = {
        {sl_catalogue_reader, sl_catalogue_reader_count},
        {sl_catalogue_scaler, sl_catalogue_scaler_count},
        {sl_catalogue_remote_write, sl_catalogue_remote_write_count},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (place < parts[i].count)
            return &parts[i].types[place];
        place -= parts[i].count;
    }
    return NULL;
}

const struct sl_metric_type *sl_catalogue_find(const char *plugin, const char *type) {
    const struct sl_metric_type *found;
    for (size_t i = 0; (found = sl_catalogue(i)) != NULL; i++)
        if (strcmp(found->name, type) == 0 && strcmp(found->plugin, plugin) == 0)
            return found;
    return NULL;
}

static size_t put_label(struct sl_metric_label *out, const char *name, const char *value,
                        size_t len) {
    if (name == NULL || len == 0)
        return 0;
    *out = (struct sl_metric_label){.name = name, .value = value, .len = len};
    return 1;
}

size_t sl_metric_labels(const struct sl_metric_type *type, size_t m, const char *plugin_instance,
                        const char *type_instance, const char *worker_pool_name,
                        struct sl_metric_label ret[SL_METRIC_LABELS_MAX]) {
    size_t count = 0;
    bool has_pool_name =
        type->plugin_label != NULL && strcmp(type->plugin_label, SL_LABEL_WORKER_POOL_NAME) == 0;
    const char *name =
        has_pool_name && worker_pool_name != NULL ? worker_pool_name : plugin_instance;
    count += put_label(&ret[count], type->plugin_label, name, strlen(name));

    const char *separator =
        type->type_labels[1] != NULL ? strchr(type_instance, SL_TYPE_INSTANCE_SEPARATOR) : NULL;
    size_t first = separator != NULL ? (size_t)(separator - type_instance) : strlen(type_instance);
    count += put_label(&ret[count], type->type_labels[0], type_instance, first);
    if (separator != NULL)
        count += put_label(&ret[count], type->type_labels[1], separator + 1, strlen(separator + 1));

    const struct sl_metric *metric = &type->metrics[m];
    if (metric->label != NULL)
        count +=
            put_label(&ret[count], metric->label, metric->label_value, strlen(metric->label_value));
    return count;
}
