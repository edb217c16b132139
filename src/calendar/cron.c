/* Parses cron's five fields and finds the next time they name. */
#include "calendar/cron.h"

#include <string.h>
#include <strings.h>

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

struct field {
    const char *name;
    int min, max;
    const char *const *words; /* the first stands for min */
};

static const struct field fields[] = {
    {"minute", 0, 59, NULL},           {"hour", 0, 23, NULL},
    {"day of the month", 1, 31, NULL}, {"month", 1, 12, month_names},
    {"weekday", 0, 7, weekday_names},
};

enum { FIELDS = sizeof fields / sizeof fields[0], DAYS_AHEAD = 3660 };

/* ---- the text ---- */

static bool read_number(const char **at, int *ret) {
    int value = 0;
    int digits = 0;

    while (**at >= '0' && **at <= '9' && digits < 3) {
        value = value * 10 + (**at - '0');
        (*at)++;
        digits++;
    }
    *ret = value;
    return digits > 0;
}

static bool read_value(const struct field *f, const char **at, int *ret) {
    for (int i = 0; f->words != NULL && f->words[i] != NULL; i++) {
        if (strncasecmp(*at, f->words[i], 3) == 0) {
            *at += 3;
            *ret = f->min + i;
            return true;
        }
    }
    return read_number(at, ret);
}

/* "*", "5", "1-5", each with "/2" behind it. */
static bool read_range(const struct field *f, const char **at, uint64_t *bits) {
    int first = f->min;
    int last = f->max;
    int step = 1;

    if (**at == '*') {
        (*at)++;
    } else {
        if (!read_value(f, at, &first)) {
            return false;
        }
        last = first;
        if (**at == '-') {
            (*at)++;
            if (!read_value(f, at, &last)) {
                return false;
            }
        } else if (**at == '/') {
            last = f->max;
        }
    }
    if (**at == '/') {
        (*at)++;
        if (!read_number(at, &step) || step == 0) {
            return false;
        }
    }
    if (first < f->min || last > f->max || first > last) {
        return false;
    }
    for (int i = first; i <= last; i += step) {
        *bits |= (uint64_t)1 << i;
    }
    return true;
}

static bool read_field(const struct field *f, const char **at, uint64_t *bits) {
    *bits = 0;
    if (!read_range(f, at, bits)) {
        return false;
    }
    while (**at == ',') {
        (*at)++;
        if (!read_range(f, at, bits)) {
            return false;
        }
    }
    return **at == ' ' || **at == '\t' || **at == '\0';
}

int sl_cron_parse(const char *text, struct sl_cron *ret, struct sl_error *err) {
    uint64_t bits[FIELDS] = {0};
    bool starts_with_star[FIELDS] = {false};
    const char *at = text;

    for (size_t i = 0; i < FIELDS; i++) {
        at += strspn(at, " \t");
        starts_with_star[i] = *at == '*';
        if (!read_field(&fields[i], &at, &bits[i])) {
            return sl_fail(err, SL_CONFIG,
                           "\"%s\" is not a time in cron's syntax: the %s is wrong (minute hour "
                           "day-of-month month weekday, such as \"0 8 * * mon-fri\")",
                           text, fields[i].name);
        }
    }
    at += strspn(at, " \t");
    if (*at != '\0') {
        return sl_fail(err, SL_CONFIG, "\"%s\" has more than the five fields of cron", text);
    }
    *ret = (struct sl_cron){
        .minutes = bits[0],
        .hours = (uint32_t)bits[1],
        .days = (uint32_t)bits[2],
        .months = (uint32_t)bits[3],
        .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
        .is_any_day = starts_with_star[2],
        .is_any_weekday = starts_with_star[4],
    };
    return SL_OK;
}

/* ---- the next time ---- */

static bool is_day(const struct sl_cron *cron, const struct sl_civil *c) {
    bool is_date = (cron->days >> c->day & 1) != 0;
    bool is_weekday = (cron->weekdays >> c->weekday & 1) != 0;

    if ((cron->months >> c->month & 1) == 0) {
        return false;
    }
    return cron->is_any_day || cron->is_any_weekday ? is_date && is_weekday : is_date || is_weekday;
}

/* The first and the last time on one day that are after and not after pivot_s; INT64_MAX and
 * INT64_MIN where there is none. */
struct found {
    int64_t next_s;
    int64_t last_s;
};

static struct found search_day(const struct sl_cron *cron, const struct sl_timezone *tz,
                               int64_t day, int64_t pivot_s) {
    struct found found = {.next_s = INT64_MAX, .last_s = INT64_MIN};
    struct sl_civil c = sl_civil_of(day * 86400);

    for (int minute = 0; is_day(cron, &c) && minute < 1440; minute++) {
        int64_t utc_s = 0;

        if ((cron->hours >> minute / 60 & 1) == 0 || (cron->minutes >> minute % 60 & 1) == 0) {
            continue;
        }
        utc_s = sl_timezone_to_utc_s(tz, day * 86400 + minute * 60);
        if (utc_s > pivot_s) {
            found.next_s = utc_s < found.next_s ? utc_s : found.next_s;
        } else {
            found.last_s = utc_s > found.last_s ? utc_s : found.last_s;
        }
    }
    return found;
}

static int64_t local_day(const struct sl_timezone *tz, int64_t utc_s) {
    struct sl_civil c = sl_civil_of(utc_s + sl_timezone_offset_s(tz, utc_s));

    return sl_civil_days(c.year, c.month, c.day);
}

/* Both begin a day off, because clocks may have been put back or forward over midnight. */
int64_t sl_cron_next_s(const struct sl_cron *cron, const struct sl_timezone *tz, int64_t after_s) {
    int64_t day = local_day(tz, after_s) - 1;
    int64_t next_s = INT64_MAX;

    for (int i = 0; i < DAYS_AHEAD && next_s == INT64_MAX; i++) {
        next_s = search_day(cron, tz, day + i, after_s).next_s;
    }
    return next_s;
}

int64_t sl_cron_last_s(const struct sl_cron *cron, const struct sl_timezone *tz, int64_t now_s) {
    int64_t day = local_day(tz, now_s) + 1;
    int64_t last_s = INT64_MIN;

    for (int i = 0; i < DAYS_AHEAD && last_s == INT64_MIN; i++) {
        last_s = search_day(cron, tz, day - i, now_s).last_s;
    }
    return last_s;
}
