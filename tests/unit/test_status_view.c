/* What people see of a status file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_document.h"
#include "base/civil.h"
#include "scaler/status_view.h"

static const int64_t now_ms = 1766000060000;

static struct sl_pool_status pool(void) {
    return (struct sl_pool_status){
        .pool = "builds",
        .kube_namespace = "ns",
        .worker_pool = "builds",
        .size = 3,
        .actual = 3,
        .desired = 5,
        .wanted = 9,
        .data = "good",
        .data_age_ms = 400,
        .pending = 6,
        .busy = 3,
        .demand = 9,
        .floor = 1,
        .cap = 5,
        .unmet = 4,
        .rule = "demand",
        .clamp = "maximum",
        .why = "busy 3 + pending 6 = 9, held at MaxWorkers 5 (4 more would be used)",
        .change_ms = now_ms - 240000,
        .change_from = 1,
        .change_to = 3,
        .change_why = "busy 1 + pending 2 = 3",
    };
}

static struct sl_status_cluster cluster_of(struct sl_pool_status *p) {
    struct sl_status_cluster c = {.pools = p, .pool_count = p != NULL ? 1 : 0};

    strcpy(c.cluster.cluster, "prod");
    c.cluster.written_ms = now_ms - 1000;
    c.cluster.is_leader = true;
    return c;
}

static void assert_has(const struct sl_buffer *out, const char *text) {
    if (strstr(out->data, text) == NULL) {
        fail_msg("no \"%s\" in:\n%s", text, out->data);
    }
}

static void test_ages(void **unused) {
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {-5, "0 s"},          {0, "0 s"},        {999, "0 s"},
        {1000, "1 s"},        {119999, "119 s"}, {120000, "2 min"},
        {7199999, "119 min"}, {7200000, "2 h"},  {172800000, "2 days"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[SL_AGE_BYTES];

        sl_format_age(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_table(void **unused) {
    struct sl_pool_status p = pool();
    struct sl_status_cluster c = cluster_of(&p);
    struct sl_buffer out;

    (void)unused;
    sl_buffer_init(&out, 10000);
    sl_status_print_table(&c, NULL, &sl_colours_none, 0, now_ms, &out);
    assert_string_equal(out.data, "cluster prod  decides, as of 1 s ago\n"
                                  "POOL    SIZE DECIDED  BUSY  PENDING   LIMITS  REASON\n"
                                  "builds     3       5     3        6      1-5  busy 3 + pending "
                                  "6 = 9, held at MaxWorkers 5 "
                                  "(4 more would be used)\n");
    sl_buffer_reset(&out);
    sl_status_print_table(&c, NULL, &sl_colours_none, 80, now_ms, &out);
    assert_has(&out, "busy 3 + pending 6 = 9, held at M\xe2\x80\xa6\n");
    assert_int_equal(sl_status_health(&c, now_ms), SL_STATUS_FINE);
    sl_buffer_release(&out);
}

/* No line is wider than the terminal, and the reason stays readable. */
static void test_narrow(void **unused) {
    struct sl_pool_status p = pool();
    struct sl_status_cluster c = cluster_of(&p);
    struct sl_buffer out;

    (void)unused;
    sl_buffer_init(&out, 10000);
    sl_status_print_table(&c, NULL, &sl_colours_none, 60, now_ms, &out);
    assert_has(&out, "POOL    SIZE DECIDED  BUSY  PENDING   LIMITS\n"
                     "builds     3       5     3        6      1-5\n"
                     "  busy 3 + pending 6 = 9, held at MaxWorkers 5 (4 more woul\xe2\x80\xa6\n");
    sl_buffer_reset(&out);
    (void)snprintf(p.pool, sizeof p.pool, "a-long-name-of-a-pool");
    sl_status_print_table(&c, NULL, &sl_colours_none, 40, now_ms, &out);
    assert_has(&out, "POOL                 SIZE  BUSY  PENDING\n"
                     "a-long-name-of-a-p\xe2\x80\xa6     3     3        6\n"
                     "  busy 3 + pending 6 = 9, held at MaxWo\xe2\x80\xa6\n");
    sl_buffer_release(&out);
}

static void test_health(void **unused) {
    struct sl_pool_status p = pool();
    struct sl_status_cluster c = cluster_of(&p);
    struct sl_buffer out;

    (void)unused;
    sl_buffer_init(&out, 10000);
    assert_int_equal(sl_status_health(&c, now_ms + 29000), SL_STATUS_FINE);
    assert_int_equal(sl_status_health(&c, now_ms + 29001), SL_STATUS_DEAD);
    sl_status_print_table(&c, NULL, &sl_colours_none, 0, now_ms + 200000, &out);
    assert_has(&out, "nobody has written this for 3 min: is the agent running?");
    strcpy(p.data, "stale");
    assert_int_equal(sl_status_health(&c, now_ms), SL_STATUS_TROUBLED);
    c.cluster.is_leader = false; /* another one decides, and knows */
    assert_int_equal(sl_status_health(&c, now_ms), SL_STATUS_FINE);
    strcpy(c.cluster.error, "HTTP 403");
    assert_int_equal(sl_status_health(&c, now_ms), SL_STATUS_TROUBLED);
    sl_buffer_release(&out);
}

static void test_why(void **unused) {
    struct sl_pool_status p = pool();
    struct sl_status_cluster c = cluster_of(&p);
    struct sl_buffer out;

    (void)unused;
    p.foreign_ms = now_ms - 3600000;
    p.foreign_from = 2;
    p.foreign_to = 1;
    p.next_change_ms = now_ms + 45000;
    sl_buffer_init(&out, 10000);
    sl_status_print_why(&c, &p, &sl_colours_none, now_ms, 3600, &out);
    assert_has(&out, "builds  WorkerPool ns/builds, cluster prod");
    assert_has(&out, "  size         3 workers, and as many exist\n");
    assert_has(&out, "  decided      5: busy 3 + pending 6 = 9, held at MaxWorkers 5");
    assert_has(&out, "  data         good, 0 s old: busy 3, pending 6\n");
    assert_has(&out, "  limits       1 to 5 workers now; 4 more would be used\n");
    assert_has(&out, "  last change  2025-12-17 20:30:20, 4 min ago: 1 -> 3, busy 1 + pending 2");
    assert_has(&out, "60 min ago: 2 -> 1 by somebody else\n");
    assert_has(&out, "otherwise 2025-12-17 20:35:05, in 45 s\n");
    assert_has(&out, "raise MaxWorkers");
    sl_buffer_release(&out);
}

static void test_no_control_character_gets_through(void **unused) {
    struct sl_pool_status p = pool();
    struct sl_status_cluster c = cluster_of(&p);
    struct sl_buffer out;

    (void)unused;
    strcpy(p.pool, "a\033[2Jb\xc2\x9b"
                   "c\xc3\xa4\n");
    strcpy(p.why, "\033]0;title\a");
    strcpy(c.cluster.cluster, "\r\033c");
    sl_buffer_init(&out, 10000);
    sl_status_print_table(&c, NULL, &sl_colours_none, 0, now_ms, &out);
    sl_status_print_why(&c, &p, &sl_colours_none, now_ms, 0, &out);
    assert_null(strpbrk(out.data, "\033\a\r"));
    assert_null(strstr(out.data, "\xc2\x9b"));
    assert_has(&out, "a?[2Jb?c\xc3\xa4?");
    sl_buffer_release(&out);
}

static void test_marks(void **unused) {
    struct sl_pool_status p = pool();
    struct sl_status_cluster c = cluster_of(&p);
    struct sl_status_marks marks = {.count = 0};
    struct sl_buffer out;

    (void)unused;
    for (p.demand = 0; p.demand < 100; p.demand++) {
        sl_status_mark(&marks, &p);
    }
    strcpy(p.data, "stale");
    sl_status_mark(&marks, &p);
    sl_buffer_init(&out, 10000);
    sl_status_print_table(&c, &marks, &sl_colours_none, 0, now_ms, &out);
    assert_has(&out, "\xe2\x96\x88\xe2\x96\x88?  "); /* 98, 99 and nobody knew */
    sl_buffer_release(&out);
}

static void test_json(void **unused) {
    struct sl_pool_status p = pool();
    struct sl_status_cluster c = cluster_of(&p);
    struct sl_json_writer w;
    struct sl_buffer out;
    struct sl_json *doc = NULL;
    int64_t size = 0;

    (void)unused;
    sl_buffer_init(&out, 10000);
    sl_json_writer_init(&w, &out);
    sl_status_print_json(&c, now_ms, &w);
    assert_int_equal(sl_json_parse(out.data, out.len, &doc, NULL), SL_OK);
    const struct sl_json *first = sl_json_at(sl_json_get(doc, "each_pool"), 0);
    assert_string_equal(sl_json_string(sl_json_get(first, "pool")), "builds");
    assert_true(sl_json_int64(sl_json_get(first, "size"), &size) && size == 3);
    assert_string_equal(sl_json_string(sl_json_get(doc, "health")), "fine");
    sl_json_free(doc);
    sl_buffer_release(&out);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ages),   cmocka_unit_test(test_table),
        cmocka_unit_test(test_narrow), cmocka_unit_test(test_health),
        cmocka_unit_test(test_why),    cmocka_unit_test(test_no_control_character_gets_through),
        cmocka_unit_test(test_marks),  cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
