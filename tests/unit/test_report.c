/* What is published of a pool: the books, and that their values stand where the catalogue says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scaler/notices.h"
#include "scaler/report.h"

static struct sl_pool_options pool = {.name = (char[]){"builds"}};

/* What was put, flattened to "series{label} value" lookups. */
struct seen {
    struct sl_values_out out;
    size_t lists;
    double values[8][SL_TYPE_DS_MAX];
    const struct sl_metric_type *types[8];
};

static void take(void *context, const struct sl_values *values) {
    struct seen *seen = context;

    assert_non_null(values->type);
    assert_string_equal(values->plugin_instance, "builds");
    assert_string_equal(values->type_instance, "");
    assert_in_range(seen->lists, 0, 7);
    memcpy(seen->values[seen->lists], values->values, values->type->count * sizeof(double));
    seen->types[seen->lists++] = values->type;
}

static double value_of(const struct seen *seen, const char *prometheus, const char *label_value) {
    for (size_t i = 0; i < seen->lists; i++) {
        for (size_t m = 0; m < seen->types[i]->count; m++) {
            const struct sl_metric *metric = &seen->types[i]->metrics[m];

            if (strcmp(metric->prometheus, prometheus) == 0 &&
                (label_value == NULL || strcmp(metric->label_value, label_value) == 0)) {
                return seen->values[i][m];
            }
        }
    }
    fail_msg("there is no %s %s", prometheus, label_value != NULL ? label_value : "");
    return NAN;
}

static void see(const struct sl_pool_report *r, struct seen *seen) {
    *seen = (struct seen){.out = {.put = take, .account = ""}};
    seen->out.context = seen;
    sl_report_values(r, &seen->out);
    assert_int_equal(seen->lists, 6);
}

static void assert_value(const struct seen *seen, const char *name, const char *label,
                         double want) {
    double value = value_of(seen, name, label);

    if (!(fabs(value - want) < 1e-9)) {
        fail_msg("%s %s is %g, not %g", name, label != NULL ? label : "", value, want);
    }
}

static const struct sl_metric_type *type_of(const char *name) {
    const struct sl_metric_type *type = sl_catalogue_find(SL_SCALER_PLUGIN, name);

    assert_non_null(type);
    return type;
}

static void test_rules_and_clamps_stand_in_the_catalogue_in_their_order(void **unused) {
    const struct sl_metric_type *rules = type_of(SL_TYPE_SCALER_DECISIONS);
    const struct sl_metric_type *clamps = type_of(SL_TYPE_SCALER_CLAMP);

    (void)unused;
    assert_int_equal(rules->count, SL_RULE_COUNT);
    for (int i = 0; i < SL_RULE_COUNT; i++) {
        assert_string_equal(rules->metrics[i].label_value, sl_rule_name((enum sl_rule)i));
    }
    assert_int_equal(clamps->count, SL_CLAMP_COUNT - 1);
    for (int i = 1; i < SL_CLAMP_COUNT; i++) {
        assert_string_equal(clamps->metrics[i - 1].label_value, sl_clamp_name((enum sl_clamp)i));
    }
}

static void test_what_is_not_known_is_not_zero(void **unused) {
    struct sl_pool_report r = {.options = &pool};
    struct seen seen;

    (void)unused;
    see(&r, &seen);
    assert_true(isnan(value_of(&seen, "spacelift_scaler_desired_workers", NULL)));
    assert_true(isnan(value_of(&seen, "spacelift_scaler_pool_size", NULL)));
    assert_true(isnan(value_of(&seen, "spacelift_scaler_demand", NULL)));
    assert_true(isnan(value_of(&seen, "spacelift_scaler_startup_seconds", NULL)));
    assert_value(&seen, "spacelift_scaler_scaled_out_total", NULL, 0);
    r.has_decision = true;
    r.decision = (struct sl_decision){.data = SL_DATA_STALE, .size = 3, .rule = SL_RULE_HOLD};
    see(&r, &seen);
    assert_true(isnan(value_of(&seen, "spacelift_scaler_demand", NULL)));
    assert_value(&seen, "spacelift_scaler_desired_workers", NULL, 3);
    assert_value(&seen, "spacelift_scaler_blind", NULL, 1);
}

static void test_a_decision_at_the_maximum_is_counted_in_time(void **unused) {
    struct sl_pool_report r = {
        .options = &pool,
        .has_decision = true,
        .was_ever_read = true,
        .size = 5,
        .actual = 4,
        .is_leader = true,
        .decision =
            {.size = 5, .demand = 9, .unmet = 4, .floor = 1, .cap = 5, .clamp = SL_CLAMP_MAXIMUM},
    };
    struct seen seen;

    (void)unused;
    sl_report_pass(&r, 1000);
    sl_report_pass(&r, 121000);
    sl_report_pass(&r, 120000); /* never back */
    see(&r, &seen);
    assert_value(&seen, "spacelift_scaler_at_cap_seconds_total", NULL, 120);
    assert_value(&seen, "spacelift_scaler_unmet_demand_seconds_total", NULL, 480);
    assert_value(&seen, "spacelift_scaler_worker_minutes_total", NULL, 10);
    assert_value(&seen, "spacelift_scaler_clamped", "maximum", 1);
    assert_value(&seen, "spacelift_scaler_clamped", "window", 0);
    assert_value(&seen, "spacelift_scaler_max_workers", NULL, 5);
    assert_value(&seen, "spacelift_scaler_actual_workers", NULL, 4);
    assert_value(&seen, "spacelift_scaler_leader", NULL, 1);
}

static void test_reactions_are_a_cumulative_histogram(void **unused) {
    struct sl_pool_report r = {.options = &pool};
    struct seen seen;

    (void)unused;
    sl_report_reaction(&r, 4);
    sl_report_reaction(&r, 40);
    sl_report_reaction(&r, 60000);
    see(&r, &seen);
    assert_value(&seen, "spacelift_scaler_reaction_seconds_bucket", "0.01", 1);
    assert_value(&seen, "spacelift_scaler_reaction_seconds_bucket", "0.025", 1);
    assert_value(&seen, "spacelift_scaler_reaction_seconds_bucket", "0.05", 2);
    assert_value(&seen, "spacelift_scaler_reaction_seconds_bucket", "10", 2);
    assert_value(&seen, "spacelift_scaler_reaction_seconds_bucket", "+Inf", 3);
    assert_value(&seen, "spacelift_scaler_reaction_seconds_count", NULL, 3);
    assert_value(&seen, "spacelift_scaler_reaction_seconds_sum", NULL, 60.044);
}

static void test_api_errors_by_code(void **unused) {
    static const struct {
        struct sl_error why;
        const char *code;
    } cases[] = {
        {{.code = SL_AUTH, .http_status = 401}, "401"},
        {{.code = SL_CONFLICT, .http_status = 409}, "409"},
        {{.code = SL_CONFLICT}, "409"},
        {{.code = SL_RATELIMIT, .http_status = 429}, "429"},
        {{.code = SL_REMOTE, .http_status = 503}, "5xx"},
        {{.code = SL_REJECTED, .http_status = 418}, "other"},
        {{.code = SL_TIMEOUT}, "timeout"},
        {{.code = SL_TLS}, "tls"},
        {{.code = SL_IO}, "network"},
        {{.code = SL_PARSE}, "other"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_pool_report r = {.options = &pool};
        struct seen seen;

        sl_report_api_error(&r, &cases[i].why);
        see(&r, &seen);
        assert_value(&seen, "spacelift_scaler_api_errors_total", cases[i].code, 1);
    }
}

static void test_notices_come_in_order_and_the_oldest_goes_when_nobody_takes_them(void **unused) {
    struct sl_notices notices;
    struct sl_notice notice = {.note = SL_NOTE_SCALED_OUT};
    struct sl_error err = SL_ERROR_INIT;

    (void)unused;
    assert_int_equal(sl_notices_init(&notices, &err), SL_OK);
    assert_false(sl_notices_take(&notices, &notice));
    for (int i = 0; i < SL_NOTICES + 3; i++) {
        notice.to = i;
        sl_notices_put(&notices, &notice);
    }
    assert_true(sl_wakeup_is_signalled(&notices.said));
    assert_int_equal(notices.dropped, 3);
    for (int i = 3; i < SL_NOTICES + 3; i++) {
        assert_true(sl_notices_take(&notices, &notice));
        assert_int_equal(notice.to, i);
    }
    assert_false(sl_notices_take(&notices, &notice));
    assert_false(sl_wakeup_is_signalled(&notices.said));
    sl_notices_release(&notices);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_and_clamps_stand_in_the_catalogue_in_their_order),
        cmocka_unit_test(test_what_is_not_known_is_not_zero),
        cmocka_unit_test(test_a_decision_at_the_maximum_is_counted_in_time),
        cmocka_unit_test(test_reactions_are_a_cumulative_histogram),
        cmocka_unit_test(test_api_errors_by_code),
        cmocka_unit_test(test_notices_come_in_order_and_the_oldest_goes_when_nobody_takes_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
