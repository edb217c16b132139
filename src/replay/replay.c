/* Runs a trace through a contender, and puts the results side by side. */
#include "replay/replay.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "replay/picture.h"

/* ---- one replay ---- */

static int compare_times(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static struct sl_replay_result summary_of(struct sl_replay_pool *p) {
    struct sl_replay_result r = {0};
    double sum_ms = 0;
    size_t n = p->trace->count;

    for (size_t i = 0; i < n; i++) {
        sum_ms += (double)p->waits_ms[i];
    }
    qsort(p->waits_ms, n, sizeof *p->waits_ms, compare_times);
    r.mean_wait_s = sum_ms / (double)n / 1000;
    r.p95_wait_s = (double)p->waits_ms[n * 95 / 100] / 1000;
    r.size_hours = (double)p->size_ms / 3600000;
    r.worker_hours = (double)p->workers_ms / 3600000;
    r.changes_per_hour = (double)p->changes / ((double)p->now_ms / 3600000);
    return r;
}

static int out_of_memory(struct sl_error *err) {
    return sl_fail(err, SL_NOMEM, "out of memory for the replay");
}

int sl_replay_run(const struct sl_trace *trace, const struct sl_contender *contender,
                  int64_t startup_ms, struct sl_replay_result *ret, struct sl_error *err) {
    return sl_replay_draw(trace, contender, startup_ms, NULL, ret, err);
}

/* A single worker that is always there would be through by then, and a day has passed for windows
 * and cooldowns. */
static int64_t latest_end_ms(const struct sl_trace *trace, const struct sl_contender *c,
                             int64_t startup_ms) {
    int64_t end_ms = 86400000;

    for (size_t i = 0; i < trace->count; i++) {
        end_ms += trace->runs[i].duration_ms + startup_ms + 2 * c->tick_ms;
    }
    return end_ms + (trace->count > 0 ? trace->runs[trace->count - 1].arrival_ms : 0);
}

int sl_replay_draw(const struct sl_trace *trace, const struct sl_contender *contender,
                   int64_t startup_ms, struct sl_replay_picture *picture,
                   struct sl_replay_result *ret, struct sl_error *err) {
    struct sl_contender c = *contender;
    int64_t end_ms = latest_end_ms(trace, &c, startup_ms);
    struct sl_replay_pool pool;
    int64_t now_ms = c.phase_ms;

    if (!sl_replay_pool_init(&pool, trace, startup_ms, c.min_workers, (size_t)c.max_workers)) {
        return out_of_memory(err);
    }
    for (; !sl_replay_pool_is_done(&pool) && now_ms <= end_ms; now_ms += c.tick_ms) {
        sl_replay_pool_run(&pool, now_ms);
        sl_replay_pool_set_size(&pool, c.decide(&c, &pool, now_ms));
        if (picture != NULL) {
            sl_replay_picture_mark(picture, now_ms,
                                   sl_replay_pool_pending(&pool) + (int64_t)pool.busy, pool.size);
        }
    }
    *ret = summary_of(&pool);
    sl_replay_pool_release(&pool);
    return now_ms <= end_ms
               ? SL_OK
               : sl_fail(err, SL_CONFIG, "with \"%s\" runs wait for ever: it gives them no worker",
                         c.name);
}

int sl_replay_bound(const struct sl_trace *trace, int32_t min_workers, int32_t max_workers,
                    struct sl_replay_result *ret, struct sl_error *err) {
    struct sl_replay_pool pool;

    if (!sl_replay_pool_init(&pool, trace, 0, max_workers, (size_t)max_workers)) {
        return out_of_memory(err);
    }
    pool.counted_from = min_workers;
    sl_replay_pool_run(&pool, INT64_MAX);
    *ret = summary_of(&pool);
    ret->worker_hours = (double)pool.needed_ms / 3600000;
    ret->size_hours = ret->worker_hours;
    ret->changes_per_hour = NAN;
    sl_replay_pool_release(&pool);
    return SL_OK;
}

/* ---- the table ---- */

struct rivals {
    struct sl_replay_result tutorial;
    struct sl_replay_result chain;
};

static void put_head(const char *name, const struct sl_trace *trace,
                     const struct sl_replay_settings *s, struct sl_buffer *out) {
    double days = (double)trace->runs[trace->count - 1].arrival_ms / 86400000;

    sl_buffer_printf(out,
                     "\n%s: %zu runs in %.1f days; a worker starts in %" PRId64 " s; %" PRId32
                     " to %" PRId32 " workers\n",
                     name, trace->count, days, s->startup_ms / 1000, s->min_workers,
                     s->max_workers);
    sl_buffer_printf(out, "%-38s %9s %9s %12s %12s %9s %6s\n", "policy", "mean wait", "p95 wait",
                     "poolSize h", "workers h", "changes/h", "goals");
}

static void put_row(const char *name, const struct sl_replay_result *r, const char *goals,
                    struct sl_buffer *out) {
    sl_buffer_printf(out, "%-38s %9.1f %9.1f %12.1f %12.1f %9.2f %6s\n", name, r->mean_wait_s,
                     r->p95_wait_s, r->size_hours, r->worker_hours, r->changes_per_hour, goals);
}

static const char *goals_of(const struct sl_replay_result *r, const struct rivals *rivals) {
    bool first = r->worker_hours <= rivals->tutorial.worker_hours &&
                 r->mean_wait_s * 5 <= rivals->tutorial.mean_wait_s;
    bool second =
        r->worker_hours < rivals->chain.worker_hours && r->mean_wait_s <= rivals->chain.mean_wait_s;

    if (first) {
        return second ? "1 2" : "1 -";
    }
    return second ? "- 2" : "- -";
}

static int put_rival(const struct sl_trace *trace, const struct sl_contender *c, int64_t startup_ms,
                     struct sl_replay_result *ret, struct sl_buffer *out, struct sl_error *err) {
    int rc = sl_replay_run(trace, c, startup_ms, ret, err);

    if (rc == SL_OK) {
        put_row(c->name, ret, "", out);
    }
    return rc;
}

static int put_rivals(const struct sl_trace *trace, const struct sl_replay_settings *s,
                      struct rivals *ret, struct sl_buffer *out, struct sl_error *err) {
    struct sl_contender tutorial = sl_contender_tutorial(s->min_workers, s->max_workers);
    struct sl_contender chain = sl_contender_repaired_chain(s->min_workers, s->max_workers);
    struct sl_contender ec2 = sl_contender_ec2(s->min_workers, s->max_workers);
    struct sl_replay_result ignored;
    int rc = put_rival(trace, &tutorial, s->startup_ms, &ret->tutorial, out, err);

    if (rc == SL_OK) {
        rc = put_rival(trace, &chain, s->startup_ms, &ret->chain, out, err);
    }
    return rc != SL_OK ? rc : put_rival(trace, &ec2, s->startup_ms, &ignored, out, err);
}

int sl_replay_table(const char *name, const struct sl_trace *trace,
                    const struct sl_replay_settings *settings, struct sl_buffer *out,
                    struct sl_error *err) {
    struct sl_replay_result r;
    struct rivals rivals;
    int rc = SL_OK;

    put_head(name, trace, settings, out);
    rc = put_rivals(trace, settings, &rivals, out, err);
    for (size_t i = 0; rc == SL_OK && i < settings->our_count; i++) {
        const struct sl_replay_row *row = &settings->ours[i];
        struct sl_contender c = sl_contender_ours(row->name, &row->policy, settings->interval_ms);

        rc = sl_replay_run(trace, &c, settings->startup_ms, &r, err);
        if (rc == SL_OK) {
            put_row(row->name, &r, goals_of(&r, &rivals), out);
        }
    }
    if (rc == SL_OK) {
        rc = sl_replay_bound(trace, settings->min_workers, settings->max_workers, &r, err);
    }
    if (rc == SL_OK) {
        put_row("lower bound: knows the future", &r, "", out);
        rc = sl_buffer_check(out, "the replay's table", err);
    }
    return rc;
}
