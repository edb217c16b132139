/* Times in cron's syntax: "30 8 * * mon-fri". Five fields (minute, hour, day of the month, month,
 * weekday), each a list of *, n, a-b, with /step; names of months and weekdays; 7 is Sunday, too.
 * If both days are restricted either one is enough (crontab(5)). Pure. */
#ifndef SL_CALENDAR_CRON_H
#define SL_CALENDAR_CRON_H

#include <stdint.h>

#include "calendar/timezone.h"

struct sl_cron {
    uint64_t minutes; /* one bit each */
    uint32_t hours;
    uint32_t days;     /* bits 1..31 */
    uint32_t months;   /* bits 1..12 */
    uint32_t weekdays; /* bits 0..6 */
    bool is_any_day;
    bool is_any_weekday;
};

/* SL_CONFIG names the field that is wrong. */
int sl_cron_parse(const char *text, struct sl_cron *ret, struct sl_error *err) SL_CHECKED;

/* The first moment after after_s that cron names in the zone; INT64_MAX if there is none within the
 * next ten years ("0 0 30 2 *"). */
int64_t sl_cron_next_s(const struct sl_cron *cron, const struct sl_timezone *tz, int64_t after_s);

/* The last moment up to now_s; INT64_MIN if there is none within ten years. */
int64_t sl_cron_last_s(const struct sl_cron *cron, const struct sl_timezone *tz, int64_t now_s);

#endif
