/* A model of a worker pool and its queue, driven event by event. Times in ms. */
#ifndef SL_TESTS_BENCH_REPLAY_POOL_H
#define SL_TESTS_BENCH_REPLAY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job {
    int64_t arrival_ms;
    int64_t duration_ms;
};

struct trace {
    struct job *jobs; /* ascending arrivals */
    size_t count;
};

struct pool {
    const struct trace *trace;
    int64_t startup_ms;
    int64_t now_ms;

    size_t arrived;      /* jobs[0..arrived) have come */
    size_t begun;        /* jobs[0..begun) were given to a worker; between the two they wait */
    int64_t *busy_until; /* a heap */
    size_t busy;
    int64_t *ready_at; /* starting workers, oldest first, ring */
    size_t ready_first;
    size_t starting;
    int64_t *idle_since; /* a stack: the newest takes the next run, the oldest leaves */
    size_t idle;
    size_t capacity; /* of the three arrays */
    int32_t size;    /* poolSize */

    int64_t *waits_ms;  /* per job */
    int64_t size_ms;    /* poolSize x time */
    int64_t workers_ms; /* workers that exist x time */
    int64_t changes;
};

bool pool_init(struct pool *p, const struct trace *trace, int64_t startup_ms, int32_t size,
               size_t most_workers);
void pool_release(struct pool *p);

/* Lets time pass up to now_ms. */
void pool_run(struct pool *p, int64_t now_ms);

void pool_set_size(struct pool *p, int32_t size);

int64_t pool_pending(const struct pool *p);
int64_t pool_workers(const struct pool *p);
bool pool_is_done(const struct pool *p);

#endif
