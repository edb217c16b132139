/* How large should the pool be? One pure function, called by the plugin's controller, by tests and
 * by replays of recorded queues.
 *
 *   demand  = runs pending + workers busy, both of one snapshot; where weights are set, waiting
 *             drift-detection runs count less and blocked runs count too
 *   wanted  = demand / target utilization, rounded up, plus spare workers; at least the floor
 *   larger:  at once, up to the cap, unless a scale-out window or step limit says otherwise
 *   smaller: to the highest size wanted during the last ScaleInWindow, and never below the demand
 *
 * The floor is the highest of MinWorkers, schedules and what people have ordered; the cap is the
 * lowest of MaxWorkers, schedules and budget. The cap wins.
 *
 * Exact integers without a dead band: the Horizontal Pod Autoscaler ignores a deficit of up to
 * 10 % (kubernetes/kubernetes pkg/controller/podautoscaler, tolerance), on a queue one run that
 * waits for ever. Pending and busy together, because a pool whose workers are all busy has an empty
 * queue and is not idle (kedacore/keda issue 8185).
 *
 * Rules that hold whatever the input:
 *   - a pool is never made smaller than its demand: with MaxWorkers 5, size 8 (set by hand) and a
 *     demand of 7 the answer is 7; MaxWorkers limits growth, it does not take a worker from a run.
 *     Only a person's paused size is obeyed to the letter;
 *   - without good data a pool is never made smaller at all, not even to MaxWorkers, unless a
 *     fallback is configured that says so, and then not below the last demand that was known.
 *
 * No I/O, no clock, no allocation; any number of pools in any threads, one thread per state. */
#ifndef SL_SCALER_POLICY_H
#define SL_SCALER_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "scaler/budget.h"
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

/* Of the queue behind the weights, which is read apart from the pools and maybe less often. */
enum sl_queue_state {
    SL_QUEUE_UNKNOWN, /* never read */
    SL_QUEUE_KNOWN,
    SL_QUEUE_OLD, /* the newest reading should have been followed by another one before now */
};

struct sl_snapshot {
    enum sl_data_state state;
    int64_t runs_pending; /* these two only where state is GOOD */
    int64_t workers_busy;
    enum sl_queue_state queue;
    int64_t queue_age_ms; /* at observed_ms; below 0: it is newer; 0 where it was never read */
    int64_t runs_drift;   /* those of the pending ones that are drift detection; 0: not known */
    int64_t runs_blocked; /* not pending: they wait for a lock, an approval, a dependency; 0 too */
    int64_t workers;      /* registered; 0: not known */
    int64_t observed_ms;  /* monotonic: when it was true, as far as this host can know */
    int64_t interval_ms;  /* how often one comes; 0 where that is not known */
};

enum { SL_SIZE_UNSET = -1 }; /* the pool's spec has no poolSize yet; no size is given */

enum sl_demand_rule {
    SL_DEMAND_BUSY_AND_PENDING,
    SL_DEMAND_PENDING, /* the tutorial's meaning: a worker for each waiting run */
};

enum sl_spare_rule {
    SL_SPARE_FIXED,       /* spare_workers more than the demand asks for */
    SL_SPARE_SQUARE_ROOT, /* spare_workers x sqrt(demand), rounded up: square-root staffing */
    SL_SPARE_ARRIVALS,    /* runs that arrive while a worker starts, in spare_quantile of cases */
};

/* How fast a size may change, as in the HPA's behavior: two limits for one period. */
enum sl_step_select {
    SL_STEP_LARGER,   /* the limit that allows more (selectPolicy Max) */
    SL_STEP_SMALLER,  /* the limit that allows less (Min) */
    SL_STEP_DISABLED, /* no step at all in this direction */
};

struct sl_step_limit {
    int32_t workers; /* per period; 0: this limit is not set */
    int32_t percent; /* likewise, of the size at the start of the period */
    int64_t period_ms;
    enum sl_step_select select;
};

enum sl_fallback_mode {
    SL_FALLBACK_HOLD,
    SL_FALLBACK_STATIC,  /* .workers */
    SL_FALLBACK_CURRENT, /* the size it has: HOLD by another name, KEDA's */
    SL_FALLBACK_HIGHER,  /* the higher of the two */
    SL_FALLBACK_LOWER,   /* the lower of the two */
};

struct sl_fallback {
    enum sl_fallback_mode mode;
    int32_t workers;
    int32_t failures; /* so many intervals without good data, and ... */
    int64_t after_ms; /* ... so long */
};

/* Members that are 0 are off, unless it says otherwise. */
struct sl_policy {
    int32_t min_workers; /* >= 0 */
    int32_t max_workers; /* >= min_workers */
    enum sl_demand_rule demand_rule;
    int32_t drift_discount_percent;     /* by how much less a waiting drift-detection run counts */
    int32_t blocked_weight_percent;     /* how much a blocked run counts */
    int32_t runs_per_worker;            /* 0: 1 */
    int32_t target_utilization_percent; /* 1..100 */
    enum sl_spare_rule spare_rule;
    int32_t spare_workers;
    int32_t spare_quantile_percent;
    int64_t startup_ms; /* of a new worker, for SL_SPARE_ARRIVALS; 0: as measured */
    bool has_idle_workers;
    int32_t idle_workers;         /* the floor of a pool that sleeps, below min_workers */
    int32_t activation_threshold; /* a sleeping pool wakes up with more pending runs than this */
    int64_t cooldown_ms;          /* a pool sleeps when nothing has run or waited for so long */
    int64_t scale_out_window_ms;  /* larger only as far as was wanted all this time */
    int64_t scale_in_window_ms; /* below 0: by the start-up time, sl_policy_scale_in_window_ms() */
    struct sl_step_limit scale_out;
    struct sl_step_limit scale_in;
    int32_t max_jump;            /* most workers that one snapshot may add or take away; 0: any */
    int64_t new_worker_grace_ms; /* nothing is taken away for so long after a worker was added, nor
                                    after one has registered */
    int64_t stale_after_ms;      /* 0: three intervals of the data, at least a minute */
    struct sl_fallback fallback;
};

/* What holds now besides the policy: schedules, budget, orders of people. NULL is none. The texts
 * say whose it is, such as "schedule \"office hours\""; they must live as long as the decision. */
struct sl_conditions {
    int32_t floor;         /* 0: none */
    bool is_floor_ordered; /* by a person or a notification, not by a schedule */
    const char *floor_text;
    int32_t cap;        /* SL_NO_CAP: none */
    bool is_cap_budget; /* by the budget, not by a schedule */
    const char *cap_text;
    bool is_paused;
    int32_t paused_size; /* SL_SIZE_UNSET: whatever it is */
    bool is_scale_in_forbidden;
    bool is_scale_out_forbidden;
    bool is_forced_active;  /* a sleeping pool is woken up */
    const char *order_text; /* of these five */
    bool has_adopted;       /* a size that somebody else wrote holds instead of MinWorkers and */
    int32_t adopted_size;   /* schedules' floors */
};

#define SL_NO_CAP INT32_MAX

enum { SL_CHANGES = 32 };

/* Sizes that were seen to change, oldest first. */
struct sl_change {
    int64_t at_ms;
    int64_t added;
    int64_t removed;
};

/* What decide() remembers of one pool. All zero is a fresh start: no scale-in until a whole
 * ScaleInWindow has been watched, because nobody knows what was wanted before. */
struct sl_scaler_state {
    struct sl_history highs; /* of what was wanted, for ScaleInWindow */
    struct sl_history lows;  /* likewise upside down, for ScaleOutWindow */
    bool is_watching;
    int64_t watching_since_ms;
    int64_t seen_ms; /* of the newest snapshot counted */

    bool has_begun;
    int64_t good_ms; /* when the last good data was true; the first decision, if there was none */
    bool has_good;
    int64_t known_demand; /* of that data */

    bool has_size;
    int32_t last_size;    /* at the decision before this one */
    int32_t decided_size; /* the last change that was decided, and when */
    int64_t decided_ms;
    struct sl_change changes[SL_CHANGES];
    size_t change_count;

    bool has_rhythm; /* the next two are known */
    bool is_awake;
    int64_t active_ms; /* when something last ran or waited */

    bool has_arrivals;
    int64_t arrivals_ms; /* when the estimate was last brought up to date */
    int64_t last_demand;
    double arrivals_per_s; /* an average that forgets with the time constant of one hour */

    int32_t awaited_workers; /* the pool has grown to this, and so many are not registered yet */
    int64_t awaited_ms;      /* since then; both 0: nothing is awaited */
    int64_t last_workers;    /* registered at the newest snapshot; 0: not known */
    bool has_registered;
    int64_t registered_ms; /* when they last became more */
    bool has_startup;
    int64_t startup_ms; /* measured: an average of the last few starts */

    bool has_base; /* max_jump counts from the size when the snapshot of base_ms came */
    int64_t base_ms;
    int32_t base_size;

    struct sl_budget_book budget; /* kept by scaler/budget.h; decide() does not look at it */
};

/* Which rule named the size. */
enum sl_rule {
    SL_RULE_DEMAND,   /* busy + pending, and what utilization and spare workers add */
    SL_RULE_MINIMUM,  /* MinWorkers is more than that */
    SL_RULE_AWAKE,    /* nothing runs or waits, but the pool does not sleep yet */
    SL_RULE_ASLEEP,   /* the pool sleeps: IdleWorkers */
    SL_RULE_SCHEDULE, /* a schedule's floor is more than that */
    SL_RULE_ORDER,    /* a person's or a notification's floor is */
    SL_RULE_PAUSED,   /* a person has paused it */
    SL_RULE_HOLD,     /* no good data: the size stays */
    SL_RULE_FALLBACK, /* no good data: what the fallback says */
    SL_RULE_ADOPTED,  /* the size that somebody else wrote is more than the demand */
    SL_RULE_COUNT,
};

/* What bent it. */
enum sl_clamp {
    SL_CLAMP_NONE,
    SL_CLAMP_MAXIMUM,    /* more was wanted than MaxWorkers */
    SL_CLAMP_SCHEDULE,   /* ... than a schedule's cap */
    SL_CLAMP_BUDGET,     /* ... than the spent budget leaves */
    SL_CLAMP_OUT_WINDOW, /* ... than was wanted all through ScaleOutWindow */
    SL_CLAMP_OUT_STEP,   /* ... than may be added at once */
    SL_CLAMP_OUT_JUMP,   /* ... than one snapshot may add (MaxJump) */
    SL_CLAMP_NO_OUT,     /* more is wanted, scale-out is forbidden */
    SL_CLAMP_WINDOW,     /* less is wanted, more was wanted within ScaleInWindow */
    SL_CLAMP_WATCHING,   /* less is wanted, ScaleInWindow has not been watched in full yet */
    SL_CLAMP_GRACE,      /* less is wanted, workers were added a moment ago */
    SL_CLAMP_IN_STEP,    /* less is wanted than may be taken away at once */
    SL_CLAMP_IN_JUMP,    /* less is wanted than one snapshot may take away (MaxJump) */
    SL_CLAMP_NO_IN,      /* less is wanted, scale-in is forbidden */
    SL_CLAMP_DEMAND,     /* above the cap, and not below the demand */
    SL_CLAMP_COUNT,
};

struct sl_decision {
    int32_t current; /* as given */
    int32_t size;    /* what it should be */
    enum sl_data_state data;
    enum sl_rule rule;
    enum sl_clamp clamp;
    enum sl_queue_state queue; /* these six are 0 without good data */
    int64_t queue_age_ms;
    int64_t runs_drift;
    int64_t runs_pending;
    int64_t workers_busy;
    int64_t demand;
    int32_t spare;  /* workers wanted above the demand and the utilization */
    int32_t wanted; /* before the clamp */
    int32_t floor;  /* in force now */
    int32_t cap;
    const char *why;        /* the condition's text where a condition named or bent the size */
    int64_t unmet;          /* demand above size */
    int64_t window_ms;      /* ScaleInWindow in force */
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

/* How long a new worker takes until it is registered: by option, as measured, or 15 s. */
int64_t sl_policy_startup_ms(const struct sl_policy *policy, const struct sl_scaler_state *state);

/* ScaleInWindow in force: by option, or five start-up times, from 60 to 270 s. An idle worker is
 * worth keeping longer where it would take longer to get it back; the manual has the figures. */
int64_t sl_policy_scale_in_window_ms(const struct sl_policy *policy,
                                     const struct sl_scaler_state *state);

/* policy must have passed sl_policy_check(). conditions: NULL if there are none. snapshot: the
 * newest, NULL if none ever came; the same one may be given again, time passes for it too. current:
 * the pool's spec.replicas, or SL_SIZE_UNSET. now_ms: monotonic, not before that of an earlier
 * call. */
void sl_policy_decide(const struct sl_policy *policy, const struct sl_conditions *conditions,
                      struct sl_scaler_state *state, const struct sl_snapshot *snapshot,
                      int32_t current, int64_t now_ms, struct sl_decision *ret);

/* The reason in words, one line: "busy 1 + pending 8 = 9, held at MaxWorkers 5 (4 more would be
 * used)". Returns what snprintf() would. */
int sl_decision_describe(const struct sl_policy *policy, const struct sl_decision *decision,
                         int64_t now_ms, char *out, size_t size);

/* "demand", "window" ...: for values and status, static. */
const char *sl_rule_name(enum sl_rule rule);
const char *sl_clamp_name(enum sl_clamp clamp);
const char *sl_data_state_name(enum sl_data_state state);

#endif
