/* A decision in words. Apart from the arithmetic, because a decision is made far more often than
 * it is told. */
#include "scaler/policy.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/times.h"

enum { PART_BYTES = 160, CLAUSE_BYTES = 400 };

static const char *const rule_names[] = {
    [SL_RULE_DEMAND] = "demand",   [SL_RULE_MINIMUM] = "minimum",   [SL_RULE_AWAKE] = "awake",
    [SL_RULE_ASLEEP] = "asleep",   [SL_RULE_SCHEDULE] = "schedule", [SL_RULE_ORDER] = "order",
    [SL_RULE_PAUSED] = "paused",   [SL_RULE_HOLD] = "hold",         [SL_RULE_FALLBACK] = "fallback",
    [SL_RULE_ADOPTED] = "adopted",
};

static const char *const clamp_names[] = {
    [SL_CLAMP_NONE] = "none",
    [SL_CLAMP_MAXIMUM] = "maximum",
    [SL_CLAMP_SCHEDULE] = "schedule",
    [SL_CLAMP_BUDGET] = "budget",
    [SL_CLAMP_OUT_WINDOW] = "out_window",
    [SL_CLAMP_OUT_STEP] = "out_step",
    [SL_CLAMP_OUT_JUMP] = "out_jump",
    [SL_CLAMP_NO_OUT] = "no_out",
    [SL_CLAMP_WINDOW] = "window",
    [SL_CLAMP_WATCHING] = "watching",
    [SL_CLAMP_GRACE] = "grace",
    [SL_CLAMP_IN_STEP] = "in_step",
    [SL_CLAMP_IN_JUMP] = "in_jump",
    [SL_CLAMP_NO_IN] = "no_in",
    [SL_CLAMP_DEMAND] = "demand",
};

static const char *const data_names[] = {
    [SL_DATA_GOOD] = "good",           [SL_DATA_MISSING] = "missing", [SL_DATA_UNKNOWN] = "unknown",
    [SL_DATA_AMBIGUOUS] = "ambiguous", [SL_DATA_INVALID] = "invalid", [SL_DATA_FUTURE] = "future",
    [SL_DATA_LATE] = "late",           [SL_DATA_STALE] = "stale",
};

static const char *const data_texts[] = {
    [SL_DATA_GOOD] = "",
    [SL_DATA_MISSING] = "no data from Spacelift yet",
    [SL_DATA_UNKNOWN] = "Spacelift reports other pools, but none of this name",
    [SL_DATA_AMBIGUOUS] = "Spacelift reports two pools of this name: set WorkerPoolID",
    [SL_DATA_INVALID] = "numbers that cannot be: negative, not whole or too large",
    [SL_DATA_FUTURE] = "data from the future: compare the clocks",
    [SL_DATA_LATE] = "data arrives too late: compare the clocks, or look for a jam on the way",
    [SL_DATA_STALE] = "no data from Spacelift",
};

const char *sl_rule_name(enum sl_rule rule) {
    return rule_names[rule];
}

const char *sl_clamp_name(enum sl_clamp clamp) {
    return clamp_names[clamp];
}

const char *sl_data_state_name(enum sl_data_state state) {
    return data_names[state];
}

static const char *text_or(const char *text, const char *otherwise) {
    return text != NULL ? text : otherwise;
}

static int64_t seconds_up(int64_t ms) {
    if (ms <= 0) {
        return 0;
    }
    return ms / 1000 + (ms % 1000 != 0 ? 1 : 0);
}

static int64_t seconds_left(const struct sl_decision *d, int64_t now_ms) {
    return seconds_up(sl_time_since(d->next_change_ms, now_ms));
}

/* Why the floor, where it is the floor that is wanted. */
static void describe_floor(const struct sl_policy *policy, const struct sl_decision *d,
                           int64_t now_ms, char *out, size_t size) {
    out[0] = '\0';
    switch (d->rule) {
    case SL_RULE_MINIMUM:
        (void)snprintf(out, size, ", MinWorkers %" PRId32, policy->min_workers);
        break;
    case SL_RULE_AWAKE:
        (void)snprintf(out, size, ", the pool sleeps in %" PRId64 " s", seconds_left(d, now_ms));
        break;
    case SL_RULE_ASLEEP:
        (void)snprintf(out, size, ", the pool sleeps");
        break;
    case SL_RULE_SCHEDULE:
    case SL_RULE_ORDER:
        (void)snprintf(out, size, ", at least %" PRId32 " by %s", d->floor,
                       text_or(d->why, "order"));
        break;
    case SL_RULE_ADOPTED:
        (void)snprintf(out, size, ", at least %" PRId32 ", which somebody else has set", d->floor);
        break;
    case SL_RULE_DEMAND:
    case SL_RULE_PAUSED:
    case SL_RULE_HOLD:
    case SL_RULE_FALLBACK:
    case SL_RULE_COUNT:
        break;
    }
}

/* What the weights were taken from. A demand that is smaller than the count says how old it may be
 * that what makes it smaller was true. */
static void describe_queue(const struct sl_policy *policy, const struct sl_decision *d, char *out,
                           size_t size) {
    int64_t age_s = d->queue_age_ms > 0 ? d->queue_age_ms / 1000 : 0;

    out[0] = '\0';
    if (policy->drift_discount_percent == 0 && policy->blocked_weight_percent == 0) {
        return;
    }
    switch (d->queue) {
    case SL_QUEUE_UNKNOWN:
        (void)snprintf(out, size, " (in full: the queue is not known, set Queue)");
        break;
    case SL_QUEUE_OLD:
        (void)snprintf(out, size, " (drift detection in full: the queue is %" PRId64 " s older)",
                       age_s);
        break;
    case SL_QUEUE_KNOWN:
        if (d->demand != d->workers_busy + d->runs_pending && age_s > 0) {
            (void)snprintf(out, size, ", weighted by the queue of %" PRId64 " s before", age_s);
        } else if (d->demand != d->workers_busy + d->runs_pending) {
            (void)snprintf(out, size, ", weighted");
        }
        break;
    }
}

static void describe_demand(const struct sl_policy *policy, const struct sl_decision *d,
                            int64_t now_ms, char *out, size_t size) {
    char floor[PART_BYTES];
    char more[PART_BYTES] = "";
    bool is_plain = d->wanted == d->demand;
    char queue[PART_BYTES];

    describe_queue(policy, d, queue, sizeof queue);
    describe_floor(policy, d, now_ms, floor, sizeof floor);
    if (d->rule == SL_RULE_DEMAND && d->spare > 0) {
        (void)snprintf(more, sizeof more, ", %" PRId32 " workers wanted with %" PRId32 " to spare",
                       d->wanted, d->spare);
    } else if (d->rule == SL_RULE_DEMAND && !is_plain && policy->target_utilization_percent < 100) {
        (void)snprintf(more, sizeof more, ", %" PRId32 " workers at %" PRId32 " %% utilization",
                       d->wanted, policy->target_utilization_percent);
    } else if (d->rule == SL_RULE_DEMAND && !is_plain) {
        (void)snprintf(more, sizeof more, ", %" PRId32 " workers wanted", d->wanted);
    }
    (void)snprintf(out, size, "busy %" PRId64 " + pending %" PRId64 "%s = %" PRId64 "%s%s",
                   d->workers_busy, d->runs_pending, queue, d->demand, more, floor);
}

static void describe_upper_clamp(const struct sl_policy *policy, const struct sl_decision *d,
                                 int64_t now_ms, char *out, size_t size) {
    int64_t more = (int64_t)d->wanted - d->size;

    switch ((int)d->clamp) {
    case SL_CLAMP_MAXIMUM:
        (void)snprintf(out, size,
                       ", held at MaxWorkers %" PRId32 " (%" PRId64 " more would be used)",
                       policy->max_workers, more);
        break;
    case SL_CLAMP_SCHEDULE:
    case SL_CLAMP_BUDGET:
        (void)snprintf(out, size, ", held at %" PRId32 " by %s (%" PRId64 " more would be used)",
                       d->cap, text_or(d->why, "the cap"), more);
        break;
    case SL_CLAMP_OUT_WINDOW:
        (void)snprintf(out, size,
                       ", not larger for %" PRId64 " s: more has to be wanted for all of "
                       "ScaleOutWindow",
                       seconds_left(d, now_ms));
        break;
    case SL_CLAMP_OUT_JUMP:
        (void)snprintf(out, size,
                       ", MaxJump lets one reading add %" PRId32 " (%" PRId64 " more wanted)",
                       policy->max_jump, more);
        break;
    case SL_CLAMP_OUT_STEP:
        (void)snprintf(out, size, ", the limit of growth allows more in %" PRId64 " s",
                       seconds_left(d, now_ms));
        break;
    default:
        (void)snprintf(out, size, ", scale-out is forbidden by %s",
                       text_or(d->why, "ScaleOutSelect"));
        break;
    }
}

static void describe_lower_clamp(const struct sl_policy *policy, const struct sl_decision *d,
                                 int64_t now_ms, char *out, size_t size) {
    int64_t left_s = seconds_left(d, now_ms);
    int64_t window_s = d->window_ms / 1000;

    switch ((int)d->clamp) {
    case SL_CLAMP_WINDOW:
        (void)snprintf(out, size,
                       ", not below %" PRId32 " for %" PRId64 " s: that was wanted within "
                       "ScaleInWindow (%" PRId64 " s)",
                       d->size, left_s, window_s);
        break;
    case SL_CLAMP_WATCHING:
        (void)snprintf(out, size,
                       ", not smaller for %" PRId64 " s: ScaleInWindow (%" PRId64
                       " s) has not been "
                       "watched in full",
                       left_s, window_s);
        break;
    case SL_CLAMP_GRACE:
        (void)snprintf(out, size, ", not smaller for %" PRId64 " s: workers were added lately",
                       left_s);
        break;
    case SL_CLAMP_IN_STEP:
        (void)snprintf(out, size, ", the limit of shrinking allows more in %" PRId64 " s", left_s);
        break;
    case SL_CLAMP_IN_JUMP:
        (void)snprintf(out, size, ", MaxJump lets one reading take away %" PRId32,
                       policy->max_jump);
        break;
    case SL_CLAMP_DEMAND:
        (void)snprintf(out, size, ", above the limit of %" PRId32 "%s%s, but not below the demand",
                       d->cap, d->why != NULL ? " by " : "", text_or(d->why, ""));
        break;
    default:
        (void)snprintf(out, size, ", scale-in is forbidden by %s",
                       text_or(d->why, "ScaleInSelect"));
        break;
    }
}

static void describe_clamp(const struct sl_policy *policy, const struct sl_decision *d,
                           int64_t now_ms, char *out, size_t size) {
    out[0] = '\0';
    if (d->clamp >= SL_CLAMP_WINDOW) {
        describe_lower_clamp(policy, d, now_ms, out, size);
    } else if (d->clamp != SL_CLAMP_NONE) {
        describe_upper_clamp(policy, d, now_ms, out, size);
    }
}

/* What is done without good data. */
static void describe_hold(const struct sl_policy *policy, const struct sl_decision *d,
                          int64_t now_ms, char *out, size_t size) {
    char clamp[CLAUSE_BYTES];

    describe_clamp(policy, d, now_ms, clamp, sizeof clamp);
    if (d->rule == SL_RULE_HOLD && d->current == SL_SIZE_UNSET) {
        (void)snprintf(out, size, "poolSize stays unset");
    } else if (d->rule == SL_RULE_HOLD) {
        (void)snprintf(out, size, "holding at %" PRId32 " workers%s", d->size, clamp);
    } else if (d->rule == SL_RULE_FALLBACK) {
        (void)snprintf(out, size, "fallback to %" PRId32 " workers%s", d->wanted, clamp);
    } else if (d->rule == SL_RULE_MINIMUM) {
        (void)snprintf(out, size, "MinWorkers %" PRId32 "%s", policy->min_workers, clamp);
    } else {
        (void)snprintf(out, size, "at least %" PRId32 " by %s%s", d->floor,
                       text_or(d->why, "order"), clamp);
    }
}

int sl_decision_describe(const struct sl_policy *policy, const struct sl_decision *decision,
                         int64_t now_ms, char *out, size_t size) {
    char first[CLAUSE_BYTES] = "";
    char second[CLAUSE_BYTES] = "";

    if (decision->rule == SL_RULE_PAUSED) {
        return snprintf(out, size, "paused by %s", text_or(decision->why, "order"));
    }
    if (decision->data == SL_DATA_GOOD) {
        describe_demand(policy, decision, now_ms, first, sizeof first);
        describe_clamp(policy, decision, now_ms, second, sizeof second);
        return snprintf(out, size, "%s%s", first, second);
    }
    if (decision->data == SL_DATA_STALE) {
        (void)snprintf(first, sizeof first, " for %" PRId64 " s", decision->data_age_ms / 1000);
    }
    describe_hold(policy, decision, now_ms, second, sizeof second);
    return snprintf(out, size, "%s%s: %s", data_texts[decision->data], first, second);
}
