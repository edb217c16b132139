/* Times in cron's syntax, in time zones with all their oddities, and the schedules made of them. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "os/file.h"
#include "scaler/schedule.h"

/* "2026-03-29 02:30" on a calendar without a zone, in seconds. */
static int64_t at(const char *text) {
    int n[5] = {0, 0, 0, 0, 0};
    size_t field = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (*c >= '0' && *c <= '9') {
            n[field] = n[field] * 10 + (*c - '0');
        } else {
            field++;
        }
    }
    return sl_civil_days(n[0], n[1], n[2]) * 86400 + n[3] * 3600 + n[4] * 60;
}

static const char *text_of(int64_t s) {
    static char text[40];
    struct sl_civil c = sl_civil_of(s);

    (void)snprintf(text, sizeof text, "%04" PRId64 "-%02d-%02d %02d:%02d", c.year, c.month, c.day,
                   c.hour, c.minute);
    return text;
}

static struct sl_timezone *zone(const char *name) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_timezone *tz = NULL;

    if (sl_timezone_load(name, &tz, &err) != SL_OK) {
        print_message("%s\n", err.text);
        skip();
    }
    return tz;
}

/* ---- the calendar ---- */

static void test_civil_dates_agree_with_the_c_library(void **unused) {
    (void)unused;
    for (int64_t s = -62135596800; s < 253402300799; s += 86400 * 17 + 12345) {
        struct sl_civil c = sl_civil_of(s);
        time_t t = (time_t)s;
        struct tm tm;

        if (t != s)
            continue; /* the C library of a 32 bit machine ends in 2038, ours does not */
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(c.hour, tm.tm_hour);
        assert_int_equal(c.minute, tm.tm_min);
        assert_int_equal(c.weekday, tm.tm_wday);
    }
}

/* ---- zones ---- */

struct zone_case {
    const char *zone;
    const char *utc;
    int64_t offset_s;
};

static void test_offsets(void **unused) {
    static const struct zone_case cases[] = {
        {"UTC", "2026-07-01 00:00", 0},
        {"Europe/Berlin", "2026-01-01 00:00", 3600},
        {"Europe/Berlin", "2026-03-29 00:59", 3600},
        {"Europe/Berlin", "2026-03-29 01:00", 7200},
        {"Europe/Berlin", "2026-10-25 00:59", 7200},
        {"Europe/Berlin", "2026-10-25 01:00", 3600},
        {"Europe/Berlin", "2060-07-01 00:00", 7200}, /* behind the table */
        {"Europe/Berlin", "2060-12-01 00:00", 3600},
        {"Europe/Berlin", "1800-01-01 00:00", 3208}, /* before it */
        {"America/New_York", "2026-07-01 00:00", -14400},
        {"America/New_York", "2090-01-01 00:00", -18000},
        {"Australia/Sydney", "2090-01-01 00:00", 39600},
        {"Australia/Sydney", "2090-07-01 00:00", 36000},
        {"Europe/Dublin", "2090-07-01 00:00", 3600}, /* winter is its daylight saving time */
        {"Europe/Dublin", "2090-01-01 00:00", 0},
        {"Asia/Kolkata", "2090-01-01 00:00", 19800},
        {"Australia/Lord_Howe", "2090-01-01 00:00", 39600}, /* half an hour of it */
        {"Australia/Lord_Howe", "2090-07-01 00:00", 37800},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_timezone *tz = zone(cases[i].zone);
        int64_t offset_s = sl_timezone_offset_s(tz, at(cases[i].utc));

        if (offset_s != cases[i].offset_s) {
            fail_msg("%s at %s: %" PRId64, cases[i].zone, cases[i].utc, offset_s);
        }
        sl_timezone_free(tz);
    }
}

static void test_unknown_zones(void **unused) {
    static const char *const names[] = {"",       "Europe/Atlantis", "../etc/passwd", "/etc/passwd",
                                        "Europe", "Europe/Ber lin",  "tzdata.zi"};

    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_timezone *tz = NULL;

        assert_int_equal(sl_timezone_load(names[i], &tz, &err), SL_CONFIG);
        assert_non_null(strstr(err.text, names[i]));
        assert_null(tz);
    }
}

/* A zone file cut anywhere, and with any one byte wrong, is refused or read, never worse. */
static void test_broken_zone_files(void **unused) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_timezone *tz = NULL;
    struct sl_buffer bytes;

    (void)unused;
    sl_buffer_init(&bytes, 100000);
    if (sl_file_read("/usr/share/zoneinfo/Europe/Berlin", &bytes, &err) != SL_OK) {
        sl_buffer_release(&bytes);
        skip();
    }
    for (size_t len = 0; len < bytes.len; len++) {
        assert_int_equal(sl_timezone_parse(bytes.data, len, &tz, &err), SL_PARSE);
    }
    for (size_t i = 0; i < bytes.len; i++) {
        char was = bytes.data[i];

        bytes.data[i] = (char)(was ^ 0x55);
        if (sl_timezone_parse(bytes.data, bytes.len, &tz, &err) == SL_OK) {
            (void)sl_timezone_offset_s(tz, at("2026-07-01 00:00"));
            sl_timezone_free(tz);
        }
        bytes.data[i] = was;
    }
    sl_buffer_release(&bytes);
}

/* ---- cron ---- */

struct cron_case {
    const char *zone;
    const char *cron;
    const char *after; /* all three in UTC */
    const char *next;
};

static const struct cron_case cron_cases[] = {
    {"UTC", "* * * * *", "2026-01-01 00:00", "2026-01-01 00:01"},
    {"UTC", "0 8 * * *", "2026-01-01 07:59", "2026-01-01 08:00"},
    {"UTC", "0 8 * * *", "2026-01-01 08:00", "2026-01-02 08:00"},
    {"UTC", "0 8 * * mon-fri", "2026-01-02 09:00", "2026-01-05 08:00"},
    {"UTC", "0 8 * * MON,wed", "2026-01-05 09:00", "2026-01-07 08:00"},
    {"UTC", "0 0 * * 7", "2026-01-01 00:00", "2026-01-04 00:00"},
    {"UTC", "0 0 * * 0", "2026-01-01 00:00", "2026-01-04 00:00"},
    {"UTC", "*/20 9-10 * * *", "2026-01-01 09:40", "2026-01-01 10:00"},
    {"UTC", "5/20 * * * *", "2026-01-01 09:06", "2026-01-01 09:25"},
    {"UTC", "10-30/10 * * * *", "2026-01-01 09:21", "2026-01-01 09:30"},
    {"UTC", "0 0 1 jan *", "2026-01-01 00:00", "2027-01-01 00:00"},
    {"UTC", "0 0 29 2 *", "2026-01-01 00:00", "2028-02-29 00:00"},
    {"UTC", "0 0 31 * *", "2026-01-31 00:00", "2026-03-31 00:00"},
    {"UTC", "0 0 13 * fri", "2026-01-03 00:00", "2026-01-09 00:00"}, /* either is enough */
    {"UTC", "0 0 13 * fri", "2026-01-09 00:00", "2026-01-13 00:00"},
    {"UTC", " 0  0 1,15\t*  * ", "2026-01-02 00:00", "2026-01-15 00:00"},
    {"UTC", "59 23 31 12 *", "2026-12-31 23:59", "2027-12-31 23:59"},
    {"Europe/Berlin", "0 8 * * *", "2026-01-01 00:00", "2026-01-01 07:00"},
    {"Europe/Berlin", "0 8 * * *", "2026-07-01 00:00", "2026-07-01 06:00"},
    {"Europe/Berlin", "30 2 * * *", "2026-03-28 12:00", "2026-03-29 01:30"}, /* skipped: 3:30 */
    {"Europe/Berlin", "30 2 * * *", "2026-03-29 01:30", "2026-03-30 00:30"},
    {"Europe/Berlin", "30 2 * * *", "2026-10-24 12:00", "2026-10-25 00:30"}, /* twice: the first */
    {"Europe/Berlin", "30 2 * * *", "2026-10-25 00:30", "2026-10-26 01:30"},
    {"America/New_York", "0 0 * * *", "2026-07-01 00:00", "2026-07-01 04:00"},
    {"Asia/Tokyo", "0 8 * * mon", "2026-01-01 00:00", "2026-01-04 23:00"},
    {"Pacific/Apia", "0 12 * * *", "2011-12-29 00:00", "2011-12-29 22:00"}, /* loses a whole day */
};

static void test_next_times(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof cron_cases / sizeof cron_cases[0]; i++) {
        const struct cron_case *c = &cron_cases[i];
        struct sl_error err = SL_ERROR_INIT;
        struct sl_timezone *tz = zone(c->zone);
        struct sl_cron cron;
        int64_t next_s = 0;

        if (sl_cron_parse(c->cron, &cron, &err) != SL_OK) {
            fail_msg("%s", err.text);
        }
        next_s = sl_cron_next_s(&cron, tz, at(c->after));
        if (next_s != at(c->next)) {
            fail_msg("\"%s\" %s after %s: %s, not %s", c->cron, c->zone, c->after, text_of(next_s),
                     c->next);
        }
        assert_int_equal(sl_cron_last_s(&cron, tz, next_s), next_s);
        assert_true(sl_cron_last_s(&cron, tz, next_s - 1) <= at(c->after));
        sl_timezone_free(tz);
    }
}

static void test_a_time_that_never_comes(void **unused) {
    struct sl_timezone *tz = zone("UTC");
    struct sl_cron cron;

    (void)unused;
    assert_int_equal(sl_cron_parse("0 0 30 2 *", &cron, NULL), SL_OK);
    assert_true(sl_cron_next_s(&cron, tz, at("2026-01-01 00:00")) == INT64_MAX);
    assert_true(sl_cron_last_s(&cron, tz, at("2026-01-01 00:00")) == INT64_MIN);
    sl_timezone_free(tz);
}

static void test_refused_crons(void **unused) {
    static const char *const texts[] = {
        "",           "* * * *",     "* * * * * *",  "60 * * * *",
        "* 24 * * *", "* * 0 * *",   "* * 32 * *",   "* * * 13 *",
        "* * * 0 *",  "* * * * 8",   "5-1 * * * *",  "*/0 * * * *",
        "a * * * *",  "1,, * * * *", "1- * * * *",   "* * * foo *",
        "@daily",     "-1 * * * *",  "1000 * * * *",
    };

    (void)unused;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_cron cron;

        if (sl_cron_parse(texts[i], &cron, &err) != SL_CONFIG) {
            fail_msg("\"%s\" is taken", texts[i]);
        }
    }
}

/* ---- schedules ---- */

static struct sl_schedule schedule(const char *name, const char *start, const char *end,
                                   const char *zone_name, int32_t floor, int32_t cap) {
    struct sl_schedule_settings settings = {name, start, end, floor, cap};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_schedule s;

    if (sl_schedule_init(&s, &settings, zone(zone_name), &err) != SL_OK) {
        fail_msg("%s", err.text);
    }
    return s;
}

struct schedule_case {
    const char *utc;
    int32_t floor;
    int32_t cap;
    const char *next;
};

static void test_office_hours_and_nights(void **unused) {
    static const struct schedule_case cases[] = {
        {"2026-01-05 06:59", 0, 2, "2026-01-05 07:00"}, /* monday, before work, after the night */
        {"2026-01-05 07:00", 3, SL_NO_CAP, "2026-01-05 17:00"},
        {"2026-01-05 16:59", 3, SL_NO_CAP, "2026-01-05 17:00"},
        {"2026-01-05 17:00", 0, SL_NO_CAP, "2026-01-05 21:00"},
        {"2026-01-05 21:00", 0, 2, "2026-01-06 07:00"},
        {"2026-01-09 18:00", 0, SL_NO_CAP, "2026-01-09 21:00"}, /* friday */
        {"2026-01-10 10:00", 0, 2, "2026-01-12 07:00"}, /* saturday: the night ends on monday */
        {"2026-01-12 07:00", 3, SL_NO_CAP, "2026-01-12 17:00"},
    };
    struct sl_schedule schedules[] = {
        schedule("office hours", "0 8 * * mon-fri", "0 18 * * mon-fri", "Europe/Berlin", 3,
                 SL_NO_CAP),
        schedule("night", "0 22 * * *", "0 8 * * mon-fri", "Europe/Berlin", 0, 2),
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_conditions c = {.cap = SL_NO_CAP};
        int64_t next_ms = sl_schedules_apply(schedules, 2, at(cases[i].utc) * 1000, &c);

        if (c.floor != cases[i].floor || c.cap != cases[i].cap ||
            next_ms != at(cases[i].next) * 1000) {
            fail_msg("%s: floor %d, cap %d, next %s", cases[i].utc, (int)c.floor, (int)c.cap,
                     text_of(next_ms / 1000));
        }
        assert_true((c.floor > 0) == (c.floor_text != NULL));
    }
    assert_string_equal(schedules[0].text, "schedule \"office hours\"");
    sl_schedule_release(&schedules[0]);
    sl_schedule_release(&schedules[1]);
}

/* A clock that is put back finds the schedule of that time, not the remembered one. */
static void test_a_clock_that_goes_back(void **unused) {
    struct sl_schedule s = schedule("day", "0 8 * * *", "0 18 * * *", "UTC", 3, SL_NO_CAP);
    struct sl_conditions day = {.cap = SL_NO_CAP};
    struct sl_conditions before = {.cap = SL_NO_CAP};

    (void)unused;
    (void)sl_schedules_apply(&s, 1, at("2026-01-05 10:00") * 1000, &day);
    (void)sl_schedules_apply(&s, 1, at("2026-01-05 07:00") * 1000, &before);
    assert_int_equal(day.floor, 3);
    assert_int_equal(before.floor, 0);
    sl_schedule_release(&s);
}

static void test_refused_schedules(void **unused) {
    static const struct sl_schedule_settings settings[] = {
        {"a", "0 8 * *", "0 18 * * *", 1, SL_NO_CAP},
        {"a", "0 8 * * *", "nonsense", 1, SL_NO_CAP},
        {"a", "0 8 * * *", "0 8 * * *", 1, SL_NO_CAP},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_schedule s;

        assert_int_equal(sl_schedule_init(&s, &settings[i], zone("UTC"), &err), SL_CONFIG);
        sl_schedule_release(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_civil_dates_agree_with_the_c_library),
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_unknown_zones),
        cmocka_unit_test(test_broken_zone_files),
        cmocka_unit_test(test_next_times),
        cmocka_unit_test(test_a_time_that_never_comes),
        cmocka_unit_test(test_refused_crons),
        cmocka_unit_test(test_office_hours_and_nights),
        cmocka_unit_test(test_a_clock_that_goes_back),
        cmocka_unit_test(test_refused_schedules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
