/* A model of a worker pool and its queue, driven event by event. Times in ms. */
#ifndef SL_REPLAY_POOL_H
#define SL_REPLAY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_trace_run {
    int64_t arrival_ms;
    int64_t duration_ms;
};

struct sl_trace {
    struct sl_trace_run *runs; /* ascending arrivals */
    size_t count;
};

struct sl_replay_pool {
    const struct sl_trace *trace;
    int64_t startup_ms;
    int64_t now_ms;

    size_t arrived;      /* runs[0..arrived) have come */
    size_t begun;        /* runs[0..begun) were given to a worker; between the two they wait */
    int64_t *busy_until; /* a heap */
    size_t busy;
    int64_t *ready_at; /* starting workers, oldest first, ring */
    size_t ready_first;
    size_t starting;
    int64_t *idle_since; /* a stack: the newest takes the next run, the oldest leaves */
    size_t idle;
    size_t capacity; /* of the three arrays */
    int32_t size;    /* poolSize */

    int64_t *waits_ms;  /* per run */
    int64_t size_ms;    /* poolSize x time */
    int64_t workers_ms; /* workers that exist x time */
    int64_t needed_ms;  /* max(busy, counted_from) x time */
    int64_t counted_from;
    int64_t changes;
};

bool sl_replay_pool_init(struct sl_replay_pool *p, const struct sl_trace *trace, int64_t startup_ms,
                         int32_t size, size_t most_workers);
void sl_replay_pool_release(struct sl_replay_pool *p);

/* Lets time pass up to now_ms; INT64_MAX: to the end of the last run. */
void sl_replay_pool_run(struct sl_replay_pool *p, int64_t now_ms);

void sl_replay_pool_set_size(struct sl_replay_pool *p, int32_t size);

int64_t sl_replay_pool_pending(const struct sl_replay_pool *p);
int64_t sl_replay_pool_workers(const struct sl_replay_pool *p);
bool sl_replay_pool_is_done(const struct sl_replay_pool *p);

#endif
