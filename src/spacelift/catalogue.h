/* What is measured, and what it is called in each host. The only home of the names: plugins,
 * formats and the manual read this table. Constant data; any thread.
 *
 * Prometheus names, labels, values and units of what the official exporter has are the exporter's
 * (spacelift-io/prometheus-exporter, collector/), so that its dashboards and alerts work unchanged;
 * its oddities are in the help texts. A type's data sources are frozen once released: RRD files
 * keep them for ever. What comes later gets a type of its own. */
#ifndef SL_SPACELIFT_CATALOGUE_H
#define SL_SPACELIFT_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#define SL_SPACELIFT_PLUGIN    "spacelift"
#define SL_SCALER_PLUGIN       "workerpool_scaler"
#define SL_REMOTE_WRITE_PLUGIN "write_prometheus_remote"

/* Meta data of a value list: the pool's name as Spacelift spells it, where the identifier (127
 * bytes, no slash) cannot. Does not travel through collectd's network plugin. */
#define SL_META_WORKER_POOL_NAME "spacelift:worker_pool_name"

#define SL_LABEL_WORKER_POOL_ID   "worker_pool_id"
#define SL_LABEL_WORKER_POOL_NAME "worker_pool_name"
#define SL_LABEL_ACCOUNT          "account"

enum {
    SL_METRIC_DS_NAME_MAX = 19, /* RRDtool's limit on the name of a data source */
    SL_TYPE_DS_MAX = 16,
    SL_METRIC_LABELS_MAX = 4,
};

/* Parts of a type instance that holds two labels stand on either side of the first of these. */
enum { SL_TYPE_INSTANCE_SEPARATOR = '-' };

enum sl_metric_kind {
    SL_METRIC_GAUGE,  /* of 0 or more; NaN: not known */
    SL_METRIC_DERIVE, /* a counter that only grows, whole; _total in Prometheus */
};

struct sl_metric {
    const char *ds; /* collectd's data source */
    enum sl_metric_kind kind;
    const char *prometheus; /* full name */
    const char *unit;       /* "runs", "workers", "seconds" */
    const char *help;
    const char *label; /* that every sample has, with its value; NULL: none */
    const char *label_value;
};

/* A collectd type of one of our plugins: one value list, one line of Telegraf. */
struct sl_metric_type {
    const char *plugin; /* collectd's plugin that measures it */
    const char *name;   /* collectd's type */

    /* What the identifier's instances mean, as label names; an empty instance is no label. */
    const char *plugin_label;   /* of the plugin instance; NULL: it has none */
    const char *type_labels[2]; /* of the type instance: NULL, whole, or both parts */

    size_t count;
    struct sl_metric metrics[SL_TYPE_DS_MAX];
};

/* The types of plugin "spacelift". A type's data sources have the places named with it. */
extern const char SL_TYPE_WORKER_POOL[];
enum {
    SL_POOL_RUNS_PENDING,
    SL_POOL_WORKERS_BUSY,
    SL_POOL_WORKERS,
    SL_POOL_WORKERS_DRAINED,
};

extern const char SL_TYPE_PUBLIC_WORKER_POOL[];
enum { SL_PUBLIC_RUNS_PENDING, SL_PUBLIC_WORKERS_BUSY, SL_PUBLIC_PARALLELISM };

/* What stands in a pool's queue: for the scaler's weights. */
extern const char SL_TYPE_WORKER_POOL_QUEUE[];
enum {
    SL_QUEUE_WAITING,         /* ready, a worker is all they lack */
    SL_QUEUE_BLOCKED,         /* not ready: a lock, an approval or a dependency */
    SL_QUEUE_NEEDS_APPROVAL,  /* those of the blocked ones that wait for somebody */
    SL_QUEUE_DRIFT_DETECTION, /* those of the waiting ones */
    SL_QUEUE_PRIORITIZED,     /* those of the waiting ones */
    SL_QUEUE_IN_PROGRESS,     /* hold a worker, or wait for a person in the middle */
};

extern const char SL_TYPE_WORKER_POOL_WAIT[];
enum {
    SL_WAIT_OLDEST,
    SL_WAIT_BUCKETS, /* the first bucket; cumulative, the last one is +Inf */
    SL_WAIT_BUCKET_COUNT = 6,
};

/* Waiting runs; the place of a type is its place among the label values. */
extern const char SL_TYPE_WORKER_POOL_RUNS_BY_TYPE[];
/* All runs of the queue, likewise. The last value of both is "OTHER". */
extern const char SL_TYPE_WORKER_POOL_RUNS_BY_STATE[];

/* Runs that are not ready, by what holds them. */
extern const char SL_TYPE_WORKER_POOL_BLOCKED[];
enum {
    SL_BLOCKED_APPROVAL,   /* somebody has to approve it */
    SL_BLOCKED_LOCK,       /* somebody has locked its stack */
    SL_BLOCKED_RUN,        /* another run holds its stack */
    SL_BLOCKED_DEPENDENCY, /* none of these: dependencies are what remains */
    SL_BLOCKED_UNKNOWN,    /* the key does not see its stack */
    SL_BLOCKED_REASONS,
};

extern const char SL_TYPE_WORKER_POOL_SCHEDULABLE[];

extern const char SL_TYPE_WORKER_POOL_WORKERS[];
enum {
    SL_WORKERS_IDLE,
    SL_WORKERS_DRAINING,
    SL_WORKERS_AGE_NEWEST,
    SL_WORKERS_AGE_OLDEST,
};

extern const char SL_TYPE_WORKER_POOL_WORKERS_BY_METADATA[];

extern const char SL_TYPE_BILLING_PERIOD[];
enum {
    SL_BILLING_START,
    SL_BILLING_END,
    SL_BILLING_USED_PRIVATE,
    SL_BILLING_USED_PUBLIC,
    SL_BILLING_USED_SEATS,
};

extern const char SL_TYPE_BILLING_DETAILS[];
enum {
    SL_BILLING_USED_WORKERS,
    SL_BILLING_ALLOWED_SEATS,
    SL_BILLING_ALLOWED_MINUTES,
    SL_BILLING_PRICE_SEAT,
    SL_BILLING_PRICE_WORKER,
    SL_BILLING_PRICE_RUN_MINUTE,
    SL_BILLING_SUBSCRIPTION,
    SL_BILLING_UPCOMING_INVOICE,
};

extern const char SL_TYPE_ACCOUNT_SEATS[];
enum { SL_SEATS_USERS, SL_SEATS_USERS_LIMIT, SL_SEATS_API_KEYS, SL_SEATS_API_KEYS_LIMIT };

extern const char SL_TYPE_STACKS_BY_STATE[];
extern const char SL_TYPE_RESOURCES_BY_DRIFT[];
extern const char SL_TYPE_AVG_STACK_SIZE[];

extern const char SL_TYPE_RUN_DURATION[];
enum {
    SL_RUN_DURATION_AVERAGE,   /* nanoseconds, as the exporter has them */
    SL_RUN_DURATION_MEDIAN,    /* likewise */
    SL_RUN_DURATION_AVERAGE_S, /* seconds */
    SL_RUN_DURATION_MEDIAN_S,
};

/* How the reading itself goes. */
extern const char SL_TYPE_API_COLLECTOR[];
enum {
    SL_COLLECTOR_SUCCESS,
    SL_COLLECTOR_DURATION,
    SL_COLLECTOR_SUPPORTED,
    SL_COLLECTOR_TRUNCATED,
};
extern const char SL_TYPE_API_SCRAPE[];
extern const char SL_TYPE_CREDENTIAL_EXPIRY[];
extern const char SL_TYPE_BUILD_INFO[];

/* The types of plugin "workerpool_scaler". */
extern const char SL_TYPE_SCALER[];
enum {
    SL_SCALER_DESIRED,
    SL_SCALER_SIZE,
    SL_SCALER_ACTUAL,
    SL_SCALER_DEMAND,
    SL_SCALER_SPARE,
    SL_SCALER_MIN,
    SL_SCALER_MAX,
    SL_SCALER_UNMET,
    SL_SCALER_PAUSED,
    SL_SCALER_FALLBACK,
    SL_SCALER_BLIND,
    SL_SCALER_LEADER,
    SL_SCALER_SHADOW,
    SL_SCALER_ALARM,
    SL_SCALER_STARTUP,
};

/* The places are those of enum sl_clamp, less one; those of enum sl_rule (scaler/policy.h). */
extern const char SL_TYPE_SCALER_CLAMP[];
extern const char SL_TYPE_SCALER_DECISIONS[];

extern const char SL_TYPE_SCALER_TOTALS[];
enum {
    SL_SCALER_AT_CAP,
    SL_SCALER_UNMET_SECONDS,
    SL_SCALER_WORKER_MINUTES,
    SL_SCALER_SCALED_OUT,
    SL_SCALER_SCALED_IN,
    SL_SCALER_FOREIGN,
    SL_SCALER_ALARMS,
};

/* A histogram: buckets, cumulative, the last one is +Inf; then sum and count. */
extern const char SL_TYPE_SCALER_REACTION[];
enum { SL_REACTION_BUCKET_COUNT = 10, SL_REACTION_SUM = 10, SL_REACTION_COUNT = 11 };

extern const char SL_TYPE_SCALER_API_ERRORS[];
enum {
    SL_API_ERROR_401,
    SL_API_ERROR_403,
    SL_API_ERROR_404,
    SL_API_ERROR_409,
    SL_API_ERROR_422,
    SL_API_ERROR_429,
    SL_API_ERROR_5XX,
    SL_API_ERROR_TIMEOUT,
    SL_API_ERROR_TLS,
    SL_API_ERROR_NETWORK,
    SL_API_ERROR_OTHER,
    SL_API_ERROR_COUNT,
};

extern const char SL_TYPE_CLUSTER_CREDENTIAL_EXPIRY[];

/* What the remote writer says of each of its nodes. One value list holds all the books, so that
 * they balance: accepted = acked + rejected + dropped_full + dropped_age + dropped_invalid +
 * pending. */
extern const char SL_TYPE_REMOTE_WRITE_SAMPLES[];
enum {
    SL_BOOKS_ACCEPTED,
    SL_BOOKS_ACKED,
    SL_BOOKS_REJECTED,
    SL_BOOKS_DROPPED_FULL,
    SL_BOOKS_DROPPED_AGE,
    SL_BOOKS_DROPPED_INVALID,
    SL_BOOKS_PENDING,
    SL_BOOKS_COUNT,
};

extern const char SL_TYPE_REMOTE_WRITE_NODE[];
enum {
    SL_NODE_REQUESTS,
    SL_NODE_RETRIES,
    SL_NODE_BYTES,
    SL_NODE_REJECTED_AMBIGUOUS,
    SL_NODE_PROTOCOL,
    SL_NODE_SPOOL_BYTES,
    SL_NODE_MEMORY_BYTES,
    SL_NODE_VALUE_LISTS,
    SL_NODE_BAD_RECORDS,
    SL_NODE_COUNT,
};

/* The type at that place of the whole catalogue, of all plugins in a fixed order; NULL after the
 * last one. */
const struct sl_metric_type *sl_catalogue(size_t place);

/* The entry of a plugin's type, or NULL. */
const struct sl_metric_type *sl_catalogue_find(const char *plugin, const char *type);

/* A label of one series; the value lies in what was passed in, or is constant. */
struct sl_metric_label {
    const char *name;
    const char *value; /* not terminated */
    size_t len;        /* never 0 */
};

/* The labels of metric m of the type, beside the host's own. worker_pool_name: from meta data, in
 * place of the plugin instance; NULL where there is none. Returns how many. */
size_t sl_metric_labels(const struct sl_metric_type *type, size_t m, const char *plugin_instance,
                        const char *type_instance, const char *worker_pool_name,
                        struct sl_metric_label ret[SL_METRIC_LABELS_MAX]);

#endif
