/* Everything of the scaler between a configuration file, a value list and a pool: which
 * configuration is refused and with what words, which value is about which pool, which value
 * counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scaler/inbox.h"
#include "scaler/neighbours.h"
#include "scaler/options.h"
#include "scaler/route.h"

enum { MAX_BLOCKS = 5, MAX_WORD_BYTES = 300, NOW_MS = 1000000 };

static const int64_t realtime_ms = 1700000000000;

/* ---- configurations ---- */

/* "Name value, Name value" */
static int set_options(const struct sl_option *table, void *target, const char *text,
                       struct sl_error *err) {
    while (*text != '\0') {
        char name[MAX_WORD_BYTES] = "";
        char value[MAX_WORD_BYTES] = "";
        size_t name_len = strcspn(text, " ");
        size_t value_len = strcspn(text + name_len + 1, ",");
        int rc = SL_OK;

        assert_true(name_len < sizeof name && value_len < sizeof value);
        memcpy(name, text, name_len);
        memcpy(value, text + name_len + 1, value_len);
        rc = sl_option_set(table, target, "Pool", name, value, err);
        if (rc != SL_OK) {
            return rc;
        }
        text += name_len + 1 + value_len;
        text += strspn(text, ", ");
    }
    return SL_OK;
}

struct block {
    const char *kind; /* "Pool" or "Cluster" */
    const char *name;
    const char *options;
};

static int add_block(struct sl_scaler_config *config, const struct block *b, struct sl_error *err) {
    struct sl_cluster_options *cluster = NULL;
    struct sl_pool_options *pool = NULL;
    int rc = SL_OK;

    if (strcmp(b->kind, "Cluster") == 0) {
        rc = sl_scaler_config_add_cluster(config, b->name, &cluster, err);
        return rc != SL_OK ? rc
                           : set_options(sl_scaler_cluster_block.options, cluster, b->options, err);
    }
    rc = sl_scaler_config_add_pool(config, b->name, &pool, err);
    if (rc == SL_OK) {
        rc = set_options(sl_scaler_pool_block.options, pool, b->options, err);
    }
    return rc != SL_OK ? rc : sl_option_check(sl_scaler_pool_block.options, pool, b->name, err);
}

static int read_blocks(struct sl_scaler_config *config, const struct block *blocks,
                       struct sl_error *err) {
    for (size_t i = 0; i < MAX_BLOCKS && blocks[i].kind != NULL; i++) {
        int rc = add_block(config, &blocks[i], err);

        if (rc != SL_OK) {
            return rc;
        }
    }
    return sl_scaler_config_check(config, err);
}

struct refused_case {
    const char *name;
    struct block blocks[MAX_BLOCKS];
    const char *words; /* that the message must have */
};

static const struct refused_case refused_cases[] = {
    {"nothing at all", {{NULL, NULL, NULL}}, "there is no <Pool>"},
    {"clusters without pools", {{"Cluster", "prod", ""}}, "there is no <Pool>"},
    {"a pool without a name", {{"Pool", "", "MaxWorkers 5"}}, "<Pool> needs the pool's name"},
    {"no maximum", {{"Pool", "a", ""}}, "MaxWorkers"},
    {"minimum above maximum",
     {{"Pool", "a", "MinWorkers 6, MaxWorkers 5"}},
     "Pool \"a\": MinWorkers 6 is more than MaxWorkers 5"},
    {"maximum 0", {{"Pool", "a", "MinWorkers 0, MaxWorkers 0"}}, "MaxWorkers"},
    {"negative minimum", {{"Pool", "a", "MinWorkers -1, MaxWorkers 5"}}, "MinWorkers"},
    {"utilization of 0", {{"Pool", "a", "MaxWorkers 5, TargetUtilization 0"}}, "TargetUtilization"},
    {"utilization of 101",
     {{"Pool", "a", "MaxWorkers 5, TargetUtilization 101"}},
     "TargetUtilization"},
    {"two pools of one name",
     {{"Pool", "a", "MaxWorkers 5"}, {"Pool", "a", "MaxWorkers 5, WorkerPool b"}},
     "there are two <Pool \"a\">"},
    {"two pools of one name, one pinned",
     {{"Pool", "a", "MaxWorkers 5"}, {"Pool", "a", "MaxWorkers 5, WorkerPool b, WorkerPoolID 1"}},
     "WorkerPoolID"},
    {"two pools for one resource",
     {{"Pool", "a", "MaxWorkers 5"}, {"Pool", "b", "MaxWorkers 5, WorkerPool a"}},
     "Pool \"a\" and Pool \"b\" both set the size of the WorkerPool \"a\""},
    {"a cluster that is not there",
     {{"Cluster", "prod", ""}, {"Pool", "a", "MaxWorkers 5, Cluster test"}},
     "Pool \"a\": Cluster \"test\" is not the name of a <Cluster> block"},
    {"two clusters and no word which",
     {{"Cluster", "prod", ""}, {"Cluster", "test", ""}, {"Pool", "a", "MaxWorkers 5"}},
     "Pool \"a\": there are 2 clusters, so the option Cluster is needed"},
    {"two clusters of one name",
     {{"Cluster", "prod", ""}, {"Cluster", "prod", ""}},
     "there are two <Cluster \"prod\">"},
    {"a name that Kubernetes does not allow",
     {{"Pool", "My Pool", "MaxWorkers 5"}},
     "Pool \"My Pool\": a WorkerPool resource cannot have this name: set the option WorkerPool"},
    {"a resource name that Kubernetes does not allow",
     {{"Pool", "a", "MaxWorkers 5, WorkerPool ../../secrets"}},
     "WorkerPool \"../../secrets\" is not a name Kubernetes allows"},
    {"a namespace that Kubernetes does not allow",
     {{"Pool", "a", "MaxWorkers 5, Namespace a.b"}},
     "Namespace \"a.b\" is not a name Kubernetes allows"},
    {"an unknown option", {{"Pool", "a", "MaxWorker 5"}}, "MaxWorkers"},
    {"a timeout of nothing", {{"Cluster", "prod", "Timeout 0"}}, "Timeout"},
};

static void test_refused_configurations(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof refused_cases / sizeof refused_cases[0]; i++) {
        const struct refused_case *c = &refused_cases[i];
        struct sl_scaler_config config = {0};
        struct sl_error err = SL_ERROR_INIT;

        if (read_blocks(&config, c->blocks, &err) != SL_CONFIG ||
            strstr(err.text, c->words) == NULL) {
            fail_msg("%s: \"%s\" should contain \"%s\"", c->name, err.text, c->words);
        }
        sl_scaler_config_release(&config);
    }
}

static void test_the_smallest_configuration(void **unused) {
    static const struct block blocks[MAX_BLOCKS] = {{"Pool", "my-pool", "MaxWorkers 5"}};
    struct sl_scaler_config config = {0};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_policy policy;

    (void)unused;
    assert_int_equal(read_blocks(&config, blocks, &err), SL_OK);
    assert_int_equal(config.cluster_count, 1); /* the one collectd runs in */
    assert_null(config.clusters[0]->kube_config);
    assert_int_equal(config.clusters[0]->timeout_ms, 10000);
    assert_string_equal(config.pools[0]->worker_pool, "my-pool");
    policy = sl_pool_policy(config.pools[0]);
    assert_int_equal(policy.min_workers, 1);
    assert_int_equal(policy.max_workers, 5);
    assert_int_equal(policy.target_utilization_percent, 100);
    assert_int_equal(policy.stale_after_ms, 0);
    assert_int_equal(sl_scaler_config_check(&config, &err), SL_OK); /* twice is no harm */
    assert_int_equal(config.cluster_count, 1);
    sl_scaler_config_release(&config);
}

static void test_a_large_configuration(void **unused) {
    static const struct block blocks[MAX_BLOCKS] = {
        {"Cluster", "prod", "KubeConfig /etc/kubeconfig, Context x"},
        {"Cluster", "test", ""},
        {"Pool", "My Pool", "MaxWorkers 5, WorkerPool my-pool, Cluster test, WorkerPoolID 1"},
        {"Pool", "My Pool", "MaxWorkers 5, WorkerPool my-pool, Cluster prod, WorkerPoolID 2"},
        {"Pool", "a.b-c",
         "MinWorkers 0, MaxWorkers 1, Cluster prod, Namespace n, ScaleInWindow 0.5"},
    };
    struct sl_scaler_config config = {0};
    struct sl_error err = SL_ERROR_INIT;

    (void)unused;
    if (read_blocks(&config, blocks, &err) != SL_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(config.pools[0]->cluster_index, 1);
    assert_int_equal(config.pools[1]->cluster_index, 0);
    assert_int_equal(sl_pool_policy(config.pools[2]).scale_in_window_ms, 500);
    sl_scaler_config_release(&config);
}

/* ---- which pool ---- */

struct route_case {
    const char *name;
    struct sl_pool_values values;
    size_t pool; /* index below; 6: none */
};

static void test_routes(void **unused) {
    static const struct block pools[] = {
        {"Pool", "plain", "MaxWorkers 5"},
        {"Pool", "team/a", "MaxWorkers 5, WorkerPool team-a"},
        {"Pool", "team_a", "MaxWorkers 5, WorkerPool team-b"},
        {"Pool", "twin", "MaxWorkers 5, WorkerPool twin-1, WorkerPoolID 01A"},
        {"Pool", "twin", "MaxWorkers 5, WorkerPool twin-2, WorkerPoolID 01B"},
        {"Pool", "/", "MaxWorkers 5, WorkerPool slash"},
    };
    static const struct route_case cases[] = {
        {"by name", {.name = "plain", .id = "x"}, 0},
        {"by true name", {.name = "plain", .true_name = "plain", .id = "x"}, 0},
        {"a true name with a slash", {.name = "team_a", .true_name = "team/a", .id = "x"}, 1},
        {"a true name with an underscore", {.name = "team_a", .true_name = "team_a", .id = "x"}, 2},
        {"pinned", {.name = "twin", .id = "01A"}, 3},
        {"pinned to the other", {.name = "twin", .id = "01B"}, 4},
        {"pinned, and a third one comes", {.name = "twin", .id = "01C"}, 6},
        {"a lone slash", {.name = "root", .id = "x"}, 5},
        {"unknown", {.name = "plane", .id = "x"}, 6},
        {"empty", {.name = "", .id = ""}, 6},
        {"upper case is another name", {.name = "Plain", .id = "x"}, 6},
        {"after the last", {.name = "zzz", .id = "x"}, 6},
    };
    struct sl_scaler_config config = {0};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_route *routes = NULL;

    (void)unused;
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        assert_int_equal(add_block(&config, &pools[i], &err), SL_OK);
    }
    assert_int_equal(sl_scaler_config_check(&config, &err), SL_OK);
    assert_int_equal(sl_route_new(&config, &routes, &err), SL_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t found = sl_route_find(routes, config.pool_count, &cases[i].values);

        if (found != cases[i].pool) {
            fail_msg("%s: %zu", cases[i].name, found);
        }
    }
    free(routes);
    sl_scaler_config_release(&config);
}

/* A name of 200 bytes arrives as its first 127. */
static void test_route_of_a_cut_name(void **unused) {
    struct sl_scaler_config config = {0};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_route *routes = NULL;
    char name[201];
    char cut[128];
    struct block block = {"Pool", name, "MaxWorkers 5, WorkerPool long"};
    struct sl_pool_values values = {.name = cut, .id = "x"};

    (void)unused;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    (void)snprintf(cut, sizeof cut, "%.127s", name);
    assert_int_equal(add_block(&config, &block, &err), SL_OK);
    assert_int_equal(sl_scaler_config_check(&config, &err), SL_OK);
    assert_int_equal(sl_route_new(&config, &routes, &err), SL_OK);
    assert_int_equal(sl_route_find(routes, 1, &values), 0);
    values.true_name = name;
    assert_int_equal(sl_route_find(routes, 1, &values), 0);
    cut[0] = 'm';
    values.true_name = NULL;
    assert_int_equal(sl_route_find(routes, 1, &values), 1);
    free(routes);
    sl_scaler_config_release(&config);
}

/* ---- which value ---- */

struct letter {
    int64_t at_ms;    /* monotonic, after NOW_MS */
    int64_t stamp_ms; /* of the value, on the same scale; this host's clock agrees unless ... */
    const char *id;
    double pending;
    bool is_taken;
    enum sl_data_state state;
    int64_t age_ms; /* of newest */
};

enum { MAX_LETTERS = 5 };

struct inbox_case {
    const char *name;
    int64_t clock_step_ms; /* ... it is set by this much after the first letter */
    struct letter letters[MAX_LETTERS];
};

static const struct inbox_case inbox_cases[] = {
    {"one after another",
     0,
     {{0, 0, "A", 1, true, SL_DATA_GOOD, 0}, {10000, 10000, "A", 2, true, SL_DATA_GOOD, 0}}},
    {"the same value twice counts once",
     0,
     {{0, 0, "A", 1, true, SL_DATA_GOOD, 0}, {5, 0, "A", 1, false, SL_DATA_GOOD, 5}}},
    {"an older value does not replace a newer one",
     0,
     {{10000, 10000, "A", 1, true, SL_DATA_GOOD, 0}, {10005, 0, "A", 9, false, SL_DATA_GOOD, 5}}},
    {"a value is as old as its stamp", 0, {{7000, 2000, "A", 1, true, SL_DATA_GOOD, 5000}}},
    {"stamped a little later than now is now", 0, {{0, 3000, "A", 1, true, SL_DATA_GOOD, 0}}},
    {"stamped much later than now is from the future",
     0,
     {{0, 61000, "A", 1, true, SL_DATA_FUTURE, 0}, {10, 10, "A", 1, true, SL_DATA_GOOD, 0}}},
    {"stamped long ago is late",
     0,
     {{70000, 9000, "A", 1, true, SL_DATA_LATE, 0}, {71000, 71000, "A", 1, true, SL_DATA_GOOD, 0}}},
    {"two pools of one name are ambiguous",
     0,
     {{0, 0, "A", 1, true, SL_DATA_GOOD, 0},
      {1, 1, "B", 1, true, SL_DATA_AMBIGUOUS, 0},
      {10000, 10000, "A", 1, true, SL_DATA_AMBIGUOUS, 0}}},
    {"a pool made anew under its old name counts once the old one has been silent",
     0,
     {{0, 0, "A", 1, true, SL_DATA_GOOD, 0},
      {30000, 30000, "B", 1, true, SL_DATA_AMBIGUOUS, 0},
      {60001, 60001, "B", 1, true, SL_DATA_GOOD, 0}}},
    {"three pools of one name",
     0,
     {{0, 0, "A", 1, true, SL_DATA_GOOD, 0},
      {1, 1, "B", 1, true, SL_DATA_AMBIGUOUS, 0},
      {2, 2, "C", 1, true, SL_DATA_AMBIGUOUS, 0},
      {3, 3, "A", 1, true, SL_DATA_AMBIGUOUS, 0}}},
    {"nonsense is invalid, and over with the next value",
     0,
     {{0, 0, "A", -1, true, SL_DATA_INVALID, 0}, {10, 10, "A", 1, true, SL_DATA_GOOD, 0}}},
    {"a clock set back by an hour does not silence the pool",
     -3600000,
     {{0, 0, "A", 1, true, SL_DATA_GOOD, 0},
      {10000, 10000 - 3600000, "A", 1, true, SL_DATA_GOOD, 0}}},
    {"a clock set forward by an hour does not, either",
     3600000,
     {{0, 0, "A", 1, true, SL_DATA_GOOD, 0},
      {10000, 10000 + 3600000, "A", 1, true, SL_DATA_GOOD, 0}}},
};

static void test_inbox(void **unused) {
    struct sl_policy policy = {.stale_after_ms = 60000};

    (void)unused;
    for (size_t i = 0; i < sizeof inbox_cases / sizeof inbox_cases[0]; i++) {
        const struct inbox_case *c = &inbox_cases[i];
        struct sl_inbox box = {0};

        for (size_t j = 0; j < MAX_LETTERS && c->letters[j].id != NULL; j++) {
            const struct letter *l = &c->letters[j];
            struct sl_pool_values values = {
                .name = "n",
                .id = l->id,
                .runs_pending = l->pending,
                .time_ms = realtime_ms + l->stamp_ms,
                .interval_ms = 10000,
            };
            int64_t step_ms = j > 0 ? c->clock_step_ms : 0;
            int64_t now_ms = NOW_MS + l->at_ms;
            bool is_taken =
                sl_inbox_take(&box, &policy, &values, now_ms, realtime_ms + l->at_ms + step_ms);

            if (is_taken != l->is_taken || box.newest.state != l->state ||
                now_ms - box.newest.observed_ms != l->age_ms) {
                fail_msg("%s: letter %zu: taken %d, state %d, age %d", c->name, j, (int)is_taken,
                         (int)box.newest.state, (int)(now_ms - box.newest.observed_ms));
            }
        }
    }
}

/* ---- the queue behind the weights ---- */

/* A value of kind at at_ms, stamped age_ms before. */
static bool put(struct sl_inbox *box, enum sl_values_kind kind, int64_t at_ms, int64_t age_ms,
                int64_t first, int64_t second) {
    struct sl_policy policy = {.stale_after_ms = 60000};
    struct sl_pool_values values = {
        .kind = kind,
        .name = "n",
        .id = "01A",
        .runs_pending = (double)first,
        .workers_busy = (double)second,
        .workers = 0,
        .runs_drift = (double)first,
        .runs_blocked = (double)second,
        .time_ms = realtime_ms + at_ms - age_ms,
        .interval_ms = 10000,
    };

    return sl_inbox_take(box, &policy, &values, NOW_MS + at_ms, realtime_ms + at_ms);
}

static void assert_weights(const struct sl_inbox *box, enum sl_queue_state queue, int64_t drift,
                           int64_t blocked, int64_t age_ms) {
    assert_int_equal(box->newest.queue, queue);
    assert_int_equal(box->newest.runs_drift, drift);
    assert_int_equal(box->newest.runs_blocked, blocked);
    assert_int_equal(box->newest.queue_age_ms, age_ms);
}

static void test_a_queue_counts_for_the_snapshots_around_it(void **unused) {
    struct sl_inbox box = {0};

    (void)unused;
    assert_true(put(&box, SL_VALUES_POOL, 0, 0, 5, 1));
    assert_weights(&box, SL_QUEUE_UNKNOWN, 0, 0, 0);
    assert_true(put(&box, SL_VALUES_QUEUE, 100, 0, 3, 4)); /* the same poll's */
    assert_weights(&box, SL_QUEUE_KNOWN, 3, 4, -100);
    assert_true(put(&box, SL_VALUES_POOL, 10000, 0, 5, 1));
    assert_weights(&box, SL_QUEUE_KNOWN, 3, 4, 9900);
    assert_false(put(&box, SL_VALUES_QUEUE, 10100, 0, 3, 4)); /* nothing that changes */
    assert_true(put(&box, SL_VALUES_QUEUE, 10200, 0, 2, 4));
    assert_weights(&box, SL_QUEUE_KNOWN, 2, 4, -200);
}

/* What is not known counts as it costs most: no failure to read makes a pool smaller. */
static void test_an_old_queue_makes_no_demand_smaller(void **unused) {
    struct sl_inbox box = {0};

    (void)unused;
    (void)put(&box, SL_VALUES_POOL, 0, 0, 5, 1);
    (void)put(&box, SL_VALUES_QUEUE, 0, 0, 3, 4);
    (void)put(&box, SL_VALUES_POOL, 20000, 0, 5, 1); /* two of its intervals */
    assert_weights(&box, SL_QUEUE_KNOWN, 3, 4, 20000);
    (void)put(&box, SL_VALUES_POOL, 20001, 0, 5, 1);
    assert_weights(&box, SL_QUEUE_OLD, 0, 4, 20001);
    (void)put(&box, SL_VALUES_POOL, 500000, 0, 5, 1);
    assert_weights(&box, SL_QUEUE_OLD, 0, 4, 500000);
    (void)put(&box, SL_VALUES_QUEUE, 500100, 0, 1, 0);
    assert_weights(&box, SL_QUEUE_KNOWN, 1, 0, -100);
}

static void test_a_queue_that_comes_late_is_as_old_as_it_is(void **unused) {
    struct sl_inbox box = {0};

    (void)unused;
    (void)put(&box, SL_VALUES_QUEUE, 30000, 15000, 3, 4);
    (void)put(&box, SL_VALUES_POOL, 30000, 0, 5, 1);
    assert_weights(&box, SL_QUEUE_KNOWN, 3, 4, 15000);
    assert_false(put(&box, SL_VALUES_QUEUE, 31000, 20000, 9, 9));  /* out of order */
    assert_false(put(&box, SL_VALUES_QUEUE, 31000, 70000, 9, 9));  /* too late */
    assert_false(put(&box, SL_VALUES_QUEUE, 31000, -70000, 9, 9)); /* from the future */
    assert_weights(&box, SL_QUEUE_KNOWN, 3, 4, 15000);
}

/* ---- names for messages ---- */

static void test_neighbours(void **unused) {
    struct sl_neighbours n;
    struct sl_error err = SL_ERROR_INIT;
    char text[600];
    char longest[200];

    (void)unused;
    assert_int_equal(sl_neighbours_init(&n, &err), SL_OK);
    assert_false(sl_neighbours_list(&n, text, sizeof text));
    assert_string_equal(text, "");
    sl_neighbours_add(&n, "a");
    sl_neighbours_add(&n, "b");
    sl_neighbours_add(&n, "a");
    assert_true(sl_neighbours_list(&n, text, sizeof text));
    assert_string_equal(text, "\"a\", \"b\"");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (char c = 'c'; c < 'm'; c++) {
        longest[0] = c;
        sl_neighbours_add(&n, longest);
        sl_neighbours_add(&n, longest);
    }
    assert_true(sl_neighbours_list(&n, text, sizeof text));
    assert_non_null(strstr(text, " and others"));
    for (size_t size = 1; size < sizeof text; size++) {
        assert_true(sl_neighbours_list(&n, text, size));
        assert_true(strlen(text) < size);
    }
    sl_neighbours_release(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_configurations),
        cmocka_unit_test(test_the_smallest_configuration),
        cmocka_unit_test(test_a_large_configuration),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_route_of_a_cut_name),
        cmocka_unit_test(test_inbox),
        cmocka_unit_test(test_a_queue_counts_for_the_snapshots_around_it),
        cmocka_unit_test(test_an_old_queue_makes_no_demand_smaller),
        cmocka_unit_test(test_a_queue_that_comes_late_is_as_old_as_it_is),
        cmocka_unit_test(test_neighbours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
