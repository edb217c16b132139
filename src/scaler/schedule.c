/* Which schedules are in force. The answer is kept until the next boundary, so that decide() a
 * hundred times a second does not search the calendar a hundred times. */
#include "scaler/schedule.h"

#include <stdio.h>
#include <string.h>

int sl_schedule_init(struct sl_schedule *s, const struct sl_schedule_settings *settings,
                     struct sl_timezone *zone, struct sl_error *err) {
    struct sl_error why = SL_ERROR_INIT;

    *s = (struct sl_schedule){
        .zone = zone,
        .floor = settings->floor,
        .cap = settings->cap,
        .known_from_s = INT64_MAX, /* nothing is known yet */
        .known_until_s = INT64_MIN,
    };
    (void)snprintf(s->text, sizeof s->text, "schedule \"%s\"", settings->name);
    if (sl_cron_parse(settings->start, &s->start, &why) != SL_OK) {
        return sl_fail(err, SL_CONFIG, "Start: %s", why.text);
    }
    if (sl_cron_parse(settings->end, &s->end, &why) != SL_OK) {
        return sl_fail(err, SL_CONFIG, "End: %s", why.text);
    }
    if (memcmp(&s->start, &s->end, sizeof s->start) == 0) {
        return sl_fail(err, SL_CONFIG, "Start and End are the same time");
    }
    return SL_OK;
}

void sl_schedule_release(struct sl_schedule *s) {
    sl_timezone_free(s->zone);
    s->zone = NULL;
}

static void look_up(struct sl_schedule *s, int64_t now_s) {
    int64_t started_s = sl_cron_last_s(&s->start, s->zone, now_s);
    int64_t ended_s = sl_cron_last_s(&s->end, s->zone, now_s);

    s->is_in_force = started_s > ended_s;
    s->known_from_s = now_s;
    s->known_until_s = sl_cron_next_s(s->is_in_force ? &s->end : &s->start, s->zone, now_s);
}

int64_t sl_schedules_apply(struct sl_schedule *schedules, size_t count, int64_t realtime_ms,
                           struct sl_conditions *c) {
    int64_t now_s = realtime_ms / 1000;
    int64_t next_s = INT64_MAX / 1000;

    for (size_t i = 0; i < count; i++) {
        struct sl_schedule *s = &schedules[i];

        if (now_s < s->known_from_s || now_s >= s->known_until_s) {
            look_up(s, now_s);
        }
        if (s->known_until_s < next_s) {
            next_s = s->known_until_s;
        }
        if (s->is_in_force && s->floor > c->floor) {
            c->floor = s->floor;
            c->is_floor_ordered = false;
            c->floor_text = s->text;
        }
        if (s->is_in_force && s->cap < c->cap) {
            c->cap = s->cap;
            c->is_cap_budget = false;
            c->cap_text = s->text;
        }
    }
    return next_s * 1000;
}
