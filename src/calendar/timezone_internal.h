/* What timezone.c, timezone_rule.c and timezone_file.c share, and nobody else. */
#ifndef SL_CALENDAR_TIMEZONE_INTERNAL_H
#define SL_CALENDAR_TIMEZONE_INTERNAL_H

#include "calendar/timezone.h"

/* One end of daylight saving time: "M3.5.0/2", "J60", "59/1". */
struct sl_zone_date {
    char kind; /* 'M', 'J' or '0' */
    int month; /* M */
    int week;  /* M: 1..5, 5 is the last */
    int day;   /* M: weekday, 0 is Sunday; J: 1..365 without leap days; 0: 0..365 */
    int64_t time_s;
};

struct sl_zone_rule {
    int64_t standard_s; /* local minus UTC */
    int64_t daylight_s;
    bool has_daylight;
    struct sl_zone_date start;
    struct sl_zone_date end;
};

struct sl_zone_change {
    int64_t at_s;
    int64_t offset_s;
};

struct sl_timezone {
    struct sl_zone_change *changes; /* ascending */
    size_t change_count;
    int64_t first_offset_s; /* before the first change */
    struct sl_zone_rule rule;
    bool has_rule; /* for the time after the last change */
};

/* The POSIX TZ text of a zone file's footer (RFC 8536, 3.3). */
bool sl_zone_rule_parse(const char *text, struct sl_zone_rule *ret);
int64_t sl_zone_rule_offset_s(const struct sl_zone_rule *rule, int64_t utc_s);

#endif
