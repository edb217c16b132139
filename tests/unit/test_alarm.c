/* What bends a pool from outside, without a controller: notifications, sizes that somebody else
 * wrote, budgets, and a WorkerPool that does not follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scaler/alarm.h"
#include "scaler/budget.h"
#include "scaler/foreign.h"
#include "scaler/options.h"
#include "scaler/policy.h"
#include "calendar/timezone.h"
#include "scaler/watchdog.h"

static struct sl_conditions none(void) {
    return (struct sl_conditions){.cap = SL_NO_CAP, .paused_size = SL_SIZE_UNSET};
}

/* ---- notifications ---- */

static const struct sl_alarm_options broker = {
    .name = (char[]){"broker"},
    .plugin = (char[]){"amqp"},
    .type_instance = (char[]){"ready"},
    .warning_min_workers = 2,
    .failure_min_workers = 5,
    .expires_ms = 60000,
};

static const struct sl_alarm_options stepping = {
    .name = (char[]){"load"},
    .warning_add_workers = 1,
    .failure_add_workers = 3,
    .step_period_ms = 60000,
};

static void test_a_notification_is_for_what_its_block_names(void **unused) {
    struct sl_notification n = {SL_SEVERITY_FAILURE, "h",    "amqp", "builds",
                                "queue_length",      "ready"};

    (void)unused;
    assert_true(sl_alarm_is_for(&broker, &n));
    assert_true(sl_alarm_is_for(&stepping, &n)); /* which names nothing */
    n.type_instance = "unacked";
    assert_false(sl_alarm_is_for(&broker, &n));
    n.type_instance = "ready";
    n.plugin = "";
    assert_false(sl_alarm_is_for(&broker, &n));
}

static int32_t floor_at(struct sl_alarm *alarm, int64_t now_ms) {
    struct sl_conditions c = none();

    (void)sl_alarms_apply(alarm, 1, now_ms, &c);
    assert_true(c.floor == 0 || c.is_floor_ordered);
    return c.floor;
}

static void test_a_failure_raises_the_floor_until_it_is_okay(void **unused) {
    struct sl_alarm alarm = {.options = &broker};
    struct sl_conditions c = none();

    (void)unused;
    assert_int_equal(floor_at(&alarm, 0), 0);
    sl_alarm_hear(&alarm, SL_SEVERITY_FAILURE, 1, 1000);
    assert_int_equal(sl_alarms_apply(&alarm, 1, 1000, &c), 61000);
    assert_int_equal(c.floor, 5);
    assert_string_equal(c.floor_text, "a failure of notification \"broker\"");
    sl_alarm_hear(&alarm, SL_SEVERITY_WARNING, 5, 2000);
    assert_int_equal(floor_at(&alarm, 2000), 2);
    sl_alarm_hear(&alarm, SL_SEVERITY_OKAY, 5, 3000);
    assert_int_equal(floor_at(&alarm, 3000), 0);
}

static void test_a_failure_that_is_not_repeated_expires(void **unused) {
    struct sl_alarm alarm = {.options = &broker};

    (void)unused;
    sl_alarm_hear(&alarm, SL_SEVERITY_FAILURE, 1, 1000);
    sl_alarm_hear(&alarm, SL_SEVERITY_FAILURE, 1, 31000);
    assert_int_equal(floor_at(&alarm, 90999), 5);
    assert_int_equal(floor_at(&alarm, 91000), 0);
    assert_int_equal(floor_at(&alarm, 91001), 0);
}

static void test_steps_wait_for_their_period_unless_it_gets_worse(void **unused) {
    struct sl_alarm alarm = {.options = &stepping};

    (void)unused;
    sl_alarm_hear(&alarm, SL_SEVERITY_WARNING, 2, 1000);
    assert_int_equal(floor_at(&alarm, 1000), 3);
    sl_alarm_hear(&alarm, SL_SEVERITY_WARNING, 3, 11000); /* Persist: told at each interval */
    assert_int_equal(floor_at(&alarm, 11000), 3);
    sl_alarm_hear(&alarm, SL_SEVERITY_WARNING, 3, 61000);
    assert_int_equal(floor_at(&alarm, 61000), 4);
    sl_alarm_hear(&alarm, SL_SEVERITY_FAILURE, 4, 62000); /* worse */
    assert_int_equal(floor_at(&alarm, 62000), 7);
    sl_alarm_hear(&alarm, SL_SEVERITY_OKAY, 7, 63000);
    assert_int_equal(floor_at(&alarm, 63000), 0);
    sl_alarm_hear(&alarm, SL_SEVERITY_FAILURE, SL_SIZE_UNSET, 64000);
    assert_int_equal(floor_at(&alarm, 64000), 3);
}

/* ---- sizes of others ---- */

static void test_override_changes_nothing_and_a_fight_is_noticed_once(void **unused) {
    struct sl_foreign f = {0};
    struct sl_conditions c = none();

    (void)unused;
    assert_false(sl_foreign_note(&f, SL_FOREIGN_OVERRIDE, 3, 1000, 0));
    assert_int_equal(sl_foreign_apply(&f, SL_FOREIGN_OVERRIDE, 0, &c), INT64_MAX);
    assert_false(c.has_adopted || c.is_paused);
    assert_false(sl_foreign_note(&f, SL_FOREIGN_OVERRIDE, 3, 1000, 60000));
    assert_true(sl_foreign_note(&f, SL_FOREIGN_OVERRIDE, 3, 1000, 120000));
    assert_false(sl_foreign_note(&f, SL_FOREIGN_OVERRIDE, 3, 1000, 180000));
    assert_false(sl_foreign_note(&f, SL_FOREIGN_OVERRIDE, 3, 1000, 3600000)); /* a new hour */
}

static void test_adopt_holds_for_a_while(void **unused) {
    struct sl_foreign f = {0};
    struct sl_conditions c = none();

    (void)unused;
    (void)sl_foreign_note(&f, SL_FOREIGN_ADOPT, 3, 60000, 1000);
    assert_int_equal(sl_foreign_apply(&f, SL_FOREIGN_ADOPT, 60999, &c), 61000);
    assert_true(c.has_adopted);
    assert_int_equal(c.adopted_size, 3);
    c = none();
    assert_int_equal(sl_foreign_apply(&f, SL_FOREIGN_ADOPT, 61000, &c), INT64_MAX);
    assert_false(c.has_adopted);
}

static void test_back_off_doubles(void **unused) {
    struct sl_foreign f = {0};
    struct sl_conditions c = none();

    (void)unused;
    (void)sl_foreign_note(&f, SL_FOREIGN_BACK_OFF, 3, 60000, 1000);
    assert_int_equal(sl_foreign_apply(&f, SL_FOREIGN_BACK_OFF, 1000, &c), 61000);
    assert_true(c.is_paused);
    assert_int_equal(c.paused_size, SL_SIZE_UNSET);
    (void)sl_foreign_note(&f, SL_FOREIGN_BACK_OFF, 3, 60000, 70000);
    assert_int_equal(f.until_ms, 70000 + 120000);
    for (int i = 0; i < 100; i++) {
        (void)sl_foreign_note(&f, SL_FOREIGN_BACK_OFF, 3, 60000, 80000);
    }
    assert_int_equal(f.until_ms, 80000 + 24 * 3600000);
}

/* ---- budgets ---- */

static const int64_t midnight_ms = 1699920000000; /* 2023-11-14 00:00 UTC */

static void test_a_day_of_worker_minutes_is_counted_and_capped(void **unused) {
    struct sl_budget b = {.day_minutes = 100, .workers = 2};
    struct sl_budget_book book = {0};
    struct sl_conditions c = none();

    (void)unused;
    sl_budget_count(&b, &book, 5, midnight_ms);
    assert_int_equal(sl_budget_apply(&b, &book, midnight_ms, &c), midnight_ms + 20 * 60000);
    assert_int_equal(c.cap, SL_NO_CAP);
    sl_budget_count(&b, &book, 5, midnight_ms + 20 * 60000);
    assert_int_equal(book.day_spent_ms, 100 * 60000);
    assert_int_equal(sl_budget_apply(&b, &book, midnight_ms + 20 * 60000, &c),
                     midnight_ms + 86400000);
    assert_int_equal(c.cap, 2);
    assert_true(c.is_cap_budget);
    assert_string_equal(c.cap_text, "the budget of 100 worker-minutes a day, which is spent");
}

static void test_a_new_day_begins_with_what_lies_after_midnight(void **unused) {
    struct sl_budget b = {.day_minutes = 100, .month_minutes = 5000, .workers = 1};
    struct sl_budget_book book = {0};
    struct sl_conditions c = none();

    (void)unused;
    sl_budget_count(&b, &book, 10, midnight_ms + 86400000 - 30 * 60000);
    sl_budget_count(&b, &book, 10, midnight_ms + 86400000 + 3 * 60000);
    assert_int_equal(book.day_spent_ms, 30 * 60000);
    assert_int_equal(book.month_spent_ms, 330 * 60000);
    (void)sl_budget_apply(&b, &book, midnight_ms + 86400000 + 3 * 60000, &c);
    assert_int_equal(c.cap, SL_NO_CAP);
    sl_budget_count(&b, &book, 0, midnight_ms + 17 * (int64_t)86400000); /* 1 December */
    assert_int_equal(book.month_spent_ms, 0);
}

static void test_a_clock_put_back_counts_nothing(void **unused) {
    struct sl_budget b = {.day_minutes = 100};
    struct sl_budget_book book = {0};

    (void)unused;
    sl_budget_count(&b, &book, 5, midnight_ms + 3600000);
    sl_budget_count(&b, &book, 5, midnight_ms);
    sl_budget_count(&b, &book, 5, midnight_ms + 60000);
    assert_int_equal(book.day_spent_ms, 5 * 60000);
}

static void test_midnight_is_that_of_the_time_zone(void **unused) {
    struct sl_budget b = {.day_minutes = 100};
    struct sl_budget_book book = {0};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_timezone *berlin = NULL;

    (void)unused;
    if (sl_timezone_load("Europe/Berlin", &berlin, &err) != SL_OK) {
        print_message("%s\n", err.text);
        skip();
    }
    b.zone = berlin;
    sl_budget_count(&b, &book, 1, midnight_ms);
    assert_int_equal(book.day_end_ms, midnight_ms + 23 * 3600000);
    assert_int_equal(book.month_end_ms, 1701385200000); /* 2023-11-30 23:00 UTC */
    sl_timezone_free(berlin);
}

/* ---- the watchdog ---- */

static void test_three_asked_for_one_there_for_five_minutes(void **unused) {
    struct sl_watchdog w = {0};
    enum sl_watch news = SL_WATCH_QUIET;
    char text[300];

    (void)unused;
    assert_false(sl_watchdog_look(&w, 3, 1, 300000, 0, &news));
    assert_int_equal(sl_watchdog_due(&w, 300000), 300000);
    assert_false(sl_watchdog_look(&w, 3, 1, 300000, 299999, &news));
    assert_true(sl_watchdog_look(&w, 3, 1, 300000, 300000, &news));
    assert_int_equal(news, SL_WATCH_BEHIND);
    sl_watchdog_describe(&w, 300000, text, sizeof text);
    assert_string_equal(text, "asked for 3 workers, 1 there for 300 s: is there room in the "
                              "cluster, or a quota?");
    assert_false(sl_watchdog_look(&w, 3, 1, 300000, 600000, &news)); /* told once */
    assert_true(sl_watchdog_look(&w, 3, 3, 300000, 610000, &news));
    assert_int_equal(news, SL_WATCH_QUIET);
    assert_int_equal(sl_watchdog_due(&w, 300000), INT64_MAX);
}

static void test_progress_starts_the_clock_again(void **unused) {
    struct sl_watchdog w = {0};
    enum sl_watch news = SL_WATCH_QUIET;

    (void)unused;
    assert_false(sl_watchdog_look(&w, 3, 1, 300000, 0, &news));
    assert_false(sl_watchdog_look(&w, 3, 2, 300000, 200000, &news));
    assert_false(sl_watchdog_look(&w, 4, 2, 300000, 400000, &news)); /* asked for more */
    assert_false(sl_watchdog_look(&w, 4, 2, 300000, 699999, &news));
    assert_true(sl_watchdog_look(&w, 4, 2, 300000, 700000, &news));
}

static void test_what_is_empty_or_unset_has_its_own_words(void **unused) {
    struct sl_watchdog w = {0};
    enum sl_watch news = SL_WATCH_QUIET;
    char text[300];

    (void)unused;
    assert_false(sl_watchdog_look(&w, SL_SIZE_UNSET, 0, 1000, 0, &news));
    assert_true(sl_watchdog_look(&w, SL_SIZE_UNSET, 0, 1000, 1000, &news));
    assert_int_equal(news, SL_WATCH_NEVER_SET);
    assert_false(sl_watchdog_look(&w, 3, 0, 1000, 2000, &news));
    assert_true(sl_watchdog_look(&w, 3, 0, 1000, 3000, &news));
    assert_int_equal(news, SL_WATCH_EMPTY);
    sl_watchdog_describe(&w, 3000, text, sizeof text);
    assert_non_null(strstr(text, "asked for 3 workers, none is there"));
}

static void
test_more_than_asked_for_is_no_alarm_and_neither_is_a_timeout_of_nothing(void **unused) {
    struct sl_watchdog w = {0};
    enum sl_watch news = SL_WATCH_QUIET;

    (void)unused;
    assert_false(sl_watchdog_look(&w, 1, 4, 1000, 0, &news)); /* busy ones end with their runs */
    assert_false(sl_watchdog_look(&w, 1, 4, 1000, 100000, &news));
    assert_false(sl_watchdog_look(&w, 9, 4, 0, 200000, &news));
    assert_false(sl_watchdog_look(&w, 9, 4, 0, 900000, &news));
    assert_int_equal(sl_watchdog_due(&w, 0), INT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_notification_is_for_what_its_block_names),
        cmocka_unit_test(test_a_failure_raises_the_floor_until_it_is_okay),
        cmocka_unit_test(test_a_failure_that_is_not_repeated_expires),
        cmocka_unit_test(test_steps_wait_for_their_period_unless_it_gets_worse),
        cmocka_unit_test(test_override_changes_nothing_and_a_fight_is_noticed_once),
        cmocka_unit_test(test_adopt_holds_for_a_while),
        cmocka_unit_test(test_back_off_doubles),
        cmocka_unit_test(test_a_day_of_worker_minutes_is_counted_and_capped),
        cmocka_unit_test(test_a_new_day_begins_with_what_lies_after_midnight),
        cmocka_unit_test(test_a_clock_put_back_counts_nothing),
        cmocka_unit_test(test_midnight_is_that_of_the_time_zone),
        cmocka_unit_test(test_three_asked_for_one_there_for_five_minutes),
        cmocka_unit_test(test_progress_starts_the_clock_again),
        cmocka_unit_test(test_what_is_empty_or_unset_has_its_own_words),
        cmocka_unit_test(test_more_than_asked_for_is_no_alarm_and_neither_is_a_timeout_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
