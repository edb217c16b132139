/* What each document's answer looks like, and how what passes is counted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_document.h"
#include "spacelift/answer_internal.h"

#define AT(member) offsetof(struct sl_answer_parser, member)
#define FIELD(name, kind, member)                                                                  \
    { name, sizeof(name) - 1, kind, false, AT(member), NULL }
#define MAY_LACK(name, kind, member)                                                               \
    { name, sizeof(name) - 1, kind, true, AT(member), NULL }
#define OBJECT(name, shape)                                                                        \
    { name, sizeof(name) - 1, SL_PLACE_OBJECT, false, 0, shape }
#define LIST(name, shape)                                                                          \
    { name, sizeof(name) - 1, SL_PLACE_LIST, false, 0, shape }
#define ELEMENT(shape)                                                                             \
    { NULL, 0, SL_PLACE_OBJECT, false, 0, shape }
#define PLACES(array)                                                                              \
    .places = (array), .count = sizeof(array) / sizeof((array)[0]),                                \
    .all = (1u << (sizeof(array) / sizeof((array)[0]))) - 1

/* ---- pools ---- */

static int begin_pool(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    sl_answer_drop_records(p);
    return SL_OK;
}

static int keep_pool(struct sl_answer_parser *p, struct sl_error *err) {
    struct sl_answer *a = &p->answer;
    if (a->pool_count == SL_LIMIT_POOLS_PER_ACCOUNT)
        return sl_fail(err, SL_TOOBIG, "the account has more than %u worker pools",
                       SL_LIMIT_POOLS_PER_ACCOUNT);
    if (a->pool_count == p->pool_cap) {
        size_t cap = p->pool_cap == 0 ? 16 : p->pool_cap * 2;
        struct sl_worker_pool *pools = realloc(a->pools, cap * sizeof(*pools));
        if (pools == NULL)
            return sl_fail(err, SL_NOMEM, "out of memory for worker pools");
        a->pools = pools;
        p->pool_cap = cap;
    }
    a->pools[a->pool_count++] = p->pool;
    p->pool = (struct sl_worker_pool){.id = NULL};
    return SL_OK;
}

static int end_filtered_pool(struct sl_answer_parser *p, struct sl_error *err) {
    struct sl_pool_facts facts = {
        .name = p->pool.name,
        .id = p->pool.id,
        .space = p->space,
        .labels = p->labels,
        .label_count = p->label_count,
    };
    if (p->settings.filter != NULL && !sl_pool_filter_matches(p->settings.filter, &facts))
        return SL_OK;
    return keep_pool(p, err);
}

/* More labels than anybody gives a pool are not worth an error. */
static int keep_label(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    if (p->label_count < SL_POOL_LABELS_MAX) {
        p->labels[p->label_count++] = p->label;
        p->label = NULL;
    }
    return SL_OK;
}

static int count_worker(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    p->pool.workers++;
    p->pool.workers_drained += p->worker.drained;
    return SL_OK;
}

static const struct sl_place counted_worker_places[] = {
    FIELD("drained", SL_PLACE_BOOL, worker.drained)};
static const struct sl_shape counted_worker = {PLACES(counted_worker_places), .end = count_worker};
static const struct sl_place counted_workers_places[] = {ELEMENT(&counted_worker)};
static const struct sl_shape counted_workers = {PLACES(counted_workers_places)};
static const struct sl_place label_places[] = {
    {NULL, 0, SL_PLACE_LONG_TEXT, false, AT(label), NULL}};
static const struct sl_shape labels_shape = {PLACES(label_places), .element = keep_label};
static const struct sl_place pool_places[] = {
    FIELD("id", SL_PLACE_TEXT, pool.id),
    FIELD("name", SL_PLACE_TEXT, pool.name),
    MAY_LACK("space", SL_PLACE_TEXT, space),
    {"labels", 6, SL_PLACE_LIST, true, 0, &labels_shape},
    FIELD("pendingRuns", SL_PLACE_COUNT, pool.runs_pending),
    FIELD("busyWorkers", SL_PLACE_COUNT, pool.workers_busy),
    LIST("workers", &counted_workers),
};
static const struct sl_shape pool_shape = {PLACES(pool_places), .begin = begin_pool,
                                           .end = end_filtered_pool};
static const struct sl_place pools_places[] = {ELEMENT(&pool_shape)};
static const struct sl_shape pools_shape = {PLACES(pools_places)};

static const struct sl_place schedulable_places[] = {
    FIELD("id", SL_PLACE_TEXT, pool.id),
    FIELD("schedulableRunsCount", SL_PLACE_COUNT, pool.runs_schedulable),
};
static const struct sl_shape schedulable_shape = {PLACES(schedulable_places), .begin = begin_pool,
                                                  .end = keep_pool};
static const struct sl_place schedulables_places[] = {ELEMENT(&schedulable_shape)};
static const struct sl_shape schedulables_shape = {PLACES(schedulables_places)};

/* ---- workers, one by one ---- */

static struct sl_worker_group *add_group(struct sl_worker_pool *pool, const char *value) {
    struct sl_worker_group *groups =
        realloc(pool->groups, (pool->group_count + 1) * sizeof(*groups));
    if (groups == NULL)
        return NULL;
    pool->groups = groups;
    struct sl_worker_group *group = &groups[pool->group_count];
    *group = (struct sl_worker_group){.value = strdup(value)};
    if (group->value == NULL)
        return NULL;
    pool->group_count++;
    return group;
}

static int count_in_group(struct sl_answer_parser *p, const char *value, struct sl_error *err) {
    struct sl_worker_pool *pool = &p->pool;
    bool is_full = pool->group_count >= SL_LIMIT_WORKER_GROUPS;
    struct sl_worker_group *group = NULL;
    for (size_t i = 0; i < pool->group_count && group == NULL; i++)
        if (strcmp(pool->groups[i].value, value) == 0)
            group = &pool->groups[i];
    if (group == NULL && is_full) {
        p->answer.is_truncated = true;
        return SL_OK;
    }
    if (group == NULL)
        group = add_group(pool, value);
    if (group == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for groups of workers");
    group->workers++;
    return SL_OK;
}

/* A worker's metadata is a JSON object inside a string, or empty, or whatever its launcher sent. */
static int group_worker(struct sl_answer_parser *p, struct sl_error *err) {
    struct sl_json *metadata = NULL;
    const char *text = p->worker.metadata != NULL ? p->worker.metadata : "";
    if (sl_json_parse(text, strlen(text), &metadata, NULL) != SL_OK)
        metadata = NULL;
    const char *value = sl_json_string(sl_json_get(metadata, p->settings.metadata_key));
    char cut[SL_WORD_BYTES];
    size_t len = strnlen(value != NULL ? value : "", SL_WORD_BYTES - 1);
    memcpy(cut, value != NULL ? value : "", len);
    if (value != NULL && value[len] != '\0')
        while (len > 0 && ((unsigned char)value[len] & 0xc0) == 0x80)
            len--; /* between characters */
    cut[len] = '\0';
    sl_json_free(metadata);
    return count_in_group(p, len > 0 ? cut : "unknown", err);
}

static int begin_worker(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    free(p->worker.metadata);
    p->worker.metadata = NULL;
    return SL_OK;
}

static int look_at_worker(struct sl_answer_parser *p, struct sl_error *err) {
    struct sl_worker_pool *pool = &p->pool;
    const struct sl_worker_record *w = &p->worker;
    pool->workers++;
    pool->workers_idle += !w->busy && !w->drained;
    pool->workers_draining += w->busy && w->drained;
    if (w->created_at > pool->newest_created_s)
        pool->newest_created_s = w->created_at;
    if (pool->oldest_created_s == 0 || w->created_at < pool->oldest_created_s)
        pool->oldest_created_s = w->created_at;
    return p->settings.metadata_key != NULL ? group_worker(p, err) : SL_OK;
}

static const struct sl_place worker_places[] = {
    FIELD("busy", SL_PLACE_BOOL, worker.busy),
    FIELD("drained", SL_PLACE_BOOL, worker.drained),
    FIELD("createdAt", SL_PLACE_COUNT, worker.created_at),
    MAY_LACK("metadata", SL_PLACE_LONG_TEXT, worker.metadata),
};
static const struct sl_shape worker_shape = {PLACES(worker_places), .begin = begin_worker,
                                             .end = look_at_worker};
static const struct sl_place workers_places[] = {ELEMENT(&worker_shape)};
static const struct sl_shape workers_shape = {PLACES(workers_places)};
static const struct sl_place worked_pool_places[] = {
    FIELD("id", SL_PLACE_TEXT, pool.id),
    LIST("workers", &workers_shape),
};
static const struct sl_shape worked_pool_shape = {PLACES(worked_pool_places), .begin = begin_pool,
                                                  .end = keep_pool};
static const struct sl_place worked_pools_places[] = {ELEMENT(&worked_pool_shape)};
static const struct sl_shape worked_pools_shape = {PLACES(worked_pools_places)};

/* ---- the queue of a pool ---- */

static int begin_run(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    p->run = (struct sl_run_record){.ready_at = 0};
    return SL_OK;
}

/* The newest time at which it became ready; a run may go back from it. */
static int look_at_past(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    if (strcmp(p->run.past_state, "READY") == 0 && p->run.past_at > p->run.ready_at)
        p->run.ready_at = p->run.past_at;
    return SL_OK;
}

/* The place of a word among the label values of a type; the last one is "OTHER". */
static size_t place_of(const char *type, const char *word) {
    const struct sl_metric_type *t = sl_catalogue_find(SL_SPACELIFT_PLUGIN, type);
    size_t i = 0;
    while (i + 1 < t->count && strcmp(t->metrics[i].label_value, word) != 0)
        i++;
    return i;
}

static void count_waiting(struct sl_answer_parser *p) {
    static const int64_t bounds_s[SL_WAIT_BUCKET_COUNT] = {15, 60, 300, 900, 3600, INT64_MAX};
    struct sl_queue *q = &p->answer.queue;
    int64_t since_s = p->run.ready_at > 0 ? p->run.ready_at : p->run.created_at;
    int64_t wait_s = p->settings.now_s > since_s ? p->settings.now_s - since_s : 0;
    q->waiting++;
    q->drift_detection += p->run.drift_detection;
    q->prioritized += p->run.is_prioritized;
    q->by_type[place_of(SL_TYPE_WORKER_POOL_RUNS_BY_TYPE, p->run.type)]++;
    if (wait_s > q->oldest_wait_s)
        q->oldest_wait_s = wait_s;
    for (size_t i = 0; i < SL_WAIT_BUCKET_COUNT; i++)
        q->waits[i] += wait_s <= bounds_s[i];
}

/* States: https://docs.spacelift.io/concepts/run. QUEUED is not ready; READY waits for a worker. */
static int count_run(struct sl_answer_parser *p, struct sl_error *err) {
    static const char *const ended[] = {"CANCELED",  "FAILED",  "FINISHED",
                                        "DISCARDED", "STOPPED", "SKIPPED"};
    struct sl_queue *q = &p->answer.queue;
    (void)err;
    for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++)
        if (strcmp(p->run.state, ended[i]) == 0)
            return SL_OK;
    q->by_state[place_of(SL_TYPE_WORKER_POOL_RUNS_BY_STATE, p->run.state)]++;
    if (strcmp(p->run.state, "READY") == 0) {
        count_waiting(p);
    } else if (strcmp(p->run.state, "QUEUED") == 0 || strcmp(p->run.state, "PENDING_REVIEW") == 0) {
        q->blocked++;
        q->needs_approval += p->run.needs_approval;
    } else {
        q->in_progress++;
    }
    return SL_OK;
}

/* A next page without a cursor cannot be asked for; the clients take it for the end. */
static int end_page(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    if (p->has_next_page && p->cursor != NULL && p->cursor[0] != '\0') {
        free(p->answer.queue.end_cursor);
        p->answer.queue.end_cursor = p->cursor;
        p->cursor = NULL;
    }
    return SL_OK;
}

static const struct sl_place past_places[] = {
    FIELD("state", SL_PLACE_WORD, run.past_state),
    FIELD("timestamp", SL_PLACE_COUNT, run.past_at),
};
static const struct sl_shape past_shape = {PLACES(past_places), .end = look_at_past};
static const struct sl_place history_places[] = {ELEMENT(&past_shape)};
static const struct sl_shape history_shape = {PLACES(history_places)};
static const struct sl_place run_places[] = {
    FIELD("state", SL_PLACE_WORD, run.state),
    FIELD("type", SL_PLACE_WORD, run.type),
    FIELD("createdAt", SL_PLACE_COUNT, run.created_at),
    MAY_LACK("driftDetection", SL_PLACE_BOOL, run.drift_detection),
    MAY_LACK("isPrioritized", SL_PLACE_BOOL, run.is_prioritized),
    MAY_LACK("needsApproval", SL_PLACE_BOOL, run.needs_approval),
    {"history", 7, SL_PLACE_LIST, true, 0, &history_shape},
};
static const struct sl_shape run_shape = {PLACES(run_places), .begin = begin_run, .end = count_run};
static const struct sl_place node_places[] = {OBJECT("run", &run_shape)};
static const struct sl_shape node_shape = {PLACES(node_places)};
static const struct sl_place edge_places[] = {OBJECT("node", &node_shape)};
static const struct sl_shape edge_shape = {PLACES(edge_places)};
static const struct sl_place edges_places[] = {ELEMENT(&edge_shape)};
static const struct sl_shape edges_shape = {PLACES(edges_places)};
static const struct sl_place page_places[] = {
    MAY_LACK("endCursor", SL_PLACE_LONG_TEXT, cursor),
    FIELD("hasNextPage", SL_PLACE_BOOL, has_next_page),
};
static const struct sl_shape page_shape = {PLACES(page_places), .end = end_page};
static const struct sl_place runs_places[] = {
    LIST("edges", &edges_shape),
    OBJECT("pageInfo", &page_shape),
};
static const struct sl_shape runs_shape = {PLACES(runs_places)};
static const struct sl_place queue_places[] = {OBJECT("searchSchedulableRuns", &runs_shape)};
static const struct sl_shape queue_shape = {PLACES(queue_places)};

/* ---- what is not ready ---- */

static int begin_held(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    p->run.state[0] = '\0';
    p->run.needs_approval = false;
    return SL_OK;
}

/* Whatever the server makes of the predicate, only what is not ready counts. */
static int keep_held(struct sl_answer_parser *p, struct sl_error *err) {
    struct sl_answer *a = &p->answer;
    bool is_review = strcmp(p->run.state, "PENDING_REVIEW") == 0;
    if (is_review || (strcmp(p->run.state, "QUEUED") == 0 && p->run.needs_approval)) {
        a->queue.needs_approval++;
        return SL_OK;
    }
    if (strcmp(p->run.state, "QUEUED") != 0)
        return SL_OK;
    if (a->held_count == p->held_cap) {
        size_t cap = p->held_cap == 0 ? 16 : p->held_cap * 2;
        struct sl_held_run *held = realloc(a->held, cap * sizeof(*held));
        if (held == NULL)
            return sl_fail(err, SL_NOMEM, "out of memory for runs");
        a->held = held;
        p->held_cap = cap;
    }
    a->held[a->held_count++] = (struct sl_held_run){.id = p->run.id, .stack_id = p->run.stack_id};
    p->run.id = NULL;
    p->run.stack_id = NULL;
    return SL_OK;
}

static const struct sl_place held_run_places[] = {
    FIELD("id", SL_PLACE_TEXT, run.id),
    FIELD("state", SL_PLACE_WORD, run.state),
    MAY_LACK("needsApproval", SL_PLACE_BOOL, run.needs_approval),
};
static const struct sl_shape held_run_shape = {PLACES(held_run_places)};
static const struct sl_place held_places[] = {
    FIELD("stackId", SL_PLACE_TEXT, run.stack_id),
    OBJECT("run", &held_run_shape),
};
static const struct sl_shape held_shape = {PLACES(held_places), .begin = begin_held,
                                           .end = keep_held};
static const struct sl_place held_edge_places[] = {OBJECT("node", &held_shape)};
static const struct sl_shape held_edge_shape = {PLACES(held_edge_places)};
static const struct sl_place held_edges_places[] = {ELEMENT(&held_edge_shape)};
static const struct sl_shape held_edges_shape = {PLACES(held_edges_places)};
static const struct sl_place held_runs_places[] = {
    LIST("edges", &held_edges_shape),
    OBJECT("pageInfo", &page_shape),
};
static const struct sl_shape held_runs_shape = {PLACES(held_runs_places)};
static const struct sl_place blocked_places[] = {OBJECT("searchSchedulableRuns", &held_runs_shape)};
static const struct sl_shape blocked_shape = {PLACES(blocked_places)};

static const struct sl_place blocker_places[] = {FIELD("id", SL_PLACE_TEXT, answer.blocker)};
static const struct sl_shape blocker_shape = {PLACES(blocker_places)};
static const struct sl_place stack_places[] = {
    MAY_LACK("lockedBy", SL_PLACE_LONG_TEXT, answer.locked_by),
    {"blocker", 7, SL_PLACE_OBJECT, true, 0, &blocker_shape},
};
static const struct sl_shape stack_shape = {PLACES(stack_places)};

/* ---- the account ---- */

static const struct sl_place public_places[] = {
    FIELD("parallelism", SL_PLACE_COUNT, answer.public_parallelism),
    FIELD("busyWorkers", SL_PLACE_COUNT, answer.public_workers_busy),
    FIELD("pendingRuns", SL_PLACE_COUNT, answer.public_runs_pending),
};
static const struct sl_shape public_shape = {PLACES(public_places)};

/* Minutes become seconds, as in the exporter. */
static int end_usage(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    for (size_t i = 0; i < 5; i++)
        p->answer.billing[i] = (double)p->counts[i];
    p->answer.billing[SL_BILLING_USED_PRIVATE] *= 60;
    p->answer.billing[SL_BILLING_USED_PUBLIC] *= 60;
    return SL_OK;
}

static const struct sl_place usage_places[] = {
    FIELD("billingPeriodStart", SL_PLACE_COUNT, counts[SL_BILLING_START]),
    FIELD("billingPeriodEnd", SL_PLACE_COUNT, counts[SL_BILLING_END]),
    FIELD("usedPrivateMinutes", SL_PLACE_COUNT, counts[SL_BILLING_USED_PRIVATE]),
    FIELD("usedPublicMinutes", SL_PLACE_COUNT, counts[SL_BILLING_USED_PUBLIC]),
    FIELD("usedSeats", SL_PLACE_COUNT, counts[SL_BILLING_USED_SEATS]),
};
static const struct sl_shape usage_shape = {PLACES(usage_places), .end = end_usage};

static int begin_details(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    for (size_t i = 0; i < sizeof(p->answer.details) / sizeof(p->answer.details[0]); i++)
        p->answer.details[i] = NAN;
    return SL_OK;
}

static const struct sl_place details_places[] = {
    MAY_LACK("usedWorkers", SL_PLACE_NUMBER, answer.details[SL_BILLING_USED_WORKERS]),
    MAY_LACK("allowedSeats", SL_PLACE_NUMBER, answer.details[SL_BILLING_ALLOWED_SEATS]),
    MAY_LACK("allowedMinutes", SL_PLACE_NUMBER, answer.details[SL_BILLING_ALLOWED_MINUTES]),
    MAY_LACK("pricePerSeat", SL_PLACE_NUMBER, answer.details[SL_BILLING_PRICE_SEAT]),
    MAY_LACK("pricePerWorker", SL_PLACE_NUMBER, answer.details[SL_BILLING_PRICE_WORKER]),
    MAY_LACK("pricePerRunMinute", SL_PLACE_NUMBER, answer.details[SL_BILLING_PRICE_RUN_MINUTE]),
    MAY_LACK("subscriptionPrice", SL_PLACE_NUMBER, answer.details[SL_BILLING_SUBSCRIPTION]),
    MAY_LACK("upcomingInvoiceTotalAmount", SL_PLACE_NUMBER,
             answer.details[SL_BILLING_UPCOMING_INVOICE]),
};
static const struct sl_shape details_shape = {PLACES(details_places), .begin = begin_details};

/* A limit of -1 is no limit. */
static int end_seats(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    for (size_t i = 0; i < sizeof(p->answer.seats) / sizeof(p->answer.seats[0]); i++)
        if (p->answer.seats[i] < 0)
            p->answer.seats[i] = NAN;
    return SL_OK;
}

static const struct sl_place user_seats_places[] = {
    FIELD("limit", SL_PLACE_NUMBER, answer.seats[SL_SEATS_USERS_LIMIT]),
    FIELD("inUse", SL_PLACE_NUMBER, answer.seats[SL_SEATS_USERS]),
};
static const struct sl_shape user_seats = {PLACES(user_seats_places)};
static const struct sl_place key_seats_places[] = {
    FIELD("limit", SL_PLACE_NUMBER, answer.seats[SL_SEATS_API_KEYS_LIMIT]),
    FIELD("inUse", SL_PLACE_NUMBER, answer.seats[SL_SEATS_API_KEYS]),
};
static const struct sl_shape key_seats = {PLACES(key_seats_places)};
static const struct sl_place seats_places[] = {
    OBJECT("user", &user_seats),
    OBJECT("apiKey", &key_seats),
};
static const struct sl_shape seats_shape = {PLACES(seats_places), .end = end_seats};

/* ---- Spacelift's own statistics ---- */

static int begin_point(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    p->point = (struct sl_point){.label = ""};
    return SL_OK;
}

/* "labels is a list because some fields group by more than one dimension, though the ones read
 * here use at most one" (the exporter's collector/aggregates.go). */
static int keep_first_word(struct sl_answer_parser *p, struct sl_error *err) {
    (void)err;
    if (p->top->elements == 1)
        memcpy(p->point.label, p->word, sizeof(p->word));
    return SL_OK;
}

static int keep_point(struct sl_answer_parser *p, struct sl_error *err) {
    struct sl_answer *a = &p->answer;
    if (a->point_count == SL_LIMIT_POINTS) {
        a->is_truncated = true;
        return SL_OK;
    }
    if (a->point_count == p->point_cap) {
        size_t cap = p->point_cap == 0 ? 32 : p->point_cap * 2;
        struct sl_point *points = realloc(a->points, cap * sizeof(*points));
        if (points == NULL)
            return sl_fail(err, SL_NOMEM, "out of memory for statistics");
        a->points = points;
        p->point_cap = cap;
    }
    p->point.of = (enum sl_aggregate)p->top[-2].place->at;
    a->points[a->point_count++] = p->point;
    return SL_OK;
}

static const struct sl_place word_places[] = {{NULL, 0, SL_PLACE_WORD, false, AT(word), NULL}};
static const struct sl_shape words_shape = {PLACES(word_places), .element = keep_first_word};
static const struct sl_place point_places[] = {
    FIELD("value", SL_PLACE_NUMBER, point.value),
    LIST("labels", &words_shape),
};
static const struct sl_shape point_shape = {PLACES(point_places), .begin = begin_point,
                                            .end = keep_point};
static const struct sl_place points_places[] = {ELEMENT(&point_shape)};
static const struct sl_shape points_shape = {PLACES(points_places)};
#define POINTS(name, aggregate)                                                                    \
    { name, sizeof(name) - 1, SL_PLACE_LIST, false, aggregate, &points_shape }
static const struct sl_place metrics_places[] = {
    POINTS("stacksCountByState", SL_AGGREGATE_STACKS_BY_STATE),
    POINTS("resourcesCountByDrift", SL_AGGREGATE_RESOURCES_BY_DRIFT),
    POINTS("avgStackSizeByResourceCount", SL_AGGREGATE_AVG_STACK_SIZE),
    POINTS("averageRunDuration", SL_AGGREGATE_AVERAGE_RUN_DURATION),
    POINTS("medianRunDuration", SL_AGGREGATE_MEDIAN_RUN_DURATION),
};
static const struct sl_shape metrics_shape = {PLACES(metrics_places)};

/* ---- who we are ---- */

static const struct sl_place viewer_places[] = {MAY_LACK("id", SL_PLACE_WORD, word)};
static const struct sl_shape viewer_shape = {PLACES(viewer_places)};
static const struct sl_place user_places[] = {
    FIELD("jwt", SL_PLACE_SECRET, answer.jwt),
    FIELD("validUntil", SL_PLACE_COUNT, answer.valid_until_s),
};
static const struct sl_shape user_shape = {PLACES(user_places)};

/* ---- documents ---- */

/* The root field may always lack: sl_answer_parser_finish() knows why, or says so. */
#define ROOT(name, kind, shape)                                                                    \
    { name, sizeof(name) - 1, kind, true, 0, shape }
static const struct sl_place roots[SL_DOCUMENT_COUNT] = {
    [SL_DOCUMENT_WORKER_POOLS] = ROOT("workerPools", SL_PLACE_LIST, &pools_shape),
    [SL_DOCUMENT_PUBLIC_WORKER_POOL] = ROOT("publicWorkerPool", SL_PLACE_OBJECT, &public_shape),
    [SL_DOCUMENT_USAGE] = ROOT("usage", SL_PLACE_OBJECT, &usage_shape),
    [SL_DOCUMENT_AGGREGATES] = ROOT("metrics", SL_PLACE_OBJECT, &metrics_shape),
    [SL_DOCUMENT_WORKERS] = ROOT("workerPools", SL_PLACE_LIST, &worked_pools_shape),
    [SL_DOCUMENT_SCHEDULABLE] = ROOT("workerPools", SL_PLACE_LIST, &schedulables_shape),
    [SL_DOCUMENT_QUEUE] = ROOT("workerPool", SL_PLACE_OBJECT, &queue_shape),
    [SL_DOCUMENT_BILLING_DETAILS] = ROOT("usage", SL_PLACE_OBJECT, &details_shape),
    [SL_DOCUMENT_SEATS] = ROOT("seats", SL_PLACE_OBJECT, &seats_shape),
    [SL_DOCUMENT_BLOCKED] = ROOT("workerPool", SL_PLACE_OBJECT, &blocked_shape),
    [SL_DOCUMENT_VIEWER] = ROOT("viewer", SL_PLACE_OBJECT, &viewer_shape),
    [SL_DOCUMENT_API_KEY_USER] = ROOT("apiKeyUser", SL_PLACE_OBJECT, &user_shape),
    [SL_DOCUMENT_STACK] = ROOT("stack", SL_PLACE_OBJECT, &stack_shape),
};

const struct sl_shape *sl_answer_shape(enum sl_document document) {
#define DATA(document) [document] = {.places = &roots[document], .count = 1 }
    static const struct sl_shape data[SL_DOCUMENT_COUNT] = {
        DATA(SL_DOCUMENT_WORKER_POOLS), DATA(SL_DOCUMENT_PUBLIC_WORKER_POOL),
        DATA(SL_DOCUMENT_USAGE),        DATA(SL_DOCUMENT_AGGREGATES),
        DATA(SL_DOCUMENT_WORKERS),      DATA(SL_DOCUMENT_SCHEDULABLE),
        DATA(SL_DOCUMENT_QUEUE),        DATA(SL_DOCUMENT_BILLING_DETAILS),
        DATA(SL_DOCUMENT_SEATS),        DATA(SL_DOCUMENT_VIEWER),
        DATA(SL_DOCUMENT_API_KEY_USER), DATA(SL_DOCUMENT_BLOCKED),
        DATA(SL_DOCUMENT_STACK),
    };
    return &data[document];
}
