/* The replay's model, its traces, and what a restart does to decisions: nothing for the worse. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scaler/options.h"
#include "replay/replay.h"
#include "scaler/state.h"

static struct sl_policy defaults(int32_t max_workers) {
    struct sl_pool_options pool = {0};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_policy policy;

    assert_int_equal(sl_option_defaults(sl_scaler_pool_block.options, &pool, &err), SL_OK);
    pool.max_workers = max_workers;
    policy = sl_pool_policy(&pool);
    sl_option_release(sl_scaler_pool_block.options, &pool);
    return policy;
}

static struct sl_trace parse(const char *text) {
    struct sl_trace trace = {0};
    struct sl_error err = SL_ERROR_INIT;

    if (sl_trace_parse(text, strlen(text), &trace, &err) != SL_OK) {
        fail_msg("%s", err.text);
    }
    return trace;
}

/* ---- traces ---- */

static void assert_refused(const char *text, const char *expected) {
    struct sl_trace trace = {0};
    struct sl_error err = SL_ERROR_INIT;

    assert_int_equal(sl_trace_parse(text, strlen(text), &trace, &err), SL_PARSE);
    if (strstr(err.text, expected) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", expected, err.text);
    }
}

static void test_a_trace_is_two_columns_in_order(void **unused) {
    struct sl_trace trace = parse("arrival_s,duration_s\n0,2.5\n3,4\r\n3,0");

    (void)unused;
    assert_int_equal(trace.count, 3);
    assert_int_equal(trace.runs[0].duration_ms, 2500);
    assert_int_equal(trace.runs[1].arrival_ms, 3000);
    sl_trace_release(&trace);
    assert_refused("", "first line");
    assert_refused("time,duration\n0,1\n", "first line");
    assert_refused("arrival_s,duration_s\n", "no runs");
    assert_refused("arrival_s,duration_s\n0,1\nx,1\n", "line 3");
    assert_refused("arrival_s,duration_s\n5,1\n4,1\n", "line 3");
    assert_refused("arrival_s,duration_s\n0,-1\n", "line 2");
    assert_refused("arrival_s,duration_s\n0,nan\n", "line 2");
}

/* ---- the model, by hand ---- */

/* Two runs at once, one worker that is there and one that starts in 5 s; asked at 5 s, 15 s ... */
static void test_a_run_waits_for_the_next_poll_and_for_the_start(void **unused) {
    struct sl_trace trace = parse("arrival_s,duration_s\n0,100\n0,100\n");
    struct sl_policy policy = defaults(10);
    struct sl_contender ours = sl_contender_ours("ours", &policy, 10000);
    struct sl_replay_result r;
    struct sl_error err = SL_ERROR_INIT;

    (void)unused;
    assert_int_equal(sl_replay_run(&trace, &ours, 5000, &r, &err), SL_OK);
    assert_true(fabs(r.mean_wait_s - 5) < 1e-9); /* 0 and 10 */
    assert_true(fabs(r.p95_wait_s - 10) < 1e-9);
    assert_int_equal(sl_replay_bound(&trace, 1, 10, &r, &err), SL_OK);
    assert_true(fabs(r.mean_wait_s) < 1e-9);
    assert_true(fabs(r.worker_hours * 3600 - 200) < 1e-6);
    sl_trace_release(&trace);
}

static void test_the_bound_waits_where_the_maximum_makes_it(void **unused) {
    struct sl_trace trace = parse("arrival_s,duration_s\n0,100\n0,100\n0,100\n");
    struct sl_replay_result r;
    struct sl_error err = SL_ERROR_INIT;

    (void)unused;
    assert_int_equal(sl_replay_bound(&trace, 2, 2, &r, &err), SL_OK);
    assert_true(fabs(r.mean_wait_s - 100.0 / 3) < 1e-9);
    assert_true(fabs(r.worker_hours * 3600 - 400) < 1e-6); /* both, to the end of the third */
    sl_trace_release(&trace);
}

static void test_nobody_beats_the_bound_and_ours_beats_the_tutorial(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sl_trace_made_up_count(); i++) {
        struct sl_policy policy = defaults(100);
        struct sl_contender rivals[] = {
            sl_contender_tutorial(1, 100),
            sl_contender_repaired_chain(1, 100),
            sl_contender_ec2(1, 100),
            sl_contender_ours("ours", &policy, 10000),
        };
        struct sl_replay_result r[4];
        struct sl_replay_result bound;
        struct sl_trace trace;
        struct sl_error err = SL_ERROR_INIT;
        const char *name = NULL;

        assert_int_equal(sl_trace_make_up(i, &trace, &name, &err), SL_OK);
        assert_int_equal(sl_replay_bound(&trace, 1, 100, &bound, &err), SL_OK);
        for (size_t j = 0; j < 4; j++) {
            assert_int_equal(sl_replay_run(&trace, &rivals[j], 5000, &r[j], &err), SL_OK);
            assert_true(r[j].mean_wait_s >= bound.mean_wait_s);
        }
        assert_true(r[3].worker_hours >= bound.worker_hours);
        assert_true(r[3].mean_wait_s * 5 < r[0].mean_wait_s);
        assert_true(r[3].mean_wait_s <= r[1].mean_wait_s);
        assert_true(r[3].worker_hours < r[1].worker_hours);
        sl_trace_release(&trace);
    }
}

static void test_the_table_says_which_goals_are_reached(void **unused) {
    struct sl_replay_row row = {.name = "ours, defaults", .policy = defaults(100)};
    struct sl_replay_settings settings = {
        .min_workers = 1,
        .max_workers = 100,
        .startup_ms = 5000,
        .interval_ms = 10000,
        .ours = &row,
        .our_count = 1,
    };
    struct sl_error err = SL_ERROR_INIT;
    struct sl_trace trace;
    struct sl_buffer table;
    const char *name = NULL;

    (void)unused;
    sl_buffer_init(&table, 100000);
    assert_int_equal(sl_trace_make_up(2, &trace, &name, &err), SL_OK); /* bursts */
    assert_int_equal(sl_replay_table(name, &trace, &settings, &table, &err), SL_OK);
    assert_non_null(strstr(table.data, "tutorial: "));
    assert_non_null(strstr(table.data, "chain repaired: "));
    assert_non_null(strstr(table.data, "EC2 autoscaler: "));
    assert_non_null(strstr(table.data, "lower bound: "));
    assert_non_null(strstr(table.data, "1 2\n"));
    sl_trace_release(&trace);
    sl_buffer_release(&table);
}

/* ---- restarts ---- */

enum { RESTART_TICKS = 3000 };

static struct sl_snapshot snapshot_of(const struct sl_replay_pool *pool, int64_t now_ms) {
    return (struct sl_snapshot){
        .runs_pending = sl_replay_pool_pending(pool),
        .workers_busy = (int64_t)pool->busy,
        .workers = (int64_t)(pool->busy + pool->idle),
        .observed_ms = now_ms,
        .interval_ms = 10000,
    };
}

static void take_state(void *context, const char *key, const struct sl_scaler_state *state) {
    (void)key;
    *(struct sl_scaler_state *)context = *state;
}

/* Out to the file's form and back, through other clocks: those of the next boot. */
static struct sl_scaler_state through_a_file(const struct sl_scaler_state *state, int64_t now_ms) {
    struct sl_clocks before = {.now_ms = now_ms, .realtime_ms = 1700000000000 + now_ms};
    struct sl_scaler_state loaded;
    struct sl_state_sink sink = {.context = &loaded, .put_state = take_state};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer line;

    sl_buffer_init(&line, 2 * SL_STATE_LINE_BYTES);
    sl_state_save(state, "pool", &before, &line);
    assert_int_equal(line.failed, SL_OK);
    assert_true(line.len > 1);
    assert_int_equal(sl_state_load(line.data, line.len - 1, &before, &sink, &err), SL_OK);
    sl_buffer_release(&line);
    return loaded;
}

/* At each moment of a replay: would a scaler that has just been restarted decide otherwise? With
 * its state file never; without it never smaller, and no less where more is needed. */
static void test_a_restart_at_any_moment_changes_no_decision_for_the_worse(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sl_trace_made_up_count(); i++) {
        struct sl_policy policy = defaults(20);
        struct sl_scaler_state state = {0};
        struct sl_replay_pool pool;
        struct sl_trace trace;
        struct sl_error err = SL_ERROR_INIT;
        const char *name = NULL;
        int changes = 0;

        policy.scale_in.workers = 2;
        policy.scale_in.period_ms = 60000;
        policy.spare_rule = SL_SPARE_ARRIVALS;
        policy.spare_quantile_percent = 90;
        policy.startup_ms = 45000;
        assert_int_equal(sl_trace_make_up(i, &trace, &name, &err), SL_OK);
        assert_true(sl_replay_pool_init(&pool, &trace, 45000, 1, 100));
        for (int64_t tick = 0; tick < RESTART_TICKS; tick++) {
            int64_t now_ms = 5000 + tick * 10000;
            struct sl_scaler_state restarted = through_a_file(&state, now_ms);
            struct sl_scaler_state forgotten = {0};
            struct sl_snapshot snapshot;
            struct sl_decision same;
            struct sl_decision with_file;
            struct sl_decision without_file;

            sl_replay_pool_run(&pool, now_ms);
            snapshot = snapshot_of(&pool, now_ms);
            sl_policy_decide(&policy, NULL, &state, &snapshot, pool.size, now_ms, &same);
            sl_policy_decide(&policy, NULL, &restarted, &snapshot, pool.size, now_ms, &with_file);
            sl_policy_decide(&policy, NULL, &forgotten, &snapshot, pool.size, now_ms,
                             &without_file);
            assert_int_equal(with_file.size, same.size);
            assert_int_equal(with_file.clamp, same.clamp);
            assert_int_equal(with_file.next_change_ms, same.next_change_ms);
            assert_true(without_file.size >= pool.size);
            assert_true(without_file.size >= same.demand || without_file.size == 20);
            changes += same.size != pool.size;
            sl_replay_pool_set_size(&pool, same.size);
        }
        assert_true(changes > 20); /* the walk was one */
        sl_replay_pool_release(&pool);
        sl_trace_release(&trace);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trace_is_two_columns_in_order),
        cmocka_unit_test(test_a_run_waits_for_the_next_poll_and_for_the_start),
        cmocka_unit_test(test_the_bound_waits_where_the_maximum_makes_it),
        cmocka_unit_test(test_nobody_beats_the_bound_and_ours_beats_the_tutorial),
        cmocka_unit_test(test_the_table_says_which_goals_are_reached),
        cmocka_unit_test(test_a_restart_at_any_moment_changes_no_decision_for_the_worse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
