/* How large should the pool be? One pure function, called by the plugin's controller, by tests and
 * by replays of recorded queues.
 *
 *   demand = runs pending + workers busy, both of one snapshot
 *   wanted = demand / target utilization, rounded up, between MinWorkers and MaxWorkers
 *   larger:  at once
 *   smaller: to the highest size wanted during the last ScaleInWindow, and never below the demand
 *
 * Exact integers without a dead band: the Horizontal Pod Autoscaler ignores a deficit of up to
 * 10 % (kubernetes/kubernetes pkg/controller/podautoscaler, tolerance), on a queue one run that
 * waits for ever. Pending and busy together, because a pool whose workers are all busy has an empty
 * queue and is not idle (kedacore/keda issue 8185).
 *
 * Rules that hold whatever the input: MinWorkers and MaxWorkers are kept, except that
 *   - a pool is never made smaller than its demand: with MaxWorkers 5, size 8 (set by hand) and a
 *     demand of 7 the answer is 7; MaxWorkers limits growth, it does not take a worker from a run;
 *   - without good data a pool is never made smaller at all, not even to MaxWorkers.
 *
 * No I/O, no clock, no allocation; any number of pools in any threads, one thread per state. */
#ifndef SL_SCALER_POLICY_H
#define SL_SCALER_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "scaler/history.h"

/* What is known of the queue. Everything but GOOD is a state of its own, and none is an empty
 * queue. */
enum sl_data_state {
    SL_DATA_GOOD,
    SL_DATA_MISSING,   /* nothing has come yet */
    SL_DATA_UNKNOWN,   /* other pools are reported, this one is not: its name? */
    SL_DATA_AMBIGUOUS, /* two pools of this name are reported */
    SL_DATA_INVALID,   /* negative, not a number, not whole, too large */
    SL_DATA_FUTURE,    /* stamped later than now: two clocks differ */
    SL_DATA_LATE,      /* new, but stamped too long ago: clocks, or a jam on the way */
    SL_DATA_STALE,     /* the newest is older than StaleAfter */
};

struct sl_snapshot {
    enum sl_data_state state;
    int64_t runs_pending; /* these two only where state is GOOD */
    int64_t workers_busy;
    int64_t observed_ms; /* monotonic: when it was true, as far as this host can know */
    int64_t interval_ms; /* how often one comes; 0 where that is not known */
};

enum { SL_SIZE_UNSET = -1 }; /* the pool's spec has no poolSize yet */

struct sl_policy {
    int32_t min_workers;                /* >= 0 */
    int32_t max_workers;                /* >= min_workers */
    int32_t target_utilization_percent; /* 1..100 */
    int64_t scale_in_window_ms;         /* >= 0 */
    int64_t stale_after_ms;             /* 0: three intervals of the data, at least a minute */
};

/* What decide() remembers of one pool. All zero is a fresh start: no scale-in until a whole
 * ScaleInWindow has been watched, because nobody knows what was wanted before. */
struct sl_scaler_state {
    struct sl_history history;
    int64_t watching_since_ms;
    int64_t seen_ms; /* of the newest snapshot counted */
    bool is_watching;
};

/* Which rule named the size. */
enum sl_rule {
    SL_RULE_DEMAND,  /* busy + pending */
    SL_RULE_MINIMUM, /* MinWorkers is more than that */
    SL_RULE_HOLD,    /* no good data: the size stays */
};

/* What bent it. */
enum sl_clamp {
    SL_CLAMP_NONE,
    SL_CLAMP_MAXIMUM,  /* more was wanted than MaxWorkers */
    SL_CLAMP_WINDOW,   /* less is wanted, more was wanted within ScaleInWindow */
    SL_CLAMP_WATCHING, /* less is wanted, ScaleInWindow has not been watched in full yet */
    SL_CLAMP_DEMAND,   /* above MaxWorkers, and not below the demand */
};

struct sl_decision {
    int32_t current; /* as given */
    int32_t size;    /* what it should be */
    enum sl_data_state data;
    enum sl_rule rule;
    enum sl_clamp clamp;
    int64_t runs_pending; /* 0 without good data */
    int64_t workers_busy;
    int64_t demand;
    int32_t wanted;         /* before the clamp */
    int64_t unmet;          /* demand above size */
    int64_t data_age_ms;    /* of the newest snapshot; 0 where there is none */
    int64_t next_change_ms; /* monotonic: before it the size changes only on a new snapshot */
};

/* SL_CONFIG for a policy that contradicts itself; the message names the options. */
int sl_policy_check(const struct sl_policy *policy, struct sl_error *err) SL_CHECKED;

/* Two values as a data source carries them. GOOD only for whole numbers from 0 to 10^9; anything
 * else gives INVALID. */
struct sl_snapshot sl_snapshot_of(double runs_pending, double workers_busy, int64_t observed_ms,
                                  int64_t interval_ms);

/* How old the data may become before it is STALE. snapshot may be NULL. */
int64_t sl_policy_stale_after_ms(const struct sl_policy *policy,
                                 const struct sl_snapshot *snapshot);

/* policy must have passed sl_policy_check(). snapshot: the newest, NULL if none ever came; the same
 * one may be given again, time passes for it too. current: the pool's spec.replicas, or
 * SL_SIZE_UNSET. now_ms: monotonic, not before that of an earlier call. */
void sl_policy_decide(const struct sl_policy *policy, struct sl_scaler_state *state,
                      const struct sl_snapshot *snapshot, int32_t current, int64_t now_ms,
                      struct sl_decision *ret);

/* The reason in words, one line: "busy 1 + pending 8 = 9, held at MaxWorkers 5 (4 more would be
 * used)". Returns what snprintf() would. */
int sl_decision_describe(const struct sl_policy *policy, const struct sl_decision *decision,
                         int64_t now_ms, char *out, size_t size);

/* True if two decisions have the same reason, whatever their numbers. */
bool sl_decision_same_reason(const struct sl_decision *a, const struct sl_decision *b);

#endif
