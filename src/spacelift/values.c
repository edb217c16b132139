/* From what was read to values under the names of the catalogue. */
#include "spacelift/values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"

enum { TYPE_INSTANCE_BYTES = 256 };

static void put(const struct sl_values_out *out, const char *type, const struct sl_known_pool *pool,
                const char *type_instance, const double *values) {
    struct sl_values v = {
        .type = sl_catalogue_find(SL_SPACELIFT_PLUGIN, type),
        .plugin_instance = pool != NULL ? pool->name : out->account,
        .type_instance = type_instance,
        .true_name = pool != NULL ? pool->name : NULL,
        .values = values,
        .interval_ms = out->interval_ms,
    };
    out->put(out->context, &v);
}

static void put_pool(const struct sl_worker_pool *p, const struct sl_values_out *out) {
    struct sl_known_pool pool = {.id = p->id, .name = p->name};
    put(out, SL_TYPE_WORKER_POOL, &pool, p->id,
        (const double[]){[SL_POOL_RUNS_PENDING] = (double)p->runs_pending,
                         [SL_POOL_WORKERS_BUSY] = (double)p->workers_busy,
                         [SL_POOL_WORKERS] = (double)p->workers,
                         [SL_POOL_WORKERS_DRAINED] = (double)p->workers_drained});
}

static void put_public_pool(const struct sl_answer *a, const struct sl_values_out *out) {
    if (a->has_public_pool)
        put(out, SL_TYPE_PUBLIC_WORKER_POOL, NULL, "",
            (const double[]){[SL_PUBLIC_RUNS_PENDING] = (double)a->public_runs_pending,
                             [SL_PUBLIC_WORKERS_BUSY] = (double)a->public_workers_busy,
                             [SL_PUBLIC_PARALLELISM] = (double)a->public_parallelism});
}

/* In floating point: a server's time may be anything. */
static double age_s(int64_t created_s, const struct sl_values_out *out) {
    double age = (double)out->realtime_ms / 1000 - (double)created_s;
    return created_s == 0 ? NAN : age > 0 ? age : 0;
}

/* "ID-VALUE": the ID must not hold what separates them. */
static void put_group(const struct sl_known_pool *pool, const struct sl_worker_group *group,
                      const struct sl_values_out *out) {
    char instance[TYPE_INSTANCE_BYTES];
    int id_len = (int)strnlen(pool->id, sizeof(instance) / 2);
    snprintf(instance, sizeof(instance), "%.*s%c%s", id_len, pool->id, SL_TYPE_INSTANCE_SEPARATOR,
             group->value);
    for (int i = 0; i < id_len; i++)
        if (instance[i] == SL_TYPE_INSTANCE_SEPARATOR)
            instance[i] = '_';
    put(out, SL_TYPE_WORKER_POOL_WORKERS_BY_METADATA, pool, instance,
        (const double[]){(double)group->workers});
}

static void put_workers(const struct sl_known_pool *pool, const struct sl_worker_pool *p,
                        const struct sl_values_out *out) {
    put(out, SL_TYPE_WORKER_POOL_WORKERS, pool, pool->id,
        (const double[]){[SL_WORKERS_IDLE] = (double)p->workers_idle,
                         [SL_WORKERS_DRAINING] = (double)p->workers_draining,
                         [SL_WORKERS_AGE_NEWEST] = age_s(p->newest_created_s, out),
                         [SL_WORKERS_AGE_OLDEST] = age_s(p->oldest_created_s, out)});
    for (size_t i = 0; i < p->group_count; i++)
        put_group(pool, &p->groups[i], out);
}

/* As the exporter: what is grouped needs a label, of the others only the first one counts. */
static void put_aggregates(const struct sl_answer *a, const struct sl_values_out *out) {
    static const char *const types[] = {
        [SL_AGGREGATE_STACKS_BY_STATE] = SL_TYPE_STACKS_BY_STATE,
        [SL_AGGREGATE_RESOURCES_BY_DRIFT] = SL_TYPE_RESOURCES_BY_DRIFT,
        [SL_AGGREGATE_AVG_STACK_SIZE] = SL_TYPE_AVG_STACK_SIZE,
    };
    static const double ns_per_s = 1e9;
    double durations[4] = {NAN, NAN, NAN, NAN};
    bool has_size = false;
    for (size_t i = 0; i < a->point_count; i++) {
        const struct sl_point *point = &a->points[i];
        if (point->of == SL_AGGREGATE_AVERAGE_RUN_DURATION) {
            if (isnan(durations[SL_RUN_DURATION_AVERAGE]))
                durations[SL_RUN_DURATION_AVERAGE] = point->value;
        } else if (point->of == SL_AGGREGATE_MEDIAN_RUN_DURATION) {
            if (isnan(durations[SL_RUN_DURATION_MEDIAN]))
                durations[SL_RUN_DURATION_MEDIAN] = point->value;
        } else if (point->of == SL_AGGREGATE_AVG_STACK_SIZE) {
            if (!has_size)
                put(out, types[point->of], NULL, "", &point->value);
            has_size = true;
        } else if (point->label[0] != '\0') {
            put(out, types[point->of], NULL, point->label, &point->value);
        }
    }
    durations[SL_RUN_DURATION_AVERAGE_S] = durations[SL_RUN_DURATION_AVERAGE] / ns_per_s;
    durations[SL_RUN_DURATION_MEDIAN_S] = durations[SL_RUN_DURATION_MEDIAN] / ns_per_s;
    if (!isnan(durations[SL_RUN_DURATION_AVERAGE]) || !isnan(durations[SL_RUN_DURATION_MEDIAN]))
        put(out, SL_TYPE_RUN_DURATION, NULL, "", durations);
}

void sl_answer_values(enum sl_document document, const struct sl_answer *a,
                      const struct sl_known_pools *known, const struct sl_values_out *out) {
    for (size_t i = 0; i < a->pool_count; i++) {
        const struct sl_known_pool *pool = sl_known_pools_find(known, a->pools[i].id);
        if (document == SL_DOCUMENT_WORKER_POOLS)
            put_pool(&a->pools[i], out);
        else if (document == SL_DOCUMENT_WORKERS && pool != NULL)
            put_workers(pool, &a->pools[i], out);
        else if (document == SL_DOCUMENT_SCHEDULABLE && pool != NULL)
            put(out, SL_TYPE_WORKER_POOL_SCHEDULABLE, pool, pool->id,
                (const double[]){(double)a->pools[i].runs_schedulable});
    }
    if (document == SL_DOCUMENT_PUBLIC_WORKER_POOL)
        put_public_pool(a, out);
    if (document == SL_DOCUMENT_USAGE)
        put(out, SL_TYPE_BILLING_PERIOD, NULL, "", a->billing);
    if (document == SL_DOCUMENT_BILLING_DETAILS)
        put(out, SL_TYPE_BILLING_DETAILS, NULL, "", a->details);
    if (document == SL_DOCUMENT_SEATS)
        put(out, SL_TYPE_ACCOUNT_SEATS, NULL, "", a->seats);
    if (document == SL_DOCUMENT_AGGREGATES)
        put_aggregates(a, out);
}

void sl_pool_values(const char *type, const struct sl_known_pool *pool, const int64_t *counts,
                    size_t count, const struct sl_values_out *out) {
    double values[SL_TYPE_DS_MAX];
    for (size_t i = 0; i < count; i++)
        values[i] = (double)counts[i];
    put(out, type, pool, pool->id, values);
}

void sl_queue_values(const struct sl_known_pool *pool, const struct sl_queue *q,
                     const struct sl_values_out *out) {
    const int64_t queue[] = {[SL_QUEUE_WAITING] = q->waiting,
                             [SL_QUEUE_BLOCKED] = q->blocked,
                             [SL_QUEUE_NEEDS_APPROVAL] = q->needs_approval,
                             [SL_QUEUE_DRIFT_DETECTION] = q->drift_detection,
                             [SL_QUEUE_PRIORITIZED] = q->prioritized,
                             [SL_QUEUE_IN_PROGRESS] = q->in_progress};
    int64_t wait[SL_WAIT_BUCKETS + SL_WAIT_BUCKET_COUNT] = {[SL_WAIT_OLDEST] = q->oldest_wait_s};
    memcpy(&wait[SL_WAIT_BUCKETS], q->waits, sizeof(q->waits));
    sl_pool_values(SL_TYPE_WORKER_POOL_QUEUE, pool, queue, sizeof(queue) / sizeof(queue[0]), out);
    sl_pool_values(SL_TYPE_WORKER_POOL_WAIT, pool, wait, sizeof(wait) / sizeof(wait[0]), out);
    sl_pool_values(SL_TYPE_WORKER_POOL_RUNS_BY_TYPE, pool, q->by_type, SL_RUN_TYPES, out);
    sl_pool_values(SL_TYPE_WORKER_POOL_RUNS_BY_STATE, pool, q->by_state, SL_RUN_STATES, out);
}

void sl_collector_values(enum sl_document document, const struct sl_collector_result *r,
                         const struct sl_values_out *out) {
    put(out, SL_TYPE_API_COLLECTOR, NULL, sl_document_collector(document),
        (const double[]){[SL_COLLECTOR_SUCCESS] = r->success,
                         [SL_COLLECTOR_DURATION] = (double)r->duration_ms / 1000,
                         [SL_COLLECTOR_SUPPORTED] = r->supported,
                         [SL_COLLECTOR_TRUNCATED] = r->truncated});
}

void sl_expiry_values(const char *credential, int64_t expires_s, const struct sl_values_out *out) {
    put(out, SL_TYPE_CREDENTIAL_EXPIRY, NULL, credential, (const double[]){(double)expires_s});
}

void sl_scrape_values(int64_t duration_ms, const struct sl_values_out *out) {
    char build[TYPE_INSTANCE_BYTES];
    snprintf(build, sizeof(build), "%s%c%s", sl_version(), SL_TYPE_INSTANCE_SEPARATOR, sl_commit());
    put(out, SL_TYPE_API_SCRAPE, NULL, "", (const double[]){(double)duration_ms / 1000});
    put(out, SL_TYPE_BUILD_INFO, NULL, build, (const double[]){1});
}
