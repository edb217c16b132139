/* Floors and steps from notifications. */
#include "scaler/alarm.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/times.h"
#include "scaler/options.h"
#include "scaler/policy.h"

/* Of one that was restored and does not expire by itself. */
static const int64_t restored_ms = 3600000;

/* What is not configured fits everything. */
static bool fits(const char *wanted, const char *text) {
    return wanted == NULL || strcmp(wanted, text) == 0;
}

bool sl_alarm_is_for(const struct sl_alarm_options *options, const struct sl_notification *n) {
    return fits(options->host, n->host) && fits(options->plugin, n->plugin) &&
           fits(options->plugin_instance, n->plugin_instance) && fits(options->type, n->type) &&
           fits(options->type_instance, n->type_instance);
}

static int64_t floor_of(const struct sl_alarm *alarm) {
    return alarm->severity == SL_SEVERITY_FAILURE ? alarm->options->failure_min_workers
                                                  : alarm->options->warning_min_workers;
}

static int64_t step_of(const struct sl_alarm *alarm) {
    return alarm->severity == SL_SEVERITY_FAILURE ? alarm->options->failure_add_workers
                                                  : alarm->options->warning_add_workers;
}

/* A threshold that persists is told at every interval: a step is made again only after a while, in
 * which the one before had time to help. */
static void make_step(struct sl_alarm *alarm, bool is_worse, int32_t size, int64_t now_ms) {
    int64_t raised = (int64_t)(size > 0 ? size : 0) + step_of(alarm);

    if (step_of(alarm) == 0 ||
        (!is_worse && sl_time_since(now_ms, alarm->step_ms) < alarm->options->step_period_ms)) {
        return;
    }
    if (raised > SL_LIMIT_WORKERS) {
        raised = SL_LIMIT_WORKERS;
    }
    alarm->step_ms = now_ms;
    if (raised > alarm->floor) {
        alarm->floor = (int32_t)raised;
    }
}

void sl_alarm_hear(struct sl_alarm *alarm, enum sl_severity severity, int32_t size,
                   int64_t now_ms) {
    bool is_worse = severity > alarm->severity;

    if (severity == SL_SEVERITY_OKAY) {
        *alarm = (struct sl_alarm){.options = alarm->options};
        return;
    }
    alarm->severity = severity;
    alarm->heard_ms = now_ms;
    alarm->is_restored = false;
    make_step(alarm, is_worse, size, now_ms);
}

static int64_t end_of(const struct sl_alarm *alarm) {
    if (alarm->options->expires_ms > 0) {
        return sl_time_add(alarm->heard_ms, alarm->options->expires_ms);
    }
    return alarm->is_restored ? sl_time_add(alarm->heard_ms, restored_ms) : INT64_MAX;
}

static void raise_floor(struct sl_alarm *alarm, struct sl_conditions *c) {
    int32_t floor = (int32_t)floor_of(alarm);

    if (alarm->floor > floor) {
        floor = alarm->floor;
    }
    if (floor > c->floor) {
        (void)snprintf(alarm->text, sizeof alarm->text, "%s of notification \"%.80s\"",
                       alarm->severity == SL_SEVERITY_FAILURE ? "a failure" : "a warning",
                       alarm->options->name);
        c->floor = floor;
        c->is_floor_ordered = true;
        c->floor_text = alarm->text;
    }
}

int64_t sl_alarms_apply(struct sl_alarm *alarms, size_t count, int64_t now_ms,
                        struct sl_conditions *c) {
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < count; i++) {
        struct sl_alarm *alarm = &alarms[i];
        int64_t end_ms = end_of(alarm);

        if (alarm->severity != SL_SEVERITY_OKAY && now_ms >= end_ms) {
            sl_alarm_hear(alarm, SL_SEVERITY_OKAY, 0, now_ms);
        }
        if (alarm->severity != SL_SEVERITY_OKAY) {
            raise_floor(alarm, c);
            next_ms = end_ms < next_ms ? end_ms : next_ms;
        }
    }
    return next_ms;
}
