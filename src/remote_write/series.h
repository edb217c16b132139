/* From a collectd value to a Prometheus series: its name, its labels, what it means.
 *
 * Values of the catalogue (src/spacelift/catalogue.h) get the names of the official exporter and
 * the label instance, the host. Every other plugin's values get the names that collectd's own
 * write_prometheus gives them (collectd src/write_prometheus.c, metric_family_name() and
 * metric_family_get_metric()), so that a host can move from scrape to push without touching a
 * dashboard:
 *
 *   name    collectd[_PLUGIN unless it is the type]_TYPE[_DATASOURCE unless it is "value"]
 *           [_total for COUNTER and DERIVE]
 *   labels  PLUGIN=plugin instance; type=type instance, or PLUGIN=type instance where there is no
 *           plugin instance; instance=host
 *
 * Where write_prometheus lets through what Prometheus refuses, it is mended (labels.h).
 *
 * Meta data of a value list overrides, key by key:
 *
 *   prometheus:name          the metric's name; then no labels are made from the identifier. A data
 *                            source that is not "value" is appended as _DATASOURCE.
 *   prometheus:label:NAME    sets that label, also instance and job; "" removes it
 *   prometheus:type          counter, gauge, histogram, gaugehistogram, summary, info, stateset,
 *                            unknown
 *   prometheus:unit, prometheus:help
 *   prometheus:start         since when a counter, histogram or summary counts: milliseconds since
 *                            the epoch, for remote write 2.0
 *
 * Then come the node's own labels, and its relabelling rules have the last word.
 *
 * Pure; any thread, the rules are only read. */
#ifndef SL_REMOTE_WRITE_SERIES_H
#define SL_REMOTE_WRITE_SERIES_H

#include <stddef.h>

#include "base/buffer.h"
#include "remote_write/labels.h"

enum sl_value_kind { SL_VALUE_GAUGE, SL_VALUE_COUNTER, SL_VALUE_DERIVE, SL_VALUE_ABSOLUTE };

struct sl_value_source {
    const char *name; /* of the data source */
    enum sl_value_kind kind;
};

#define SL_META_PREFIX       "prometheus:"
#define SL_META_NAME         SL_META_PREFIX "name"
#define SL_META_TYPE         SL_META_PREFIX "type"
#define SL_META_UNIT         SL_META_PREFIX "unit"
#define SL_META_HELP         SL_META_PREFIX "help"
#define SL_META_START        SL_META_PREFIX "start"
#define SL_META_LABEL_PREFIX SL_META_PREFIX "label:"

struct sl_value_meta {
    const char *key;
    const char *value;
};

/* What a value list says about itself. No text is NULL. meta: what sl_series_wants_meta() asks for,
 * sorted by key, because it is part of the identity. */
struct sl_value_id {
    const char *host;
    const char *plugin;
    const char *plugin_instance;
    const char *type;
    const char *type_instance;
    const struct sl_value_source *sources;
    size_t source_count;
    const struct sl_value_meta *meta;
    size_t meta_count;
};

/* Whether a key of a value list's meta data means something here. */
bool sl_series_wants_meta(const char *key);

struct sl_relabel;

/* What one node does with every series. All of it may be NULL or 0. */
struct sl_series_rules {
    const char *job;                   /* label job, unless meta data sets it */
    const struct sl_value_meta *extra; /* labels of the node; they win over a value's own */
    size_t extra_count;
    const struct sl_relabel *relabel; /* relabel.h */
};

enum sl_series_fate {
    SL_SERIES_KEPT,
    SL_SERIES_DROPPED, /* a relabelling rule says so: nobody wants it, nothing is lost */
    SL_SERIES_INVALID, /* no name is left, too many labels, out of memory: its samples are counted
                          as dropped_invalid */
};

/* Appends the packed form (labels.h) of one data source of id; only if SL_SERIES_KEPT.
 *
 * Different identifiers can give the same series, by mending or by relabelling; whoever keeps books
 * of times must keep them by the packed labels, not by the identifier. */
enum sl_series_fate sl_series_pack(const struct sl_value_id *id, size_t source,
                                   const struct sl_series_rules *rules, struct sl_buffer *out);

/* What meta data says of its start; 0: nothing that is a time. */
int64_t sl_series_start_ms(const struct sl_value_id *id);

/* Whether NaN in this data source means "not known" and is no sample: in those of the catalogue.
 * Everybody else's NaN is sent, as write_prometheus exposes it. */
bool sl_series_omits_nan(const struct sl_value_id *id, size_t source);

#endif
