/* What a ScaledObject and an HPA become. The objects come as JSON, as from an API server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "migrate/migrate.h"
#include "migrate/internal.h"
#include "scaler/options.h"

static struct sl_migration *migrate(const char *json) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_json *doc = NULL;
    struct sl_migration *m = NULL;

    if (sl_json_parse(json, strlen(json), &doc, &err) != SL_OK ||
        sl_migrate(doc, &m, &err) != SL_OK) {
        fail_msg("%s", err.text);
    }
    sl_json_free(doc);
    return m;
}

static void assert_refused(const char *json, const char *says) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_json *doc = NULL;
    struct sl_migration *m = NULL;

    assert_int_equal(sl_json_parse(json, strlen(json), &doc, &err), SL_OK);
    assert_int_equal(sl_migrate(doc, &m, &err), SL_CONFIG);
    if (strstr(err.text, says) == NULL) {
        fail_msg("not \"%s\": %s", says, err.text);
    }
    sl_json_free(doc);
}

static void assert_setting(const struct sl_migration *m, const char *option, const char *value) {
    for (size_t i = 0; i < m->setting_count; i++) {
        if (strcmp(m->settings[i].option, option) == 0) {
            assert_non_null(value);
            assert_string_equal(m->settings[i].value, value);
            return;
        }
    }
    if (value != NULL) {
        fail_msg("%s is not set", option);
    }
}

static void assert_finding(const struct sl_migration *m, enum sl_finding_kind kind,
                           const char *field, const char *says) {
    for (size_t i = 0; i < m->finding_count; i++) {
        if (m->findings[i].kind == kind && strcmp(m->findings[i].field, field) == 0 &&
            strstr(m->findings[i].text, says) != NULL) {
            return;
        }
    }
    fail_msg("nothing %s about %s", sl_finding_kind_name(kind), field);
}

/* ---- the tutorial ---- */

#define QUERY                                                                                      \
    "max_over_time(spacelift_worker_pool_runs_pending{worker_pool_name="                           \
    "\\\"my-amazing-worker-pool\\\"}[5m])"
#define HEAD                                                                                       \
    "{\"apiVersion\":\"keda.sh/v1alpha1\",\"kind\":\"ScaledObject\",\"metadata\":{\"name\":"       \
    "\"workerpool-autoscaler\",\"namespace\":\"ns\"},\"spec\":{\"scaleTargetRef\":{\"apiVersion\"" \
    ":\"workers.spacelift.io/v1beta1\",\"kind\":\"WorkerPool\",\"name\":"                          \
    "\"my-amazing-worker-pool\"},"
#define TRIGGER(more)                                                                              \
    "\"triggers\":[{\"type\":\"prometheus\",\"metadata\":{\"serverAddress\":"                      \
    "\"http://prom:9090\",\"query\":\"" QUERY "\",\"threshold\":\"1.0\"" more "}}]"
#define TAIL "}}"

static const char tutorial[] =
    HEAD "\"pollingInterval\":30,\"cooldownPeriod\":10,\"initialCooldownPeriod\":0,"
         "\"minReplicaCount\":1,\"maxReplicaCount\":5," TRIGGER(
             ",\"activationThreshold\":\"0\",\"unsafeSsl\":\"true\"") TAIL;

static void test_tutorial(void **unused) {
    struct sl_migration *m = migrate(tutorial);

    (void)unused;
    assert_string_equal(m->source, "ScaledObject ns/workerpool-autoscaler");
    assert_string_equal(m->pool, "my-amazing-worker-pool");
    assert_setting(m, "Namespace", "ns");
    assert_setting(m, "WorkerPool", NULL);
    assert_setting(m, "MinWorkers", "1");
    assert_setting(m, "MaxWorkers", "5");
    assert_setting(m, "DemandFrom", "pending");
    assert_setting(m, "ScaleInWindow", "600");
    assert_setting(m, "ScaleOutPercent", "100");
    assert_setting(m, "ScaleOutWorkers", "3");
    assert_setting(m, "ScaleOutPeriod", "15");
    assert_int_equal(sl_migration_count(m, SL_FINDING_INERT), 5);
    assert_finding(m, SL_FINDING_INERT, "pollingInterval", "HPA asks every 15 s");
    assert_finding(m, SL_FINDING_INERT, "cooldownPeriod", "");
    assert_finding(m, SL_FINDING_INERT, "initialCooldownPeriod", "");
    assert_finding(m, SL_FINDING_INERT, "triggers[0].metadata.activationThreshold", "");
    assert_finding(m, SL_FINDING_INERT, "triggers[0].metadata.unsafeSsl", "http://");
    assert_true(m->counts_pending_only);
    assert_finding(m, SL_FINDING_SURPRISE, "triggers[0].metadata.query", "pending runs only");
    assert_finding(m, SL_FINDING_SURPRISE, "triggers[0].metadata.query", "multiple elements");
    assert_finding(m, SL_FINDING_SURPRISE, "triggers[0].metadata.ignoreNullValues", "counts as 0");
    assert_int_equal(sl_migration_count(m, SL_FINDING_DROPPED), 0);
    free(m);
}

static void test_better_has_no_quirks(void **unused) {
    struct sl_migration *m = migrate(tutorial);
    struct sl_buffer out;

    (void)unused;
    sl_buffer_init(&out, 10000);
    sl_migration_print_pool(m, true, "", &out);
    assert_string_equal(out.data, "  <Pool \"my-amazing-worker-pool\">\n"
                                  "    Namespace \"ns\"\n"
                                  "    MinWorkers 1                    # minReplicaCount\n"
                                  "    MaxWorkers 5                    # maxReplicaCount\n"
                                  "  </Pool>\n");
    sl_buffer_reset(&out);
    sl_migration_print_findings(m, SL_FINDING_INERT, &out);
    for (const char *line = out.data; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_int_equal(line[0], '#');
        assert_true(strcspn(line, "\n") <= 100);
    }
    sl_buffer_release(&out);
    free(m);
}

/* ---- KEDA ---- */

static void test_a_pool_that_sleeps(void **unused) {
    struct sl_migration *m = migrate(HEAD "\"cooldownPeriod\":120,\"pollingInterval\":5," TRIGGER(
        ",\"activationThreshold\":\"2\"") TAIL);

    (void)unused;
    assert_setting(m, "MinWorkers", "1");
    assert_setting(m, "IdleWorkers", "0");
    assert_setting(m, "MaxWorkers", "100");
    assert_setting(m, "Cooldown", "120");
    assert_setting(m, "ActivationThreshold", "2");
    assert_int_equal(sl_migration_count(m, SL_FINDING_INERT), 0);
    assert_finding(m, SL_FINDING_SURPRISE, "cooldownPeriod", "while workers are busy");
    assert_finding(m, SL_FINDING_SURPRISE, "maxReplicas", "10 %");
    free(m);
}

static void test_fallback_behavior_and_annotations(void **unused) {
    struct sl_migration *m = migrate(
        "{\"apiVersion\":\"keda.sh/v1alpha1\",\"kind\":\"ScaledObject\",\"metadata\":{\"name\":"
        "\"a\",\"annotations\":{\"autoscaling.keda.sh/paused-replicas\":\"4\","
        "\"autoscaling.keda.sh/paused-scale-out\":\"false\"}},\"spec\":{\"scaleTargetRef\":"
        "{\"kind\":\"WorkerPool\",\"name\":\"res\"},\"minReplicaCount\":2,\"maxReplicaCount\":8,"
        "\"fallback\":{\"failureThreshold\":3,\"replicas\":6,\"behavior\":"
        "\"currentReplicasIfHigher\"},\"advanced\":{\"horizontalPodAutoscalerConfig\":{"
        "\"behavior\":{\"scaleUp\":{\"stabilizationWindowSeconds\":30,\"policies\":[{\"type\":"
        "\"Pods\",\"value\":2,\"periodSeconds\":60}]},\"scaleDown\":{\"selectPolicy\":\"Disabled\""
        "}}}},\"minReplicas\":3,\"triggers\":[{\"type\":\"cron\",\"metadata\":{\"timezone\":"
        "\"Europe/Warsaw\",\"start\":\"0 8 * * 1-5\",\"end\":\"0 18 * * 1-5\",\"desiredReplicas\":"
        "\"4\"}},{\"type\":\"cpu\",\"metadata\":{\"value\":\"50\"}},{\"type\":\"prometheus\","
        "\"metadata\":{\"serverAddress\":\"https://p\",\"unsafeSsl\":\"true\",\"query\":"
        "\"max(spacelift_worker_pool_runs_pending{worker_pool_id=\\\"01H\\\"} + "
        "spacelift_worker_pool_workers_busy{worker_pool_id=\\\"01H\\\"})\",\"threshold\":\"1.5\","
        "\"ignoreNullValues\":\"false\",\"treshold\":\"1\"}}]}}");

    (void)unused;
    assert_string_equal(m->pool, "res");
    assert_setting(m, "WorkerPoolID", "01H");
    assert_setting(m, "DemandFrom", NULL);
    assert_setting(m, "RunsPerWorker", "2");
    assert_setting(m, "TargetUtilization", "75");
    assert_setting(m, "Pause", "all");
    assert_setting(m, "PauseWorkers", "4");
    assert_setting(m, "Fallback", "higher");
    assert_setting(m, "FallbackWorkers", "6");
    assert_setting(m, "ScaleOutWindow", "30");
    assert_setting(m, "ScaleOutWorkers", "2");
    assert_setting(m, "ScaleOutPeriod", "60");
    assert_setting(m, "ScaleInSelect", "disabled");
    assert_setting(m, "ScaleInWindow", "300");
    assert_int_equal(m->schedule_count, 1);
    assert_int_equal(m->schedules[0].min_workers, 4);
    assert_finding(m, SL_FINDING_INERT, "triggers[1]", "cpu");
    assert_finding(m, SL_FINDING_INERT, "minReplicas", "no such field");
    assert_finding(m, SL_FINDING_INERT, "triggers[2].metadata.treshold", "no such parameter");
    assert_finding(m, SL_FINDING_SURPRISE, "triggers[2].metadata.unsafeSsl", "whoever answers");
    assert_int_equal(sl_migration_count(m, SL_FINDING_INERT), 3);
    assert_false(m->counts_pending_only);
    free(m);
}

/* ---- HPA ---- */

#define HPA(spec)                                                                                  \
    "{\"apiVersion\":\"autoscaling/v2\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":"        \
    "{\"name\":\"h\"},\"spec\":{\"scaleTargetRef\":{\"kind\":\"WorkerPool\",\"name\":\"p\"}," spec \
    "}}"
#define EXTERNAL(target)                                                                           \
    "\"metrics\":[{\"type\":\"External\",\"external\":{\"metric\":{\"name\":"                      \
    "\"spacelift_worker_pool_runs_pending\",\"selector\":{\"matchLabels\":{\"worker_pool_name\":"  \
    "\"Big pool\"}}},\"target\":{" target "}}}]"

static void test_hpa(void **unused) {
    struct sl_migration *m = migrate(
        HPA("\"maxReplicas\":3," EXTERNAL("\"type\":\"AverageValue\",\"averageValue\":\"500m\"")));

    (void)unused;
    assert_string_equal(m->pool, "Big pool");
    assert_setting(m, "WorkerPool", "p");
    assert_setting(m, "MinWorkers", "1");
    assert_setting(m, "MaxWorkers", "3");
    assert_setting(m, "TargetUtilization", "50");
    assert_setting(m, "DemandFrom", "pending");
    assert_setting(m, "ScaleInWindow", "300");
    assert_setting(m, "ScaleOutPercent", NULL); /* four at once is more than there may be */
    free(m);
    m = migrate(HPA("\"maxReplicas\":3," EXTERNAL("\"type\":\"Value\",\"value\":\"1\"")));
    assert_finding(m, SL_FINDING_INERT, "metrics[0]", "type Value");
    assert_finding(m, SL_FINDING_SURPRISE, "metrics", "never changed a size");
    free(m);
}

static void test_refused(void **unused) {
    (void)unused;
    assert_refused("{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\"}",
                   "neither a ScaledObject");
    assert_refused("[]", "neither a ScaledObject");
    assert_refused("{\"apiVersion\":\"keda.sh/v1alpha1\",\"kind\":\"ScaledObject\",\"metadata\":"
                   "{\"name\":\"x\"},\"spec\":{\"scaleTargetRef\":{\"name\":\"web\"}}}",
                   "scales a Deployment");
    assert_refused(HEAD "\"triggers\":[]" TAIL, "has no triggers");
    assert_refused(HEAD "\"minReplicaCount\":7,\"maxReplicaCount\":5," TRIGGER("") TAIL,
                   "MinWorkers");
    assert_refused(HEAD "\"maxReplicaCount\":-3," TRIGGER("") TAIL, "MaxWorkers");
    assert_refused(HPA("\"maxReplicas\":null"), "no maxReplicas");
}

static void test_what_a_cluster_lists(void **unused) {
    static const struct {
        const char *json;
        bool is_ours;
    } cases[] = {
        {"{\"spec\":{\"scaleTargetRef\":{\"kind\":\"WorkerPool\",\"name\":\"p\"},"
         "\"maxReplicas\":3}}",
         true},
        {"{\"spec\":{\"scaleTargetRef\":{\"kind\":\"WorkerPool\",\"name\":\"p\"},"
         "\"triggers\":[]}}",
         true},
        {"{\"spec\":{\"scaleTargetRef\":{\"name\":\"p\"},\"maxReplicas\":3}}", false},
        {"{\"spec\":{\"scaleTargetRef\":{\"kind\":\"WorkerPool\",\"name\":\"p\"}}}", false},
        {"{\"metadata\":{\"labels\":{\"app.kubernetes.io/managed-by\":\"keda-operator\"}},"
         "\"spec\":{\"scaleTargetRef\":{\"kind\":\"WorkerPool\",\"name\":\"p\"},"
         "\"maxReplicas\":3}}",
         false},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_json *doc = NULL;

        assert_int_equal(sl_json_parse(cases[i].json, strlen(cases[i].json), &doc, NULL), SL_OK);
        assert_int_equal(sl_migrate_is_ours(doc), cases[i].is_ours);
        sl_json_free(doc);
    }
}

/* ---- queries ---- */

static void test_queries(void **unused) {
    static const struct {
        const char *query;
        bool pending, busy, aggregated;
        int64_t range_ms;
        const char *name;
    } cases[] = {
        {"", false, false, false, 0, ""},
        {"spacelift_worker_pool_runs_pending", true, false, false, 0, ""},
        {"max by () (spacelift_worker_pool_runs_pending + spacelift_worker_pool_workers_busy)",
         true, true, true, 0, ""},
        {"spacelift_worker_pool_runs_pending{worker_pool_name = \"a \\\"b\\\"\"}[1h30m]", true,
         false, false, 5400000, "a \"b\""},
        {"spacelift_worker_pool_runs_pending{worker_pool_name='x',job=\"worker_pool_name\"}", true,
         false, false, 0, "x"},
        {"# spacelift_worker_pool_workers_busy\nspacelift_worker_pool_runs_pending", true, false,
         false, 0, ""},
        {"spacelift_worker_pool_runs_pending{worker_pool_name=\"open", true, false, false, 0,
         "open"},
        {"x{a=\"spacelift_worker_pool_runs_pending\"}", false, false, false, 0, ""},
        {"[[[{{{==\"", false, false, false, 0, ""},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_query_facts f;

        sl_query_scan(cases[i].query, &f);
        if (f.has_pending != cases[i].pending || f.has_busy != cases[i].busy ||
            f.is_aggregated != cases[i].aggregated || f.range_ms != cases[i].range_ms ||
            strcmp(f.pool_name, cases[i].name) != 0) {
            fail_msg("%s", cases[i].query);
        }
    }
}

static void test_durations(void **unused) {
    (void)unused;
    assert_int_equal(sl_query_duration_ms("5m", 2), 300000);
    assert_int_equal(sl_query_duration_ms("1d2h3s4ms", 9), 93603004);
    assert_int_equal(sl_query_duration_ms("", 0), -1);
    assert_int_equal(sl_query_duration_ms("5", 1), -1);
    assert_int_equal(sl_query_duration_ms("m", 1), -1);
    assert_int_equal(sl_query_duration_ms("99999999999999999999y", 21), -1);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tutorial),
        cmocka_unit_test(test_better_has_no_quirks),
        cmocka_unit_test(test_a_pool_that_sleeps),
        cmocka_unit_test(test_fallback_behavior_and_annotations),
        cmocka_unit_test(test_hpa),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_what_a_cluster_lists),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
