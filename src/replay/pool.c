/* The pool model of the replay: a queue, workers that start, idle and work. */
#include "replay/pool.h"

#include <stdlib.h>
#include <string.h>

bool sl_replay_pool_init(struct sl_replay_pool *p, const struct sl_trace *trace, int64_t startup_ms,
                         int32_t size, size_t most_workers) {
    *p = (struct sl_replay_pool){
        .trace = trace, .startup_ms = startup_ms, .capacity = most_workers + 1};
    p->busy_until = calloc(p->capacity, sizeof *p->busy_until);
    p->ready_at = calloc(p->capacity, sizeof *p->ready_at);
    p->idle_since = calloc(p->capacity, sizeof *p->idle_since);
    p->waits_ms = calloc(trace->count + 1, sizeof *p->waits_ms);
    if (p->busy_until == NULL || p->ready_at == NULL || p->idle_since == NULL ||
        p->waits_ms == NULL) {
        sl_replay_pool_release(p);
        return false;
    }
    p->size = size;
    p->idle = (size_t)size; /* there from the beginning */
    return true;
}

void sl_replay_pool_release(struct sl_replay_pool *p) {
    free(p->busy_until);
    free(p->ready_at);
    free(p->idle_since);
    free(p->waits_ms);
    *p = (struct sl_replay_pool){0};
}

int64_t sl_replay_pool_pending(const struct sl_replay_pool *p) {
    return (int64_t)(p->arrived - p->begun);
}

int64_t sl_replay_pool_workers(const struct sl_replay_pool *p) {
    return (int64_t)(p->busy + p->idle + p->starting);
}

bool sl_replay_pool_is_done(const struct sl_replay_pool *p) {
    return p->begun == p->trace->count && p->busy == 0;
}

/* ---- the heap of busy workers ---- */

static void heap_push(struct sl_replay_pool *p, int64_t until_ms) {
    size_t i = p->busy++;

    while (i > 0 && p->busy_until[(i - 1) / 2] > until_ms) {
        p->busy_until[i] = p->busy_until[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    p->busy_until[i] = until_ms;
}

static void heap_pop(struct sl_replay_pool *p) {
    int64_t last = p->busy_until[--p->busy];
    size_t i = 0;

    for (size_t child = 1; child < p->busy; child = 2 * i + 1) {
        if (child + 1 < p->busy && p->busy_until[child + 1] < p->busy_until[child]) {
            child++;
        }
        if (p->busy_until[child] >= last) {
            break;
        }
        p->busy_until[i] = p->busy_until[child];
        i = child;
    }
    p->busy_until[i] = last;
}

/* ---- workers ---- */

static void give_work(struct sl_replay_pool *p) {
    while (p->idle > 0 && p->begun < p->arrived) {
        const struct sl_trace_run *run = &p->trace->runs[p->begun];

        p->waits_ms[p->begun++] = p->now_ms - run->arrival_ms;
        p->idle--;
        heap_push(p, p->now_ms + run->duration_ms);
    }
}

static void add_idle(struct sl_replay_pool *p) {
    p->idle_since[p->idle++] = p->now_ms;
}

static void drop_idle(struct sl_replay_pool *p) {
    p->idle--;
    memmove(&p->idle_since[0], &p->idle_since[1], p->idle * sizeof p->idle_since[0]);
}

/* A pool with more workers than its size: the idle go, then the starting; the busy when they end.
 */
static void shed(struct sl_replay_pool *p) {
    while (sl_replay_pool_workers(p) > p->size && p->idle > 0) {
        drop_idle(p);
    }
    while (sl_replay_pool_workers(p) > p->size && p->starting > 0) {
        p->starting--; /* the newest */
    }
}

static void start_missing(struct sl_replay_pool *p) {
    while (sl_replay_pool_workers(p) < p->size && (size_t)sl_replay_pool_workers(p) < p->capacity) {
        p->ready_at[(p->ready_first + p->starting) % p->capacity] = p->now_ms + p->startup_ms;
        p->starting++;
    }
}

void sl_replay_pool_set_size(struct sl_replay_pool *p, int32_t size) {
    if (size != p->size) {
        p->size = size;
        p->changes++;
    }
    shed(p);
    start_missing(p);
    give_work(p);
}

/* ---- time ---- */

static int64_t next_event(const struct sl_replay_pool *p) {
    int64_t next_ms = INT64_MAX;

    if (p->arrived < p->trace->count) {
        next_ms = p->trace->runs[p->arrived].arrival_ms;
    }
    if (p->busy > 0 && p->busy_until[0] < next_ms) {
        next_ms = p->busy_until[0];
    }
    if (p->starting > 0 && p->ready_at[p->ready_first] < next_ms) {
        next_ms = p->ready_at[p->ready_first];
    }
    return next_ms;
}

static void pass_time(struct sl_replay_pool *p, int64_t to_ms) {
    int64_t passed_ms = to_ms - p->now_ms;

    if (passed_ms <= 0) {
        return;
    }
    p->size_ms += passed_ms * p->size;
    p->workers_ms += passed_ms * sl_replay_pool_workers(p);
    p->needed_ms +=
        passed_ms * ((int64_t)p->busy > p->counted_from ? (int64_t)p->busy : p->counted_from);
    p->now_ms = to_ms;
}

static void happen(struct sl_replay_pool *p) {
    while (p->busy > 0 && p->busy_until[0] <= p->now_ms) {
        heap_pop(p);
        if (sl_replay_pool_workers(p) < p->size) {
            add_idle(p);
        }
    }
    while (p->starting > 0 && p->ready_at[p->ready_first] <= p->now_ms) {
        p->ready_first = (p->ready_first + 1) % p->capacity;
        p->starting--;
        add_idle(p);
    }
    while (p->arrived < p->trace->count && p->trace->runs[p->arrived].arrival_ms <= p->now_ms) {
        p->arrived++;
    }
    give_work(p);
}

void sl_replay_pool_run(struct sl_replay_pool *p, int64_t now_ms) {
    int64_t next_ms = next_event(p);

    while (next_ms <= now_ms && next_ms != INT64_MAX) {
        pass_time(p, next_ms);
        happen(p);
        next_ms = next_event(p);
    }
    if (now_ms != INT64_MAX) {
        pass_time(p, now_ms);
    }
}
