/* What is measured, and what it is called in each host. The only home of the names: plugins,
 * formats and the manual read this table. Constant data; any thread.
 *
 * Prometheus names, labels and meanings are those of the official exporter
 * (spacelift-io/prometheus-exporter, collector/collector.go), so that its dashboards and alerts
 * work unchanged. The four data sources of worker_pool are frozen: RRD files keep them for ever. */
#ifndef SL_SPACELIFT_CATALOGUE_H
#define SL_SPACELIFT_CATALOGUE_H

#include <stddef.h>

#define SL_SPACELIFT_PLUGIN "spacelift"

/* Meta data of a value list: the pool's name as Spacelift spells it, where the identifier (127
 * bytes, no slash) cannot. Does not travel through collectd's network plugin. */
#define SL_META_WORKER_POOL_NAME "spacelift:worker_pool_name"

/* RRDtool's limit on the name of a data source. */
enum { SL_METRIC_DS_NAME_MAX = 19, SL_TYPE_DS_MAX = 4 };

/* The places of worker_pool's data sources. */
enum sl_worker_pool_ds {
    SL_POOL_RUNS_PENDING,
    SL_POOL_WORKERS_BUSY,
    SL_POOL_WORKERS,
    SL_POOL_WORKERS_DRAINED,
};

/* Which labels a series of the type has besides the host's own, and where they come from. */
enum sl_type_labels {
    SL_LABELS_WORKER_POOL, /* worker_pool_id: type instance; worker_pool_name: plugin instance */
    SL_LABELS_ACCOUNT,     /* account: type instance, absent where that is empty */
};

struct sl_metric {
    const char *ds;         /* collectd's data source, at most 19 bytes */
    const char *prometheus; /* full name */
    const char *unit;       /* "runs", "workers" */
    const char *help;
};

struct sl_metric_type {
    const char *name; /* collectd's type */
    enum sl_type_labels labels;
    struct sl_metric metrics[SL_TYPE_DS_MAX];
    size_t count;
};

/* The whole catalogue, in a fixed order; all are gauges of 0 or more. */
const struct sl_metric_type *sl_catalogue(size_t *ret_count);

/* The entry of a collectd type of plugin "spacelift", or NULL. */
const struct sl_metric_type *sl_catalogue_find(const char *type);

extern const char SL_TYPE_WORKER_POOL[];        /* "worker_pool" */
extern const char SL_TYPE_PUBLIC_WORKER_POOL[]; /* "public_worker_pool" */

#endif
