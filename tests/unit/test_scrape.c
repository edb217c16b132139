/* Samples of a scrape with the labels of their target, and the options. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/errand.h"
#include "scrape/options.h"
#include "scrape/sample.h"
#include "scrape/starts.h"

static void show(const struct sl_scrape_sample *s, char *out, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < s->label_count; i++)
        used += (size_t)snprintf(out + used, size - used, "%s=%s ", s->labels[i].name,
                                 s->labels[i].value);
}

static const struct sl_exposition_label clashing[] = {
    {"job", "1"}, {"exported_job", "2"}, {"x", "3"}, {"instance", "4"}};

static void test_labels_of_the_target(void **unused) {
    (void)unused;
    struct sl_exposition_sample from = {.name = "m", .labels = clashing, .label_count = 4};
    struct sl_scrape_target target = {.job = "j", .instance = "i:1"};
    struct sl_scrape_sample sample;
    char text[500];
    sl_scrape_label(&target, &from, 7, &sample);
    show(&sample, text, sizeof(text));
    assert_string_equal(text, "exported_exported_job=1 exported_job=2 x=3 exported_instance=4 "
                              "instance=i:1 job=j ");
    assert_int_equal(sample.time_ms, 7);
    target.honor_labels = true;
    sl_scrape_label(&target, &from, 7, &sample);
    show(&sample, text, sizeof(text));
    assert_string_equal(text, "job=1 exported_job=2 x=3 instance=4 ");
    from.label_count = 0;
    sl_scrape_label(&target, &from, 7, &sample);
    show(&sample, text, sizeof(text));
    assert_string_equal(text, "instance=i:1 job=j ");
}

static int64_t start_of(const struct sl_scrape_starts *starts, const char *name, const char *type,
                        const struct sl_exposition_label *labels, size_t label_count) {
    struct sl_exposition_sample sample = {
        .name = name, .type = type, .labels = labels, .label_count = label_count};
    return sl_scrape_starts_of(starts, &sample);
}

static void test_starts(void **unused) {
    (void)unused;
    static const struct sl_exposition_label ab[] = {{"a", "1"}, {"b", "2"}};
    static const struct sl_exposition_label ba[] = {{"b", "2"}, {"a", "1"}, {"le", "+Inf"}};
    static const struct sl_exposition_label quantile[] = {{"quantile", "0.5"}};
    static const struct sl_exposition_sample samples[] = {
        {.name = "h_created", .type = "histogram", .labels = ab, .label_count = 2, .value = 1e9},
        {.name = "c_created", .type = "counter", .value = 1700000000.123},
        {.name = "s_created", .type = "summary", .value = 1500000000},
        {.name = "zero_created", .type = "counter", .value = 0},
        {.name = "nan_created", .type = "counter", .value = NAN},
        {.name = "far_created", .type = "counter", .value = 1e300},
        {.name = "orders_created", .type = "gauge", .value = 1e9},
        {.name = "_created", .type = "counter", .value = 1e9},
        {.name = "other", .type = "counter", .value = 1e9},
    };
    struct sl_scrape_starts starts = {.count = 0};
    assert_int_equal(start_of(&starts, "c_total", "counter", NULL, 0), 0);
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
        sl_scrape_starts_note(&starts, &samples[i]);
    assert_int_equal(starts.count, 3);
    sl_scrape_starts_sort(&starts);
    assert_true(start_of(&starts, "c_total", "counter", NULL, 0) == 1700000000123);
    assert_true(start_of(&starts, "h_bucket", "histogram", ba, 3) == 1000000000000);
    assert_true(start_of(&starts, "h_sum", "histogram", ab, 2) == 1000000000000);
    assert_true(start_of(&starts, "s", "summary", quantile, 1) == 1500000000000);
    assert_int_equal(start_of(&starts, "h_sum", "histogram", ab, 1), 0);
    assert_int_equal(start_of(&starts, "c_created", "counter", NULL, 0), 0);
    assert_int_equal(start_of(&starts, "c_total", "gauge", NULL, 0), 0);
    assert_int_equal(start_of(&starts, "d_total", "counter", NULL, 0), 0);
    sl_scrape_starts_release(&starts);
}

static void identity_of(const char *name, const struct sl_exposition_label *labels, size_t count,
                        char out[128]) {
    struct sl_scrape_sample sample = {.name = name, .label_count = count};
    for (size_t i = 0; i < count; i++)
        sample.labels[i] = labels[i];
    sl_scrape_identity(&sample, out, 128);
}

static void test_identities(void **unused) {
    (void)unused;
    static const struct sl_exposition_label ab[] = {{"a", "b"}, {"c", "d"}};
    static const struct sl_exposition_label ba[] = {{"c", "d"}, {"a", "b"}};
    static const struct sl_exposition_label other[] = {{"a", "bc"}, {"", "d"}};
    char one[128], two[128], name[300];
    identity_of("metric", ab, 2, one);
    assert_memory_equal(one, "metric-", 7);
    assert_int_equal(strlen(one), strlen("metric-") + 16);
    identity_of("metric", ba, 2, two);
    assert_string_equal(one, two);
    identity_of("metric", other, 2, two);
    assert_string_not_equal(one, two);
    /* Names that differ only where they are cut. */
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    identity_of(name, ab, 2, one);
    name[250] = 'm';
    identity_of(name, ab, 2, two);
    assert_int_equal(strlen(one), 127);
    assert_string_not_equal(one, two);
}

static void test_instances(void **unused) {
    (void)unused;
    static const char *const cases[][2] = {{"http://a:9100/metrics", "a:9100"},
                                           {"https://[::1]:1/x?y", "[::1]:1"},
                                           {"http://a", "a"},
                                           {"http://a?x=/", "a"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[64];
        sl_scrape_instance_of(cases[i][0], out, sizeof(out));
        assert_string_equal(out, cases[i][1]);
    }
}

static void test_options_that_contradict(void **unused) {
    (void)unused;
    char text[] = "x";
    struct sl_http_options good = {.user = text, .password_file = text};
    assert_int_equal(sl_http_options_check(&good, NULL), SL_OK);
    const struct sl_http_options bad[] = {
        {.user = text},
        {.password_file = text},
        {.user = text, .password_file = text, .bearer_token_file = text},
        {.client_cert = text},
        {.client_key = text},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sl_http_options_check(&bad[i], NULL), SL_CONFIG);
}

/* ---- the thread that is asked ---- */

struct counted {
    struct sl_errand *errand;
    int runs;
};

static int count(void *context, struct sl_error *err) {
    struct counted *c = context;
    return ++c->runs < 3 ? SL_OK : sl_fail(err, SL_IO, "the third time");
}

static int hang(void *context, struct sl_error *err) {
    struct counted *c = context;
    sl_wakeup_wait(sl_errand_stop_signal(c->errand), NULL, 60000);
    return sl_fail(err, SL_CANCELED, "canceled");
}

static void test_an_errand_is_run_and_waited_for(void **unused) {
    (void)unused;
    struct counted c = {.runs = 0};
    struct sl_errand_work work = {"test", NULL, count, &c};
    struct sl_error err = SL_ERROR_INIT;
    assert_int_equal(sl_errand_new(&work, &c.errand, NULL), SL_OK);
    assert_int_equal(sl_errand_start(c.errand, NULL), SL_OK);
    assert_int_equal(sl_errand_run(c.errand, &err), SL_OK);
    assert_int_equal(sl_errand_run(c.errand, &err), SL_OK);
    assert_int_equal(sl_errand_run(c.errand, &err), SL_IO);
    assert_string_equal(err.text, "the third time");
    assert_int_equal(c.runs, 3);
    sl_errand_free(c.errand);
}

static void test_an_errand_that_hangs_ends_at_once(void **unused) {
    (void)unused;
    struct counted c = {.runs = 0};
    struct sl_errand_work work = {"test", NULL, hang, &c};
    assert_int_equal(sl_errand_new(&work, &c.errand, NULL), SL_OK);
    assert_int_equal(sl_errand_start(c.errand, NULL), SL_OK);
    sl_errand_request(c.errand);
    int64_t begun_ms = sl_clock_monotonic_ms();
    sl_errand_end(c.errand);
    assert_true(sl_clock_monotonic_ms() - begun_ms < 10000);
    /* Whoever waits now is told. */
    assert_int_equal(sl_errand_run(c.errand, NULL), SL_CANCELED);
    sl_errand_free(c.errand);
    sl_errand_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_of_the_target),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_instances),
        cmocka_unit_test(test_options_that_contradict),
        cmocka_unit_test(test_an_errand_is_run_and_waited_for),
        cmocka_unit_test(test_an_errand_that_hangs_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
