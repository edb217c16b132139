/* The status file: what is written is what is read, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scaler/status.h"

static const struct sl_cluster_status cluster = {
    .cluster = "prod",
    .written_ms = 1766000000000,
    .started_ms = 1765990000000,
    .is_leader = true,
    .pools = 2,
};

static const struct sl_pool_status busy_pool = {
    .pool = "builds \"of\" M\xc3\xbcnchen",
    .worker_pool = "builds",
    .size = 1,
    .desired = 3,
    .data = "good",
    .demand = 3,
    .rule = "demand",
    .clamp = "none",
    .why = "busy 1 + pending 2 = 3",
    .is_paused = true,
    .error = "HTTP 403",
    .retry_ms = 1766000005000,
};

static const struct sl_pool_status quiet_pool = {.pool = "other", .size = -1};

static void put_all(struct sl_buffer *out) {
    sl_buffer_init(out, 1024 * 1024);
    sl_status_put_cluster(&cluster, out);
    sl_status_put_pool(&busy_pool, out);
    sl_status_put_pool(&quiet_pool, out);
    assert_int_equal(out->failed, SL_OK);
}

static void test_what_is_written_is_read(void **unused) {
    struct sl_cluster_status read_cluster;
    struct sl_pool_status *pools = NULL;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer bytes;
    size_t count = 0;

    (void)unused;
    put_all(&bytes);
    assert_int_equal(sl_status_read(bytes.data, bytes.len, &read_cluster, &pools, &count, &err),
                     SL_OK);
    assert_int_equal(count, 2);
    assert_memory_equal(&read_cluster, &cluster, sizeof cluster);
    assert_memory_equal(&pools[0], &busy_pool, sizeof busy_pool);
    assert_memory_equal(&pools[1], &quiet_pool, sizeof quiet_pool);
    free(pools);
    sl_buffer_release(&bytes);
}

static void assert_refused(const char *text, const char *expected) {
    struct sl_cluster_status read_cluster;
    struct sl_pool_status *pools = NULL;
    struct sl_error err = SL_ERROR_INIT;
    size_t count = 0;

    assert_int_equal(sl_status_read(text, strlen(text), &read_cluster, &pools, &count, &err),
                     SL_PARSE);
    assert_null(pools);
    if (strstr(err.text, expected) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", expected, err.text);
    }
}

static void test_anything_else_is_refused(void **unused) {
    (void)unused;
    assert_refused("", "empty");
    assert_refused("[]\n", "line 1: not an object");
    assert_refused("{\"form\":2}\n", "line 1: not a status of form 1");
    assert_refused("{\"form\":1}\n{\"pool\":\n", "line 2");
    assert_refused("{\"form\":1}\n\n", "line 2");
}

static void test_half_a_file_is_refused_at_every_byte_of_a_line(void **unused) {
    struct sl_buffer bytes;
    size_t first = 0;

    (void)unused;
    put_all(&bytes);
    first = (size_t)(strchr(bytes.data, '\n') - bytes.data);
    for (size_t len = 0; len < first; len++) {
        struct sl_cluster_status read_cluster;
        struct sl_pool_status *pools = NULL;
        size_t count = 0;

        assert_int_equal(sl_status_read(bytes.data, len, &read_cluster, &pools, &count, NULL),
                         SL_PARSE);
    }
    sl_buffer_release(&bytes);
}

static void test_texts_too_long_are_cut_and_members_unknown_passed_over(void **unused) {
    struct sl_cluster_status read_cluster;
    struct sl_pool_status *pools = NULL;
    struct sl_error err = SL_ERROR_INIT;
    char line[1000];
    size_t count = 0;

    (void)unused;
    (void)snprintf(line, sizeof line,
                   "{\"form\":1,\"new\":[1]}\n{\"rule\":\"%0100d\",\"size\":\"3\"}", 0);
    assert_int_equal(sl_status_read(line, strlen(line), &read_cluster, &pools, &count, &err),
                     SL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(strlen(pools[0].rule), SL_STATUS_WORD_BYTES - 1);
    assert_int_equal(pools[0].size, 0);
    free(pools);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_anything_else_is_refused),
        cmocka_unit_test(test_half_a_file_is_refused_at_every_byte_of_a_line),
        cmocka_unit_test(test_texts_too_long_are_cut_and_members_unknown_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
