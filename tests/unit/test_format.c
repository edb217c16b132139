/* Line protocol, exposition and JSON of value lists; line protocol read again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/line_protocol.h"
#include "format/report.h"

static const double some[SL_TYPE_DS_MAX] = {3, 2, 5, 1};

static struct sl_values pool(const char *name, const char *id, const double *values) {
    return (struct sl_values){
        .type = sl_catalogue_find(SL_SPACELIFT_PLUGIN, SL_TYPE_WORKER_POOL),
        .plugin_instance = name,
        .type_instance = id,
        .true_name = name,
        .values = values,
    };
}

static void expect(enum sl_format format, const struct sl_values *values, const char *text) {
    struct sl_buffer out;
    struct sl_report *r = sl_report_new(format);
    sl_buffer_init(&out, 1 << 20);
    for (int again = 0; again < 2; again++) { /* a report is empty when it has been finished */
        sl_buffer_reset(&out);
        sl_report_add(r, values, 1795452671000);
        assert_int_equal(sl_report_finish(r, &out, NULL), SL_OK);
        assert_string_equal(out.data, text);
    }
    sl_report_free(r);
    sl_buffer_release(&out);
}

static void test_influx(void **state) {
    (void)state;
    struct sl_values values = pool("prod", "01H", some);
    expect(SL_FORMAT_INFLUX, &values,
           "spacelift_worker_pool,worker_pool_id=01H,worker_pool_name=prod runs_pending=3i,"
           "workers_busy=2i,workers=5i,workers_drained=1i 1795452671000000000\n");
    const double nothing[] = {NAN, NAN, NAN, NAN};
    values.values = nothing;
    expect(SL_FORMAT_INFLUX, &values, "");
}

static void test_words(void **state) {
    (void)state;
    static const struct {
        const char *text, *written; /* NULL: nothing is left */
    } cases[] = {
        {"plain", "plain"},
        {"a b,c=d", "a\\ b\\,c\\=d"},
        {"\"quoted\"", "\"quoted\""},
        {"back\\slash", "back\\slash"},
        {"at the end\\\\", "at\\ the\\ end"},
        {"a\tb\nc\rd\ve\ff", "a\\ b\\ c\\ d\\ e\\ f"},
        {"\x01\x7f", "\\ \\ "},
        {"\xff!", "\xef\xbf\xbd!"},
        {"\xe2\x98\x83", "\xe2\x98\x83"},
        {"\\", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_buffer out;
        sl_buffer_init(&out, 1000);
        assert_int_equal(sl_line_put_word(&out, cases[i].text, strlen(cases[i].text)),
                         cases[i].written != NULL);
        assert_string_equal(out.data, cases[i].written != NULL ? cases[i].written : "");
        sl_buffer_release(&out);
    }
}

/* Measurement + "_" + field is the metric's name, for the whole catalogue. */
static void test_names_join(void **state) {
    (void)state;
    double values[SL_TYPE_DS_MAX] = {0};
    size_t seen = 0;
    const struct sl_metric_type *type;
    for (size_t i = 0; (type = sl_catalogue(i)) != NULL; i++) {
        struct sl_measurement m[SL_TYPE_DS_MAX];
        struct sl_values list = {
            .type = type, .plugin_instance = "p", .type_instance = "t-u", .values = values};
        size_t found = sl_measurements(&list, m), fields = 0;
        for (size_t j = 0; j < found; j++) {
            for (size_t k = 0; k < m[j].field_count; k++) {
                char name[256];
                snprintf(name, sizeof(name), "%.*s_%s", (int)m[j].name_len, m[j].name,
                         m[j].fields[k].name);
                bool is_metric = false;
                for (size_t n = 0; n < type->count; n++)
                    is_metric = is_metric || strcmp(type->metrics[n].prometheus, name) == 0;
                assert_true(is_metric);
            }
            fields += m[j].field_count;
        }
        assert_int_equal(fields, type->count);
        seen += fields;
    }
    assert_true(seen > 50);
}

static void test_prometheus(void **state) {
    (void)state;
    const double values[] = {1, 2, 3};
    struct sl_values list = {.type =
                                 sl_catalogue_find(SL_SPACELIFT_PLUGIN, SL_TYPE_PUBLIC_WORKER_POOL),
                             .plugin_instance = "a\"\\\nb",
                             .type_instance = "",
                             .values = values};
    struct sl_buffer out;
    struct sl_report *r = sl_report_new(SL_FORMAT_PROMETHEUS);
    sl_buffer_init(&out, 1 << 20);
    sl_report_add(r, &list, 5);
    sl_report_add(r, &list, 6);
    assert_int_equal(sl_report_finish(r, &out, NULL), SL_OK);
    static const char *const parts[] = {
        "# TYPE spacelift_public_worker_pool_runs_pending gauge\n"
        "spacelift_public_worker_pool_runs_pending{account=\"a\\\"\\\\\\nb\"} 1 5\n"
        "spacelift_public_worker_pool_runs_pending{account=\"a\\\"\\\\\\nb\"} 1 6\n# HELP",
        "spacelift_public_worker_pool_parallelism{account=\"a\\\"\\\\\\nb\"} 3 6\n",
    };
    for (size_t i = 0; i < 2; i++)
        if (strstr(out.data, parts[i]) == NULL)
            fail_msg("no \"%s\" in:\n%s", parts[i], out.data);
    sl_report_free(r);
    sl_buffer_release(&out);
}

static void test_json(void **state) {
    (void)state;
    struct sl_values values = pool("a \"b\"", "01H", some);
    expect(
        SL_FORMAT_JSON, &values,
        "{\"metrics\":[{\"name\":\"spacelift_worker_pool\",\"tags\":{\"worker_pool_id\":\"01H\","
        "\"worker_pool_name\":\"a \\\"b\\\"\"},\"fields\":{\"runs_pending\":3,\"workers_busy\":2,"
        "\"workers\":5,\"workers_drained\":1},\"timestamp\":1795452671}]}\n");
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},      {-3, "-3"}, {0.1, "0.1"}, {1e21, "1e+21"}, {1.0 / 3, "0.3333333333333333"},
        {0.25, "0.25"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_buffer out;
        sl_buffer_init(&out, 100);
        sl_format_number(&out, cases[i].value);
        assert_string_equal(out.data, cases[i].text);
        sl_buffer_release(&out);
    }
}

/* ---- in ---- */

static struct sl_line line;

static void test_read(void **state) {
    (void)state;
    char text[] = "m\\,x,host=h1,name=a\\ b\\,c\\=d\\e,name=last i=-3i,u=4u,f=1.5e1,h=.5,b=t,"
                  "s=\"a \\\"b\\\" \\\\c, d=1\" 1795452671000000000 \r";
    bool is_empty;
    struct sl_error err = SL_ERROR_INIT;
    if (sl_line_parse(text, &line, &is_empty, &err) != SL_OK)
        fail_msg("%s", err.text);
    assert_false(is_empty);
    assert_string_equal(line.measurement, "m,x");
    assert_string_equal(sl_line_tag(&line, "host"), "h1");
    assert_string_equal(line.tags[1].text, "a b,c=d\\e");
    assert_string_equal(sl_line_tag(&line, "name"), "last");
    assert_null(sl_line_tag(&line, "nobody"));
    const char *const names[] = {"i", "u", "f", "h", "b"};
    const double numbers[] = {-3, 4, 15, 0.5, 1};
    for (size_t i = 0; i < 5; i++)
        assert_true(sl_line_field(&line, names[i]) == numbers[i]);
    assert_true(isnan(sl_line_field(&line, "s")));
    assert_string_equal(line.fields[5].text, "a \"b\" \\c, d=1");
    assert_true(line.has_time && line.time_ns == 1795452671000000000);
}

static void test_read_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "m",         "m,t=v",     "m,t f=1",  "m,=v f=1",  "m,t= f=1",
        "m f=",      "m f",       "m f=x",    "m f=nan",   "m f=1 x",
        "m f=1 1 1", "m f=+1i",   "m f=-1u",  "m f=\"a",   "m f=\"a\"b",
        "m =1",      "{\"a\":1}", "m f=1.5i", "m f=1e999", "m f=9223372036854775808i",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[64];
        bool is_empty;
        snprintf(text, sizeof(text), "%s", bad[i]);
        if (sl_line_parse(text, &line, &is_empty, NULL) != SL_PARSE)
            fail_msg("taken: %s", bad[i]);
    }
    static const char *const empty[] = {"", "  ", "# m f=1", " \t#"};
    for (size_t i = 0; i < 4; i++) {
        char text[64];
        bool is_empty = false;
        snprintf(text, sizeof(text), "%s", empty[i]);
        assert_int_equal(sl_line_parse(text, &line, &is_empty, NULL), SL_OK);
        assert_true(is_empty);
    }
}

static void test_length(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"m f=1\nn", 6},
        {"m f=1", 0},
        {"\n", 1},
        {"m f=\"a\nb\" 1\nx", 12},
        {"m,t=\"a f=1\nx", 11},
        {"# it's \"so\nm f=1", 11},
        {"m f=\"a\\\"\nb\"\n", 12},
        {"m,t=a\\\\ b\\=\"c f=1\nx", 18},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(sl_line_length(cases[i].text, strlen(cases[i].text)), cases[i].len);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_influx),     cmocka_unit_test(test_words),
        cmocka_unit_test(test_names_join), cmocka_unit_test(test_prometheus),
        cmocka_unit_test(test_json),       cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_read),       cmocka_unit_test(test_read_refused),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
