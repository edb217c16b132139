/* The option table of a pool: every knob of the policy, what it means and what is right for most.
 * The defaults were chosen by replaying recorded queues (tests/bench/replay); the manual has the
 * figures. */
#include "scaler/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define POOL(member) offsetof(struct sl_pool_options, member)

/* In the order of the enumerations in scaler/policy.h. */
static const char *const demand_choices[] = {"busy+pending", "pending", NULL};
static const char *const spare_choices[] = {"fixed", "square-root", "arrivals", NULL};
static const char *const select_choices[] = {"larger", "smaller", "disabled", NULL};
static const char *const pause_choices[] = {"none", "all", "scale-in", "scale-out", NULL};
static const char *const foreign_choices[] = {"override", "adopt", "back-off", NULL};
static const char *const fallback_choices[] = {"hold",   "static", "current",
                                               "higher", "lower",  NULL};

static const struct sl_option pool_options[] = {
    {.name = "Cluster",
     .type = SL_OPTION_STRING,
     .offset = POOL(cluster),
     .example = "prod",
     .help = "The <Cluster> the pool is in. Needed only where there are several."},
    {.name = "Namespace",
     .type = SL_OPTION_STRING,
     .offset = POOL(kube_namespace),
     .flags = SL_OPTION_EXAMPLE,
     .example = "spacelift-worker-pool-controller-system",
     .help = "The namespace of the WorkerPool resource. Default: that of the kubeconfig's context "
             "or of the pod, else \"default\"."},
    {.name = "WorkerPool",
     .type = SL_OPTION_STRING,
     .offset = POOL(worker_pool),
     .example = "my-worker-pool",
     .help = "The name of the WorkerPool resource, where it is not the pool's name in Spacelift."},
    {.name = "WorkerPoolID",
     .type = SL_OPTION_STRING,
     .offset = POOL(worker_pool_id),
     .example = "01HQZX9K7P2M3N4Q5R6S7T8U9V",
     .help = "The pool's ID in Spacelift. Needed only where two pools have the same name."},
    {.name = "MinWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(min_workers),
     .fallback = "1",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .flags = SL_OPTION_EXAMPLE,
     .example = "1",
     .help = "The pool is never made smaller than this. It is kept without any data, too."},
    {.name = "MaxWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(max_workers),
     .min = 1,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .flags = SL_OPTION_REQUIRED | SL_OPTION_EXAMPLE,
     .example = "5",
     .help = "The pool is never made larger than this. A pool that somebody has made larger is "
             "made smaller again, but never below its busy workers and waiting runs."},
    {.name = "DemandFrom",
     .type = SL_OPTION_CHOICE,
     .offset = POOL(demand_from),
     .fallback = "busy+pending",
     .choices = demand_choices,
     .help = "What a pool is to have workers for: busy workers and waiting runs, or waiting "
             "runs alone, which is what a query of runs_pending in a ScaledObject means. A "
             "pool is never made smaller than both together."},
    {.name = "DriftDetectionWeight",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(drift_detection_weight_percent),
     .fallback = "100",
     .min = 0,
     .max = 100,
     .unit = "percent",
     .help = "How much a waiting drift-detection run counts. 0: it gets no worker of its own and "
             "waits for one that is free. Below 100 the spacelift plugin's Queue values are "
             "needed."},
    {.name = "BlockedWeight",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(blocked_weight_percent),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "percent",
     .help = "How much a run counts that is not ready yet: it waits for a lock, an approval or "
             "another run. Above 0 workers stand ready when it is, and the spacelift plugin's "
             "Queue values are needed."},
    {.name = "RunsPerWorker",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(runs_per_worker),
     .fallback = "1",
     .min = 1,
     .max = 1000,
     .unit = "runs",
     .help = "How many busy workers and waiting runs there may be for each worker. With 2 a "
             "run waits until another one ends, and the pool is half as large."},
    {.name = "TargetUtilization",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(target_utilization_percent),
     .fallback = "100",
     .min = 1,
     .max = 100,
     .unit = "percent",
     .help = "How many of 100 workers shall be busy. 100: one worker for each busy worker and "
             "waiting run. 80: a quarter more, ready for the next runs."},
    {.name = "SpareWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(spare_workers),
     .fallback = "0",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help = "How many workers shall be ready for runs that have not come yet. With SpareRule "
             "square-root: this many times the square root of the demand."},
    {.name = "SpareRule",
     .type = SL_OPTION_CHOICE,
     .offset = POOL(spare_rule),
     .fallback = "fixed",
     .choices = spare_choices,
     .help = "How spare workers are counted: fixed; square-root, for large pools; or arrivals: "
             "as many as runs arrive, in SpareQuantile of 100 cases, while a new worker "
             "starts, by the rate of the last hour. SpareWorkers is not used then."},
    {.name = "SpareQuantile",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(spare_quantile_percent),
     .fallback = "90",
     .min = 1,
     .max = 99,
     .unit = "percent",
     .help = "In how many of 100 cases the spare workers of SpareRule arrivals shall be enough."},
    {.name = "StartupTime",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(startup_ms),
     .fallback = "0",
     .min = 0,
     .max = 3600,
     .unit = "s",
     .help = "How long a new worker takes until it can run something, in seconds. Used by "
             "ScaleInWindow -1 and SpareRule arrivals. 0: as measured, from a change of the size "
             "until so many workers "
             "are registered; 15 s until then."},
    {.name = "IdleWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(idle_workers),
     .fallback = "-1",
     .min = -1,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help = "The size of a pool that sleeps, below MinWorkers. -1: a pool does not sleep, "
             "unless MinWorkers is 0."},
    {.name = "ActivationThreshold",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(activation_threshold),
     .fallback = "0",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "runs",
     .help = "A pool that sleeps wakes up when more runs than this are waiting."},
    {.name = "Cooldown",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(cooldown_ms),
     .fallback = "0",
     .min = 0,
     .max = 86400,
     .unit = "s",
     .help = "How long nothing must have been running or waiting before the pool sleeps, in "
             "seconds. ScaleInWindow runs at the same time."},
    {.name = "ScaleOutWindow",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(scale_out_window_ms),
     .fallback = "0",
     .min = 0,
     .max = 3600,
     .unit = "s",
     .help = "The pool is made no larger than was wanted all through this time, in seconds. "
             "Keeps a short rush from starting workers, and lets runs wait as long."},
    {.name = "ScaleInWindow",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(scale_in_window_ms),
     .fallback = "-1",
     .min = -1,
     .max = 86400,
     .unit = "s",
     .help = "The pool is made no smaller than the largest size that was wanted within this time, "
             "in seconds, and not at all until that time has been watched after a start. -1: five "
             "times the StartupTime (as measured, if that is 0), from 60 to 270 s."},
    {.name = "ScaleOutWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(scale_out.workers),
     .fallback = "0",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help = "At most so many workers are added within ScaleOutPeriod. 0: no such limit."},
    {.name = "ScaleOutPercent",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(scale_out.percent),
     .fallback = "0",
     .min = 0,
     .max = 10000,
     .unit = "percent",
     .help = "At most so many percent of the pool are added within ScaleOutPeriod. 0: no such "
             "limit."},
    {.name = "ScaleOutPeriod",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(scale_out.period_ms),
     .fallback = "60",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .help = "The period of the two limits above, in seconds."},
    {.name = "ScaleOutSelect",
     .type = SL_OPTION_CHOICE,
     .offset = POOL(scale_out.select),
     .fallback = "larger",
     .choices = select_choices,
     .help = "Which of the two limits counts if both are set: the larger or the smaller "
             "change. disabled: the pool is never made larger."},
    {.name = "ScaleInWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(scale_in.workers),
     .fallback = "0",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help = "At most so many workers are taken away within ScaleInPeriod. 0: no such limit."},
    {.name = "ScaleInPercent",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(scale_in.percent),
     .fallback = "0",
     .min = 0,
     .max = 10000,
     .unit = "percent",
     .help = "At most so many percent of the pool are taken away within ScaleInPeriod. 0: no "
             "such limit."},
    {.name = "ScaleInPeriod",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(scale_in.period_ms),
     .fallback = "60",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .help = "The period of the two limits above, in seconds."},
    {.name = "ScaleInSelect",
     .type = SL_OPTION_CHOICE,
     .offset = POOL(scale_in.select),
     .fallback = "larger",
     .choices = select_choices,
     .help = "Which of the two limits counts if both are set: the larger or the smaller "
             "change. disabled: the pool is never made smaller."},
    {.name = "MaxJump",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(max_jump),
     .fallback = "0",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help = "One reading adds or takes away no more workers than this, and more is an alarm: "
             "against a count that is wrong once. Floors are kept whatever it says. 0: no such "
             "limit."},
    {.name = "NewWorkerGrace",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(new_worker_grace_ms),
     .fallback = "0",
     .min = 0,
     .max = 86400,
     .unit = "s",
     .help = "No worker is taken away for this time after the pool has grown, nor after a new "
             "worker has registered, in seconds."},
    {.name = "StaleAfter",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(stale_after_ms),
     .min = 1,
     .max = 86400,
     .unit = "s",
     .example = "60",
     .help = "The pool keeps its size when nothing has been heard from Spacelift for this time, in "
             "seconds. Default: three intervals of the values, and at least 60."},
    {.name = "Fallback",
     .type = SL_OPTION_CHOICE,
     .offset = POOL(fallback),
     .fallback = "hold",
     .choices = fallback_choices,
     .help = "What to do without data from Spacelift: hold or current: keep the size; static: "
             "FallbackWorkers; higher, lower: the higher or the lower of the two. The pool is "
             "never made smaller than the last known demand."},
    {.name = "FallbackWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(fallback_workers),
     .fallback = "0",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help = "The size that Fallback static sets, and that higher and lower compare with."},
    {.name = "FallbackFailures",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(fallback_failures),
     .fallback = "3",
     .min = 0,
     .max = 100000,
     .unit = "failures",
     .help = "The fallback begins after so many intervals without data, and not before "
             "FallbackAfter has passed."},
    {.name = "FallbackAfter",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(fallback_after_ms),
     .fallback = "300",
     .min = 0,
     .max = 86400,
     .unit = "s",
     .help = "The fallback begins after this time without data, in seconds, and not before "
             "FallbackFailures have passed. It ends with the first data."},
    {.name = "Pause",
     .type = SL_OPTION_CHOICE,
     .offset = POOL(pause),
     .fallback = "none",
     .choices = pause_choices,
     .help = "all: the pool keeps its size. scale-in: it is not made smaller. scale-out: it is not "
             "made "
             "larger."},
    {.name = "PauseWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(pause_workers),
     .fallback = "-1",
     .min = -1,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help =
         "With Pause all: the size to set and keep, even below the busy workers. -1: whatever it "
         "is."},
    {.name = "PauseUntil",
     .type = SL_OPTION_STRING,
     .offset = POOL(pause_until),
     .example = "2026-08-20T18:00:00Z",
     .help = "When the pause ends by itself, as in RFC 3339. Default: never."},
    {.name = "BoostWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(boost_workers),
     .fallback = "0",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help = "A floor for a while, until BoostUntil: for a morning with many releases."},
    {.name = "BoostUntil",
     .type = SL_OPTION_STRING,
     .offset = POOL(boost_until),
     .example = "2026-08-20T18:00:00Z",
     .help = "When BoostWorkers ends by itself, as in RFC 3339. Default: never."},
    {.name = "ForceActivation",
     .type = SL_OPTION_BOOLEAN,
     .offset = POOL(is_forced_active),
     .fallback = "false",
     .help = "Keeps the pool awake: it does not sleep (see IdleWorkers)."},
    {.name = "ForceActivationUntil",
     .type = SL_OPTION_STRING,
     .offset = POOL(active_until),
     .example = "2026-08-20T18:00:00Z",
     .help = "When ForceActivation ends by itself, as in RFC 3339. Default: never."},
    {.name = "Shadow",
     .type = SL_OPTION_BOOLEAN,
     .offset = POOL(is_shadow),
     .fallback = "false",
     .help = "Decides, publishes and tells, but never writes: to watch beside another autoscaler. "
             "Decisions follow on each other as if they had been carried out."},
    {.name = "ShadowDryRun",
     .type = SL_OPTION_BOOLEAN,
     .offset = POOL(is_shadow_dry_run),
     .fallback = "false",
     .help = "With Shadow: each change is sent to the API server all the same, as a dry run "
             "(dryRun=All), which proves the rights and what admission webhooks say and changes "
             "nothing."},
    {.name = "BudgetPerDay",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(budget_day_minutes),
     .fallback = "0",
     .min = 0,
     .max = 1000000000,
     .unit = "worker-minutes",
     .help = "How many worker-minutes (poolSize times time, idle or not) the pool may have in a "
             "day. When they are spent it is made no larger than BudgetWorkers until midnight, "
             "and smaller as runs end. 0: no such limit."},
    {.name = "BudgetPerMonth",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(budget_month_minutes),
     .fallback = "0",
     .min = 0,
     .max = 1000000000,
     .unit = "worker-minutes",
     .help = "The same for a calendar month."},
    {.name = "BudgetWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(budget_workers),
     .fallback = "-1",
     .min = -1,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help = "The most workers when a budget is spent. -1: MinWorkers."},
    {.name = "BudgetTimeZone",
     .type = SL_OPTION_STRING,
     .offset = POOL(budget_time_zone),
     .fallback = "UTC",
     .example = "Europe/Berlin",
     .help = "The IANA time zone whose midnight begins a day and a month of the budget."},
    {.name = "ForeignSize",
     .type = SL_OPTION_CHOICE,
     .offset = POOL(foreign_size),
     .fallback = "override",
     .choices = foreign_choices,
     .help = "What to do about a size that somebody else has written (kubectl, GitOps, another "
             "autoscaler). override: decide as always. adopt: it holds in place of MinWorkers "
             "and schedules for ForeignHold; a higher demand still makes the pool larger. "
             "back-off: write nothing for ForeignHold, and twice as long each time it happens "
             "again."},
    {.name = "ForeignHold",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(foreign_hold_ms),
     .fallback = "3600",
     .min = 1,
     .max = 86400,
     .unit = "s",
     .help = "How long adopt and back-off last, in seconds."},
    {.name = "ConvergeTimeout",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(converge_timeout_ms),
     .fallback = "300",
     .min = 0,
     .max = 86400,
     .unit = "s",
     .help = "An alarm when fewer workers exist than were asked for, for so long without "
             "progress, in seconds. 0: never."},
    {.name = NULL},
};

static const struct sl_option_block *const pool_blocks[] = {&sl_scaler_schedule_block,
                                                            &sl_scaler_notification_block, NULL};

const struct sl_option_block sl_scaler_pool_block = {
    .name = "Pool",
    .label = "the pool's name in Spacelift",
    .example = "my-amazing-worker-pool",
    .options = pool_options,
    .blocks = pool_blocks,
    .help = "A worker pool whose size follows its queue. The block may be repeated.",
};

static int read_until(const struct sl_pool_options *pool, const char *option, const char *text,
                      int64_t *ret_ms, struct sl_error *err) {
    if (text != NULL && !sl_parse_rfc3339(text, ret_ms)) {
        return sl_fail(err, SL_CONFIG,
                       "Pool \"%s\": %s \"%s\" is not a time such as 2026-08-20T18:00:00Z",
                       pool->name, option, text);
    }
    return SL_OK;
}

int sl_pool_orders(const struct sl_pool_options *pool, struct sl_orders *ret,
                   struct sl_error *err) {
    struct sl_orders orders;

    sl_orders_init(&orders);
    orders.pause = (enum sl_pause)pool->pause;
    orders.is_forced_active = pool->is_forced_active;
    (void)snprintf(orders.pause_text, sizeof orders.pause_text, "the option Pause");
    if (pool->pause_workers >= 0) {
        orders.pause_workers = (int32_t)pool->pause_workers;
    }
    orders.floor = (int32_t)pool->boost_workers;
    (void)snprintf(orders.floor_text, sizeof orders.floor_text, "the option BoostWorkers");
    if (read_until(pool, "PauseUntil", pool->pause_until, &orders.pause_until_ms, err) != SL_OK ||
        read_until(pool, "ForceActivationUntil", pool->active_until, &orders.active_until_ms,
                   err) != SL_OK ||
        read_until(pool, "BoostUntil", pool->boost_until, &orders.floor_until_ms, err) != SL_OK) {
        return SL_CONFIG;
    }
    *ret = orders;
    return SL_OK;
}

static struct sl_step_limit step_limit(const struct sl_step_options *o) {
    return (struct sl_step_limit){
        .workers = (int32_t)o->workers,
        .percent = (int32_t)o->percent,
        .period_ms = o->period_ms,
        .select = (enum sl_step_select)o->select,
    };
}

struct sl_policy sl_pool_policy(const struct sl_pool_options *pool) {
    return (struct sl_policy){
        .min_workers = (int32_t)pool->min_workers,
        .max_workers = (int32_t)pool->max_workers,
        .demand_rule = (enum sl_demand_rule)pool->demand_from,
        .drift_discount_percent = 100 - (int32_t)pool->drift_detection_weight_percent,
        .blocked_weight_percent = (int32_t)pool->blocked_weight_percent,
        .runs_per_worker = (int32_t)pool->runs_per_worker,
        .target_utilization_percent = (int32_t)pool->target_utilization_percent,
        .spare_rule = (enum sl_spare_rule)pool->spare_rule,
        .spare_workers = (int32_t)pool->spare_workers,
        .spare_quantile_percent = (int32_t)pool->spare_quantile_percent,
        .startup_ms = pool->startup_ms,
        .has_idle_workers = pool->idle_workers >= 0,
        .idle_workers = pool->idle_workers >= 0 ? (int32_t)pool->idle_workers : 0,
        .activation_threshold = (int32_t)pool->activation_threshold,
        .cooldown_ms = pool->cooldown_ms,
        .scale_out_window_ms = pool->scale_out_window_ms,
        .scale_in_window_ms = pool->scale_in_window_ms,
        .scale_out = step_limit(&pool->scale_out),
        .scale_in = step_limit(&pool->scale_in),
        .max_jump = (int32_t)pool->max_jump,
        .new_worker_grace_ms = pool->new_worker_grace_ms,
        .stale_after_ms = pool->stale_after_ms,
        .fallback =
            {
                .mode = (enum sl_fallback_mode)pool->fallback,
                .workers = (int32_t)pool->fallback_workers,
                .failures = (int32_t)pool->fallback_failures,
                .after_ms = pool->fallback_after_ms,
            },
    };
}

void sl_pool_options_free(struct sl_pool_options *pool) {
    if (pool == NULL) {
        return;
    }
    sl_pool_options_free_parts(pool);
    sl_option_release(pool_options, pool);
    free(pool->name);
    free(pool);
}
