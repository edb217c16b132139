/* What holds for a pool besides its policy: schedules and orders of people. */
#include "scaler/controller_internal.h"

#include <stdlib.h>

#include "base/times.h"

/* The wall clock may be set meanwhile: what depends on it is looked at again this often. */
static const int64_t look_again_ms = 60000;

static int set_up_alarms(struct sl_controller_pool *p, struct sl_error *err) {
    size_t n = p->options->notification_count;

    p->alarms = calloc(n + 1, sizeof *p->alarms);
    p->alarm_letters = calloc(n + 1, sizeof *p->alarm_letters);
    if (p->alarms == NULL || p->alarm_letters == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        p->alarms[i].options = p->options->notifications[i];
    }
    return SL_OK;
}

static bool has_budget(const struct sl_controller_pool *p) {
    return p->options->budget_day_minutes > 0 || p->options->budget_month_minutes > 0;
}

static int set_up_budget(struct sl_controller_pool *p, struct sl_error *err) {
    const struct sl_pool_options *o = p->options;
    struct sl_error why = SL_ERROR_INIT;

    if (!has_budget(p)) {
        return SL_OK;
    }
    if (sl_timezone_load(o->budget_time_zone, &p->budget_zone, &why) != SL_OK) {
        return sl_fail(err, why.code, "Pool \"%s\": BudgetTimeZone: %s", o->name, why.text);
    }
    p->budget = (struct sl_budget){
        .day_minutes = o->budget_day_minutes,
        .month_minutes = o->budget_month_minutes,
        .workers = (int32_t)(o->budget_workers >= 0 ? o->budget_workers : o->min_workers),
        .zone = p->budget_zone,
    };
    return SL_OK;
}

int sl_controller_set_up_pool(struct sl_controller_pool *p, const struct sl_pool_options *options,
                              struct sl_error *err) {
    struct sl_error why = SL_ERROR_INIT;
    int rc = SL_OK;

    p->options = options;
    p->policy = sl_pool_policy(options);
    sl_orders_init(&p->annotated);
    rc = sl_pool_orders(options, &p->orders, err);
    if (rc == SL_OK) {
        rc = set_up_alarms(p, err);
    }
    if (rc == SL_OK) {
        rc = set_up_budget(p, err);
    }
    if (rc != SL_OK || options->schedule_count == 0) {
        return rc;
    }
    p->schedules = calloc(options->schedule_count, sizeof *p->schedules);
    if (p->schedules == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < options->schedule_count; i++) {
        p->schedule_count = i + 1;
        if (sl_schedule_load(options->schedules[i], &p->schedules[i], &why) != SL_OK) {
            return sl_fail(err, why.code, "Pool \"%s\": Schedule \"%s\": %s", options->name,
                           options->schedules[i]->name, why.text);
        }
    }
    return SL_OK;
}

void sl_controller_release_pool(struct sl_controller_pool *p) {
    for (size_t i = 0; i < p->schedule_count; i++) {
        sl_schedule_release(&p->schedules[i]);
    }
    free(p->schedules);
    free(p->alarms);
    free(p->alarm_letters);
    sl_timezone_free(p->budget_zone);
}

int64_t sl_controller_conditions(const struct sl_controller *c, struct sl_controller_pool *p,
                                 int64_t now_ms, struct sl_conditions *ret) {
    int64_t realtime_ms = c->settings.realtime_ms();
    int64_t next_ms = INT64_MAX; /* wall clock */
    int64_t until_ms = 0;        /* monotonic */

    *ret = (struct sl_conditions){.cap = SL_NO_CAP, .paused_size = SL_SIZE_UNSET};
    if (p->schedule_count > 0) {
        next_ms = sl_schedules_apply(p->schedules, p->schedule_count, realtime_ms, ret);
    }
    next_ms = sl_time_earlier(next_ms, sl_orders_apply(&p->orders, realtime_ms, ret));
    next_ms = sl_time_earlier(next_ms, sl_orders_apply(&p->annotated, realtime_ms, ret));
    if (has_budget(p)) {
        sl_budget_count(&p->budget, &p->state.budget, sl_controller_size(p), realtime_ms);
        next_ms = sl_time_earlier(next_ms,
                                  sl_budget_apply(&p->budget, &p->state.budget, realtime_ms, ret));
    }
    until_ms = sl_time_earlier(
        sl_alarms_apply(p->alarms, p->options->notification_count, now_ms, ret),
        sl_foreign_apply(&p->others, (enum sl_foreign_rule)p->options->foreign_size, now_ms, ret));
    p->conditions_end_ms = sl_time_earlier(
        next_ms, until_ms != INT64_MAX ? sl_time_add(realtime_ms, sl_time_since(until_ms, now_ms))
                                       : INT64_MAX);
    if (next_ms == INT64_MAX) {
        return until_ms;
    }
    return sl_time_earlier(
        until_ms,
        sl_time_add(now_ms, sl_time_earlier(sl_time_since(next_ms, realtime_ms), look_again_ms)));
}
