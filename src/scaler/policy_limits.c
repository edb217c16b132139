/* What is allowed now: how much larger, how much smaller. Every limit that bends a size names
 * itself and says until when. */
#include "scaler/policy_internal.h"

#include <string.h>

#include "base/times.h"

/* ---- the book of sizes ---- */

/* When the book is full the two oldest changes become one of the later time: a limit then counts
 * them longer, never shorter. */
static void merge_oldest(struct sl_scaler_state *state) {
    state->changes[1].added += state->changes[0].added;
    state->changes[1].removed += state->changes[0].removed;
    state->change_count--;
    memmove(&state->changes[0], &state->changes[1], state->change_count * sizeof state->changes[0]);
}

void sl_policy_note_size(struct sl_scaler_state *state, int32_t current, int64_t now_ms) {
    int32_t difference = 0;

    if (current == SL_SIZE_UNSET) {
        current = SL_SIZE_WHEN_UNSET;
    }
    difference = current - state->last_size;
    if (state->has_size && difference != 0) {
        if (state->change_count == SL_CHANGES) {
            merge_oldest(state);
        }
        state->changes[state->change_count++] = (struct sl_change){
            .at_ms = current == state->decided_size ? state->decided_ms : now_ms,
            .added = difference > 0 ? difference : 0,
            .removed = difference < 0 ? -difference : 0,
        };
    }
    if (state->has_size && difference > 0) {
        state->awaited_workers = current;
        state->awaited_ms = current == state->decided_size ? state->decided_ms : now_ms;
    } else if (current < state->awaited_workers) {
        state->awaited_workers = 0;
    }
    state->has_size = true;
    state->last_size = current;
}

/* The size at the start of the period as the HPA reckons it: without what was added since, with
 * what was removed (horizontal.go, getReplicasChangePerPeriod). *ret_until_ms: when the oldest of
 * these changes leaves the period; that of one made now, if there is none. */
static int64_t size_at_start(const struct sl_scaler_state *state, int32_t before, int64_t period_ms,
                             int64_t now_ms, int64_t *ret_until_ms) {
    int64_t oldest_ms = now_ms;
    int64_t size = before;

    for (size_t i = 0; i < state->change_count; i++) {
        const struct sl_change *c = &state->changes[i];

        if (sl_time_since(now_ms, c->at_ms) < period_ms) {
            size += c->removed - c->added;
            oldest_ms = c->at_ms < oldest_ms ? c->at_ms : oldest_ms;
        }
    }
    *ret_until_ms = sl_time_add(oldest_ms, period_ms);
    return size > 0 ? size : 0;
}

static bool is_limit_set(const struct sl_step_limit *l) {
    return l->workers > 0 || l->percent > 0;
}

/* The largest size the limit allows; at least one more than at the start of the period, because a
 * percentage of nothing would be nothing for ever. */
static int32_t largest_step(const struct sl_step_limit *l, int64_t start) {
    int64_t by_workers = start + l->workers;
    int64_t by_percent = start + (start * l->percent + 99) / 100;
    int64_t size = 0;

    if (l->workers == 0 || l->percent == 0) {
        size = l->workers == 0 ? by_percent : by_workers;
    } else if (l->select == SL_STEP_SMALLER) {
        size = by_workers < by_percent ? by_workers : by_percent;
    } else {
        size = by_workers > by_percent ? by_workers : by_percent;
    }
    return sl_to_i32(size > start ? size : start + 1);
}

/* The smallest size the limit allows; at least one less than at the start of the period. */
static int32_t smallest_step(const struct sl_step_limit *l, int64_t start) {
    int64_t by_workers = start - l->workers;
    int64_t percent_left = l->percent < 100 ? 100 - l->percent : 0;
    int64_t by_percent = start * percent_left / 100;
    int64_t size = 0;

    if (l->workers == 0 || l->percent == 0) {
        size = l->workers == 0 ? by_percent : by_workers;
    } else if (l->select == SL_STEP_SMALLER) {
        size = by_workers > by_percent ? by_workers : by_percent;
    } else {
        size = by_workers < by_percent ? by_workers : by_percent;
    }
    if (size >= start) {
        size = start - 1;
    }
    return sl_to_i32(size > 0 ? size : 0);
}

/* ---- larger ---- */

/* Floors are kept whatever a limit says. */
static void at_most(struct sl_decision *d, int32_t size, enum sl_clamp clamp, int64_t until_ms) {
    size = sl_max_i32(size, sl_max_i32(sl_size_before(d), d->floor));
    if (size < d->size) {
        d->size = size;
        d->clamp = clamp;
        d->next_change_ms = until_ms;
    }
}

static void limit_growth(const struct sl_policy *policy, const struct sl_scaler_state *state,
                         int64_t now_ms, struct sl_decision *d) {
    int32_t before = sl_size_before(d);
    int64_t until_ms = INT64_MAX;

    if (policy->scale_out_window_ms > 0) {
        int32_t turned =
            sl_history_peak(&state->lows, now_ms, policy->scale_out_window_ms, &until_ms);

        if (turned >= 0) {
            at_most(d, SL_LIMIT_WORKERS - turned, SL_CLAMP_OUT_WINDOW, until_ms);
        }
    }
    if (is_limit_set(&policy->scale_out)) {
        int64_t start =
            size_at_start(state, before, policy->scale_out.period_ms, now_ms, &until_ms);

        at_most(d, largest_step(&policy->scale_out, start), SL_CLAMP_OUT_STEP, until_ms);
    }
    if (policy->max_jump > 0) {
        at_most(d, sl_to_i32((int64_t)state->base_size + policy->max_jump), SL_CLAMP_OUT_JUMP,
                INT64_MAX);
    }
    if (policy->scale_out.select == SL_STEP_DISABLED) {
        at_most(d, before, SL_CLAMP_NO_OUT, INT64_MAX);
    }
}

/* ---- smaller ---- */

static void at_least(struct sl_decision *d, int32_t size, enum sl_clamp clamp, int64_t until_ms) {
    size = sl_min_i32(size, sl_size_before(d));
    if (size > d->size) {
        d->size = size;
        d->clamp = clamp;
        d->next_change_ms = until_ms;
    }
}

/* A worker was ordered, or has come: whichever is later. */
static int64_t last_growth(const struct sl_scaler_state *state) {
    int64_t registered_ms = state->has_registered ? state->registered_ms : INT64_MIN;

    for (size_t i = state->change_count; i > 0; i--) {
        if (state->changes[i - 1].added > 0) {
            int64_t added_ms = state->changes[i - 1].at_ms;

            return added_ms > registered_ms ? added_ms : registered_ms;
        }
    }
    return registered_ms;
}

static void limit_by_windows(const struct sl_policy *policy, const struct sl_scaler_state *state,
                             int64_t now_ms, struct sl_decision *d) {
    int64_t watched_ms = sl_time_add(state->watching_since_ms, d->window_ms);
    int64_t grace_ms = sl_time_add(last_growth(state), policy->new_worker_grace_ms);
    int64_t until_ms = INT64_MAX;
    int32_t peak = 0;

    if (now_ms < watched_ms) {
        at_least(d, sl_size_before(d), SL_CLAMP_WATCHING, watched_ms);
    }
    peak = sl_history_peak(&state->highs, now_ms, d->window_ms, &until_ms);
    at_least(d, sl_min_i32(peak, d->cap), SL_CLAMP_WINDOW, until_ms);
    if (policy->new_worker_grace_ms > 0 && now_ms < grace_ms) {
        at_least(d, sl_size_before(d), SL_CLAMP_GRACE, grace_ms);
    }
}

static void limit_shrinkage(const struct sl_policy *policy, const struct sl_scaler_state *state,
                            int64_t now_ms, struct sl_decision *d) {
    int32_t before = sl_size_before(d);
    int64_t until_ms = INT64_MAX;

    if (policy->scale_in.select == SL_STEP_DISABLED) {
        at_least(d, before, SL_CLAMP_NO_IN, INT64_MAX);
    }
    limit_by_windows(policy, state, now_ms, d);
    if (is_limit_set(&policy->scale_in)) {
        int64_t start = size_at_start(state, before, policy->scale_in.period_ms, now_ms, &until_ms);

        at_least(d, smallest_step(&policy->scale_in, start), SL_CLAMP_IN_STEP, until_ms);
    }
    if (policy->max_jump > 0) {
        at_least(d, state->base_size - policy->max_jump, SL_CLAMP_IN_JUMP, INT64_MAX);
    }
    at_least(d, sl_to_i32(d->demand), SL_CLAMP_DEMAND, INT64_MAX);
}

/* ---- */

static enum sl_clamp clamp_of_cap(const struct sl_policy *policy,
                                  const struct sl_conditions *conditions) {
    if (conditions == NULL || conditions->cap >= policy->max_workers) {
        return SL_CLAMP_MAXIMUM;
    }
    return conditions->is_cap_budget ? SL_CLAMP_BUDGET : SL_CLAMP_SCHEDULE;
}

void sl_policy_choose(const struct sl_policy *policy, const struct sl_conditions *conditions,
                      const struct sl_scaler_state *state, int64_t now_ms, struct sl_decision *d) {
    int32_t before = sl_size_before(d);

    d->size = d->wanted;
    if (d->size > d->cap) {
        d->size = d->cap;
        d->clamp = clamp_of_cap(policy, conditions);
        d->why = d->clamp != SL_CLAMP_MAXIMUM ? conditions->cap_text : d->why;
    }
    if (d->size > before) {
        limit_growth(policy, state, now_ms, d);
    } else if (d->size < before) {
        limit_shrinkage(policy, state, now_ms, d);
    }
}
