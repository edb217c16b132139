/* Office hours for a pool: from one time in cron's syntax to another there is a floor, a cap, or
 * both. In force when the last of the two that has passed is a start. (KEDA's cron scaler asks
 * which one comes next, pkg/scalers/cron_scaler.go: the same, except where starts follow each other
 * without an end, as with a night that begins every evening and ends on weekdays only.) Pure; one
 * thread at a time. */
#ifndef SL_SCALER_SCHEDULE_H
#define SL_SCALER_SCHEDULE_H

#include "calendar/cron.h"
#include "scaler/policy.h"

enum { SL_SCHEDULE_TEXT_BYTES = 96 };

struct sl_schedule {
    char text[SL_SCHEDULE_TEXT_BYTES]; /* schedule "office hours", cut */
    struct sl_cron start;
    struct sl_cron end;
    struct sl_timezone *zone; /* owned */
    int32_t floor;            /* 0: none */
    int32_t cap;              /* SL_NO_CAP: none */

    bool is_in_force; /* from known_from_s to known_until_s */
    int64_t known_from_s;
    int64_t known_until_s;
};

struct sl_schedule_settings {
    const char *name;
    const char *start;
    const char *end;
    int32_t floor;
    int32_t cap;
};

/* Takes zone, whatever it returns. SL_CONFIG: a time that cannot be read, or both are the same. */
int sl_schedule_init(struct sl_schedule *s, const struct sl_schedule_settings *settings,
                     struct sl_timezone *zone, struct sl_error *err) SL_CHECKED;
void sl_schedule_release(struct sl_schedule *s);

/* One as a pool's options say; reads the file of its time zone, and is no part of the pure half.
 * SL_CONFIG, SL_NOMEM. Release *ret, even if this fails. */
struct sl_schedule_options;
int sl_schedule_load(const struct sl_schedule_options *options, struct sl_schedule *ret,
                     struct sl_error *err) SL_CHECKED;

/* Raises the floor and lowers the cap of c by the schedules that are in force now. Returns the
 * moment (wall clock) of the next change of any of them. */
int64_t sl_schedules_apply(struct sl_schedule *schedules, size_t count, int64_t realtime_ms,
                           struct sl_conditions *c);

#endif
