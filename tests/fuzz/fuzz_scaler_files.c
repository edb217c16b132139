/* What the scaler reads back from a disk that may have been full or edited: its state, the status
 * file, and a trace for the replay. A state that is taken is one that decide() can go on with, and
 * that is written again as it was understood. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
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

/* What a line brought, and the same after it was written again. */
struct found {
    size_t states, alarms, foreigns;
    struct sl_scaler_state state;
    struct sl_alarm alarm;
    struct sl_foreign foreign;
};

static const struct sl_alarm_options options = {.name = (char[]){"n"}, .failure_min_workers = 4};

static void take_state(void *context, const char *key, const struct sl_scaler_state *state) {
    struct found *found = context;

    (void)key;
    found->states++;
    found->state = *state;
}

static void take_alarm(void *context, const char *key, const char *name,
                       const struct sl_alarm *alarm) {
    struct found *found = context;
    struct sl_conditions c = {.cap = SL_NO_CAP};

    (void)key;
    (void)name;
    found->alarms++;
    found->alarm = *alarm;
    found->alarm.options = &options;
    (void)sl_alarms_apply(&found->alarm, 1, clocks.now_ms, &c);
    if (c.floor < 0 || c.floor > SL_LIMIT_WORKERS) {
        abort();
    }
}

static void take_foreign(void *context, const char *key, const struct sl_foreign *foreign) {
    struct found *found = context;
    struct sl_conditions c = {.cap = SL_NO_CAP};

    (void)key;
    found->foreigns++;
    found->foreign = *foreign;
    (void)sl_foreign_apply(&found->foreign, SL_FOREIGN_ADOPT, clocks.now_ms, &c);
    (void)sl_foreign_note(&found->foreign, SL_FOREIGN_BACK_OFF, 3, 600000, clocks.now_ms);
    found->foreign = *foreign;
}

static bool is_same(const struct found *a, const struct found *b) {
    return a->states == b->states && a->alarms == b->alarms && a->foreigns == b->foreigns &&
           a->state.change_count == b->state.change_count &&
           a->state.last_size == b->state.last_size &&
           a->state.highs.count == b->state.highs.count &&
           a->state.budget.day_spent_ms == b->state.budget.day_spent_ms &&
           a->alarm.severity == b->alarm.severity && a->alarm.floor == b->alarm.floor &&
           a->foreign.size == b->foreign.size && a->foreign.until_ms == b->foreign.until_ms;
}

static void try_state(const char *bytes, size_t size) {
    struct found found = {0};
    struct found again = {0};
    struct sl_state_sink sink = {&found, take_state, take_alarm, take_foreign};
    struct sl_buffer line;

    if (sl_state_load(bytes, size, &clocks, &sink, NULL) != SL_OK) {
        return;
    }
    go_on(found.state);
    sl_buffer_init(&line, 1 << 20);
    if (found.states > 0) {
        sl_state_save(&found.state, "pool", &clocks, &line);
    } else if (found.alarms > 0) {
        sl_state_save_alarm(&found.alarm, "pool", &clocks, &line);
    } else {
        sl_state_save_foreign(&found.foreign, "pool", &clocks, &line);
    }
    sink.context = &again;
    if (line.len > 0 && (sl_state_load(line.data, line.len - 1, &clocks, &sink, NULL) != SL_OK ||
                         !is_same(&found, &again))) {
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
