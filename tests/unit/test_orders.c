/* Orders of people: what an annotation means, when it ends, and what it does to a decision. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scaler/orders.h"

static const int64_t now_ms = 1787220000000; /* 2026-08-20T10:00:00Z */

enum { MAX_ANNOTATIONS = 4 };

struct order_case {
    const char *name;
    const char *annotations[MAX_ANNOTATIONS][2];
    bool is_paused;
    int32_t paused_size;
    bool no_in;
    bool no_out;
    int32_t floor;
    bool is_active;
    const char *problem; /* part of it; NULL: none */
};

#define OURS "collectd-spacelift/"
#define KEDA "autoscaling.keda.sh/"

static const struct order_case order_cases[] = {
    {"nothing", {{NULL}}, false, -1, false, false, 0, false, NULL},
    {"somebody else's", {{"app/pause", "true"}}, false, -1, false, false, 0, false, NULL},
    {"pause", {{OURS "pause", "true"}}, true, -1, false, false, 0, false, NULL},
    {"pause all", {{OURS "pause", "all"}}, true, -1, false, false, 0, false, NULL},
    {"pause false", {{OURS "pause", "false"}}, false, -1, false, false, 0, false, NULL},
    {"pause none", {{OURS "pause", "none"}}, false, -1, false, false, 0, false, NULL},
    {"a pause that cannot be read is one",
     {{OURS "pause", "yes pls"}},
     true,
     -1,
     false,
     false,
     0,
     false,
     "pause is \"yes pls\": taken for a pause, it must be true, scale-in, scale-out or false"},
    {"two that cannot be read are both told",
     {{OURS "pause", "ture"}, {OURS "min-workers", "two"}},
     true,
     -1,
     false,
     false,
     0,
     false,
     "or false; annotation collectd-spacelift/min-workers is \"two\": ignored"},
    {"no scale-in", {{OURS "pause", "scale-in"}}, false, -1, true, false, 0, false, NULL},
    {"no scale-out", {{OURS "pause", "Scale-Out"}}, false, -1, false, true, 0, false, NULL},
    {"paused at a size", {{OURS "pause-workers", "3"}}, true, 3, false, false, 0, false, NULL},
    {"paused at nothing", {{OURS "pause-workers", "0"}}, true, 0, false, false, 0, false, NULL},
    {"paused at a size that is none",
     {{OURS "pause-workers", "three"}},
     true,
     -1,
     false,
     false,
     0,
     false,
     "pause-workers is \"three\": paused at the size it has, it must be a number of workers"},
    {"paused at a size that is too large",
     {{OURS "pause-workers", "99999999999"}},
     true,
     -1,
     false,
     false,
     0,
     false,
     "pause-workers"},
    {"a pause that goes on",
     {{OURS "pause", "true"}, {OURS "pause-until", "2026-08-20T10:00:01Z"}},
     true,
     -1,
     false,
     false,
     0,
     false,
     NULL},
    {"a pause that is over",
     {{OURS "pause", "true"}, {OURS "pause-until", "2026-08-20T10:00:00Z"}},
     false,
     -1,
     false,
     false,
     0,
     false,
     NULL},
    {"a pause until no time",
     {{OURS "pause", "true"}, {OURS "pause-until", "tomorrow"}},
     true,
     -1,
     false,
     false,
     0,
     false,
     "pause-until is \"tomorrow\": taken for no end, it must be a time such as"},
    {"a boost", {{OURS "min-workers", "7"}}, false, -1, false, false, 7, false, NULL},
    {"a boost that goes on",
     {{OURS "min-workers-until", "2026-08-20T12:30:00+02:00"}, {OURS "min-workers", "7"}},
     false,
     -1,
     false,
     false,
     7,
     false,
     NULL},
    {"a boost that is over",
     {{OURS "min-workers", "7"}, {OURS "min-workers-until", "2026-08-20 11:59:59+02:00"}},
     false,
     -1,
     false,
     false,
     0,
     false,
     NULL},
    {"a boost that is none",
     {{OURS "min-workers", "-7"}},
     false,
     -1,
     false,
     false,
     0,
     false,
     "min-workers"},
    {"wake up", {{OURS "force-activation", "true"}}, false, -1, false, false, 0, true, NULL},
    {"a word of ours that there is not",
     {{OURS "paws", "true"}},
     false,
     -1,
     false,
     false,
     0,
     false,
     "paws"},
    {"KEDA's pause", {{KEDA "paused", "true"}}, true, -1, false, false, 0, false, NULL},
    {"KEDA's pause, false", {{KEDA "paused", "false"}}, false, -1, false, false, 0, false, NULL},
    {"KEDA's paused replicas win over its paused",
     {{KEDA "paused", "false"}, {KEDA "paused-replicas", "2"}},
     true,
     2,
     false,
     false,
     0,
     false,
     NULL},
    {"KEDA's scale-in", {{KEDA "paused-scale-in", "true"}}, false, -1, true, false, 0, false, NULL},
    {"KEDA's scale-out",
     {{KEDA "paused-scale-out", "true"}},
     false,
     -1,
     false,
     true,
     0,
     false,
     NULL},
    {"KEDA's both are a pause",
     {{KEDA "paused-scale-out", "true"}, {KEDA "paused-scale-in", "true"}},
     true,
     -1,
     false,
     false,
     0,
     false,
     NULL},
    {"KEDA's activation",
     {{KEDA "force-activation", "true"}},
     false,
     -1,
     false,
     false,
     0,
     true,
     NULL},
};

static void test_annotations(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof order_cases / sizeof order_cases[0]; i++) {
        const struct order_case *oc = &order_cases[i];
        struct sl_conditions c = {.cap = SL_NO_CAP, .paused_size = SL_SIZE_UNSET};
        struct sl_orders orders;

        sl_orders_init(&orders);
        for (size_t j = 0; j < MAX_ANNOTATIONS && oc->annotations[j][0] != NULL; j++) {
            sl_orders_add_annotation(&orders, oc->annotations[j][0], oc->annotations[j][1]);
        }
        (void)sl_orders_apply(&orders, now_ms, &c);
        if (c.is_paused != oc->is_paused || c.paused_size != oc->paused_size ||
            c.is_scale_in_forbidden != oc->no_in || c.is_scale_out_forbidden != oc->no_out ||
            c.floor != oc->floor || c.is_forced_active != oc->is_active) {
            fail_msg("%s", oc->name);
        }
        if (oc->problem == NULL ? orders.problem[0] != '\0'
                                : strstr(orders.problem, oc->problem) == NULL) {
            fail_msg("%s: %s", oc->name, orders.problem);
        }
    }
}

static void test_orders_add_up(void **unused) {
    struct sl_conditions c = {.cap = SL_NO_CAP, .paused_size = SL_SIZE_UNSET};
    struct sl_orders by_option;
    struct sl_orders annotated;

    (void)unused;
    sl_orders_init(&by_option);
    sl_orders_init(&annotated);
    by_option.pause = SL_PAUSE_ALL;
    by_option.pause_workers = 3;
    sl_orders_add_annotation(&annotated, KEDA "paused-scale-in", "true");
    (void)sl_orders_apply(&by_option, now_ms, &c);
    (void)sl_orders_apply(&annotated, now_ms, &c);
    assert_true(c.is_paused); /* an annotation does not take back what an option says */
    assert_int_equal(c.paused_size, 3);
    assert_true(c.is_scale_in_forbidden);
    sl_orders_init(&annotated);
    sl_orders_add_annotation(&annotated, OURS "pause-workers", "1");
    (void)sl_orders_apply(&annotated, now_ms, &c);
    assert_int_equal(c.paused_size, 1);
}

static void test_forced_activation_ends_by_itself(void **unused) {
    struct sl_conditions c = {.cap = SL_NO_CAP};
    struct sl_orders orders;

    (void)unused;
    sl_orders_init(&orders);
    sl_orders_add_annotation(&orders, OURS "force-activation", "true");
    sl_orders_add_annotation(&orders, OURS "force-activation-until", "2026-08-20T17:00:00Z");
    assert_true(sl_orders_apply(&orders, now_ms, &c) == now_ms + 7 * 3600000);
    assert_true(c.is_forced_active);
    c.is_forced_active = false;
    assert_true(sl_orders_apply(&orders, now_ms + 7 * 3600000, &c) == INT64_MAX);
    assert_false(c.is_forced_active);
}

static void test_the_next_end(void **unused) {
    struct sl_conditions c = {.cap = SL_NO_CAP};
    struct sl_orders orders;

    (void)unused;
    sl_orders_init(&orders);
    assert_true(sl_orders_apply(&orders, now_ms, &c) == INT64_MAX);
    sl_orders_add_annotation(&orders, OURS "pause", "true");
    sl_orders_add_annotation(&orders, OURS "pause-until", "2026-08-20T18:00:00Z");
    sl_orders_add_annotation(&orders, OURS "min-workers", "2");
    sl_orders_add_annotation(&orders, OURS "min-workers-until", "2026-08-20T17:00:00Z");
    assert_true(sl_orders_apply(&orders, now_ms, &c) == now_ms + 7 * 3600000);
}

static void test_times(void **unused) {
    static const char *const bad[] = {
        "",
        "2026-08-20",
        "2026-08-20T18:00Z",
        "2026-08-20T18:00:00",
        "2026-13-20T18:00:00Z",
        "2026-00-20T18:00:00Z",
        "2026-08-32T18:00:00Z",
        "2026-08-20T24:00:00Z",
        "2026-08-20T18:60:00Z",
        "2026-08-20T18:00:00+0200",
        "2026-08-20T18:00:00+24:00",
        "2026-08-20T18:00:00Zulu",
        "26-08-20T18:00:00Z",
        "2026-08-20T18:00:0",
    };
    int64_t ms = 0;

    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (sl_parse_rfc3339(bad[i], &ms)) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_true(sl_parse_rfc3339("2026-08-20T10:00:00Z", &ms) && ms == now_ms);
    assert_true(sl_parse_rfc3339("2026-08-20t12:00:00.123456+02:00", &ms) && ms == now_ms);
    assert_true(sl_parse_rfc3339("2026-08-19 23:00:00-11:00", &ms) && ms == now_ms);
    assert_true(sl_parse_rfc3339("1970-01-01T00:00:00Z", &ms) && ms == 0);
}

/* ---- what they do to a decision ---- */

static const struct sl_policy policy = {
    .min_workers = 1,
    .max_workers = 5,
    .target_utilization_percent = 100,
};

static struct sl_decision decide(const struct sl_conditions *c, int64_t pending, int64_t busy,
                                 int32_t current) {
    struct sl_scaler_state state = {0};
    struct sl_snapshot s = {.runs_pending = pending, .workers_busy = busy};
    struct sl_decision d;

    sl_policy_decide(&policy, c, &state, &s, current, 0, &d);
    return d;
}

static void assert_reason(const struct sl_decision *d, const char *expected) {
    char text[400];

    (void)sl_decision_describe(&policy, d, 0, text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_orders_in_a_decision(void **unused) {
    struct sl_conditions c = {
        .cap = SL_NO_CAP, .paused_size = SL_SIZE_UNSET, .order_text = "annotation x"};
    struct sl_decision d;

    (void)unused;
    c.is_paused = true;
    d = decide(&c, 8, 1, 2);
    assert_int_equal(d.size, 2);
    assert_reason(&d, "paused by annotation x");
    c.paused_size = 0;
    d = decide(&c, 8, 1, 2);
    assert_int_equal(d.size, 0); /* a person's order is obeyed to the letter */

    c = (struct sl_conditions){
        .cap = SL_NO_CAP, .is_scale_out_forbidden = true, .order_text = "option Pause"};
    d = decide(&c, 8, 1, 2);
    assert_int_equal(d.size, 2);
    assert_reason(&d, "busy 1 + pending 8 = 9, scale-out is forbidden by option Pause");

    c = (struct sl_conditions){.cap = SL_NO_CAP, .is_scale_in_forbidden = true};
    d = decide(&c, 0, 1, 4);
    assert_int_equal(d.size, 4);
    assert_int_equal(d.clamp, SL_CLAMP_NO_IN);

    c = (struct sl_conditions){
        .cap = SL_NO_CAP, .floor = 4, .is_floor_ordered = true, .floor_text = "annotation y"};
    d = decide(&c, 0, 1, 1);
    assert_int_equal(d.size, 4);
    assert_reason(&d, "busy 1 + pending 0 = 1, at least 4 by annotation y");

    c = (struct sl_conditions){.cap = SL_NO_CAP, .floor = 50, .floor_text = "schedule \"day\""};
    d = decide(&c, 0, 1, 1);
    assert_int_equal(d.size, 5); /* never above MaxWorkers */
    assert_int_equal(d.rule, SL_RULE_SCHEDULE);

    c = (struct sl_conditions){.cap = 2, .cap_text = "schedule \"night\""};
    d = decide(&c, 8, 1, 1);
    assert_int_equal(d.size, 2);
    assert_reason(&d,
                  "busy 1 + pending 8 = 9, held at 2 by schedule \"night\" (7 more would be used)");
    d = decide(&c, 0, 3, 5);
    assert_int_equal(d.size, 3); /* above the cap, not below the demand */

    c = (struct sl_conditions){
        .cap = 0, .is_cap_budget = true, .cap_text = "the budget of the day"};
    d = decide(&c, 1, 0, 0);
    assert_int_equal(d.size, 0); /* a cap wins over MinWorkers */
    assert_int_equal(d.clamp, SL_CLAMP_BUDGET);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_annotations),
        cmocka_unit_test(test_orders_add_up),
        cmocka_unit_test(test_forced_activation_ends_by_itself),
        cmocka_unit_test(test_the_next_end),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_orders_in_a_decision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
