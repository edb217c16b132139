/* What the scaler reads back from a disk that may have been full or edited: its state, the status
 * file, and a trace for the replay. A state that is taken is one that decide() can go on with, and
 * that is written again as it was understood. */
#include <stdlib.h>
#include <string.h>

#include "scaler/options.h"
#include "replay/trace.h"
#include "scaler/state.h"
#include "scaler/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sl_clocks clocks = {.now_ms = 5000000000, .realtime_ms = 1766000000000};

static const struct sl_policy policy = {
    .min_workers = 1,
    .max_workers = 50,
    .target_utilization_percent = 80,
    .spare_rule = SL_SPARE_ARRIVALS,
    .spare_quantile_percent = 90,
    .scale_in_window_ms = 60000,
    .scale_out_window_ms = 30000,
    .scale_in = {.workers = 1, .period_ms = 60000},
};

static void go_on(struct sl_scaler_state state) {
    struct sl_snapshot snapshot = {
        .runs_pending = 2, .workers_busy = 3, .workers = 5, .observed_ms = clocks.now_ms};
    struct sl_decision d;

    sl_policy_decide(&policy, NULL, &state, &snapshot, 4, clocks.now_ms, &d);
    if (d.size < 4 || d.size > 50) { /* never below the demand of 5 once it may grow, nor away */
        abort();
    }
}

static void try_state(const char *bytes, size_t size) {
    struct sl_scaler_state state;
    struct sl_scaler_state again;
    char key[SL_STATE_KEY_BYTES];
    struct sl_buffer line;

    if (sl_state_load(bytes, size, &clocks, key, &state, NULL) != SL_OK) {
        return;
    }
    go_on(state);
    sl_buffer_init(&line, 1 << 20);
    sl_state_save(&state, "pool", &clocks, &line);
    if (line.len > 0 &&
        (sl_state_load(line.data, line.len - 1, &clocks, key, &again, NULL) != SL_OK ||
         again.change_count != state.change_count || again.last_size != state.last_size ||
         again.highs.count != state.highs.count ||
         again.budget.day_spent_ms != state.budget.day_spent_ms)) {
        abort();
    }
    sl_buffer_release(&line);
}

static void try_status(const char *bytes, size_t size) {
    struct sl_cluster_status cluster;
    struct sl_pool_status *pools = NULL;
    size_t count = 0;

    if (sl_status_read(bytes, size, &cluster, &pools, &count, NULL) == SL_OK && count > 0 &&
        memchr(pools[0].why, '\0', sizeof pools[0].why) == NULL) {
        abort();
    }
    free(pools);
}

static void try_trace(const char *bytes, size_t size) {
    struct sl_trace trace = {0};

    if (sl_trace_parse(bytes, size, &trace, NULL) == SL_OK) {
        for (size_t i = 1; i < trace.count; i++) {
            if (trace.runs[i].arrival_ms < trace.runs[i - 1].arrival_ms) {
                abort();
            }
        }
        sl_trace_release(&trace);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_state((const char *)data, size);
    try_status((const char *)data, size);
    try_trace((const char *)data, size);
    return 0;
}
