/* The rule for the years behind a zone file's table: "CET-1CEST,M3.5.0,M10.5.0/3". */
#include "calendar/timezone_internal.h"

/* ---- the text ---- */

static bool read_int(const char **at, int max, int *ret) {
    int value = 0;
    int digits = 0;

    while (**at >= '0' && **at <= '9' && digits < 4) {
        value = value * 10 + (**at - '0');
        (*at)++;
        digits++;
    }
    *ret = value;
    return digits > 0 && value <= max;
}

static bool skip_name(const char **at) {
    const char *begin = *at;

    if (**at == '<') {
        while (**at != '>' && **at != '\0') {
            (*at)++;
        }
        if (**at != '>') {
            return false;
        }
        (*at)++;
        return true;
    }
    while ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z')) {
        (*at)++;
    }
    return *at - begin >= 3;
}

/* [+-]hh[:mm[:ss]]; hours up to 167 since version 3. */
static bool read_time(const char **at, int64_t *ret_s) {
    int64_t sign = **at == '-' ? -1 : 1;
    int part[3] = {0, 0, 0};

    if (**at == '-' || **at == '+') {
        (*at)++;
    }
    if (!read_int(at, 167, &part[0])) {
        return false;
    }
    for (int i = 1; i < 3 && **at == ':'; i++) {
        (*at)++;
        if (!read_int(at, 59, &part[i])) {
            return false;
        }
    }
    *ret_s = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    return true;
}

static bool read_month_week_day(const char **at, struct sl_zone_date *ret) {
    bool ok = read_int(at, 12, &ret->month) && ret->month >= 1 && *(*at)++ == '.';

    ok = ok && read_int(at, 5, &ret->week) && ret->week >= 1 && *(*at)++ == '.';
    return ok && read_int(at, 6, &ret->day);
}

static bool read_date(const char **at, struct sl_zone_date *ret) {
    bool ok = *(*at)++ == ',';

    *ret = (struct sl_zone_date){.kind = '0', .time_s = 7200};
    if (!ok) {
        return false;
    }
    if (**at == 'M') {
        ret->kind = 'M';
        (*at)++;
        ok = read_month_week_day(at, ret);
    } else if (**at == 'J') {
        ret->kind = 'J';
        (*at)++;
        ok = read_int(at, 365, &ret->day) && ret->day >= 1;
    } else {
        ok = read_int(at, 365, &ret->day);
    }
    if (ok && **at == '/') {
        (*at)++;
        ok = read_time(at, &ret->time_s);
    }
    return ok;
}

bool sl_zone_rule_parse(const char *text, struct sl_zone_rule *ret) {
    *ret = (struct sl_zone_rule){0};
    if (!skip_name(&text) || !read_time(&text, &ret->standard_s)) {
        return false;
    }
    ret->standard_s = -ret->standard_s; /* POSIX counts westwards */
    if (*text == '\0') {
        return true;
    }
    ret->has_daylight = true;
    ret->daylight_s = ret->standard_s + 3600;
    if (!skip_name(&text)) {
        return false;
    }
    if (*text != ',') {
        if (!read_time(&text, &ret->daylight_s)) {
            return false;
        }
        ret->daylight_s = -ret->daylight_s;
    }
    return read_date(&text, &ret->start) && read_date(&text, &ret->end) && *text == '\0';
}

/* ---- the moment ---- */

static bool is_leap(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t day_of(const struct sl_zone_date *date, int64_t year) {
    int64_t first = 0;
    int64_t day = 0;
    int64_t next_month = 0;

    if (date->kind == 'J') {
        return sl_civil_days(year, 1, 1) + date->day - 1 +
               (is_leap(year) && date->day >= 60 ? 1 : 0);
    }
    if (date->kind == '0') {
        return sl_civil_days(year, 1, 1) + date->day;
    }
    first = sl_civil_days(year, date->month, 1);
    next_month =
        date->month == 12 ? sl_civil_days(year + 1, 1, 1) : sl_civil_days(year, date->month + 1, 1);
    day = first + (date->day - sl_civil_of(first * 86400).weekday + 7) % 7 + 7 * (date->week - 1);
    return day < next_month ? day : day - 7;
}

int64_t sl_zone_rule_offset_s(const struct sl_zone_rule *rule, int64_t utc_s) {
    int64_t year = sl_civil_of(utc_s + rule->standard_s).year;
    int64_t start_s = 0;
    int64_t end_s = 0;
    bool is_daylight = false;

    if (!rule->has_daylight) {
        return rule->standard_s;
    }
    start_s = day_of(&rule->start, year) * 86400 + rule->start.time_s - rule->standard_s;
    end_s = day_of(&rule->end, year) * 86400 + rule->end.time_s - rule->daylight_s;
    is_daylight = start_s < end_s ? utc_s >= start_s && utc_s < end_s /* north */
                                  : utc_s >= start_s || utc_s < end_s;
    return is_daylight ? rule->daylight_s : rule->standard_s;
}
