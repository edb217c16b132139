/* From lines to the newest value of each pool. */
#include "batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "format/line_protocol.h"
#include "spacelift/catalogue.h"

enum { NS_PER_MS = 1000000, KINDS = 2, METRICS = SL_BATCH_VALUES };

/* As sl_measurements() names them. */
static const char measurement[] = "spacelift_worker_pool";

/* What the scaler takes of each value list, by the places in the catalogue. A line that lacks one
 * of the first two is a line of something else: all value lists of a pool have the same
 * measurement. */
static const struct {
    enum sl_values_kind kind;
    const char *type;
    size_t metrics[METRICS];
    size_t count;
} kinds[KINDS] = {
    {SL_VALUES_QUEUE, SL_TYPE_WORKER_POOL_QUEUE, {SL_QUEUE_DRIFT_DETECTION, SL_QUEUE_BLOCKED}, 2},
    {SL_VALUES_POOL,
     SL_TYPE_WORKER_POOL,
     {SL_POOL_RUNS_PENDING, SL_POOL_WORKERS_BUSY, SL_POOL_WORKERS},
     3},
};

/* The field of a metric: the rest of its name. */
static double field_of(const struct sl_line *line, const char *type, size_t metric) {
    const struct sl_metric_type *found = sl_catalogue_find(SL_SPACELIFT_PLUGIN, type);
    return sl_line_field(line, found->metrics[metric].prometheus + strlen(measurement) + 1);
}

static bool read_values(const struct sl_line *line, size_t kind, double values[METRICS]) {
    for (size_t i = 0; i < METRICS; i++)
        values[i] =
            i < kinds[kind].count ? field_of(line, kinds[kind].type, kinds[kind].metrics[i]) : NAN;
    return !isnan(values[0]) && !isnan(values[1]);
}

static struct sl_batch_entry *find(const struct sl_batch *batch, enum sl_values_kind kind,
                                   const char *id) {
    for (size_t i = 0; i < batch->count; i++)
        if (batch->entries[i].kind == kind && strcmp(batch->entries[i].id, id) == 0)
            return &batch->entries[i];
    return NULL;
}

static int add(struct sl_batch *batch, enum sl_values_kind kind, const char *id, const char *name,
               struct sl_batch_entry **ret, struct sl_error *err) {
    if (batch->count == KINDS * SL_LIMIT_POOLS_PER_ACCOUNT)
        return sl_fail(err, SL_TOOBIG, "more than %u pools", SL_LIMIT_POOLS_PER_ACCOUNT);
    struct sl_batch_entry *grown =
        realloc(batch->entries, (batch->count + 1) * sizeof(*batch->entries));
    if (grown == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a pool");
    batch->entries = grown;
    struct sl_batch_entry *e = &grown[batch->count];
    *e = (struct sl_batch_entry){
        .kind = kind, .id = strdup(id), .name = strdup(name), .time_ns = INT64_MIN};
    if (e->id == NULL || e->name == NULL) {
        free(e->id);
        free(e->name);
        return sl_fail(err, SL_NOMEM, "out of memory for a pool");
    }
    batch->count++;
    *ret = e;
    return SL_OK;
}

static int take_kind(struct sl_batch *batch, size_t kind, const struct sl_line *line,
                     int64_t now_ms, struct sl_error *err) {
    double values[METRICS];
    if (!read_values(line, kind, values))
        return SL_OK;
    batch->lines++;
    const char *id = sl_line_tag(line, SL_LABEL_WORKER_POOL_ID);
    const char *name = sl_line_tag(line, SL_LABEL_WORKER_POOL_NAME);
    id = id != NULL ? id : "";
    name = name != NULL ? name : "";
    struct sl_batch_entry *e = find(batch, kinds[kind].kind, id);
    int code = e != NULL ? SL_OK : add(batch, kinds[kind].kind, id, name, &e, err);
    int64_t time_ns = line->has_time ? line->time_ns : now_ms * NS_PER_MS;
    if (code != SL_OK || time_ns < e->time_ns)
        return code;
    e->time_ns = time_ns;
    memcpy(e->values, values, sizeof(e->values));
    return SL_OK;
}

int sl_batch_take(struct sl_batch *batch, char *text, int64_t now_ms, struct sl_error *err) {
    struct sl_line line;
    bool is_empty;
    int code = sl_line_parse(text, &line, &is_empty, err);
    if (code != SL_OK)
        batch->bad_lines++;
    if (code != SL_OK || is_empty || strcmp(line.measurement, measurement) != 0)
        return code;
    for (size_t i = 0; code == SL_OK && i < KINDS; i++)
        code = take_kind(batch, i, &line, now_ms, err);
    return code;
}

static struct sl_pool_values values_of(const struct sl_batch_entry *e) {
    bool is_pool = e->kind == SL_VALUES_POOL;
    return (struct sl_pool_values){
        .kind = e->kind,
        .name = e->name,
        .true_name = e->name,
        .id = e->id,
        .runs_pending = is_pool ? e->values[0] : NAN,
        .workers_busy = is_pool ? e->values[1] : NAN,
        .workers = is_pool ? e->values[2] : NAN,
        .runs_drift = is_pool ? NAN : e->values[0],
        .runs_blocked = is_pool ? NAN : e->values[1],
        .time_ms = e->time_ns / NS_PER_MS,
    };
}

void sl_batch_flush(struct sl_batch *batch,
                    void (*put)(void *context, const struct sl_pool_values *values),
                    void *context) {
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < batch->count; i++) {
            struct sl_pool_values values = values_of(&batch->entries[i]);
            if (values.kind == kinds[kind].kind)
                put(context, &values);
        }
    }
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->entries[i].id);
        free(batch->entries[i].name);
    }
    batch->count = 0;
}

static void drop(void *context, const struct sl_pool_values *values) {
    (void)context;
    (void)values;
}

void sl_batch_release(struct sl_batch *batch) {
    sl_batch_flush(batch, drop, NULL);
    free(batch->entries);
    *batch = (struct sl_batch){.entries = NULL};
}
