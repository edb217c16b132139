/* From lines to the newest value of each pool. */
#include "batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "format/line_protocol.h"

enum { NS_PER_MS = 1000000 };

/* As sl_measurements() names them. */
static const char measurement[] = "spacelift_worker_pool";

static struct sl_batch_entry *find(const struct sl_batch *batch, const char *id) {
    for (size_t i = 0; i < batch->count; i++)
        if (strcmp(batch->entries[i].id, id) == 0)
            return &batch->entries[i];
    return NULL;
}

static int add(struct sl_batch *batch, const char *id, const char *name,
               struct sl_batch_entry **ret, struct sl_error *err) {
    if (batch->count == SL_LIMIT_POOLS_PER_ACCOUNT)
        return sl_fail(err, SL_TOOBIG, "more than %u pools", SL_LIMIT_POOLS_PER_ACCOUNT);
    struct sl_batch_entry *grown =
        realloc(batch->entries, (batch->count + 1) * sizeof(*batch->entries));
    if (grown == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a pool");
    batch->entries = grown;
    struct sl_batch_entry *e = &grown[batch->count];
    *e = (struct sl_batch_entry){.id = strdup(id), .name = strdup(name), .time_ns = INT64_MIN};
    if (e->id == NULL || e->name == NULL) {
        free(e->id);
        free(e->name);
        return sl_fail(err, SL_NOMEM, "out of memory for a pool");
    }
    batch->count++;
    *ret = e;
    return SL_OK;
}

/* The other value lists of a pool are lines of the same measurement. */
static bool is_queue(const struct sl_line *line) {
    return strcmp(line->measurement, measurement) == 0 &&
           !isnan(sl_line_field(line, "runs_pending")) &&
           !isnan(sl_line_field(line, "workers_busy"));
}

int sl_batch_take(struct sl_batch *batch, char *text, int64_t now_ms, struct sl_error *err) {
    struct sl_line line;
    bool is_empty;
    int code = sl_line_parse(text, &line, &is_empty, err);
    if (code != SL_OK)
        batch->bad_lines++;
    if (code != SL_OK || is_empty || !is_queue(&line))
        return code;
    batch->lines++;
    const char *id = sl_line_tag(&line, SL_LABEL_WORKER_POOL_ID);
    const char *name = sl_line_tag(&line, SL_LABEL_WORKER_POOL_NAME);
    id = id != NULL ? id : "";
    name = name != NULL ? name : "";
    struct sl_batch_entry *e = find(batch, id);
    if (e == NULL)
        code = add(batch, id, name, &e, err);
    int64_t time_ns = line.has_time ? line.time_ns : now_ms * NS_PER_MS;
    if (code != SL_OK || time_ns < e->time_ns)
        return code;
    e->time_ns = time_ns;
    e->runs_pending = sl_line_field(&line, "runs_pending");
    e->workers_busy = sl_line_field(&line, "workers_busy");
    return SL_OK;
}

void sl_batch_flush(struct sl_batch *batch,
                    void (*put)(void *context, const struct sl_pool_values *values),
                    void *context) {
    for (size_t i = 0; i < batch->count; i++) {
        struct sl_batch_entry *e = &batch->entries[i];
        put(context, &(struct sl_pool_values){.name = e->name,
                                              .true_name = e->name,
                                              .id = e->id,
                                              .runs_pending = e->runs_pending,
                                              .workers_busy = e->workers_busy,
                                              .time_ms = e->time_ns / NS_PER_MS});
        free(e->id);
        free(e->name);
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
