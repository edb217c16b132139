/* From a collectd value to a Prometheus series: its name and its labels.
 *
 * Spacelift's values get the names of the official exporter (src/spacelift/catalogue.h) and the
 * label instance, the host. Every other plugin's values get the names that collectd's own
 * write_prometheus gives them (collectd src/write_prometheus.c, metric_family_name() and
 * metric_family_get_metric()), so that a host can move from scrape to push without touching a
 * dashboard:
 *
 *   name    collectd[_PLUGIN unless it is the type]_TYPE[_DATASOURCE unless it is "value"]
 *           [_total for COUNTER and DERIVE]
 *   labels  PLUGIN=plugin instance; type=type instance, or PLUGIN=type instance where there is no
 *           plugin instance; instance=host
 *
 * What write_prometheus lets through and Prometheus refuses is mended: a character that may not
 * stand in a name becomes '_', a label that is there already gets "exported_" in front, broken
 * UTF-8 becomes U+FFFD, an empty value is left out.
 *
 * Pure; any thread. */
#ifndef SL_REMOTE_WRITE_SERIES_H
#define SL_REMOTE_WRITE_SERIES_H

#include <stddef.h>

#include "base/buffer.h"

enum sl_value_kind { SL_VALUE_GAUGE, SL_VALUE_COUNTER, SL_VALUE_DERIVE, SL_VALUE_ABSOLUTE };

struct sl_value_source {
    const char *name; /* of the data source */
    enum sl_value_kind kind;
};

/* What a value list says about itself. No text is NULL but worker_pool_name. */
struct sl_value_id {
    const char *host;
    const char *plugin;
    const char *plugin_instance;
    const char *type;
    const char *type_instance;
    const char *worker_pool_name; /* as Spacelift spells it; NULL: as in plugin_instance */
    const struct sl_value_source *sources;
    size_t source_count;
};

/* Appends the label block (encode.h) of one data source, sorted by the bytes of the names, as the
 * specification wants it. job may be NULL. */
void sl_series_labels(const struct sl_value_id *id, size_t source, const char *job,
                      struct sl_buffer *out);

#endif
