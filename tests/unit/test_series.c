/* Names and labels of series, as text: NAME{...} with what is packed of type, unit and help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "remote_write/series.h"
#include "spacelift/catalogue.h"

/* What sl_series_pack() made, as `name="value" ` one after the other. */
static void show(const struct sl_buffer *bytes, struct sl_packed *ret, struct sl_buffer *out) {
    struct sl_label label;
    assert_int_equal(sl_packed_read(bytes->data, bytes->len, ret, NULL), SL_OK);
    for (const char *at = ret->labels; sl_packed_next(ret, &at, &label);)
        sl_buffer_printf(out, "%.*s=\"%.*s\" ", (int)label.name_len, label.name,
                         (int)label.value_len, label.value);
}

static const struct sl_value_source gauge[] = {{"value", SL_VALUE_GAUGE}};
static const struct sl_value_source derive[] = {{"value", SL_VALUE_DERIVE}};
static const struct sl_value_source counter[] = {{"value", SL_VALUE_COUNTER}};
static const struct sl_value_source absolute[] = {{"value", SL_VALUE_ABSOLUTE}};
static const struct sl_value_source octets[] = {{"rx", SL_VALUE_DERIVE}, {"tx", SL_VALUE_DERIVE}};
static const struct sl_value_source pool[] = {{"runs_pending", SL_VALUE_GAUGE},
                                              {"workers_busy", SL_VALUE_GAUGE},
                                              {"workers", SL_VALUE_GAUGE},
                                              {"workers_drained", SL_VALUE_GAUGE}};
static const struct sl_value_source public_pool[] = {{"runs_pending", SL_VALUE_GAUGE},
                                                     {"workers_busy", SL_VALUE_GAUGE},
                                                     {"parallelism", SL_VALUE_GAUGE}};

static const struct sl_value_meta true_name[] = {{SL_META_WORKER_POOL_NAME, "web/eu"}};

#define SOURCES(s) s, sizeof(s) / sizeof((s)[0])

static const struct {
    const char *name;
    struct sl_value_id id;
    size_t source;
    const char *job;
    const char *labels;
} names[] = {
    {"a pool",
     {"h", "spacelift", "web/eu", "worker_pool", "01H", SOURCES(pool), NULL, 0},
     1,
     NULL,
     "__name__=\"spacelift_worker_pool_workers_busy\" instance=\"h\" worker_pool_id=\"01H\" "
     "worker_pool_name=\"web/eu\" "},
    {"a pool with its true name",
     {"h", "spacelift", "web_eu", "worker_pool", "01H", SOURCES(pool), true_name, 1},
     0,
     "ci",
     "__name__=\"spacelift_worker_pool_runs_pending\" instance=\"h\" job=\"ci\" "
     "worker_pool_id=\"01H\" worker_pool_name=\"web/eu\" "},
    {"the public pool",
     {"h", "spacelift", "", "public_worker_pool", "", SOURCES(public_pool), NULL, 0},
     2,
     NULL,
     "__name__=\"spacelift_public_worker_pool_parallelism\" instance=\"h\" "},
    {"the public pool of a second account",
     {"h", "spacelift", "two", "public_worker_pool", "", SOURCES(public_pool), NULL, 0},
     0,
     NULL,
     "__name__=\"spacelift_public_worker_pool_runs_pending\" account=\"two\" instance=\"h\" "},
    {"a type of ours in another shape",
     {"h", "spacelift", "x", "worker_pool", "01H", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_spacelift_worker_pool\" instance=\"h\" spacelift=\"x\" type=\"01H\" "},
    {"plugin and type alike",
     {"h", "load", "", "load", "", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_load\" instance=\"h\" "},
    {"both instances",
     {"h", "cpu", "0", "cpu", "idle", SOURCES(derive), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_cpu_total\" cpu=\"0\" instance=\"h\" type=\"idle\" "},
    {"type instance alone",
     {"h", "memory", "", "memory", "free", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_memory\" instance=\"h\" memory=\"free\" "},
    {"a data source that is not value",
     {"h", "interface", "eth0", "if_octets", "", SOURCES(octets), NULL, 0},
     1,
     NULL,
     "__name__=\"collectd_interface_if_octets_tx_total\" instance=\"h\" interface=\"eth0\" "},
    {"counter",
     {"h", "p", "", "t", "", SOURCES(counter), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_p_t_total\" instance=\"h\" "},
    {"absolute",
     {"h", "p", "", "t", "", SOURCES(absolute), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_p_t\" instance=\"h\" "},
    {"characters that may not be in names",
     {"h", "write-x.y", "i", "c\xc3\xa4", "", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_write_x_y_c__\" instance=\"h\" write_x_y=\"i\" "},
    {"a label that begins with a digit",
     {"h", "9p", "i", "t", "", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "_9p=\"i\" __name__=\"collectd_9p_t\" instance=\"h\" "},
    {"upper case sorts before underscores",
     {"h", "CPU", "i", "t", "", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "CPU=\"i\" __name__=\"collectd_CPU_t\" instance=\"h\" "},
    {"a plugin called instance",
     {"h", "instance", "i", "t", "", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_instance_t\" exported_instance=\"i\" instance=\"h\" "},
    {"a plugin called type",
     {"h", "type", "i", "t", "ti", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_type_t\" exported_type=\"ti\" instance=\"h\" type=\"i\" "},
    {"a plugin called job",
     {"h", "job", "i", "t", "", SOURCES(gauge), NULL, 0},
     0,
     "x",
     "__name__=\"collectd_job_t\" exported_job=\"i\" instance=\"h\" job=\"x\" "},
    {"a plugin called __name__",
     {"h", "__name__", "i", "t", "", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd___name___t\" _name__=\"i\" instance=\"h\" "},
    {"broken UTF-8 in a value",
     {"h\xff", "p", "", "t", "", SOURCES(gauge), NULL, 0},
     0,
     NULL,
     "__name__=\"collectd_p_t\" instance=\"h\xef\xbf\xbd\" "},
};

static void test_names(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct sl_buffer bytes, text;
        struct sl_packed packed;
        struct sl_series_rules rules = {.job = names[i].job};
        sl_buffer_init(&bytes, 10000);
        sl_buffer_init(&text, 10000);
        assert_int_equal(sl_series_pack(&names[i].id, names[i].source, &rules, &bytes),
                         SL_SERIES_KEPT);
        show(&bytes, &packed, &text);
        if (strcmp(text.data, names[i].labels) != 0)
            fail_msg("%s:\n%s\n%s", names[i].name, text.data, names[i].labels);
        sl_buffer_release(&bytes);
        sl_buffer_release(&text);
    }
}

static const struct sl_value_meta full[] = {
    {"prometheus:help", "Requests\nserved."}, {"prometheus:label:code", "200"},
    {"prometheus:label:instance", "web:80"},  {"prometheus:label:path", "/a/b"},
    {"prometheus:label:we-ird", "x"},         {"prometheus:name", "http_requests_total"},
    {"prometheus:type", "counter"},           {"prometheus:unit", "requests"},
};
static const struct sl_value_meta labels_only[] = {{"prometheus:label:cpu", ""},
                                                   {"prometheus:label:rack", "r1"}};
static const struct sl_value_meta site[] = {{"site", "fra"}, {"rack", "r2"}};

static const struct {
    const char *name;
    struct sl_value_id id;
    size_t source;
    struct sl_series_rules rules;
    const char *labels;
    enum sl_series_kind kind;
    const char *unit;
    const char *help;
} described[] = {
    {"a stock type of the table",
     {"h", "interface", "eth0", "if_octets", "", SOURCES(octets), NULL, 0},
     0,
     {.job = NULL},
     "__name__=\"collectd_interface_if_octets_rx_total\" instance=\"h\" interface=\"eth0\" ",
     SL_KIND_COUNTER,
     "bytes",
     "Bytes that a network interface has received and sent."},
    {"any other type",
     {"h", "p", "", "t", "", SOURCES(absolute), NULL, 0},
     0,
     {.job = NULL},
     "__name__=\"collectd_p_t\" instance=\"h\" ",
     SL_KIND_GAUGE,
     "",
     "collectd plugin p, type t, data source value."},
    {"one of ours",
     {"h", "spacelift", "x", "worker_pool", "01H", SOURCES(pool), NULL, 0},
     0,
     {.job = NULL},
     "__name__=\"spacelift_worker_pool_runs_pending\" instance=\"h\" worker_pool_id=\"01H\" "
     "worker_pool_name=\"x\" ",
     SL_KIND_GAUGE,
     "runs",
     "Runs that wait for a worker of this pool."},
    {"meta data says everything",
     {"h", "p", "pi", "t", "ti", SOURCES(gauge), full, 8},
     0,
     {.job = "j"},
     "__name__=\"http_requests_total\" code=\"200\" instance=\"web:80\" job=\"j\" "
     "path=\"/a/b\" we_ird=\"x\" ",
     SL_KIND_COUNTER,
     "requests",
     "Requests\nserved."},
    {"a name for several data sources",
     {"h", "p", "pi", "t", "ti", SOURCES(octets), full + 5, 1},
     1,
     {.job = NULL},
     "__name__=\"http_requests_total_tx\" instance=\"h\" ",
     SL_KIND_COUNTER,
     "",
     ""},
    {"meta data adds and removes labels, the node has the last word",
     {"h", "cpu", "0", "cpu", "idle", SOURCES(derive), labels_only, 2},
     0,
     {.extra = site, .extra_count = 2},
     "__name__=\"collectd_cpu_total\" instance=\"h\" rack=\"r2\" site=\"fra\" type=\"idle\" ",
     SL_KIND_COUNTER,
     "jiffies",
     "Time a processor has spent in a state, in clock ticks (USER_HZ)."},
};

static void test_types_units_help_and_meta_data(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof(described) / sizeof(described[0]); i++) {
        struct sl_buffer bytes, text;
        struct sl_packed p;
        sl_buffer_init(&bytes, 10000);
        sl_buffer_init(&text, 10000);
        assert_int_equal(
            sl_series_pack(&described[i].id, described[i].source, &described[i].rules, &bytes),
            SL_SERIES_KEPT);
        show(&bytes, &p, &text);
        if (strcmp(text.data, described[i].labels) != 0)
            fail_msg("%s:\n%s\n%s", described[i].name, text.data, described[i].labels);
        assert_int_equal(p.kind, described[i].kind);
        assert_int_equal(p.unit_len, strlen(described[i].unit));
        assert_memory_equal(p.unit, described[i].unit, p.unit_len);
        assert_int_equal(p.help_len, strlen(described[i].help));
        assert_memory_equal(p.help, described[i].help, p.help_len);
        sl_buffer_release(&bytes);
        sl_buffer_release(&text);
    }
}

static void test_long_values_are_cut(void **unused) {
    (void)unused;
    char host[SL_LIMIT_LABEL_VALUE_BYTES + 100];
    memset(host, 'h', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    struct sl_value_id id = {host, "p", "", "t", "", SOURCES(gauge), NULL, 0};
    struct sl_series_rules rules = {.job = NULL};
    struct sl_packed packed;
    struct sl_buffer bytes, text;
    sl_buffer_init(&bytes, 100000);
    sl_buffer_init(&text, 100000);
    assert_int_equal(sl_series_pack(&id, 0, &rules, &bytes), SL_SERIES_KEPT);
    show(&bytes, &packed, &text);
    assert_int_equal(strspn(strstr(text.data, "instance=\"") + 10, "h"),
                     SL_LIMIT_LABEL_VALUE_BYTES);
    sl_buffer_release(&bytes);
    sl_buffer_release(&text);
}

static void test_a_series_without_a_name_is_none(void **unused) {
    (void)unused;
    static const struct sl_value_meta nameless[] = {{"__name__", ""}};
    struct sl_value_id id = {"h", "p", "", "t", "", SOURCES(gauge), NULL, 0};
    struct sl_series_rules rules = {.extra = nameless, .extra_count = 1};
    struct sl_buffer bytes;
    sl_buffer_init(&bytes, 1000);
    assert_int_equal(sl_series_pack(&id, 0, &rules, &bytes), SL_SERIES_INVALID);
    assert_int_equal(bytes.len, 0);
    sl_buffer_release(&bytes);
}

static void test_meta_data_that_means_something(void **unused) {
    (void)unused;
    assert_true(sl_series_wants_meta("prometheus:name"));
    assert_true(sl_series_wants_meta("prometheus:label:x"));
    assert_true(sl_series_wants_meta(SL_META_WORKER_POOL_NAME));
    assert_false(sl_series_wants_meta("network:received"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_types_units_help_and_meta_data),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_a_series_without_a_name_is_none),
        cmocka_unit_test(test_meta_data_that_means_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
