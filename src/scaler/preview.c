/* One decision without a controller. */
#include "scaler/preview.h"

#include <stdlib.h>

#include "scaler/schedule.h"

/* The schedules' texts are in the conditions, so they live until all is said. */
static int apply_all(const struct sl_pool_options *pool, int64_t realtime_ms,
                     struct sl_schedule *schedules, struct sl_orders *orders,
                     struct sl_conditions *c, struct sl_error *err) {
    int rc = sl_pool_orders(pool, orders, err);

    for (size_t i = 0; rc == SL_OK && i < pool->schedule_count; i++) {
        rc = sl_schedule_load(pool->schedules[i], &schedules[i], err);
    }
    if (rc == SL_OK) {
        (void)sl_schedules_apply(schedules, pool->schedule_count, realtime_ms, c);
        (void)sl_orders_apply(orders, realtime_ms, c);
    }
    return rc;
}

int sl_preview(const struct sl_pool_options *pool, int64_t runs_pending, int64_t workers_busy,
               int32_t current, int64_t realtime_ms, struct sl_preview *ret, struct sl_error *err) {
    static const int64_t now_ms = 1000000000; /* any will do: nothing happened before */
    struct sl_policy policy = sl_pool_policy(pool);
    struct sl_conditions conditions = {.cap = SL_NO_CAP, .paused_size = SL_SIZE_UNSET};
    struct sl_scaler_state *state = calloc(1, sizeof *state);
    struct sl_schedule *schedules = calloc(pool->schedule_count + 1, sizeof *schedules);
    struct sl_snapshot snapshot =
        sl_snapshot_of((double)runs_pending, (double)workers_busy, now_ms, 0);
    struct sl_orders orders;
    int rc = state == NULL || schedules == NULL ? sl_fail(err, SL_NOMEM, "out of memory") : SL_OK;

    if (rc == SL_OK) {
        rc = apply_all(pool, realtime_ms, schedules, &orders, &conditions, err);
    }
    if (rc == SL_OK) {
        sl_policy_decide(&policy, &conditions, state, &snapshot, current, now_ms, &ret->decision);
        (void)sl_decision_describe(&policy, &ret->decision, now_ms, ret->why, sizeof ret->why);
        ret->decision.why = NULL; /* its text ends here */
    }
    for (size_t i = 0; schedules != NULL && i < pool->schedule_count; i++) {
        sl_schedule_release(&schedules[i]);
    }
    free(schedules);
    free(state);
    return rc;
}
