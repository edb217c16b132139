/* Days and dates. The C library's functions depend on the process's time zone or are not
 * reentrant. */
#include "base/civil.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0 ? 1 : 0);
}

/* Counts from March, so that the leap day is the last of its year. */
int64_t sl_civil_days(int64_t year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

struct sl_civil sl_civil_of(int64_t local_s) {
    int64_t days = floor_div(local_s, 86400);
    int64_t second = local_s - days * 86400;
    int64_t shifted = days + 719468;
    int64_t era = floor_div(shifted, 146097);
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);

    return (struct sl_civil){
        .year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        .hour = (int)(second / 3600),
        .minute = (int)(second / 60 % 60),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
}

/* ---- RFC 3339 ---- */

static bool read_digits(const char **at, int digits, int *ret) {
    *ret = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        *ret = *ret * 10 + (**at - '0');
    }
    return true;
}

static bool read_mark(const char **at, const char *marks) {
    return **at != '\0' && strchr(marks, *(*at)++) != NULL;
}

static bool read_zone(const char **at, int *ret_minutes) {
    int sign = **at == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;

    *ret_minutes = 0;
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        return true;
    }
    if (!read_mark(at, "+-") || !read_digits(at, 2, &hours) || !read_mark(at, ":") ||
        !read_digits(at, 2, &minutes)) {
        return false;
    }
    *ret_minutes = sign * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

bool sl_parse_rfc3339(const char *text, int64_t *ret_ms) {
    int n[6] = {0, 0, 0, 0, 0, 0};
    int zone_minutes = 0;
    int64_t s = 0;
    bool ok = read_digits(&text, 4, &n[0]) && read_mark(&text, "-") &&
              read_digits(&text, 2, &n[1]) && read_mark(&text, "-") &&
              read_digits(&text, 2, &n[2]) && read_mark(&text, "Tt ") &&
              read_digits(&text, 2, &n[3]) && read_mark(&text, ":") &&
              read_digits(&text, 2, &n[4]) && read_mark(&text, ":") && read_digits(&text, 2, &n[5]);

    if (ok && *text == '.') {
        text += 1 + strspn(text + 1, "0123456789");
    }
    if (!ok || !read_zone(&text, &zone_minutes) || *text != '\0' || n[1] < 1 || n[1] > 12 ||
        n[2] < 1 || n[2] > 31 || n[3] > 23 || n[4] > 59 || n[5] > 60) {
        return false;
    }
    s = sl_civil_days(n[0], n[1], n[2]) * 86400 + n[3] * 3600 + n[4] * 60 + n[5];
    *ret_ms = (s - zone_minutes * 60) * 1000;
    return true;
}

void sl_format_rfc3339(int64_t realtime_us, char *out, size_t size) {
    int64_t s = floor_div(realtime_us, 1000000);
    struct sl_civil c = sl_civil_of(s);

    (void)snprintf(out, size, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%06dZ", c.year, c.month,
                   c.day, c.hour, c.minute, (int)(s - floor_div(s, 60) * 60),
                   (int)(realtime_us - s * 1000000));
}

void sl_format_age(int64_t ms, char out[SL_AGE_BYTES]) {
    static const struct {
        int64_t ms;
        int64_t from; /* as many are needed to be counted in this unit */
        const char *unit;
    } units[] = {{86400000, 2, "days"}, {3600000, 2, "h"}, {60000, 2, "min"}, {1000, 1, "s"}};
    snprintf(out, SL_AGE_BYTES, "0 s");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ms >= units[i].from * units[i].ms) {
            snprintf(out, SL_AGE_BYTES, "%" PRId64 " %s", ms / units[i].ms, units[i].unit);
            return;
        }
    }
}
