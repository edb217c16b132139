/* What the answers of Spacelift's GraphQL API mean. No I/O; one thread at a time.
 *
 * Answers are read as a stream: workers and runs are counted as they pass and never kept.
 * Sources: the schema and error shapes of spacelift-io/graphql-go (the server's engine), the
 * documents of spacelift-io/prometheus-exporter and spacelift-io/spacectl. */
#ifndef SL_SPACELIFT_ANSWER_H
#define SL_SPACELIFT_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "spacelift/catalogue.h"
#include "spacelift/document.h"

/* Workers of a pool that have the same value of a metadata key. */
struct sl_worker_group {
    char *value;
    int64_t workers;
};

struct sl_worker_pool {
    char *id;
    char *name; /* of WORKER_POOLS */
    int64_t runs_pending;
    int64_t workers_busy;
    int64_t workers;          /* drained ones included, as the official exporter counts */
    int64_t workers_drained;  /* one of them may still be busy */
    int64_t runs_schedulable; /* of SCHEDULABLE */
    /* Of WORKERS: */
    int64_t workers_idle;
    int64_t workers_draining;
    int64_t newest_created_s; /* Unix time; 0: there is no worker */
    int64_t oldest_created_s;
    struct sl_worker_group *groups;
    size_t group_count;
};

enum {
    SL_RUN_TYPES = 6,   /* data sources of SL_TYPE_WORKER_POOL_RUNS_BY_TYPE */
    SL_RUN_STATES = 12, /* of SL_TYPE_WORKER_POOL_RUNS_BY_STATE */
};

/* The queue of one pool. */
struct sl_queue {
    bool has_pool; /* false: it is gone */
    int64_t waiting, blocked, needs_approval, drift_detection, prioritized, in_progress;
    int64_t oldest_wait_s;
    int64_t waits[SL_WAIT_BUCKET_COUNT]; /* cumulative, as in the catalogue */
    int64_t by_type[SL_RUN_TYPES];
    int64_t by_state[SL_RUN_STATES];
    char *end_cursor; /* NULL: that was the last page */
};

/* A run that is not ready, and lacks no approval. */
struct sl_held_run {
    char *id;
    char *stack_id;
};

enum sl_aggregate {
    SL_AGGREGATE_STACKS_BY_STATE,
    SL_AGGREGATE_RESOURCES_BY_DRIFT,
    SL_AGGREGATE_AVG_STACK_SIZE,
    SL_AGGREGATE_AVERAGE_RUN_DURATION,
    SL_AGGREGATE_MEDIAN_RUN_DURATION,
};

/* One number of Spacelift's own statistics. */
struct sl_point {
    enum sl_aggregate of;
    double value;
    char label[64]; /* the first one; "" where there is none */
};

struct sl_answer {
    struct sl_worker_pool *pools; /* WORKER_POOLS, WORKERS, SCHEDULABLE */
    size_t pool_count;

    bool has_public_pool; /* false: the installation has none */
    int64_t public_runs_pending;
    int64_t public_workers_busy;
    int64_t public_parallelism;

    double billing[5]; /* as SL_TYPE_BILLING_PERIOD, minutes as seconds */
    double details[8]; /* as SL_TYPE_BILLING_DETAILS; NaN: the account has none */
    double seats[4];   /* as SL_TYPE_ACCOUNT_SEATS; NaN: no limit */

    struct sl_point *points;
    size_t point_count;

    struct sl_queue queue; /* QUEUE; of BLOCKED has_pool, end_cursor, needs_approval */

    struct sl_held_run *held; /* BLOCKED */
    size_t held_count;

    bool has_stack;  /* STACK; false: the key does not see it */
    char *locked_by; /* whose lock it has; NULL or "": nobody's */
    char *blocker;   /* the run that holds it; NULL: none */

    bool is_truncated; /* a limit was met: there is more than this */

    bool has_viewer;
    struct sl_secret jwt;
    int64_t valid_until_s; /* Unix time */
};

void sl_answer_release(struct sl_answer *answer);

/* The page after: its runs are added to those of queue, its cursor replaces that of queue. */
void sl_queue_add(struct sl_queue *queue, struct sl_queue *page);
void sl_queue_release(struct sl_queue *queue);

struct sl_pool_filter;

/* What the reading of an answer depends on; members may be 0. */
struct sl_answer_settings {
    const struct sl_pool_filter *filter; /* WORKER_POOLS: which pools are kept; NULL: all */
    const char *metadata_key;            /* WORKERS: by what workers are grouped */
    int64_t now_s;                       /* QUEUE: Unix time, for how long runs have waited */
};

struct sl_answer_parser;

/* Keeps what settings points to. NULL when memory is out. */
struct sl_answer_parser *sl_answer_parser_new(enum sl_document document,
                                              const struct sl_answer_settings *settings);
void sl_answer_parser_free(struct sl_answer_parser *p);

/* For net/http's sink. SL_PARSE for anything that is not what the schema says, naming the place:
 * "workerPools[3].pendingRuns is null". */
int sl_answer_parser_feed(void *parser, const char *bytes, size_t len,
                          struct sl_error *err) SL_CHECKED;

/* The answer has ended. On success *ret is the caller's, to be released. Otherwise what the
 * server's errors[] mean: SL_AUTH ("unauthorized": a bad token, or no access to this field),
 * SL_FORBIDDEN (not for machine keys), SL_RATELIMIT, SL_REJECTED (a field the schema lacks),
 * SL_REMOTE (anything else); SL_NOTFOUND for an unknown API key id. */
int sl_answer_parser_finish(struct sl_answer_parser *p, struct sl_answer *ret,
                            struct sl_error *err) SL_CHECKED;

#endif
