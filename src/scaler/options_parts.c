/* The blocks inside a pool's: schedules and notifications. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "scaler/options.h"

#define SCHEDULE(member)     offsetof(struct sl_schedule_options, member)
#define NOTIFICATION(member) offsetof(struct sl_alarm_options, member)

static const struct sl_option schedule_options[] = {
    {.name = "Start",
     .type = SL_OPTION_STRING,
     .offset = SCHEDULE(start),
     .flags = SL_OPTION_REQUIRED,
     .example = "0 8 * * mon-fri",
     .help = "When it begins, in cron's syntax: minute, hour, day of the month, month, weekday."},
    {.name = "End",
     .type = SL_OPTION_STRING,
     .offset = SCHEDULE(end),
     .flags = SL_OPTION_REQUIRED,
     .example = "0 18 * * mon-fri",
     .help = "When it ends, likewise."},
    {.name = "TimeZone",
     .type = SL_OPTION_STRING,
     .offset = SCHEDULE(time_zone),
     .fallback = "UTC",
     .example = "Europe/Berlin",
     .help = "The IANA time zone of both."},
    {.name = "MinWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = SCHEDULE(min_workers),
     .fallback = "0",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .example = "3",
     .help = "The pool is not made smaller than this meanwhile."},
    {.name = "MaxWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = SCHEDULE(max_workers),
     .fallback = "-1",
     .min = -1,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help =
         "The pool is not made larger than this meanwhile, even where MinWorkers is more. -1: no "
         "such limit."},
    {.name = NULL},
};

const struct sl_option_block sl_scaler_schedule_block = {
    .name = "Schedule",
    .label = "a name of your choice",
    .example = "office hours",
    .options = schedule_options,
    .help = "A floor, a cap or both, from one time to another. Of several that are in force the "
            "highest floor and the lowest cap count. The block may be repeated.",
};

#define WORKERS(option, member, text)                                                              \
    {                                                                                              \
        .name = option, .type = SL_OPTION_INTEGER, .offset = NOTIFICATION(member),                 \
        .fallback = "0", .min = 0, .max = SL_LIMIT_WORKERS, .unit = "workers", .help = text        \
    }

static const struct sl_option notification_options[] = {
    {.name = "Host",
     .type = SL_OPTION_STRING,
     .offset = NOTIFICATION(host),
     .example = "db1.example",
     .help = "The host the notification is about. Default, here and below: any."},
    {.name = "Plugin",
     .type = SL_OPTION_STRING,
     .offset = NOTIFICATION(plugin),
     .example = "amqp",
     .help = "The plugin whose value has crossed a threshold."},
    {.name = "PluginInstance",
     .type = SL_OPTION_STRING,
     .offset = NOTIFICATION(plugin_instance),
     .example = "builds",
     .help = "Its instance."},
    {.name = "Type",
     .type = SL_OPTION_STRING,
     .offset = NOTIFICATION(type),
     .example = "queue_length",
     .help = "The type of the value."},
    {.name = "TypeInstance",
     .type = SL_OPTION_STRING,
     .offset = NOTIFICATION(type_instance),
     .example = "ready",
     .help = "Its instance."},
    WORKERS("WarningMinWorkers", warning_min_workers,
            "A floor of the pool from a WARNING until OKAY."),
    WORKERS("FailureMinWorkers", failure_min_workers,
            "A floor of the pool from a FAILURE until a WARNING or OKAY."),
    WORKERS("WarningAddWorkers", warning_add_workers,
            "A WARNING makes the pool so much larger than it is, until OKAY; again with each "
            "further WARNING (Persist of the threshold plugin) after StepPeriod."),
    WORKERS("FailureAddWorkers", failure_add_workers, "The same for a FAILURE."),
    {.name = "StepPeriod",
     .type = SL_OPTION_SECONDS,
     .offset = NOTIFICATION(step_period_ms),
     .fallback = "60",
     .min = 1,
     .max = 86400,
     .unit = "s",
     .help = "The shortest time between two steps, in seconds. One that gets worse is a step at "
             "once."},
    {.name = "Expires",
     .type = SL_OPTION_SECONDS,
     .offset = NOTIFICATION(expires_ms),
     .fallback = "3600",
     .min = 0,
     .max = 604800,
     .unit = "s",
     .help = "A FAILURE or WARNING that was not repeated for so long is over, in seconds. 0: only "
             "OKAY ends it."},
    {.name = NULL},
};

const struct sl_option_block sl_scaler_notification_block = {
    .name = "Notification",
    .label = "a name of your choice",
    .example = "broker queue",
    .options = notification_options,
    .help = "Thresholds you already have: a notification of collectd, from its threshold plugin or "
            "any other, raises the floor of the pool while it lasts, or steps it. MaxWorkers and "
            "other caps still hold. The block may be repeated.",
};

static void schedule_free(struct sl_schedule_options *s) {
    if (s == NULL) {
        return;
    }
    sl_option_release(schedule_options, s);
    free(s->name);
    free(s);
}

int sl_pool_options_add_schedule(struct sl_pool_options *pool, const char *name,
                                 struct sl_schedule_options **ret, struct sl_error *err) {
    struct sl_schedule_options **grown =
        realloc(pool->schedules, (pool->schedule_count + 1) * sizeof *grown);
    struct sl_schedule_options *added = NULL;
    int rc = SL_OK;

    if (grown == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory while reading the configuration");
    }
    pool->schedules = grown;
    added = calloc(1, sizeof *added);
    if (added == NULL || (added->name = strdup(name)) == NULL) {
        rc = sl_fail(err, SL_NOMEM, "out of memory while reading the configuration");
    } else {
        rc = sl_option_defaults(schedule_options, added, err);
    }
    if (rc != SL_OK) {
        schedule_free(added);
        return rc;
    }
    pool->schedules[pool->schedule_count++] = added;
    *ret = added;
    return SL_OK;
}

static void notification_free(struct sl_alarm_options *n) {
    if (n == NULL) {
        return;
    }
    sl_option_release(notification_options, n);
    free(n->name);
    free(n);
}

int sl_pool_options_add_notification(struct sl_pool_options *pool, const char *name,
                                     struct sl_alarm_options **ret, struct sl_error *err) {
    struct sl_alarm_options **grown =
        realloc(pool->notifications, (pool->notification_count + 1) * sizeof *grown);
    struct sl_alarm_options *added = NULL;
    int rc = SL_OK;

    if (grown == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory while reading the configuration");
    }
    pool->notifications = grown;
    added = calloc(1, sizeof *added);
    if (added == NULL || (added->name = strdup(name)) == NULL) {
        rc = sl_fail(err, SL_NOMEM, "out of memory while reading the configuration");
    } else {
        rc = sl_option_defaults(notification_options, added, err);
    }
    if (rc != SL_OK) {
        notification_free(added);
        return rc;
    }
    pool->notifications[pool->notification_count++] = added;
    *ret = added;
    return SL_OK;
}

void sl_pool_options_free_parts(struct sl_pool_options *pool) {
    for (size_t i = 0; i < pool->schedule_count; i++) {
        schedule_free(pool->schedules[i]);
    }
    for (size_t i = 0; i < pool->notification_count; i++) {
        notification_free(pool->notifications[i]);
    }
    free(pool->schedules);
    free(pool->notifications);
}
