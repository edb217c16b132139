/* What survives a restart: everything a decision depends on, whatever the clocks did meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/file.h"
#include "scaler/options.h"
#include "scaler/state_file.h"

static const int64_t realtime_ms = 1700000000000;

static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int64_t below(uint64_t *seed, int64_t limit) {
    return (int64_t)(next_random(seed) % (uint64_t)limit);
}

/* What a line brought. */
struct found {
    size_t states, alarms, foreigns;
    char key[SL_STATE_KEY_BYTES];
    struct sl_scaler_state state;
    char name[64];
    struct sl_alarm alarm;
    struct sl_foreign foreign;
};

static void take_state(void *context, const char *key, const struct sl_scaler_state *state) {
    struct found *found = context;

    found->states++;
    found->state = *state;
    (void)snprintf(found->key, sizeof found->key, "%s", key);
}

static void take_alarm(void *context, const char *key, const char *name,
                       const struct sl_alarm *alarm) {
    struct found *found = context;

    found->alarms++;
    found->alarm = *alarm;
    (void)snprintf(found->key, sizeof found->key, "%s", key);
    (void)snprintf(found->name, sizeof found->name, "%s", name);
}

static void take_foreign(void *context, const char *key, const struct sl_foreign *foreign) {
    struct found *found = context;

    found->foreigns++;
    found->foreign = *foreign;
    (void)snprintf(found->key, sizeof found->key, "%s", key);
}

static int load(const char *line, size_t len, const struct sl_clocks *clocks, struct found *ret,
                struct sl_error *err) {
    struct sl_state_sink sink = {ret, take_state, take_alarm, take_foreign};

    *ret = (struct found){0};
    return sl_state_load(line, len, clocks, &sink, err);
}

/* Saved and read back by another process: its monotonic clock is another one. */
static struct sl_scaler_state restart(const struct sl_scaler_state *state, int64_t now_ms,
                                      int64_t other_now_ms) {
    struct sl_clocks saved = {now_ms, realtime_ms + now_ms};
    struct sl_clocks loaded = {other_now_ms, realtime_ms + now_ms};
    struct sl_error err = SL_ERROR_INIT;
    struct found found;
    struct sl_buffer line;

    sl_buffer_init(&line, SL_STATE_LINE_BYTES);
    sl_state_save(state, "ns/pool", &saved, &line);
    assert_int_equal(sl_buffer_check(&line, "state", &err), SL_OK);
    if (load(line.data, line.len - 1, &loaded, &found, &err) != SL_OK) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(found.key, "ns/pool");
    sl_buffer_release(&line);
    return found.state;
}

static const struct sl_policy policies[] = {
    {.min_workers = 1,
     .max_workers = 50,
     .target_utilization_percent = 100,
     .scale_in_window_ms = 60000},
    {.min_workers = 0,
     .max_workers = 50,
     .target_utilization_percent = 80,
     .scale_in_window_ms = 120000,
     .scale_out_window_ms = 20000,
     .cooldown_ms = 100000,
     .scale_out = {.workers = 2, .period_ms = 30000},
     .scale_in = {.percent = 50, .period_ms = 60000},
     .new_worker_grace_ms = 40000},
};

/* Restarted at every moment, a replay takes the same decisions as without. */
static void test_a_restart_changes_no_decision(void **unused) {
    uint64_t seed = 4711;

    (void)unused;
    for (size_t i = 0; i < 200; i++) {
        const struct sl_policy *p = &policies[i % 2];
        struct sl_scaler_state steady = {0};
        struct sl_scaler_state restarted = {0};
        int64_t now_ms = 1000000;
        int32_t size = 1;

        for (int step = 0; step < 100; step++) {
            struct sl_snapshot s = {.runs_pending = below(&seed, 8),
                                    .workers_busy = below(&seed, 8),
                                    .observed_ms = now_ms,
                                    .interval_ms = 10000};
            struct sl_decision a;
            struct sl_decision b;

            sl_policy_decide(p, NULL, &steady, &s, size, now_ms, &a);
            sl_policy_decide(p, NULL, &restarted, &s, size, now_ms, &b);
            assert_int_equal(a.size, b.size);
            assert_int_equal(a.clamp, b.clamp);
            assert_int_equal(a.next_change_ms, b.next_change_ms);
            restarted = restart(&restarted, now_ms, now_ms);
            size = a.size;
            now_ms += 1000 + below(&seed, 20000);
        }
    }
}

static struct sl_scaler_state busy_state(int64_t now_ms) {
    struct sl_scaler_state state = {0};
    struct sl_snapshot s = {.workers_busy = 4, .observed_ms = now_ms - 70000};
    struct sl_decision d;

    for (; s.observed_ms <= now_ms; s.observed_ms += 10000) {
        sl_policy_decide(&policies[0], NULL, &state, &s, 4, s.observed_ms, &d);
    }
    return state;
}

static int32_t decide_after(struct sl_scaler_state state, int64_t now_ms, struct sl_decision *d) {
    struct sl_snapshot s = {.workers_busy = 1, .observed_ms = now_ms};

    sl_policy_decide(&policies[0], NULL, &state, &s, 4, now_ms, d);
    return d->size;
}

/* Up again within the time in which data is believed: the window goes on where it was. */
static void test_a_short_restart_goes_on(void **unused) {
    struct sl_scaler_state state = restart(&(struct sl_scaler_state){0}, 0, 0);
    struct sl_decision d;

    (void)unused;
    state = busy_state(1000000);
    state = restart(&state, 1000000, 5000); /* the machine has booted */
    assert_int_equal(decide_after(state, 5000 + 20000, &d), 4);
    assert_int_equal(d.clamp, SL_CLAMP_WINDOW);
    assert_int_equal(d.next_change_ms, 5000 + 60000);
}

static void test_a_long_restart_watches_anew(void **unused) {
    struct sl_scaler_state state = busy_state(1000000);
    struct sl_decision d;

    (void)unused;
    state = restart(&state, 1000000, 5000);
    assert_int_equal(decide_after(state, 5000 + 3600000, &d), 4);
    assert_int_equal(d.clamp, SL_CLAMP_WATCHING);
}

/* The wall clock was put back by a day while we were away: windows begin now, none is skipped. */
static void test_a_clock_put_back(void **unused) {
    struct sl_scaler_state state = busy_state(1000000);
    struct sl_clocks saved = {1000000, realtime_ms};
    struct sl_clocks loaded = {5000, realtime_ms - 86400000};
    struct sl_decision d;
    struct found found;
    struct sl_buffer line;

    (void)unused;
    sl_buffer_init(&line, SL_STATE_LINE_BYTES);
    sl_state_save(&state, "k", &saved, &line);
    assert_int_equal(load(line.data, line.len, &loaded, &found, NULL), SL_OK);
    assert_int_equal(decide_after(found.state, 5000, &d), 4);
    assert_int_equal(d.clamp, SL_CLAMP_WATCHING);
    sl_buffer_release(&line);
}

static void test_lines_that_are_none(void **unused) {
    static const char *const lines[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"form\":2,\"pool\":\"a\"}",
        "{\"form\":1}",
        "{\"form\":1,\"pool\":7}",
        "{\"form\":\"1\",\"pool\":\"a\"}",
        "{\"form\":1,\"pool\":\"a\",\"notification\":\"n\"}",
        "{\"form\":1,\"pool\":\"a\",\"notification\":\"n\",\"failure\":1,\"heard\":1}",
        "{\"form\":1,\"pool\":\"a\",\"foreign\":3}",
        "{\"form\":1,\"pool\":\"a\",\"foreign\":-7,\"at\":1,\"first\":1,\"hold\":1,\"count\":1}",
        "{\"form\":1,\"pool\":\"a\",\"foreign\":3,\"at\":1,\"first\":1,\"hold\":-1,\"count\":1}",
    };
    struct sl_clocks clocks = {1000, realtime_ms};

    (void)unused;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct found found;

        assert_int_equal(load(lines[i], strlen(lines[i]), &clocks, &found, NULL), SL_PARSE);
        assert_int_equal(found.states + found.alarms + found.foreigns, 0);
    }
}

/* Absurd content is read as far as it goes and never makes a pool smaller at once. */
static void test_absurd_lines(void **unused) {
    static const char *const lines[] = {
        "{\"form\":1,\"pool\":\"a\"}",
        "{\"form\":1,\"pool\":\"a\",\"highs\":7,\"lows\":{},\"changes\":\"x\"}",
        "{\"form\":1,\"pool\":\"a\",\"highs\":[1,-5,2],\"last_size\":-3}",
        "{\"form\":1,\"pool\":\"a\",\"highs\":[9223372036854775807,9223372036854775807],"
        "\"changes\":[-9223372036854775808,2147483647,2147483647]}",
        "{\"form\":1,\"pool\":\"a\",\"watching_since\":9223372036854775807,\"seen\":0}",
        "{\"form\":1,\"pool\":\"a\",\"arrivals_per_gs\":9223372036854775807,\"arrivals\":1,"
        "\"last_demand\":-9223372036854775808}",
    };
    struct sl_clocks clocks = {1000000, realtime_ms};

    (void)unused;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct found found;
        struct sl_decision d;

        assert_int_equal(load(lines[i], strlen(lines[i]), &clocks, &found, NULL), SL_OK);
        assert_int_equal(decide_after(found.state, 1000000, &d), 4);
    }
}

/* ---- what else holds ---- */

static const struct sl_alarm_options lasting = {.name = (char[]){"broker"},
                                                .failure_min_workers = 4};
static const struct sl_alarm_options ending = {
    .name = (char[]){"load"}, .failure_min_workers = 4, .expires_ms = 600000};

static const struct sl_alarm_options stepping = {.name = (char[]){"s"},
                                                 .warning_add_workers = 3,
                                                 .step_period_ms = 200000,
                                                 .expires_ms = 600000};

/* The floor after a restart that took 100 s. */
static int32_t floor_of_restored(struct sl_alarm *alarm, int64_t now_ms) {
    struct sl_conditions c = {.cap = SL_NO_CAP};

    (void)sl_alarms_apply(alarm, 1, now_ms, &c);
    return c.floor;
}

static struct sl_alarm restored(const struct sl_alarm_options *options, enum sl_severity severity,
                                struct found *found) {
    struct sl_clocks saved = {1000000, realtime_ms};
    struct sl_clocks loaded = {5000000, realtime_ms + 100000};
    struct sl_alarm alarm = {.options = options};
    struct sl_buffer line;

    sl_alarm_hear(&alarm, severity, 2, 1000000);
    sl_buffer_init(&line, SL_STATE_LINE_BYTES);
    sl_state_save_alarm(&alarm, "ns/p", &saved, &line);
    if (line.len == 0) {
        *found = (struct found){0};
    } else {
        assert_int_equal(load(line.data, line.len - 1, &loaded, found, NULL), SL_OK);
    }
    sl_buffer_release(&line);
    found->alarm.options = options;
    return found->alarm;
}

static void test_a_notification_outlives_a_restart(void **unused) {
    struct found found;
    struct sl_alarm alarm = restored(&ending, SL_SEVERITY_FAILURE, &found);

    (void)unused;
    assert_string_equal(found.key, "ns/p");
    assert_string_equal(found.name, "load");
    assert_int_equal(floor_of_restored(&alarm, 5000000), 4);
    assert_int_equal(floor_of_restored(&alarm, 5000000 + 499999), 4); /* Expires 600 */
    assert_int_equal(floor_of_restored(&alarm, 5000000 + 500000), 0);
    (void)restored(&ending, SL_SEVERITY_OKAY, &found);
    assert_int_equal(found.alarms + found.states, 0); /* no line */
}

/* Its OKAY may have come while nobody listened. */
static void test_a_restored_notification_that_never_expires_has_an_hour(void **unused) {
    struct found found;
    struct sl_alarm alarm = restored(&lasting, SL_SEVERITY_FAILURE, &found);
    struct sl_alarm again = alarm;

    (void)unused;
    assert_int_equal(floor_of_restored(&alarm, 5000000 + 3499999), 4);
    assert_int_equal(floor_of_restored(&alarm, 5000000 + 3500000), 0);
    sl_alarm_hear(&again, SL_SEVERITY_FAILURE, 2, 6000000);
    assert_int_equal(floor_of_restored(&again, 600000000), 4);
}

static void test_steps_outlive_a_restart(void **unused) {
    struct found found;
    struct sl_alarm alarm = restored(&stepping, SL_SEVERITY_WARNING, &found);

    (void)unused;
    assert_int_equal(floor_of_restored(&alarm, 5000000), 5);
    sl_alarm_hear(&alarm, SL_SEVERITY_WARNING, 5, 5000000); /* 100 s after the first step */
    assert_int_equal(floor_of_restored(&alarm, 5000000), 5);
    sl_alarm_hear(&alarm, SL_SEVERITY_WARNING, 5, 5100000);
    assert_int_equal(floor_of_restored(&alarm, 5100000), 8);
}

static void test_an_adopted_size_outlives_a_restart(void **unused) {
    struct sl_clocks saved = {1000000, realtime_ms};
    struct sl_clocks loaded = {5000000, realtime_ms + 100000};
    struct sl_conditions c = {.cap = SL_NO_CAP};
    struct sl_foreign foreign = {0};
    struct found found;
    struct sl_buffer line;

    (void)unused;
    sl_buffer_init(&line, SL_STATE_LINE_BYTES);
    sl_state_save_foreign(&foreign, "ns/p", &saved, &line);
    assert_int_equal(line.len, 0);
    (void)sl_foreign_note(&foreign, SL_FOREIGN_ADOPT, 8, 600000, 1000000);
    sl_state_save_foreign(&foreign, "ns/p", &saved, &line);
    assert_int_equal(load(line.data, line.len - 1, &loaded, &found, NULL), SL_OK);
    assert_int_equal(found.foreign.count, 1);
    assert_string_equal(found.foreign.text, foreign.text);
    assert_int_equal(sl_foreign_apply(&found.foreign, SL_FOREIGN_ADOPT, 5000000, &c), 5500000);
    assert_true(c.has_adopted);
    assert_int_equal(c.adopted_size, 8);
    sl_buffer_release(&line);
}

/* ---- the file ---- */

static void test_the_file(void **unused) {
    char directory[] = "/tmp/sl-state-XXXXXX";
    struct sl_clocks clocks = {1000, realtime_ms};
    struct sl_scaler_state state = {0};
    struct sl_error err = SL_ERROR_INIT;
    struct found found = {0};
    struct sl_state_sink sink = {&found, take_state, take_alarm, take_foreign};
    struct sl_buffer lines;
    struct stat st;
    char path[100];
    size_t bad = 7;

    (void)unused;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/new/prod.state", directory);
    assert_int_equal(sl_state_file_load(path, &clocks, &sink, &bad, &err), SL_OK);
    assert_int_equal(found.states + bad, 0); /* not there */

    sl_buffer_init(&lines, 100000);
    sl_state_save(&state, "ns/a", &clocks, &lines);
    sl_buffer_puts(&lines, "garbage\n");
    sl_state_save(&state, "ns/b", &clocks, &lines);
    sl_buffer_puts(&lines, "{\"form\":1,\"po"); /* cut */
    assert_int_equal(sl_file_replace(path, &lines, &err), SL_OK);
    assert_int_equal(sl_file_replace(path, &lines, &err), SL_OK);
    assert_int_equal(sl_state_file_load(path, &clocks, &sink, &bad, &err), SL_OK);
    assert_int_equal(found.states, 2);
    assert_int_equal(bad, 2);
    assert_string_equal(found.key, "ns/b");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_int_equal(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0); /* and nothing beside it */
    assert_int_equal(rmdir(directory), 0);
    sl_buffer_release(&lines);
}

static void test_a_directory_that_cannot_be_made(void **unused) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer lines;

    (void)unused;
    sl_buffer_init(&lines, 100);
    assert_int_equal(sl_file_replace("/proc/nowhere/at/all", &lines, &err), SL_IO);
    assert_non_null(strstr(err.text, "/proc/nowhere/at"));
    sl_buffer_release(&lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_restart_changes_no_decision),
        cmocka_unit_test(test_a_short_restart_goes_on),
        cmocka_unit_test(test_a_long_restart_watches_anew),
        cmocka_unit_test(test_a_clock_put_back),
        cmocka_unit_test(test_lines_that_are_none),
        cmocka_unit_test(test_absurd_lines),
        cmocka_unit_test(test_a_notification_outlives_a_restart),
        cmocka_unit_test(test_a_restored_notification_that_never_expires_has_an_hour),
        cmocka_unit_test(test_steps_outlive_a_restart),
        cmocka_unit_test(test_an_adopted_size_outlives_a_restart),
        cmocka_unit_test(test_the_file),
        cmocka_unit_test(test_a_directory_that_cannot_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
