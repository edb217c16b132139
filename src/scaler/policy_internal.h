/* The steps of a decision, for the files that share it: policy.c (the order of things),
 * policy_demand.c (what is wanted), policy_limits.c (what is allowed now). */
#ifndef SL_SCALER_POLICY_INTERNAL_H
#define SL_SCALER_POLICY_INTERNAL_H

#include "base/limits.h"
#include "scaler/policy.h"

/* A WorkerPool without poolSize runs one worker (Spacelift's documentation of the resource). */
enum { SL_SIZE_WHEN_UNSET = 1 };

static inline int32_t sl_min_i32(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static inline int32_t sl_max_i32(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static inline int32_t sl_to_i32(int64_t value) {
    if (value < INT32_MIN) {
        return INT32_MIN;
    }
    return value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

static inline int32_t sl_size_before(const struct sl_decision *d) {
    return d->current == SL_SIZE_UNSET ? SL_SIZE_WHEN_UNSET : d->current;
}

/* A pool sleeps only if it may be smaller then than when it is awake. */
bool sl_policy_can_sleep(const struct sl_policy *policy);

/* Something runs or waits, or a person wants it awake. */
bool sl_policy_is_active(const struct sl_policy *policy, const struct sl_conditions *conditions,
                         const struct sl_decision *d);

/* What MinWorkers or IdleWorkers ask for, as far as is known whether the pool sleeps. */
int32_t sl_policy_own_floor(const struct sl_policy *policy, const struct sl_scaler_state *state);

/* From a good snapshot: demand, spare, what is wanted before floor and cap, and whether the pool
 * sleeps. Keeps the books for the windows. */
void sl_policy_measure(const struct sl_policy *policy, const struct sl_conditions *conditions,
                       struct sl_scaler_state *state, const struct sl_snapshot *snapshot,
                       int64_t now_ms, struct sl_decision *d);

/* The largest growth, the smallest shrinkage allowed now, from d->current towards d->wanted. */
void sl_policy_choose(const struct sl_policy *policy, const struct sl_conditions *conditions,
                      const struct sl_scaler_state *state, int64_t now_ms, struct sl_decision *d);

/* Keeps the book of sizes for the step limits. */
void sl_policy_note_size(struct sl_scaler_state *state, int32_t current, int64_t now_ms);

#endif
