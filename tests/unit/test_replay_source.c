/* Recorded queues, in every form, as runs; and the picture of a replay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/replay.h"
#include "replay/picture.h"
#include "replay/source.h"

static const struct sl_source_settings plain = {.run_time_ms = 300000};

static struct sl_trace parse(const char *text, const struct sl_source_settings *settings,
                             struct sl_source_facts *facts) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_trace t = {0};

    if (sl_source_parse(text, strlen(text), settings, &t, facts, &err) != SL_OK) {
        fail_msg("%s", err.text);
    }
    return t;
}

static void assert_refused(const char *text, enum sl_code code, const char *says) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_source_facts facts;
    struct sl_trace t = {0};

    assert_int_equal(sl_source_parse(text, strlen(text), &plain, &t, &facts, &err), code);
    if (strstr(err.text, says) == NULL) {
        fail_msg("not \"%s\": %s", says, err.text);
    }
}

static void assert_run(const struct sl_trace *t, size_t i, int64_t arrival_ms,
                       int64_t duration_ms) {
    assert_true(i < t->count);
    assert_int_equal(t->runs[i].arrival_ms, arrival_ms);
    assert_int_equal(t->runs[i].duration_ms, duration_ms);
}

/* Two runs come at 10, one worker takes one at 20, the other at 50 when the first has ended, and it
 * ends at 70. */
#define GAUGE "time,pending,busy\n0,0,0\n10,2,0\n20,1,1\n30,1,1\n50,0,1\n70,0,0\n"

static void test_runs_from_a_gauge(void **unused) {
    struct sl_source_facts facts;
    struct sl_trace t = parse(GAUGE, &plain, &facts);

    (void)unused;
    assert_int_equal(facts.form, SL_SOURCE_GAUGE);
    assert_false(facts.is_run_time_assumed);
    assert_int_equal(t.count, 2);
    assert_run(&t, 0, 10000, 30000);
    assert_run(&t, 1, 10000, 20000);
    sl_trace_release(&t);
}

static void test_csv_as_people_have_it(void **unused) {
    static const char *const cases[] = {
        "epoch,runs_pending,workers_busy,workers,workers_drained\r\n1700000000.123,1,0,1,0\r\n"
        "1700000010.123,0,1,1,0\r\n1700000030.123,0,0,1,0\r\n",
        "\n\"timestamp\",\"my \"\"pool\"\", busy\",\"pending\"\n2026-01-01T00:00:00Z,0,1\n"
        "2026-01-01T00:00:10Z,1,0\n2026-01-01T00:00:30Z,0,0\n",
        "timestamp_unix,pending,busy\n1700000000000,1,0\n1700000010000,0,1\n1700000030000,0,0",
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_source_facts facts;
        struct sl_trace t = parse(cases[i], &plain, &facts);

        assert_int_equal(t.count, 1);
        assert_run(&t, 0, 0, 20000);
        sl_trace_release(&t);
    }
}

static void test_queue_alone(void **unused) {
    struct sl_source_facts facts;
    struct sl_trace t = parse("time,pending\n0,0\n10,2\n20,1\n30,3\n", &plain, &facts);

    (void)unused;
    assert_true(facts.is_run_time_assumed);
    assert_int_equal(t.count, 4);
    assert_run(&t, 3, 30000, 300000);
    sl_trace_release(&t);
}

static void test_what_was_never_seen_running(void **unused) {
    struct sl_source_facts facts;
    struct sl_trace t = parse("time,pending,busy\n0,3,0\n10,0,0\n20,0,2\n", &plain, &facts);

    (void)unused;
    assert_int_equal(t.count, 5);
    assert_run(&t, 0, 0, 0);
    assert_run(&t, 4, 20000, 0); /* still running at the end */
    sl_trace_release(&t);
}

#define SERIES(name, pool, values)                                                                 \
    "{\"metric\":{\"__name__\":\"spacelift_worker_pool_" name "\",\"worker_pool_name\":\"" pool    \
    "\"},\"values\":[" values "]}"
#define MATRIX(result)                                                                             \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" result "]}}"

static void test_prometheus(void **unused) {
    struct sl_source_facts facts;
    struct sl_source_settings of_a = {.pool = "a", .run_time_ms = 1};
    struct sl_trace t = parse(
        MATRIX(SERIES(
            "workers_busy", "a",
            "[1700000000,\"0\"],[1700000010.5,\"1\"],"
            "[1700000020,\"NaN\"],[1700000030,\"0\"]") "," SERIES("runs_pending", "b",
                                                                  "[1700000000,\"9\"]") "," SERIES("runs_pending",
                                                                                                   "a",
                                                                                                   "[1700000000,\"1\"],[1700000010.5,\"0\"],"
                                                                                                   "[1700000020,\"7\"],[1700000030,\"0\"]")),
        &of_a, &facts);

    (void)unused;
    assert_int_equal(facts.form, SL_SOURCE_PROMETHEUS);
    assert_int_equal(t.count, 1);
    assert_run(&t, 0, 0, 19500);
    sl_trace_release(&t);
    assert_refused(MATRIX(SERIES("runs_pending", "a", "[1,\"1\"]") "," SERIES("runs_pending", "b",
                                                                              "[1,\"1\"]")),
                   SL_CONFIG, "choose one with --pool");
    assert_refused(MATRIX(""), SL_CONFIG, "query_range");
    assert_refused("{\"data\":", SL_PARSE, "");
}

#define USAGE_HEAD                                                                                 \
    "timestamp_unix,state_duration_minutes,public,run_state,run_type,run_ulid,stack_name,"         \
    "worker_pool_name\n"

static void test_usage_export(void **unused) {
    struct sl_source_facts facts;
    struct sl_trace t = parse(USAGE_HEAD "1700000100,2,false,applying,tracked,01B,\"a, b\",p\n"
                                         "1700000000,1,false,planning,tracked,01B,\"a, b\",p\n"
                                         "1699999940,0.5,false,planning,proposed,01A,x,p\n"
                                         "1700000000,9,true,planning,proposed,01C,x,\n",
                              &plain, &facts);

    (void)unused;
    assert_int_equal(facts.form, SL_SOURCE_USAGE);
    assert_int_equal(t.count, 2);
    assert_run(&t, 0, 0, 30000);
    assert_run(&t, 1, 60000, 180000);
    sl_trace_release(&t);
    /* Other columns, a mark of UTF-8, a public worker without a name, other words for yes. */
    t = parse("\xef\xbb\xbfrun_ulid,worker_pool_name,public,timestamp_unix,is_stack,"
              "state_duration_minutes\r\n"
              "01A,p,f,1700000000,t,1\r\n01B,,f,1700000000,t,1\r\n01C,q,True,1700000000,t,1\r\n",
              &plain, &facts);
    assert_int_equal(t.count, 1);
    assert_run(&t, 0, 0, 60000);
    sl_trace_release(&t);
    assert_refused(USAGE_HEAD "1,1,false,a,b,01A,x,p\n1,1,false,a,b,01B,x,q\n", SL_CONFIG,
                   "choose one with --pool");
    assert_refused(USAGE_HEAD "x,1,false,a,b,01A,x,p\n", SL_PARSE, "line 2");
}

static void test_refused(void **unused) {
    (void)unused;
    assert_refused("", SL_CONFIG, "none of the forms");
    assert_refused("a,b\n1,2\n", SL_CONFIG, "none of the forms");
    assert_refused("id,count,timestamp_unix,worker_pool_name\n", SL_CONFIG, "run-minutes");
    assert_refused("time,pending,busy\n", SL_CONFIG, "no samples");
    assert_refused("time,pending,busy\n0,0,0\n", SL_CONFIG, "nothing ever waited");
    assert_refused("time,pending,busy\n0,0,0\n1,-1,0\n", SL_PARSE, "line 3");
    assert_refused("time,pending,busy\n0,0,0\n1,1\n", SL_PARSE, "line 3");
    assert_refused("when,pending,busy\n0,0,0\n", SL_PARSE, "line 1");
    assert_refused("time,pending,busy\n5,1,0\n1,1,0\n", SL_PARSE, "in order");
    assert_refused("time,pending\n5,1\n1,2\n", SL_PARSE, "in order");
}

static void test_picture(void **unused) {
    struct sl_trace_run runs[] = {{0, 60000}, {0, 60000}, {120000, 60000}};
    struct sl_trace t = {runs, 3};
    struct sl_policy policy = {
        .min_workers = 1, .max_workers = 4, .target_utilization_percent = 100};
    struct sl_contender c = sl_contender_ours("a <b>", &policy, 10000);
    struct sl_replay_panel *panel = calloc(1, sizeof *panel);
    struct sl_replay_result result;
    struct sl_buffer out;

    (void)unused;
    panel->title = c.name;
    panel->figures = "f & g";
    sl_replay_picture_init(&panel->picture, 240000);
    assert_int_equal(sl_replay_draw(&t, &c, 5000, &panel->picture, &result, NULL), SL_OK);
    assert_int_equal(panel->picture.size[75], 2); /* decided at 25 s, of 240 s in 720 columns */
    sl_buffer_init(&out, 1000000);
    sl_replay_print_panels(panel, 1, 60, &sl_colours_none, &out);
    assert_non_null(strstr(out.data, "    2 \xe2\x94\xa4"));
    sl_buffer_reset(&out);
    sl_replay_print_svg("t", panel, 1, &out);
    assert_int_equal(sl_buffer_check(&out, "it", NULL), SL_OK);
    assert_non_null(strstr(out.data, "a &lt;b&gt;"));
    assert_null(strstr(out.data, "f & g"));
    sl_buffer_release(&out);
    free(panel);
}

static int32_t never(struct sl_contender *c, const struct sl_replay_pool *pool, int64_t now_ms) {
    (void)c, (void)pool, (void)now_ms;
    return 0;
}

static void test_a_policy_that_never_serves(void **unused) {
    struct sl_trace_run runs[] = {{0, 60000}};
    struct sl_trace t = {runs, 1};
    struct sl_contender c = {.name = "never", .decide = never, .tick_ms = 10000, .max_workers = 1};
    struct sl_replay_result result;
    struct sl_error err = SL_ERROR_INIT;

    (void)unused;
    assert_int_equal(sl_replay_draw(&t, &c, 0, NULL, &result, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "wait for ever"));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_from_a_gauge),
        cmocka_unit_test(test_csv_as_people_have_it),
        cmocka_unit_test(test_queue_alone),
        cmocka_unit_test(test_what_was_never_seen_running),
        cmocka_unit_test(test_prometheus),
        cmocka_unit_test(test_usage_export),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_picture),
        cmocka_unit_test(test_a_policy_that_never_serves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
