/* Replays a queue through scaling policies and says what each costs: in waiting, and in workers.
 *
 * Ours is the plugin's own sl_policy_decide(), asked once an interval; the others are written from
 * what their projects do (policy.c). The model of the pool (pool.c): first come,
 * first served; a worker takes a run as soon as it is idle; a new worker needs the start-up time; a
 * smaller pool loses idle workers first, then starting ones, and a busy one only when its run has
 * ended. Replay is open-loop: a faster pool does not move the next arrival.
 *
 * Pure; used by tests/bench/replay and by the command line. */
#ifndef SL_REPLAY_REPLAY_H
#define SL_REPLAY_REPLAY_H

#include "base/buffer.h"
#include "replay/policy.h"
#include "replay/trace.h"

struct sl_replay_result {
    double mean_wait_s;
    double p95_wait_s;
    double size_hours;   /* poolSize x time, what is billed */
    double worker_hours; /* workers that exist x time: a busy one above poolSize still does */
    double changes_per_hour;
};

/* Everything from the first arrival to the end of the last run. SL_NOMEM. */
int sl_replay_run(const struct sl_trace *trace, const struct sl_contender *contender,
                  int64_t startup_ms, struct sl_replay_result *ret,
                  struct sl_error *err) SL_CHECKED;

/* The same, and what it looked like; picture (replay/picture.h) may be NULL. SL_CONFIG: the
 * policy leaves runs waiting for ever. */
struct sl_replay_picture;
int sl_replay_draw(const struct sl_trace *trace, const struct sl_contender *contender,
                   int64_t startup_ms, struct sl_replay_picture *picture,
                   struct sl_replay_result *ret, struct sl_error *err) SL_CHECKED;

/* A bound that knows the future: a worker stands ready for each arrival as far as MaxWorkers goes,
 * and leaves with its run, down to MinWorkers. No policy waits less, and none that waits as little
 * has fewer worker-hours. changes_per_hour is NaN. */
int sl_replay_bound(const struct sl_trace *trace, int32_t min_workers, int32_t max_workers,
                    struct sl_replay_result *ret, struct sl_error *err) SL_CHECKED;

struct sl_replay_row {
    const char *name;
    struct sl_policy policy; /* MinWorkers and MaxWorkers as those of the table */
};

struct sl_replay_settings {
    int32_t min_workers;
    int32_t max_workers;
    int64_t startup_ms;
    int64_t interval_ms;              /* of ours */
    const struct sl_replay_row *ours; /* one line each */
    size_t our_count;
};

/* Appends a table for people: the tutorial's policy, the same chain repaired, the EC2 autoscaler's
 * rules, ours, the bound. Rows of ours say which goals they reach: (1) no more worker-hours than
 * the tutorial's policy with a fifth of its mean wait, (2) fewer worker-hours than the repaired
 * chain and no longer a mean wait. */
int sl_replay_table(const char *name, const struct sl_trace *trace,
                    const struct sl_replay_settings *settings, struct sl_buffer *out,
                    struct sl_error *err) SL_CHECKED;

#endif
