/* What is wanted: demand, utilization, spare workers, and whether the pool sleeps. */
#include "scaler/policy_internal.h"

#include <math.h>

#include "base/times.h"

/* Above any account; keeps the sums below far away from overflow. */
static const int64_t max_count = 1000000000;

/* Time constant of the average rate of arrivals. */
static const double arrivals_memory_s = 3600;

/* Of a worker of Kubernetes, as long as none has been measured. */
static const int64_t usual_startup_ms = 15000;

/* Of a measured ScaleInWindow. The longest is a little less than the HPA's 300 s, because what it
 * is measured by comes sooner here. */
static const int64_t window_startups = 5;
static const int64_t shortest_window_ms = 60000;
static const int64_t longest_window_ms = 270000;

/* Poisson's formula loses its first term to underflow far above this mean. */
static const double max_mean_arrivals = 500;

static int64_t count(int64_t value) {
    return value < max_count ? value : max_count;
}

static int64_t divide_up(int64_t a, int64_t b) {
    return a / b + (a % b != 0 ? 1 : 0);
}

/* ---- spare workers ---- */

/* The rate at which runs arrive, from the rises of the demand: a run that comes while another one
 * ends is not seen, so the estimate is a lower bound. */
static void note_arrivals(struct sl_scaler_state *state, int64_t demand, int64_t observed_ms) {
    double passed_s = 0;
    double arrived = 0;

    if (state->has_arrivals && observed_ms <= state->arrivals_ms) {
        return;
    }
    if (state->has_arrivals) {
        passed_s = (double)sl_time_since(observed_ms, state->arrivals_ms) / 1000;
        arrived = demand > state->last_demand ? (double)(demand - state->last_demand) : 0;
        state->arrivals_per_s *= exp(-passed_s / arrivals_memory_s);
        state->arrivals_per_s += arrived / arrivals_memory_s;
    }
    state->has_arrivals = true;
    state->arrivals_ms = observed_ms;
    state->last_demand = demand;
}

/* The smallest k with P(arrivals <= k) >= quantile: base stock for the time until a worker that is
 * ordered now can take a run. */
static int32_t poisson_quantile(double mean, double quantile) {
    double term = exp(-mean);
    double sum = term;
    int32_t k = 0;

    while (sum < quantile && k < 10 * (int32_t)max_mean_arrivals) {
        k++;
        term *= mean / k;
        sum += term;
    }
    return k;
}

int64_t sl_policy_startup_ms(const struct sl_policy *policy, const struct sl_scaler_state *state) {
    if (policy->startup_ms > 0) {
        return policy->startup_ms;
    }
    return state->has_startup ? state->startup_ms : usual_startup_ms;
}

static int32_t spare_for_arrivals(const struct sl_policy *policy,
                                  const struct sl_scaler_state *state,
                                  const struct sl_snapshot *snapshot) {
    int64_t startup_ms = sl_policy_startup_ms(policy, state);
    double lead_s = (double)(startup_ms + snapshot->interval_ms) / 1000;
    double mean = state->arrivals_per_s * lead_s;

    if (!(mean < max_mean_arrivals)) {
        mean = max_mean_arrivals;
    }
    return poisson_quantile(mean, policy->spare_quantile_percent / 100.0);
}

/* factor x sqrt(demand), rounded up, exact. */
static int32_t square_root_of(int64_t factor, int64_t demand) {
    int64_t square = count(factor < 1000 ? factor * factor * demand : max_count * max_count);
    int64_t root = (int64_t)sqrt((double)square);

    while (root > 0 && (root - 1) * (root - 1) >= square) {
        root--;
    }
    while (root * root < square) {
        root++;
    }
    return sl_to_i32(root);
}

static int32_t spare(const struct sl_policy *policy, const struct sl_scaler_state *state,
                     const struct sl_snapshot *snapshot, int64_t demand) {
    switch (policy->spare_rule) {
    case SL_SPARE_SQUARE_ROOT:
        return square_root_of(policy->spare_workers, demand);
    case SL_SPARE_ARRIVALS:
        return spare_for_arrivals(policy, state, snapshot);
    case SL_SPARE_FIXED:
        break;
    }
    return policy->spare_workers;
}

/* ---- the start-up time ---- */

/* Workers that were not there before: the grace of new workers begins when they can take a run. */
static void note_registrations(struct sl_scaler_state *state, const struct sl_snapshot *snapshot) {
    if (state->last_workers > 0 && snapshot->workers > state->last_workers) {
        state->has_registered = true;
        state->registered_ms = snapshot->observed_ms;
    }
    if (snapshot->workers > 0) {
        state->last_workers = snapshot->workers;
    }
}

/* From the decision to grow until so many workers are registered. */
static void measure_startup(struct sl_scaler_state *state, const struct sl_snapshot *snapshot) {
    int64_t took_ms = sl_time_since(snapshot->observed_ms, state->awaited_ms);

    if (state->awaited_workers == 0 || snapshot->workers < state->awaited_workers || took_ms < 0) {
        return;
    }
    state->awaited_workers = 0;
    state->startup_ms = state->has_startup ? state->startup_ms / 4 * 3 + took_ms / 4 : took_ms;
    state->has_startup = true;
}

int64_t sl_policy_scale_in_window_ms(const struct sl_policy *policy,
                                     const struct sl_scaler_state *state) {
    int64_t startup_ms = sl_policy_startup_ms(policy, state);

    if (policy->scale_in_window_ms >= 0) {
        return policy->scale_in_window_ms;
    }
    if (startup_ms < shortest_window_ms / window_startups) {
        return shortest_window_ms;
    }
    return startup_ms > longest_window_ms / window_startups ? longest_window_ms
                                                            : window_startups * startup_ms;
}

/* For how long what was wanted is kept: a measured window may become longer. */
static int64_t memory_ms(const struct sl_policy *policy) {
    return policy->scale_in_window_ms >= 0 ? policy->scale_in_window_ms : longest_window_ms;
}

/* ---- demand ---- */

/* Waiting runs, in hundredths. */
static int64_t waiting_percent(const struct sl_policy *policy, const struct sl_snapshot *snapshot,
                               int64_t pending) {
    int64_t drift = count(snapshot->runs_drift > 0 ? snapshot->runs_drift : 0);
    int64_t blocked = count(snapshot->runs_blocked > 0 ? snapshot->runs_blocked : 0);

    if (drift > pending) {
        drift = pending;
    }
    return pending * 100 - drift * policy->drift_discount_percent +
           blocked * policy->blocked_weight_percent;
}

/* ---- sleep ---- */

bool sl_policy_can_sleep(const struct sl_policy *policy) {
    return policy->has_idle_workers || policy->min_workers == 0;
}

static int32_t floor_asleep(const struct sl_policy *policy) {
    return policy->has_idle_workers ? policy->idle_workers : policy->min_workers;
}

int32_t sl_policy_own_floor(const struct sl_policy *policy, const struct sl_scaler_state *state) {
    if (!sl_policy_can_sleep(policy)) {
        return policy->min_workers;
    }
    return state->has_rhythm && state->is_awake ? policy->min_workers : floor_asleep(policy);
}

bool sl_policy_is_active(const struct sl_policy *policy, const struct sl_conditions *conditions,
                         const struct sl_decision *d) {
    return d->workers_busy > 0 || d->demand > policy->activation_threshold ||
           (conditions != NULL && conditions->is_forced_active);
}

static void wake_or_sleep(const struct sl_policy *policy, const struct sl_conditions *conditions,
                          struct sl_scaler_state *state, const struct sl_snapshot *snapshot,
                          int64_t now_ms, const struct sl_decision *d) {
    bool active = sl_policy_is_active(policy, conditions, d);

    if (!state->has_rhythm) {
        state->has_rhythm = true;
        state->is_awake = sl_size_before(d) > floor_asleep(policy);
        state->active_ms = snapshot->observed_ms;
    }
    if (active) {
        state->is_awake = true;
        state->active_ms = snapshot->observed_ms;
    } else if (sl_time_since(now_ms, state->active_ms) >= policy->cooldown_ms) {
        state->is_awake = false;
    }
}

/* ---- books ---- */

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
    if (observed_ms < state->seen_ms) {
        return;
    }
    state->seen_ms = observed_ms;
    sl_history_add(&state->highs, observed_ms, wanted, memory_ms(policy));
    if (policy->scale_out_window_ms > 0) {
        sl_history_add(&state->lows, observed_ms, SL_LIMIT_WORKERS - wanted,
                       policy->scale_out_window_ms);
    }
}

void sl_policy_measure(const struct sl_policy *policy, const struct sl_conditions *conditions,
                       struct sl_scaler_state *state, const struct sl_snapshot *snapshot,
                       int64_t now_ms, struct sl_decision *d) {
    int64_t runs_per_worker = policy->runs_per_worker > 0 ? policy->runs_per_worker : 1;
    int64_t load_percent = 0;

    d->queue = snapshot->queue;
    d->queue_age_ms = snapshot->queue_age_ms;
    d->runs_drift = snapshot->runs_drift;
    d->runs_pending = count(snapshot->runs_pending);
    d->workers_busy = count(snapshot->workers_busy);
    load_percent = waiting_percent(policy, snapshot, d->runs_pending);
    d->demand = d->workers_busy + divide_up(load_percent, 100);
    d->rule = SL_RULE_DEMAND;
    if (policy->demand_rule == SL_DEMAND_BUSY_AND_PENDING) {
        load_percent += d->workers_busy * 100;
    }
    measure_startup(state, snapshot);
    note_registrations(state, snapshot);
    note_arrivals(state, d->demand, snapshot->observed_ms);
    wake_or_sleep(policy, conditions, state, snapshot, now_ms, d);
    if (sl_policy_can_sleep(policy) && !state->is_awake) {
        d->rule = SL_RULE_ASLEEP;
        d->wanted = floor_asleep(policy);
    } else {
        d->spare = spare(policy, state, snapshot, d->demand);
        d->wanted = sl_to_i32(
            divide_up(load_percent, runs_per_worker * policy->target_utilization_percent) +
            d->spare);
    }
    remember(policy, state, snapshot, sl_min_i32(d->wanted, policy->max_workers));
}
