/* A decision in words. Apart from the arithmetic, because a decision is made far more often than
 * it is told. */
#include "scaler/policy.h"

#include <inttypes.h>
#include <stdio.h>

enum { PART_BYTES = 128, CLAUSE_BYTES = 256 };

static int64_t seconds_up(int64_t ms) {
    if (ms <= 0) {
        return 0;
    }
    return ms / 1000 + (ms % 1000 != 0 ? 1 : 0);
}

static const char *data_text(enum sl_data_state data) {
    switch (data) {
    case SL_DATA_MISSING:
        return "no data from Spacelift yet";
    case SL_DATA_UNKNOWN:
        return "Spacelift reports other pools, but none of this name";
    case SL_DATA_AMBIGUOUS:
        return "Spacelift reports two pools of this name: set WorkerPoolID";
    case SL_DATA_INVALID:
        return "numbers that cannot be: negative, not whole or too large";
    case SL_DATA_FUTURE:
        return "data from the future: compare the clocks";
    case SL_DATA_LATE:
        return "data arrives too late: compare the clocks, or look for a jam on the way";
    case SL_DATA_STALE:
        return "no data from Spacelift";
    case SL_DATA_GOOD:
        break;
    }
    return "";
}

static int describe_hold(const struct sl_policy *policy, const struct sl_decision *d, char *out,
                         size_t size) {
    char age[PART_BYTES] = "";
    char what[PART_BYTES] = "";

    if (d->data == SL_DATA_STALE) {
        (void)snprintf(age, sizeof age, " for %" PRId64 " s", d->data_age_ms / 1000);
    }
    if (d->rule == SL_RULE_MINIMUM) {
        (void)snprintf(what, sizeof what, "MinWorkers %" PRId32, policy->min_workers);
    } else if (d->current == SL_SIZE_UNSET) {
        (void)snprintf(what, sizeof what, "poolSize stays unset");
    } else {
        (void)snprintf(what, sizeof what, "holding at %" PRId32 " workers", d->size);
    }
    return snprintf(out, size, "%s%s: %s", data_text(d->data), age, what);
}

static void describe_demand(const struct sl_policy *policy, const struct sl_decision *d, char *out,
                            size_t size) {
    char more[PART_BYTES] = "";

    if (d->rule == SL_RULE_MINIMUM) {
        (void)snprintf(more, sizeof more, ", MinWorkers %" PRId32, policy->min_workers);
    } else if (policy->target_utilization_percent < 100) {
        (void)snprintf(more, sizeof more, ", %" PRId32 " workers at %" PRId32 " %% utilization",
                       d->wanted, policy->target_utilization_percent);
    }
    (void)snprintf(out, size, "busy %" PRId64 " + pending %" PRId64 " = %" PRId64 "%s",
                   d->workers_busy, d->runs_pending, d->demand, more);
}

static void describe_clamp(const struct sl_policy *policy, const struct sl_decision *d,
                           int64_t now_ms, char *out, size_t size) {
    int64_t left_s = seconds_up(sl_time_since(d->next_change_ms, now_ms));
    int64_t window_s = policy->scale_in_window_ms / 1000;

    out[0] = '\0';
    switch (d->clamp) {
    case SL_CLAMP_MAXIMUM:
        (void)snprintf(out, size,
                       ", held at MaxWorkers %" PRId32 " (%" PRId64 " more would be used)",
                       policy->max_workers, d->wanted - (int64_t)policy->max_workers);
        break;
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
    case SL_CLAMP_DEMAND:
        (void)snprintf(out, size, ", above MaxWorkers %" PRId32 " but not below the demand",
                       policy->max_workers);
        break;
    case SL_CLAMP_NONE:
        break;
    }
}

int sl_decision_describe(const struct sl_policy *policy, const struct sl_decision *decision,
                         int64_t now_ms, char *out, size_t size) {
    char demand[CLAUSE_BYTES] = "";
    char clamp[CLAUSE_BYTES] = "";

    if (decision->data != SL_DATA_GOOD) {
        return describe_hold(policy, decision, out, size);
    }
    describe_demand(policy, decision, demand, sizeof demand);
    describe_clamp(policy, decision, now_ms, clamp, sizeof clamp);
    return snprintf(out, size, "%s%s", demand, clamp);
}
