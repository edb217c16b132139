/* What one decision costs: nanoseconds, and allocations (none). The queue goes up and down, so that
 * every branch is taken; the state is that of a pool that has been watched for a while.
 *
 * bench_decide [--limit-ns N] exits 1 if a decision allocates or takes more than N ns (1000). */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "scaler/policy.h"

enum { DECISIONS = 5000000, TEXTS = 500000, DEFAULT_LIMIT_NS = 1000 };

static const struct sl_policy policy = {
    .min_workers = 1,
    .max_workers = 200,
    .target_utilization_percent = 80,
    .scale_in_window_ms = 300000,
    .spare_rule = SL_SPARE_ARRIVALS,
    .spare_quantile_percent = 90,
    .drift_discount_percent = 50,
    .blocked_weight_percent = 20,
    .scale_out = {.workers = 20, .percent = 100, .period_ms = 15000},
    .scale_in = {.workers = 5, .period_ms = 60000},
    .stale_after_ms = 60000,
};

static const struct sl_conditions conditions = {
    .floor = 2,
    .floor_text = "schedule \"office hours\"",
    .cap = 150,
    .is_cap_budget = true,
    .cap_text = "the budget",
    .paused_size = SL_SIZE_UNSET,
};

static struct sl_snapshot snapshot_at(int64_t i, int64_t now_ms) {
    int64_t wave = i % 240;

    return (struct sl_snapshot){
        .runs_pending = i * 7 % 5,
        .workers_busy = wave < 120 ? wave : 240 - wave,
        .runs_drift = i % 2,
        .runs_blocked = i % 3,
        .workers = wave,
        .observed_ms = now_ms,
        .interval_ms = 1000,
    };
}

static double decide_many(int64_t *ret_sum) {
    struct sl_scaler_state state = {0};
    int32_t size = 1;
    int64_t began_ns = sl_clock_monotonic_ns();

    for (int64_t i = 0; i < DECISIONS; i++) {
        struct sl_snapshot snapshot = snapshot_at(i, i * 1000);
        struct sl_decision d;

        sl_policy_decide(&policy, &conditions, &state, &snapshot, size, i * 1000, &d);
        size = d.size;
        *ret_sum += size;
    }
    return (double)(sl_clock_monotonic_ns() - began_ns) / DECISIONS;
}

static double describe_many(int64_t *ret_sum) {
    struct sl_scaler_state state = {0};
    struct sl_snapshot snapshot = snapshot_at(50, 0);
    struct sl_decision d;
    char text[400];
    int64_t began_ns = sl_clock_monotonic_ns();

    sl_policy_decide(&policy, NULL, &state, &snapshot, 1, 0, &d);
    for (int64_t i = 0; i < TEXTS; i++) {
        *ret_sum += sl_decision_describe(&policy, &d, 0, text, sizeof text);
    }
    return (double)(sl_clock_monotonic_ns() - began_ns) / TEXTS;
}

int main(int argc, char **argv) {
    double limit_ns = DEFAULT_LIMIT_NS;
    struct mallinfo2 before;
    struct mallinfo2 after;
    int64_t sum = 0;
    double decide_ns = 0;
    double describe_ns = 0;
    bool has_allocated = false;

    if (argc == 3 && strcmp(argv[1], "--limit-ns") == 0) {
        limit_ns = strtod(argv[2], NULL);
    }
    printf("deciding %d times\n", DECISIONS);
    before = mallinfo2();
    decide_ns = decide_many(&sum);
    after = mallinfo2();
    has_allocated = after.uordblks != before.uordblks || after.arena != before.arena;
    describe_ns = describe_many(&sum);
    printf("decide    %8.1f ns (limit %.0f)\n", decide_ns, limit_ns);
    printf("describe  %8.1f ns, only for a line that is written\n", describe_ns);
    printf("allocates %8s\n", has_allocated ? "yes" : "no");
    printf("state     %8zu bytes per pool (checksum %" PRId64 ")\n", sizeof(struct sl_scaler_state),
           sum);
    return decide_ns <= limit_ns && !has_allocated ? 0 : 1;
}
