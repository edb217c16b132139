/* The encoding to the byte, and the queue's books. */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <snappy-c.h>

#include "remote_write/encode.h"
#include "remote_write/options.h"
#include "remote_write/queue.h"
#include "remote_write/series.h"

static size_t read_varint(const unsigned char **at) {
    size_t value = 0;
    unsigned shift = 0;
    do {
        value |= (size_t)(**at & 0x7f) << shift;
        shift += 7;
    } while (*(*at)++ & 0x80);
    return value;
}

/* A label block as {name="value",...}; written from the specification, not from the encoder. */
static void show_labels(const struct sl_buffer *block, struct sl_buffer *out) {
    const unsigned char *at = (const unsigned char *)block->data;
    const unsigned char *end = at + block->len;
    while (at < end) {
        assert_int_equal(*at++, 0x0a);
        size_t size = read_varint(&at);
        const unsigned char *label_end = at + size;
        assert_int_equal(*at++, 0x0a);
        size = read_varint(&at);
        sl_buffer_printf(out, "%.*s=", (int)size, (const char *)at);
        at += size;
        assert_int_equal(*at++, 0x12);
        size = read_varint(&at);
        sl_buffer_printf(out, "\"%.*s\" ", (int)size, (const char *)at);
        at += size;
        assert_ptr_equal(at, label_end);
    }
}

static const struct sl_value_source gauge[] = {{"value", SL_VALUE_GAUGE}};
static const struct sl_value_source pool[] = {{"runs_pending", SL_VALUE_GAUGE},
                                              {"workers_busy", SL_VALUE_GAUGE},
                                              {"workers", SL_VALUE_GAUGE},
                                              {"workers_drained", SL_VALUE_GAUGE}};

#define SOURCES(s) s, sizeof(s) / sizeof((s)[0])

/* ---- encoding ---- */

/* What `protoc --encode=prometheus.WriteRequest` makes of
 *   timeseries { labels { name: "__name__" value: "up" } samples { value: 1.5 timestamp: 1000 } }
 *   timeseries { labels { name: "a" value: "b" } samples { value: -0.0 timestamp: -1 } } */
static const unsigned char golden[] =
    "\x0a\x1e"
    "\x0a\x0e\x0a\x08__name__\x12\x02up"
    "\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf8\x3f\x10\xe8\x07"
    "\x0a\x1e"
    "\x0a\x06\x0a\x01"
    "a\x12\x01"
    "b"
    "\x12\x14\x09\x00\x00\x00\x00\x00\x00\x00\x80\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";

static void test_write_request_to_the_byte(void **unused) {
    (void)unused;
    struct sl_buffer up, ab, message;
    sl_buffer_init(&up, 100);
    sl_buffer_init(&ab, 100);
    sl_buffer_init(&message, 1000);
    sl_encode_label(&up, "__name__", 8, "up", 2);
    sl_encode_label(&ab, "a", 1, "b", 1);
    sl_encode_sample(&message, up.data, up.len, 1.5, 1000);
    sl_encode_sample(&message, ab.data, ab.len, -0.0, -1);
    assert_int_equal(message.len, sizeof(golden) - 1);
    assert_memory_equal(message.data, golden, sizeof(golden) - 1);
    sl_buffer_release(&up);
    sl_buffer_release(&ab);
    sl_buffer_release(&message);
}

static void test_lengths_around_the_edges_of_a_varint(void **unused) {
    (void)unused;
    static const size_t lengths[] = {0, 1, 126, 127, 128, 129, 16383, 16384, 20000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct sl_buffer block, text;
        char *value = calloc(1, lengths[i] + 1);
        memset(value, 'v', lengths[i]);
        sl_buffer_init(&block, 100000);
        sl_buffer_init(&text, 100000);
        sl_encode_label(&block, "n", 1, value, lengths[i]);
        show_labels(&block, &text);
        assert_int_equal(text.len, lengths[i] + strlen("n=\"\" "));
        sl_buffer_release(&block);
        sl_buffer_release(&text);
        free(value);
    }
}

static uint64_t encoded_bits(double value) {
    struct sl_buffer message;
    uint64_t bits = 0;
    sl_buffer_init(&message, 100);
    sl_encode_sample(&message, "", 0, value, 0);
    for (int i = 7; i >= 0; i--)
        bits = bits << 8 | (unsigned char)message.data[5 + i];
    sl_buffer_release(&message);
    return bits;
}

static void test_no_value_is_mistaken_for_a_stale_marker(void **unused) {
    (void)unused;
    static const uint64_t stale = 0x7ff0000000000002;
    double stale_nan;
    memcpy(&stale_nan, &stale, sizeof(stale));
    assert_true(encoded_bits(stale_nan) == 0x7ff8000000000001);
    assert_true(encoded_bits((double)NAN) == 0x7ff8000000000001);
    assert_true(encoded_bits(INFINITY) == 0x7ff0000000000000);
    assert_true(encoded_bits(-INFINITY) == 0xfff0000000000000);
}

static void test_compressed_is_snappy(void **unused) {
    (void)unused;
    struct sl_buffer message, body;
    sl_buffer_init(&message, 100000);
    sl_buffer_init(&body, 100000);
    for (int i = 0; i < 1000; i++)
        sl_buffer_printf(&message, "series %d of many, ", i % 7);
    assert_int_equal(sl_encode_compress(&message, &body, NULL), SL_OK);
    assert_true(body.len < message.len / 5);
    size_t size = 100000;
    char *plain = malloc(size);
    assert_int_equal(snappy_uncompress(body.data, body.len, plain, &size), SNAPPY_OK);
    assert_int_equal(size, message.len);
    assert_memory_equal(plain, message.data, size);
    free(plain);
    sl_buffer_release(&message);
    sl_buffer_release(&body);
}

/* ---- the queue ---- */

static struct sl_queue *new_queue(size_t capacity) {
    static const struct sl_series_rules no_rules;
    struct sl_queue *q = NULL;
    assert_int_equal(sl_queue_new(capacity, &no_rules, &q, NULL), SL_OK);
    return q;
}

static void check_books(struct sl_queue *q, uint64_t accepted, uint64_t pending) {
    struct sl_queue_counts c;
    sl_queue_count(q, &c);
    assert_int_equal(c.accepted,
                     c.acked + c.rejected + c.dropped_full + c.dropped_invalid + c.pending);
    assert_int_equal(c.accepted, accepted);
    assert_int_equal(c.pending, pending);
}

static size_t put(struct sl_queue *q, const char *host, double value, int64_t timestamp_ms) {
    struct sl_value_id id = {host, "p", "", "t", "", SOURCES(gauge), NULL, 0};
    return sl_queue_put(q, &id, 0, &value, timestamp_ms);
}

static void test_queue_keeps_order_and_books(void **unused) {
    (void)unused;
    struct sl_queue *q = new_queue(10);
    struct sl_sample taken[10];
    assert_int_equal(put(q, "a", 1, 100), 1);
    assert_int_equal(put(q, "b", 2, 100), 2);
    assert_int_equal(put(q, "a", 3, 200), 3);
    check_books(q, 3, 3);
    assert_int_equal(sl_queue_take(q, taken, 2), 2);
    check_books(q, 3, 3);
    assert_true(taken[0].value == 1 && taken[1].value == 2);
    assert_ptr_not_equal(taken[0].series, taken[1].series);
    sl_queue_settle(q, 1, SL_FATE_ACKED, 0);
    sl_queue_settle(q, 1, SL_FATE_REJECTED, 0);
    check_books(q, 3, 1);
    assert_int_equal(sl_queue_take(q, taken, 10), 1);
    assert_true(taken[0].value == 3 && taken[0].timestamp_ms == 200);
    sl_queue_free(q);
}

static void test_queue_never_goes_back_in_time(void **unused) {
    (void)unused;
    struct sl_queue *q = new_queue(10);
    struct sl_queue_counts c;
    put(q, "a", 1, 100);
    put(q, "a", 1, 100);
    put(q, "a", 1, 99);
    put(q, "b", 1, 99);
    sl_queue_count(q, &c);
    assert_int_equal(c.dropped_invalid, 2);
    check_books(q, 4, 2);
    sl_queue_free(q);
}

static void test_queue_leaves_out_what_is_no_value(void **unused) {
    (void)unused;
    struct sl_queue *q = new_queue(10);
    double values[] = {1, NAN, NAN, 4};
    struct sl_value_id id = {"h", "spacelift", "x", "worker_pool", "1", SOURCES(pool), NULL, 0};
    assert_int_equal(sl_queue_put(q, &id, 0, values, 5), 2);
    check_books(q, 2, 2);
    sl_queue_free(q);
}

static void test_full_queue_drops_its_oldest(void **unused) {
    (void)unused;
    struct sl_queue *q = new_queue(4);
    struct sl_sample taken[4];
    struct sl_queue_counts c;
    for (int i = 1; i <= 11; i++) {
        put(q, "a", i, i);
        check_books(q, (uint64_t)i, i < 4 ? (uint64_t)i : 4);
    }
    sl_queue_count(q, &c);
    assert_int_equal(c.dropped_full, 7);
    assert_int_equal(sl_queue_take(q, taken, 4), 4); /* around the end of the ring */
    for (int i = 0; i < 4; i++)
        assert_true(taken[i].value == 8 + i);
    sl_queue_free(q);
}

static void test_many_series_stay_apart(void **unused) {
    (void)unused;
    enum { SERIES = 10000 };
    struct sl_queue *q = new_queue(2 * SERIES);
    struct sl_sample *taken = calloc(2 * SERIES, sizeof(*taken));
    char host[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < SERIES; i++) {
            snprintf(host, sizeof(host), "host-%d", i);
            put(q, host, i, round + 1);
        }
    }
    assert_int_equal(sl_queue_take(q, taken, 2 * SERIES), 2 * SERIES);
    for (int i = 0; i < SERIES; i++)
        assert_ptr_equal(taken[i].series, taken[SERIES + i].series);
    free(taken);
    sl_queue_free(q);
}

static void test_old_series_are_forgotten_when_nobody_holds_them(void **unused) {
    (void)unused;
    static const int64_t hour_ms = 3600 * 1000;
    struct sl_queue *q = new_queue(100);
    struct sl_sample taken[2];
    put(q, "a", 1, 500);
    assert_int_equal(sl_queue_take(q, taken, 1), 1);
    /* It is held: however late it is, its labels must stay. */
    for (int i = 0; i < 100; i++)
        sl_queue_settle(q, 0, SL_FATE_ACKED, i * hour_ms);
    size_t len = 0;
    uint64_t *batch;
    assert_non_null(sl_series_block(taken[0].series, 0, &len, &batch));
    assert_true(len > 0);
    sl_queue_settle(q, 1, SL_FATE_ACKED, 100 * hour_ms);
    for (int i = 101; i < 200; i++)
        sl_queue_settle(q, 0, SL_FATE_ACKED, i * hour_ms);
    /* Forgotten, so a time that was too old for the series is taken again. */
    put(q, "a", 2, 400);
    struct sl_queue_counts c;
    sl_queue_count(q, &c);
    assert_int_equal(c.dropped_invalid, 0);
    assert_int_equal(c.pending, 1);
    sl_queue_free(q);
}

enum { PUTS = 20000, PUTTERS = 5 };

struct putter {
    pthread_t thread;
    struct sl_queue *queue;
    int number;
};

static void *put_many(void *arg) {
    struct putter *p = arg;
    char host[32];
    for (int i = 0; i < PUTS; i++) {
        snprintf(host, sizeof(host), "host-%d", (p->number + i) % 7);
        put(p->queue, host, i, i + 1);
    }
    return NULL;
}

static void test_five_threads_at_once(void **unused) {
    (void)unused;
    struct sl_queue *q = new_queue(1000);
    struct sl_sample taken[100];
    struct putter putters[PUTTERS];
    for (int i = 0; i < PUTTERS; i++) {
        putters[i] = (struct putter){.queue = q, .number = i};
        assert_int_equal(pthread_create(&putters[i].thread, NULL, put_many, &putters[i]), 0);
    }
    for (int i = 0; i < 300; i++)
        sl_queue_settle(q, sl_queue_take(q, taken, 100), SL_FATE_ACKED, i);
    for (int i = 0; i < PUTTERS; i++)
        pthread_join(putters[i].thread, NULL);
    struct sl_queue_counts c;
    sl_queue_count(q, &c);
    assert_int_equal(c.accepted, PUTS * PUTTERS);
    assert_int_equal(c.accepted, c.acked + c.dropped_full + c.dropped_invalid + c.pending);
    sl_queue_free(q);
}

/* ---- options ---- */

static void test_options_that_contradict(void **unused) {
    (void)unused;
    static char x[] = "x";
    static const struct sl_node_options good = {.min_backoff_ms = 1, .max_backoff_ms = 2};
    struct sl_node_options o = good;
    struct sl_error err = SL_ERROR_INIT;
    assert_int_equal(sl_node_options_check(&o, &err), SL_OK);
    o.user = x;
    assert_int_equal(sl_node_options_check(&o, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "User"));
    o.password_file = x;
    assert_int_equal(sl_node_options_check(&o, &err), SL_OK);
    o.bearer_token_file = x;
    assert_int_equal(sl_node_options_check(&o, &err), SL_CONFIG);
    o = good;
    o.client_cert = x;
    assert_int_equal(sl_node_options_check(&o, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "ClientKey"));
    o = good;
    o.min_backoff_ms = 3;
    assert_int_equal(sl_node_options_check(&o, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "MaxBackoff"));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_request_to_the_byte),
        cmocka_unit_test(test_lengths_around_the_edges_of_a_varint),
        cmocka_unit_test(test_no_value_is_mistaken_for_a_stale_marker),
        cmocka_unit_test(test_compressed_is_snappy),
        cmocka_unit_test(test_queue_keeps_order_and_books),
        cmocka_unit_test(test_queue_never_goes_back_in_time),
        cmocka_unit_test(test_queue_leaves_out_what_is_no_value),
        cmocka_unit_test(test_full_queue_drops_its_oldest),
        cmocka_unit_test(test_many_series_stay_apart),
        cmocka_unit_test(test_old_series_are_forgotten_when_nobody_holds_them),
        cmocka_unit_test(test_five_threads_at_once),
        cmocka_unit_test(test_options_that_contradict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
