/* Sets of labels, their packed form, and the bits of values. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "remote_write/labels.h"
#include "remote_write/value.h"

/* ---- sets ---- */

static void show(const struct sl_labels *l, struct sl_buffer *out) {
    sl_buffer_reset(out);
    for (size_t i = 0; i < l->count; i++) {
        struct sl_label label = sl_labels_at(l, i);
        sl_buffer_printf(out, "%.*s=%.*s ", (int)label.name_len, label.name, (int)label.value_len,
                         label.value);
    }
}

#define expect_labels(l, wanted)                                                                   \
    do {                                                                                           \
        struct sl_buffer shown;                                                                    \
        sl_buffer_init(&shown, 100000);                                                            \
        show(l, &shown);                                                                           \
        assert_string_equal(shown.data, wanted);                                                   \
        sl_buffer_release(&shown);                                                                 \
    } while (0)

static void test_set_replaces_and_removes(void **unused) {
    (void)unused;
    struct sl_labels l;
    struct sl_label label;
    sl_labels_init(&l);
    sl_labels_set_text(&l, "a", "1");
    sl_labels_set_text(&l, "b", "2");
    sl_labels_set_text(&l, "a", "3");
    expect_labels(&l, "a=3 b=2 ");
    assert_true(sl_labels_get(&l, "a", 1, &label));
    /* From its own text into its own text. */
    for (int i = 0; i < 100; i++) {
        assert_true(sl_labels_get(&l, "a", 1, &label));
        sl_labels_set(&l, "b", 1, label.value, label.value_len);
        assert_true(sl_labels_get(&l, "b", 1, &label));
        sl_labels_set(&l, label.name, 1, label.value, label.value_len);
    }
    expect_labels(&l, "a=3 b=3 ");
    sl_labels_set_text(&l, "a", "");
    sl_labels_set_text(&l, "c", "");
    sl_labels_set(&l, "d", 1, "\0x", 2);
    expect_labels(&l, "b=3 ");
    assert_false(sl_labels_get(&l, "a", 1, &label));
    sl_labels_release(&l);
}

static void test_added_names_give_way(void **unused) {
    (void)unused;
    struct sl_labels l;
    sl_labels_init(&l);
    sl_labels_add(&l, "job", "1");
    sl_labels_add(&l, "job", "2");
    sl_labels_add(&l, "job", "3");
    sl_labels_add(&l, "job", "");
    sl_labels_add(&l, "____x", "4");
    sl_labels_add(&l, "9-\xc3\xa4", "5");
    sl_labels_add(&l, "", "6");
    expect_labels(&l, "job=1 exported_job=2 exported_exported_job=3 _x=4 _9___=5 _=6 ");
    sl_labels_release(&l);
}

static void test_finish_mends_and_sorts(void **unused) {
    (void)unused;
    struct sl_labels l;
    sl_labels_init(&l);
    sl_labels_set_text(&l, "z", "1");
    sl_labels_set_text(&l, "__tmp", "gone");
    sl_labels_set_text(&l, "a-b", "2");
    sl_labels_set_text(&l, "a_b", "3");
    sl_labels_set_text(&l, "Z", "4");
    sl_labels_set_text(&l, "ab", "\xff\xc3\xa4");
    sl_labels_set_text(&l, "a", "5");
    sl_labels_set_text(&l, "\xff\xfe", "6");
    sl_labels_set_metric_name(&l, "9 lives:\xc3\xa4");
    assert_int_equal(sl_labels_finish(&l, NULL), SL_OK);
    expect_labels(&l, "Z=4 _=6 __name__=_9_lives:__ a=5 a_b=3 ab=\xef\xbf\xbd\xc3\xa4 "
                      "exported_a_b=2 z=1 ");
    sl_labels_release(&l);
}

static void test_what_is_no_series(void **unused) {
    (void)unused;
    struct sl_labels l;
    struct sl_error err = SL_ERROR_INIT;
    sl_labels_init(&l);
    sl_labels_set_text(&l, "a", "1");
    assert_int_equal(sl_labels_finish(&l, &err), SL_PARSE);
    sl_labels_set_metric_name(&l, "n");
    for (int i = 0; i < SL_LABELS_MAX - 2; i++) {
        char name[16];
        snprintf(name, sizeof(name), "l%d", i);
        sl_labels_set_text(&l, name, "v");
    }
    assert_int_equal(sl_labels_finish(&l, &err), SL_OK);
    assert_int_equal(l.count, SL_LABELS_MAX);
    sl_labels_set_text(&l, "one_more", "v");
    assert_int_equal(sl_labels_finish(&l, &err), SL_TOOBIG);
    assert_non_null(strstr(err.text, "64 labels"));
    sl_labels_release(&l);
}

static void test_long_names_end(void **unused) {
    (void)unused;
    char name[3 * SL_LABEL_NAME_BYTES_MAX];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct sl_labels l;
    sl_labels_init(&l);
    sl_labels_set_metric_name(&l, name);
    for (int i = 0; i < 10; i++)
        sl_labels_add(&l, name, "v");
    sl_labels_set_text(&l, name, "v");
    name[0] = '9';
    sl_labels_set_text(&l, name, "v");
    sl_labels_set_metric_name(&l, name);
    assert_int_equal(sl_labels_finish(&l, NULL), SL_OK);
    for (size_t i = 0; i < l.count; i++) {
        struct sl_label label = sl_labels_at(&l, i), next;
        assert_true(label.name_len <= SL_LABEL_NAME_BYTES_MAX);
        assert_true(label.value_len <= SL_LABEL_NAME_BYTES_MAX);
        if (i + 1 < l.count) {
            next = sl_labels_at(&l, i + 1);
            assert_true(sl_label_compare(&label, &next) < 0);
        }
    }
    sl_labels_release(&l);
}

/* ---- packed ---- */

static const char packed_bytes[] = "\x01\x05"
                                   "bytes\x02ok\x02\x08__name__\x01n\x01z\x02zz";

static void test_packed_to_the_byte(void **unused) {
    (void)unused;
    struct sl_labels l;
    struct sl_buffer out;
    struct sl_packed p;
    struct sl_label label;
    sl_labels_init(&l);
    sl_labels_set_text(&l, "z", "zz");
    sl_labels_set_metric_name(&l, "n");
    assert_int_equal(sl_labels_finish(&l, NULL), SL_OK);
    sl_buffer_init(&out, 1000);
    sl_labels_pack(&l, SL_KIND_COUNTER, "bytes", "ok", &out);
    assert_int_equal(out.len, sizeof(packed_bytes) - 1);
    assert_memory_equal(out.data, packed_bytes, out.len);
    assert_int_equal(sl_packed_read(out.data, out.len, &p, NULL), SL_OK);
    assert_int_equal(p.kind, SL_KIND_COUNTER);
    assert_int_equal(p.label_count, 2);
    const char *at = p.labels;
    assert_true(sl_packed_next(&p, &at, &label));
    assert_memory_equal(label.name, "__name__", 8);
    assert_true(sl_packed_next(&p, &at, &label));
    assert_memory_equal(label.value, "zz", 2);
    assert_false(sl_packed_next(&p, &at, &label));
    sl_buffer_release(&out);
    sl_labels_release(&l);
}

static void test_packed_bytes_from_a_disk(void **unused) {
    (void)unused;
    struct sl_packed p;
    /* Every cut, and one byte too many. */
    for (size_t len = 0; len < sizeof(packed_bytes); len++)
        assert_int_equal(sl_packed_read(packed_bytes, len, &p, NULL),
                         len == sizeof(packed_bytes) - 1 ? SL_OK : SL_PARSE);
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x08\0\0\x01\x01n\x01v", 8},                      /* no such kind */
        {"\0\0\0\0", 4},                                    /* no label */
        {"\0\0\0\x01\x01n\0", 7},                           /* an empty value */
        {"\0\0\0\x01\0\x01v", 7},                           /* an empty name */
        {"\0\0\0\x02\x01n\x01v\x01n\x01w", 12},             /* a name twice */
        {"\0\0\0\x02\x01n\x01v\x01m\x01w", 12},             /* not sorted */
        {"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11}, /* a varint beyond 64 bits */
        {"\0\0\0\x41\x01n\x01v", 8},                        /* more labels than there may be */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sl_packed_read(bad[i].bytes, bad[i].len, &p, NULL), SL_PARSE);
}

static void test_words_of_kinds(void **unused) {
    (void)unused;
    static const char *const words[] = {"unknown",        "counter", "gauge", "histogram",
                                        "gaugehistogram", "summary", "info",  "stateset"};
    for (int i = 0; i < 8; i++)
        assert_int_equal(sl_series_kind_of(words[i]), i);
    assert_int_equal(sl_series_kind_of("Counter"), SL_KIND_UNKNOWN);
}

/* ---- values ---- */

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void test_bits_of_values(void **unused) {
    (void)unused;
    double stale = double_of(SL_VALUE_STALE_BITS);
    assert_true(sl_value_bits_of_gauge(stale) == SL_VALUE_NAN_BITS);
    assert_true(sl_value_bits_of_gauge(-(double)NAN) == SL_VALUE_NAN_BITS);
    assert_true(sl_value_bits_of_gauge(INFINITY) == UINT64_C(0x7ff0000000000000));
    assert_true(sl_value_bits_of_gauge(-INFINITY) == UINT64_C(0xfff0000000000000));
    assert_true(sl_value_bits_of_gauge(-0.0) == UINT64_C(0x8000000000000000));
    assert_true(double_of(sl_value_bits_of_gauge(DBL_MAX)) == DBL_MAX);
    assert_true(double_of(sl_value_bits_of_gauge(DBL_TRUE_MIN)) == DBL_TRUE_MIN);
    assert_true(double_of(sl_value_bits_of_unsigned(UINT64_MAX)) == 0x1p64);
    assert_true(double_of(sl_value_bits_of_signed(INT64_MIN)) == -0x1p63);
    assert_true(double_of(sl_value_bits_of_signed(-7)) == -7);
    /* Rounding above 2^53 never turns a counter back. */
    double before = 0;
    for (uint64_t n = (UINT64_C(1) << 53) - 5; n < (UINT64_C(1) << 53) + 50; n++) {
        double value = double_of(sl_value_bits_of_unsigned(n));
        assert_true(value >= before && value - (double)n <= 1);
        before = value;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_replaces_and_removes),
        cmocka_unit_test(test_added_names_give_way),
        cmocka_unit_test(test_finish_mends_and_sorts),
        cmocka_unit_test(test_what_is_no_series),
        cmocka_unit_test(test_long_names_end),
        cmocka_unit_test(test_packed_to_the_byte),
        cmocka_unit_test(test_packed_bytes_from_a_disk),
        cmocka_unit_test(test_words_of_kinds),
        cmocka_unit_test(test_bits_of_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
