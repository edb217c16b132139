/* The order of things in a decision: is there data, what is wanted, what is allowed. Everything
 * that can be wrong here costs runs or money, so it is small and alone. */
#include "scaler/policy.h"

#include <math.h>

#include "base/times.h"
#include "scaler/policy_internal.h"

static const int64_t shortest_stale_after_ms = 60000;

static bool is_step_limit_good(const struct sl_step_limit *limit) {
    bool is_set = limit->workers != 0 || limit->percent != 0;

    return limit->workers >= 0 && limit->percent >= 0 && limit->period_ms >= 0 &&
           (!is_set || limit->period_ms > 0);
}

static int check_sleep(const struct sl_policy *policy, struct sl_error *err) {
    if (!policy->has_idle_workers) {
        return SL_OK;
    }
    if (policy->idle_workers < 0 || policy->idle_workers > policy->min_workers) {
        return sl_fail(err, SL_CONFIG, "IdleWorkers %d must not be more than MinWorkers %d",
                       (int)policy->idle_workers, (int)policy->min_workers);
    }
    return SL_OK;
}

static bool are_counts_good(const struct sl_policy *p) {
    return p->runs_per_worker >= 0 && p->spare_workers >= 0 && p->spare_quantile_percent >= 0 &&
           p->spare_quantile_percent < 100 && p->activation_threshold >= 0 && p->max_jump >= 0 &&
           p->drift_discount_percent >= 0 && p->drift_discount_percent <= 100 &&
           p->blocked_weight_percent >= 0 && p->blocked_weight_percent <= 100 &&
           p->fallback.workers >= 0 && p->fallback.failures >= 0;
}

static bool are_times_good(const struct sl_policy *p) {
    return p->startup_ms >= 0 && p->cooldown_ms >= 0 && p->scale_out_window_ms >= 0 &&
           p->new_worker_grace_ms >= 0 && p->stale_after_ms >= 0 && p->fallback.after_ms >= 0;
}

int sl_policy_check(const struct sl_policy *policy, struct sl_error *err) {
    if (policy->min_workers > policy->max_workers) {
        return sl_fail(err, SL_CONFIG,
                       "MinWorkers %d is more than MaxWorkers %d: lower the one or raise the other",
                       (int)policy->min_workers, (int)policy->max_workers);
    }
    if (policy->min_workers < 0 || policy->max_workers > SL_LIMIT_WORKERS) {
        return sl_fail(err, SL_CONFIG, "MinWorkers and MaxWorkers must be from 0 to %d",
                       SL_LIMIT_WORKERS);
    }
    if (policy->target_utilization_percent < 1 || policy->target_utilization_percent > 100) {
        return sl_fail(err, SL_CONFIG, "TargetUtilization must be from 1 to 100 percent");
    }
    if (!are_counts_good(policy)) {
        return sl_fail(err, SL_CONFIG, "a number of workers, runs or percent is out of range");
    }
    if (!are_times_good(policy)) {
        return sl_fail(err, SL_CONFIG,
                       "ScaleOutWindow, StaleAfter and other times must be 0 or more");
    }
    if (!is_step_limit_good(&policy->scale_out) || !is_step_limit_good(&policy->scale_in)) {
        return sl_fail(err, SL_CONFIG, "a limit of workers or percent needs a period above 0");
    }
    return check_sleep(policy, err);
}

static bool is_count(double value) {
    return value >= 0 && value <= 1e9 && value == floor(value); /* false for NaN */
}

struct sl_snapshot sl_snapshot_of(double runs_pending, double workers_busy, int64_t observed_ms,
                                  int64_t interval_ms) {
    struct sl_snapshot snapshot = {
        .state = SL_DATA_INVALID,
        .observed_ms = observed_ms,
        .interval_ms = interval_ms,
    };

    if (is_count(runs_pending) && is_count(workers_busy)) {
        snapshot.state = SL_DATA_GOOD;
        snapshot.runs_pending = (int64_t)runs_pending;
        snapshot.workers_busy = (int64_t)workers_busy;
    }
    return snapshot;
}

int64_t sl_policy_stale_after_ms(const struct sl_policy *policy,
                                 const struct sl_snapshot *snapshot) {
    int64_t interval_ms = snapshot != NULL ? snapshot->interval_ms : 0;

    if (policy->stale_after_ms > 0) {
        return policy->stale_after_ms;
    }
    if (interval_ms <= shortest_stale_after_ms / 3) {
        return shortest_stale_after_ms;
    }
    return interval_ms < INT64_MAX / 3 ? 3 * interval_ms : INT64_MAX;
}

static enum sl_data_state data_state(const struct sl_policy *policy,
                                     const struct sl_snapshot *snapshot, int64_t now_ms) {
    if (snapshot == NULL) {
        return SL_DATA_MISSING;
    }
    if (sl_time_since(now_ms, snapshot->observed_ms) > sl_policy_stale_after_ms(policy, snapshot)) {
        return SL_DATA_STALE;
    }
    if (snapshot->state != SL_DATA_GOOD) {
        return snapshot->state;
    }
    if (snapshot->runs_pending < 0 || snapshot->workers_busy < 0) {
        return SL_DATA_INVALID;
    }
    return SL_DATA_GOOD;
}

/* ---- without good data ---- */

/* So many intervals and so long after the last good data; INT64_MAX: never. */
static int64_t fallback_due_ms(const struct sl_policy *policy, const struct sl_scaler_state *state,
                               const struct sl_snapshot *snapshot) {
    const struct sl_fallback *f = &policy->fallback;
    int64_t interval_ms = snapshot != NULL && snapshot->interval_ms > 0 ? snapshot->interval_ms : 0;
    int64_t patience_ms = f->after_ms;

    if (f->mode == SL_FALLBACK_HOLD || f->mode == SL_FALLBACK_CURRENT) {
        return INT64_MAX;
    }
    if (f->failures > 0 && interval_ms > patience_ms / f->failures) {
        patience_ms = interval_ms < INT64_MAX / f->failures ? interval_ms * f->failures : INT64_MAX;
    }
    return sl_time_add(state->good_ms, patience_ms);
}

static int32_t fallback_size(const struct sl_policy *policy, const struct sl_scaler_state *state,
                             const struct sl_decision *d) {
    int32_t known = state->has_good ? sl_to_i32(state->known_demand) : d->current;
    int32_t size = policy->fallback.workers;

    if (policy->fallback.mode == SL_FALLBACK_HIGHER) {
        size = sl_max_i32(size, d->current);
    } else if (policy->fallback.mode == SL_FALLBACK_LOWER) {
        size = sl_min_i32(size, d->current);
    }
    if (size >= d->current) {
        return sl_max_i32(d->current, sl_min_i32(size, d->cap));
    }
    size = sl_max_i32(size, sl_max_i32(known, d->floor));
    return sl_min_i32(size, d->current);
}

/* Floors need no data; caps do, because below a cap there may be work. A size that was never set
 * is left to whoever sets it. */
static void hold(const struct sl_policy *policy, const struct sl_scaler_state *state,
                 const struct sl_snapshot *snapshot, int64_t now_ms, struct sl_decision *d) {
    int64_t fallback_ms = fallback_due_ms(policy, state, snapshot);
    enum sl_rule floor_rule = d->rule;

    d->rule = SL_RULE_HOLD;
    d->size = d->current;
    if (d->current != SL_SIZE_UNSET && now_ms >= fallback_ms) {
        d->rule = SL_RULE_FALLBACK;
        d->size = fallback_size(policy, state, d);
    } else if (d->current != SL_SIZE_UNSET) {
        d->next_change_ms = fallback_ms;
    }
    if (d->current != SL_SIZE_UNSET && d->size < d->floor) {
        d->rule = floor_rule;
        d->size = d->floor;
    }
    d->wanted = d->size;
}

/* Orders that forbid a direction hold without data, too. */
static void forbid(const struct sl_conditions *conditions, struct sl_decision *d) {
    int32_t before = sl_size_before(d);
    bool is_too_large = conditions->is_scale_out_forbidden && d->size > before;
    bool is_too_small = conditions->is_scale_in_forbidden && d->size < before;

    if (d->size != d->current && (is_too_large || is_too_small)) {
        d->size = d->current;
        d->clamp = is_too_large ? SL_CLAMP_NO_OUT : SL_CLAMP_NO_IN;
        d->why = conditions->order_text;
    }
}

/* ---- */

/* The floor and cap in force; rule is what names the floor. */
static void set_bounds(const struct sl_policy *policy, const struct sl_conditions *conditions,
                       const struct sl_scaler_state *state, struct sl_decision *d) {
    d->floor = sl_policy_own_floor(policy, state);
    d->cap = policy->max_workers;
    d->rule = SL_RULE_MINIMUM;
    if (conditions != NULL) {
        d->cap = sl_min_i32(d->cap, conditions->cap);
        if (conditions->has_adopted) {
            d->floor = conditions->adopted_size;
            d->rule = SL_RULE_ADOPTED;
        }
        if (conditions->floor > d->floor &&
            (!conditions->has_adopted || conditions->is_floor_ordered)) {
            d->floor = conditions->floor;
            d->rule = conditions->is_floor_ordered ? SL_RULE_ORDER : SL_RULE_SCHEDULE;
            d->why = conditions->floor_text;
        }
    }
    d->floor = sl_min_i32(d->floor, d->cap);
}

/* What was measured, or the floor if that is more. A pool that is awake has a worker. */
static void want(const struct sl_policy *policy, const struct sl_scaler_state *state,
                 int32_t measured, enum sl_rule measured_rule, struct sl_decision *d) {
    bool is_idling = sl_policy_can_sleep(policy) && state->is_awake && d->demand == 0 &&
                     d->rule != SL_RULE_ADOPTED;
    int32_t own = sl_max_i32(policy->min_workers, 1);

    if (is_idling && own >= d->floor && own >= measured) {
        d->wanted = own;
        d->rule = SL_RULE_AWAKE;
        d->why = NULL;
        d->next_change_ms = sl_time_add(state->active_ms, policy->cooldown_ms);
    } else if (measured >= d->floor) {
        d->wanted = measured;
        d->rule = measured_rule;
        d->why = NULL;
    } else {
        d->wanted = d->floor;
    }
}

static void pause(const struct sl_conditions *conditions, struct sl_decision *d) {
    d->rule = SL_RULE_PAUSED;
    d->clamp = SL_CLAMP_NONE;
    d->size = conditions->paused_size != SL_SIZE_UNSET ? conditions->paused_size : d->current;
    d->wanted = d->size;
    d->why = conditions->order_text;
    d->next_change_ms = INT64_MAX;
}

static void begin(struct sl_scaler_state *state, int64_t now_ms) {
    if (!state->has_begun) {
        state->has_begun = true;
        state->good_ms = now_ms;
    }
}

static void decide_on_data(const struct sl_policy *policy, const struct sl_conditions *conditions,
                           struct sl_scaler_state *state, const struct sl_snapshot *snapshot,
                           int64_t now_ms, struct sl_decision *d) {
    enum sl_rule measured_rule = SL_RULE_DEMAND;
    int32_t measured = 0;

    sl_policy_measure(policy, conditions, state, snapshot, now_ms, d);
    d->window_ms = sl_policy_scale_in_window_ms(policy, state);
    if (!state->has_base || state->base_ms != state->seen_ms) {
        state->has_base = true;
        state->base_ms = state->seen_ms;
        state->base_size = sl_size_before(d);
    }
    measured = d->wanted;
    measured_rule = d->rule;
    set_bounds(policy, conditions, state, d);
    want(policy, state, measured, measured_rule, d);
    sl_policy_choose(policy, conditions, state, now_ms, d);
    if (sl_policy_can_sleep(policy) && state->is_awake &&
        !sl_policy_is_active(policy, conditions, d)) {
        int64_t sleep_ms = sl_time_add(state->active_ms, policy->cooldown_ms);

        d->next_change_ms = sleep_ms < d->next_change_ms ? sleep_ms : d->next_change_ms;
    }
    state->has_good = true;
    state->good_ms = snapshot->observed_ms;
    state->known_demand = d->demand;
}

void sl_policy_decide(const struct sl_policy *policy, const struct sl_conditions *conditions,
                      struct sl_scaler_state *state, const struct sl_snapshot *snapshot,
                      int32_t current, int64_t now_ms, struct sl_decision *ret) {
    *ret = (struct sl_decision){
        .current = current < 0 ? SL_SIZE_UNSET : current,
        .data = data_state(policy, snapshot, now_ms),
        .next_change_ms = INT64_MAX,
    };
    if (snapshot != NULL && now_ms > snapshot->observed_ms) {
        ret->data_age_ms = sl_time_since(now_ms, snapshot->observed_ms);
    }
    begin(state, now_ms);
    sl_policy_note_size(state, ret->current, now_ms);
    if (ret->data == SL_DATA_GOOD) {
        decide_on_data(policy, conditions, state, snapshot, now_ms, ret);
    } else {
        set_bounds(policy, conditions, state, ret);
        hold(policy, state, snapshot, now_ms, ret);
    }
    if (conditions != NULL) {
        forbid(conditions, ret);
    }
    if (conditions != NULL && conditions->is_paused) {
        pause(conditions, ret);
    }
    if (ret->size != ret->current) {
        state->decided_size = ret->size;
        state->decided_ms = now_ms;
    }
    if (ret->demand > ret->size) {
        ret->unmet = ret->demand - ret->size;
    }
}
