/* The encoding to the byte, and what answers mean. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote_write/encode.h"
#include "remote_write/labels.h"
#include "remote_write/options.h"
#include "remote_write/value.h"
#include "remote_write/verdict.h"

/* ---- encoding ---- */

struct description {
    enum sl_series_kind kind;
    const char *unit, *help;
    const char *labels[7]; /* name, value, ... */
};

static struct sl_series *take(struct sl_series_set *set, const struct description *d) {
    struct sl_labels labels;
    struct sl_buffer bytes;
    struct sl_packed packed;
    sl_labels_init(&labels);
    sl_buffer_init(&bytes, 1000000);
    for (size_t i = 0; d->labels[i] != NULL; i += 2)
        sl_labels_set_text(&labels, d->labels[i], d->labels[i + 1]);
    assert_int_equal(sl_labels_finish(&labels, NULL), SL_OK);
    sl_labels_pack(&labels, d->kind, d->unit, d->help, &bytes);
    assert_int_equal(sl_packed_read(bytes.data, bytes.len, &packed, NULL), SL_OK);
    struct sl_series *series = sl_series_take(set, &packed);
    assert_non_null(series);
    /* What is kept of it is all of it. */
    assert_int_equal(sl_series_packed_length(series), bytes.len);
    char *again = malloc(bytes.len);
    assert_ptr_equal(sl_series_put_packed(series, again), again + bytes.len);
    assert_memory_equal(again, bytes.data, bytes.len);
    free(again);
    sl_labels_release(&labels);
    sl_buffer_release(&bytes);
    return series;
}

static const struct description counter = {
    SL_KIND_COUNTER, "", "help", {"__name__", "test_metric", "instance", "h1", "job", "collectd"}};

static void check_hex(const struct sl_buffer *message, const char *hex) {
    char *text = calloc(1, 2 * message->len + 1);
    for (size_t i = 0; i < message->len; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)message->data[i]);
    assert_string_equal(text, hex);
    free(text);
}

struct encoding {
    struct sl_series_set *set;
    struct sl_encoder encoder;
    const struct sl_buffer *message;
};

static struct encoding begin(enum sl_write_protocol protocol) {
    struct encoding e;
    assert_int_equal(sl_series_set_new(&e.set, NULL), SL_OK);
    sl_encoder_init(&e.encoder, 10000000);
    sl_encoder_begin(&e.encoder, protocol);
    return e;
}

/* What the compression is told is where the records and their values are. */
static void check_records(const struct encoding *e) {
    const struct sl_snappy_record *records = (const void *)e->encoder.records.data;
    const char *series = e->message->data + e->encoder.first;
    size_t end = e->message->len - e->encoder.first;
    for (size_t i = e->encoder.records.len / sizeof(*records); i-- > 0; end = records[i].at) {
        assert_int_equal(series[records[i].at], e->encoder.protocol == SL_WRITE_2_0 ? 0x2a : 0x0a);
        assert_true(records[i].at < records[i].value && records[i].value + 8 < end);
        assert_int_equal(series[records[i].value - 1], 0x09);
        assert_int_equal(series[records[i].value + 8], 0x10);
    }
    assert_int_equal(end, 0);
}

static void end(struct encoding *e) {
    struct sl_buffer body;
    assert_int_equal(sl_encoder_end(&e->encoder, &e->message, NULL), SL_OK);
    check_records(e);
    sl_buffer_init(&body, 10000000);
    assert_int_equal(sl_encoder_compress(&e->encoder, &body, NULL), SL_OK);
    assert_in_range(body.len, 1, sl_snappy_bound(e->message->len));
    sl_buffer_release(&body);
}

static void release(struct encoding *e) {
    sl_encoder_release(&e->encoder);
    sl_series_set_free(e->set);
}

static const struct sl_sample forty_two = {
    .bits = 0x4045000000000000, .time_ms = 1700000000123, .start_ms = 1700000000123 - 60000};

/* What `protoc --encode=prometheus.WriteRequest` makes of test_metric{...} 42. */
static void test_1_0_to_the_byte(void **unused) {
    (void)unused;
    struct encoding e = begin(SL_WRITE_1_0);
    sl_encoder_add(&e.encoder, take(e.set, &counter), &forty_two);
    end(&e);
    check_hex(e.message,
              "0a4c0a170a085f5f6e616d655f5f120b746573745f6d65747269630a0e0a08696e7374616e6365120268"
              "310a0f0a036a6f621208636f6c6c65637464121009000000000000454010fbd095ffbc31");
    release(&e);
}

/* The same by `protoc --encode=io.prometheus.write.v2.Request`. */
static void test_2_0_to_the_byte(void **unused) {
    (void)unused;
    struct encoding e = begin(SL_WRITE_2_0);
    sl_encoder_add(&e.encoder, take(e.set, &counter), &forty_two);
    end(&e);
    check_hex(
        e.message,
        "220022085f5f6e616d655f5f220b746573745f6d65747269632208696e7374616e636522026831220"
        "36a6f622208636f6c6c65637464220468656c702a270a06010203040506121709000000000000454010fb"
        "d095ffbc31189bfc91ffbc312a0408011807");
    release(&e);
}

/* A stale marker by its bits; no start, no help, a unit. */
static void test_stale_marker_to_the_byte(void **unused) {
    (void)unused;
    static const struct description gauge = {SL_KIND_GAUGE, "s", "", {"__name__", "a"}};
    struct sl_sample stale = {.bits = SL_VALUE_STALE_BITS, .time_ms = 1700000000123};
    struct encoding e = begin(SL_WRITE_2_0);
    sl_encoder_add(&e.encoder, take(e.set, &gauge), &stale);
    end(&e);
    check_hex(e.message, "220022085f5f6e616d655f5f2201612201732a1c0a020102121009020000000000f07f10"
                         "fbd095ffbc312a0408022003");
    release(&e);
}

/* Symbols stand once in a request, and again in the next one. */
static void test_symbols_are_shared_within_a_request(void **unused) {
    (void)unused;
    struct description other = counter;
    other.labels[3] = "h2";
    struct encoding e = begin(SL_WRITE_2_0);
    struct sl_series *one = take(e.set, &counter), *two = take(e.set, &other);
    assert_ptr_not_equal(one, two);
    assert_ptr_equal(take(e.set, &counter), one);
    sl_encoder_add(&e.encoder, one, &forty_two);
    end(&e);
    size_t first = e.message->len;
    sl_encoder_begin(&e.encoder, SL_WRITE_2_0);
    sl_encoder_add(&e.encoder, one, &forty_two);
    end(&e);
    assert_int_equal(e.message->len, first);
    sl_encoder_begin(&e.encoder, SL_WRITE_2_0);
    sl_encoder_add(&e.encoder, one, &forty_two);
    sl_encoder_add(&e.encoder, two, &forty_two);
    end(&e);
    assert_int_equal(e.message->len, first + strlen("..h2") + 41);
    release(&e);
}

static size_t read_varint(const unsigned char **at) {
    size_t value = 0;
    unsigned shift = 0;
    do {
        value |= (size_t)(**at & 0x7f) << shift;
        shift += 7;
    } while (*(*at)++ & 0x80);
    return value;
}

/* Lengths that need two and three bytes, in both protocols: fields follow each other to the end. */
static void test_lengths_around_the_edges_of_a_varint(void **unused) {
    (void)unused;
    static const size_t lengths[] = {1, 100, 126, 127, 128, 129, 2000};
    for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t len = lengths[i / 2];
        char *value = calloc(1, len + 1);
        memset(value, 'v', len);
        struct description d = {SL_KIND_GAUGE, "", value, {"__name__", "a", "n", value}};
        struct encoding e = begin(i % 2 == 0 ? SL_WRITE_1_0 : SL_WRITE_2_0);
        sl_encoder_add(&e.encoder, take(e.set, &d), &forty_two);
        end(&e);
        const unsigned char *at = (const unsigned char *)e.message->data;
        const unsigned char *last = at + e.message->len;
        while (at < last) {
            assert_true(*at == 0x0a || *at == 0x22 || *at == 0x2a);
            at++;
            size_t size = read_varint(&at);
            at += size;
        }
        assert_ptr_equal(at, last);
        free(value);
        release(&e);
    }
}

/* A TimeSeries of more than 127 bytes of references. */
static void test_many_labels(void **unused) {
    (void)unused;
    struct sl_labels labels;
    struct sl_buffer bytes;
    struct sl_packed packed;
    sl_labels_init(&labels);
    sl_buffer_init(&bytes, 100000);
    sl_labels_set_metric_name(&labels, "m");
    for (int i = 0; i < 60; i++) {
        char name[16], value[16];
        snprintf(name, sizeof(name), "n%02d", i);
        snprintf(value, sizeof(value), "v%02d", i);
        sl_labels_set_text(&labels, name, value);
    }
    assert_int_equal(sl_labels_finish(&labels, NULL), SL_OK);
    sl_labels_pack(&labels, SL_KIND_GAUGE, NULL, NULL, &bytes);
    assert_int_equal(sl_packed_read(bytes.data, bytes.len, &packed, NULL), SL_OK);
    struct encoding e = begin(SL_WRITE_2_0);
    sl_encoder_add(&e.encoder, sl_series_take(e.set, &packed), &forty_two);
    end(&e);
    const unsigned char *at = (const unsigned char *)e.message->data;
    while (*at == 0x22) {
        at++;
        size_t size = read_varint(&at);
        at += size;
    }
    assert_int_equal(*at++, 0x2a);
    size_t size = read_varint(&at);
    assert_ptr_equal(at + size, e.message->data + e.message->len);
    assert_int_equal(*at++, 0x0a);
    assert_int_equal(read_varint(&at), 122); /* all below 128 */
    release(&e);
    sl_labels_release(&labels);
    sl_buffer_release(&bytes);
}

/* ---- answers ---- */

enum { NO_COUNT = -1 };

static void test_what_answers_mean(void **unused) {
    (void)unused;
    static const struct {
        enum sl_write_protocol protocol;
        bool is_fixed;
        int code, status, count;
        enum sl_verdict verdict;
        uint64_t written;
    } cases[] = {
        /* 1.0: counts are not looked at */
        {SL_WRITE_1_0, false, SL_OK, 200, NO_COUNT, SL_VERDICT_ACKED, 10},
        {SL_WRITE_1_0, false, SL_OK, 204, NO_COUNT, SL_VERDICT_ACKED, 10},
        {SL_WRITE_1_0, false, SL_OK, 204, 3, SL_VERDICT_ACKED, 10},
        {SL_WRITE_1_0, false, SL_OK, 400, NO_COUNT, SL_VERDICT_REJECTED, 0},
        {SL_WRITE_1_0, false, SL_OK, 415, NO_COUNT, SL_VERDICT_REJECTED, 0},
        /* 2.0 */
        {SL_WRITE_2_0, false, SL_OK, 204, 10, SL_VERDICT_ACKED, 10},
        {SL_WRITE_2_0, false, SL_OK, 204, 12, SL_VERDICT_ACKED, 10},
        {SL_WRITE_2_0, false, SL_OK, 204, 7, SL_VERDICT_ACKED, 7},
        {SL_WRITE_2_0, false, SL_OK, 204, NO_COUNT, SL_VERDICT_DOWNGRADE, 0},
        {SL_WRITE_2_0, true, SL_OK, 204, NO_COUNT, SL_VERDICT_REJECTED, 0},
        {SL_WRITE_2_0, false, SL_OK, 415, NO_COUNT, SL_VERDICT_DOWNGRADE, 0},
        {SL_WRITE_2_0, true, SL_OK, 415, NO_COUNT, SL_VERDICT_REJECTED, 0},
        {SL_WRITE_2_0, false, SL_OK, 400, NO_COUNT, SL_VERDICT_DOWNGRADE, 0},
        {SL_WRITE_2_0, true, SL_OK, 400, NO_COUNT, SL_VERDICT_REJECTED, 0},
        {SL_WRITE_2_0, false, SL_OK, 400, 4, SL_VERDICT_REJECTED, 4},
        {SL_WRITE_2_0, false, SL_OK, 401, NO_COUNT, SL_VERDICT_REJECTED, 0},
        {SL_WRITE_2_0, false, SL_OK, 404, NO_COUNT, SL_VERDICT_REJECTED, 0},
        {SL_WRITE_2_0, false, SL_OK, 409, NO_COUNT, SL_VERDICT_REJECTED, 0},
        {SL_WRITE_2_0, false, SL_OK, 413, NO_COUNT, SL_VERDICT_SPLIT, 0},
        {SL_WRITE_1_0, false, SL_OK, 413, NO_COUNT, SL_VERDICT_SPLIT, 0},
        {SL_WRITE_2_0, false, SL_OK, 429, NO_COUNT, SL_VERDICT_RETRY, 0},
        {SL_WRITE_2_0, false, SL_OK, 500, NO_COUNT, SL_VERDICT_RETRY, 0},
        {SL_WRITE_2_0, false, SL_OK, 599, 10, SL_VERDICT_RETRY, 0},
        /* neither yes nor no */
        {SL_WRITE_2_0, false, SL_OK, 302, NO_COUNT, SL_VERDICT_RETRY, 0},
        {SL_WRITE_2_0, false, SL_OK, 999, NO_COUNT, SL_VERDICT_RETRY, 0},
        {SL_WRITE_2_0, false, SL_IO, 0, NO_COUNT, SL_VERDICT_RETRY, 0},
        {SL_WRITE_2_0, false, SL_TLS, 0, NO_COUNT, SL_VERDICT_RETRY, 0},
        {SL_WRITE_2_0, false, SL_CONFIG, 0, NO_COUNT, SL_VERDICT_RETRY, 0},
        {SL_WRITE_2_0, false, SL_TIMEOUT, 500, NO_COUNT, SL_VERDICT_RETRY, 0},
        /* a success whose body never came to an end */
        {SL_WRITE_1_0, false, SL_TIMEOUT, 200, NO_COUNT, SL_VERDICT_ACKED, 10},
        {SL_WRITE_2_0, false, SL_TOOBIG, 200, 10, SL_VERDICT_ACKED, 10},
        {SL_WRITE_2_0, false, SL_CANCELED, 0, NO_COUNT, SL_VERDICT_CANCELED, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_question q = {
            .protocol = cases[i].protocol, .may_downgrade = !cases[i].is_fixed, .samples = 10};
        struct sl_answer a = {.code = cases[i].code, .status = cases[i].status};
        char count[16];
        snprintf(count, sizeof(count), "%d", cases[i].count);
        if (cases[i].count != NO_COUNT)
            sl_answer_take_header(&a, "x-prometheus-remote-write-samples-written", count);
        uint64_t written = 99;
        if (sl_judge(&q, &a, &written) != cases[i].verdict || written != cases[i].written)
            fail_msg("case %zu: status %d", i, cases[i].status);
    }
}

static void test_headers_that_count(void **unused) {
    (void)unused;
    struct sl_answer a = {.code = SL_OK};
    sl_answer_take_header(&a, "content-type", "7");
    sl_answer_take_header(&a, "x-prometheus-remote-write-samples-written", "many");
    sl_answer_take_header(&a, "x-prometheus-remote-write-samples-written", "-1");
    sl_answer_take_header(&a, "x-prometheus-remote-write-version", "2.0.0");
    assert_false(a.written_is_known);
    sl_answer_take_header(&a, "x-prometheus-remote-write-histograms-written", "0");
    assert_true(a.written_is_known); /* a missing one stands for 0 then */
    assert_int_equal(a.written, 0);
    sl_answer_take_header(&a, "x-prometheus-remote-write-samples-written", "12345678901");
    assert_true(a.written == 12345678901);
}

/* ---- options ---- */

static void test_options_that_contradict(void **unused) {
    (void)unused;
    static char x[] = "x";
    static const struct sl_node_options good = {.min_backoff_ms = 1, .max_backoff_ms = 2};
    struct sl_node_options o = good;
    struct sl_error err = SL_ERROR_INIT;
    assert_int_equal(sl_node_options_check(&o, &err), SL_OK);
    o.http.user = x;
    assert_int_equal(sl_node_options_check(&o, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "User"));
    o.http.password_file = x;
    assert_int_equal(sl_node_options_check(&o, &err), SL_OK);
    o.http.bearer_token_file = x;
    assert_int_equal(sl_node_options_check(&o, &err), SL_CONFIG);
    o = good;
    o.http.client_cert = x;
    assert_int_equal(sl_node_options_check(&o, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "ClientKey"));
    o = good;
    o.min_backoff_ms = 3;
    assert_int_equal(sl_node_options_check(&o, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "MaxBackoff"));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_1_0_to_the_byte),
        cmocka_unit_test(test_2_0_to_the_byte),
        cmocka_unit_test(test_stale_marker_to_the_byte),
        cmocka_unit_test(test_symbols_are_shared_within_a_request),
        cmocka_unit_test(test_lengths_around_the_edges_of_a_varint),
        cmocka_unit_test(test_many_labels),
        cmocka_unit_test(test_what_answers_mean),
        cmocka_unit_test(test_headers_that_count),
        cmocka_unit_test(test_options_that_contradict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
