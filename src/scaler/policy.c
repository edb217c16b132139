/* The arithmetic of a decision. Everything that can be wrong with it costs runs or money, so it is
 * small, exact and alone. */
#include "scaler/policy.h"

#include <math.h>

#include "base/limits.h"

/* Above any account; keeps the sums below far away from overflow. */
static const int64_t max_count = 1000000000;

/* A WorkerPool without poolSize runs one worker (Spacelift's documentation of the resource). */
static const int32_t size_when_unset = 1;

static const int64_t shortest_stale_after_ms = 60000;
static const int64_t no_timer = INT64_MAX;

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
    if (policy->scale_in_window_ms < 0 || policy->stale_after_ms < 0) {
        return sl_fail(err, SL_CONFIG, "ScaleInWindow and StaleAfter must be 0 s or more");
    }
    return SL_OK;
}

static bool is_count(double value) {
    return value >= 0 && value <= (double)max_count && value == floor(value); /* false for NaN */
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

static int32_t min_i32(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t to_i32(int64_t value) {
    return value > INT32_MAX ? INT32_MAX : (int32_t)value;
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

static int64_t count(int64_t value) {
    return value < max_count ? value : max_count;
}

static void measure(const struct sl_policy *policy, const struct sl_snapshot *snapshot,
                    struct sl_decision *d) {
    int64_t utilization = policy->target_utilization_percent;

    d->runs_pending = count(snapshot->runs_pending);
    d->workers_busy = count(snapshot->workers_busy);
    d->demand = d->runs_pending + d->workers_busy;
    d->wanted = to_i32((d->demand * 100 + utilization - 1) / utilization);
    d->rule = SL_RULE_DEMAND;
    if (d->wanted < policy->min_workers) {
        d->wanted = policy->min_workers;
        d->rule = SL_RULE_MINIMUM;
    }
}

/* A gap in the data is a time nobody watched: what was wanted in it is as unknown as what was
 * wanted before a restart. */
static void remember(const struct sl_policy *policy, struct sl_scaler_state *state,
                     const struct sl_snapshot *snapshot, int32_t wanted) {
    int64_t observed_ms = snapshot->observed_ms;

    if (!state->is_watching ||
        sl_time_since(observed_ms, state->seen_ms) > sl_policy_stale_after_ms(policy, snapshot)) {
        state->is_watching = true;
        state->watching_since_ms = observed_ms;
        state->seen_ms = observed_ms;
    }
    if (observed_ms >= state->seen_ms) {
        state->seen_ms = observed_ms;
        sl_history_add(&state->history, observed_ms, wanted, policy->scale_in_window_ms);
    }
}

/* How small may the pool be now, if it is to become smaller at all? */
static int32_t smallest(const struct sl_policy *policy, const struct sl_scaler_state *state,
                        int32_t base, int32_t target, int64_t now_ms, struct sl_decision *d) {
    int64_t watched_ms = sl_time_add(state->watching_since_ms, policy->scale_in_window_ms);
    int64_t until_ms = no_timer;
    int32_t demand = to_i32(d->demand);
    int32_t size = target;
    int32_t peak = 0;

    if (now_ms < watched_ms) {
        d->clamp = SL_CLAMP_WATCHING;
        d->next_change_ms = watched_ms;
        return base;
    }
    peak = sl_history_peak(&state->history, now_ms, policy->scale_in_window_ms, &until_ms);
    if (peak > size) {
        size = peak;
        d->clamp = SL_CLAMP_WINDOW;
        d->next_change_ms = until_ms;
    }
    if (demand > size) {
        size = demand;
        d->clamp = SL_CLAMP_DEMAND;
        d->next_change_ms = no_timer;
    }
    return min_i32(size, base);
}

static void choose(const struct sl_policy *policy, const struct sl_scaler_state *state,
                   int64_t now_ms, struct sl_decision *d) {
    int32_t base = d->current == SL_SIZE_UNSET ? size_when_unset : d->current;
    int32_t target = min_i32(d->wanted, policy->max_workers);

    if (target < d->wanted) {
        d->clamp = SL_CLAMP_MAXIMUM;
    }
    d->size = target < base ? smallest(policy, state, base, target, now_ms, d) : target;
}

/* MinWorkers needs no data. A size that was never set is left to whoever sets it. */
static void hold(const struct sl_policy *policy, struct sl_decision *d) {
    bool is_small = d->current != SL_SIZE_UNSET && d->current < policy->min_workers;

    d->rule = is_small ? SL_RULE_MINIMUM : SL_RULE_HOLD;
    d->wanted = is_small ? policy->min_workers : d->current;
    d->size = d->wanted;
}

void sl_policy_decide(const struct sl_policy *policy, struct sl_scaler_state *state,
                      const struct sl_snapshot *snapshot, int32_t current, int64_t now_ms,
                      struct sl_decision *ret) {
    *ret = (struct sl_decision){
        .current = current < 0 ? SL_SIZE_UNSET : current,
        .data = data_state(policy, snapshot, now_ms),
        .next_change_ms = no_timer,
    };
    if (snapshot != NULL && now_ms > snapshot->observed_ms) {
        ret->data_age_ms = sl_time_since(now_ms, snapshot->observed_ms);
    }
    if (ret->data != SL_DATA_GOOD) {
        hold(policy, ret);
        return;
    }
    measure(policy, snapshot, ret);
    remember(policy, state, snapshot, min_i32(ret->wanted, policy->max_workers));
    choose(policy, state, now_ms, ret);
    ret->unmet = ret->demand > ret->size ? ret->demand - ret->size : 0;
}

bool sl_decision_same_reason(const struct sl_decision *a, const struct sl_decision *b) {
    return a->data == b->data && a->rule == b->rule && a->clamp == b->clamp;
}
