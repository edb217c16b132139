/* Errors, buffers, secrets, back-off, complaints, base64 and UTF-8: what every room stands on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/backoff.h"
#include "base/base64.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/utf8.h"

/* ---- errors ---- */

static void test_fail_fills_everything(void **unused) {
    (void)unused;
    struct sl_error err = {.code = SL_IO, .http_status = 500, .retry_after_ms = 7, .text = "old"};
    assert_int_equal(sl_fail(&err, SL_PARSE, "bad %s at %d", "key", 4), SL_PARSE);
    assert_int_equal(err.code, SL_PARSE);
    assert_int_equal(err.http_status, 0);
    assert_int_equal(err.retry_after_ms, -1);
    assert_string_equal(err.text, "bad key at 4");
    assert_int_equal(sl_fail(NULL, SL_IO, "nobody listens"), SL_IO);
}

static void test_fail_makes_one_line(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    sl_fail(&err, SL_REMOTE, "first\nsecond\tthird\x7f.");
    assert_string_equal(err.text, "first second third .");
}

static void test_fail_cuts_between_characters(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    char text[SL_ERROR_TEXT_BYTES + 8];
    memset(text, 'x', sizeof(text));
    memcpy(text + SL_ERROR_TEXT_BYTES - 2, "\xc3\xa4", 3); /* its second byte does not fit */
    sl_fail(&err, SL_REMOTE, "%s", text);
    assert_int_equal(strlen(err.text), SL_ERROR_TEXT_BYTES - 2);
}

static void test_prefix_keeps_the_rest(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    sl_fail(&err, SL_RATELIMIT, "slow down");
    err.http_status = 429;
    err.retry_after_ms = 3000;
    assert_int_equal(sl_error_prefix(&err, "pool \"%s\"", "a"), SL_RATELIMIT);
    assert_string_equal(err.text, "pool \"a\": slow down");
    assert_int_equal(err.http_status, 429);
    assert_int_equal(err.retry_after_ms, 3000);
}

static void test_an_error_can_quote_itself(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    sl_fail(&err, SL_IO, "inner");
    sl_fail(&err, SL_CONFIG, "outer: %s", err.text);
    assert_string_equal(err.text, "outer: inner");
}

static void test_codes_have_words(void **unused) {
    (void)unused;
    for (int code = SL_OK; code <= SL_BUG; code++) {
        assert_true(strlen(sl_code_name((enum sl_code)code)) > 0);
        assert_true(strlen(sl_code_text((enum sl_code)code)) > 0);
    }
    assert_true(sl_code_is_retryable(SL_TIMEOUT));
    assert_true(sl_code_is_retryable(SL_REMOTE));
    assert_false(sl_code_is_retryable(SL_REJECTED));
    assert_false(sl_code_is_retryable(SL_CANCELED));
}

/* ---- buffers ---- */

static void test_buffer_is_a_string_from_the_start(void **unused) {
    (void)unused;
    struct sl_buffer b;
    sl_buffer_init(&b, 10);
    assert_string_equal(b.data, "");
    sl_buffer_puts(&b, "abc");
    sl_buffer_putc(&b, 'd');
    sl_buffer_printf(&b, "%d", 42);
    assert_string_equal(b.data, "abcd42");
    assert_int_equal(b.len, 6);
    sl_buffer_reset(&b);
    assert_string_equal(b.data, "");
    sl_buffer_release(&b);
}

static void test_buffer_limit_is_exact(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer b;
    sl_buffer_init(&b, 5);
    sl_buffer_puts(&b, "12345");
    assert_int_equal(sl_buffer_check(&b, "a thing", &err), SL_OK);
    sl_buffer_putc(&b, '6');
    assert_int_equal(sl_buffer_check(&b, "a thing", &err), SL_TOOBIG);
    assert_string_equal(err.text, "a thing is larger than 5 bytes");
    assert_string_equal(b.data, "12345");
    sl_buffer_release(&b);
}

static void test_buffer_failure_sticks(void **unused) {
    (void)unused;
    struct sl_buffer b;
    sl_buffer_init(&b, 3);
    sl_buffer_puts(&b, "too long");
    sl_buffer_puts(&b, "x");
    assert_int_equal(b.len, 0);
    assert_null(sl_buffer_steal(&b));
    sl_buffer_reset(&b);
    sl_buffer_puts(&b, "ok");
    assert_int_equal(sl_buffer_check(&b, "it", NULL), SL_OK);
    sl_buffer_release(&b);
}

static void test_buffer_prints_more_than_its_scratch(void **unused) {
    (void)unused;
    struct sl_buffer b;
    char long_text[700];
    memset(long_text, 'y', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    sl_buffer_init(&b, 1000);
    sl_buffer_printf(&b, "<%s>", long_text);
    assert_int_equal(b.len, 701);
    assert_int_equal(b.data[700], '>');
    sl_buffer_release(&b);
}

static void test_buffer_steal(void **unused) {
    (void)unused;
    struct sl_buffer b;
    sl_buffer_init(&b, 100);
    char *nothing = sl_buffer_steal(&b);
    assert_string_equal(nothing, "");
    free(nothing);
    sl_buffer_puts(&b, "mine");
    char *text = sl_buffer_steal(&b);
    assert_string_equal(text, "mine");
    assert_string_equal(b.data, "");
    assert_int_equal(b.max, 100);
    free(text);
}

/* ---- secrets ---- */

static void test_secret_trimmed(void **unused) {
    (void)unused;
    struct sl_secret s = SL_SECRET_INIT;
    static const char text[] = "\n  s3 cret\t\r\n";
    assert_false(sl_secret_is_set(&s));
    assert_int_equal(sl_secret_set_trimmed(&s, text, strlen(text), NULL), SL_OK);
    assert_string_equal(s.text, "s3 cret");
    assert_int_equal(s.len, 7);
    sl_secret_release(&s);
    assert_false(sl_secret_is_set(&s));
}

static void test_secret_equal(void **unused) {
    (void)unused;
    struct sl_secret a = SL_SECRET_INIT, b = SL_SECRET_INIT;
    assert_int_equal(sl_secret_set(&a, "same", 4, NULL), SL_OK);
    assert_int_equal(sl_secret_set(&b, "same", 4, NULL), SL_OK);
    assert_true(sl_secret_equal(&a, &b));
    assert_int_equal(sl_secret_set(&b, "sane", 4, NULL), SL_OK);
    assert_false(sl_secret_equal(&a, &b));
    assert_int_equal(sl_secret_set(&b, "same!", 5, NULL), SL_OK);
    assert_false(sl_secret_equal(&a, &b));
    sl_secret_release(&a);
    assert_false(sl_secret_equal(&a, &b));
    sl_secret_release(&b);
}

/* ---- back-off ---- */

static void test_backoff_grows_and_ends(void **unused) {
    (void)unused;
    struct sl_backoff b;
    int64_t expected_ms = 100, last_ms = 0;
    sl_backoff_init(&b, 100, 5000, 42);
    for (int i = 0; i < 20; i++) {
        int64_t wait_ms = sl_backoff_failed(&b, -1, 60000);
        assert_in_range(wait_ms, expected_ms * 9 / 10, expected_ms * 11 / 10);
        assert_true(expected_ms == 5000 || wait_ms > last_ms);
        last_ms = wait_ms;
        expected_ms = expected_ms * 2 > 5000 ? 5000 : expected_ms * 2;
    }
    sl_backoff_succeeded(&b);
    assert_in_range(sl_backoff_failed(&b, -1, 60000), 90, 110);
}

static void test_backoff_obeys_retry_after_within_reason(void **unused) {
    (void)unused;
    struct sl_backoff b;
    sl_backoff_init(&b, 100, 1000, 1);
    assert_int_equal(sl_backoff_failed(&b, 7000, 60000), 7000);
    assert_int_equal(sl_backoff_failed(&b, 90000, 60000), 60000);
    assert_in_range(sl_backoff_failed(&b, 0, 60000), 360, 440); /* only a lower bound */
}

/* ---- complaints ---- */

static void test_complaint_is_said_rarely(void **unused) {
    (void)unused;
    struct sl_complaint c = {0};
    static const int64_t minute_ms = 60000;
    /* Fails every 10 seconds for a day: now, 5, 10, 20 ... minutes after the last time. */
    int64_t said_ms[32];
    size_t said = 0;
    for (int64_t now_ms = 1000; now_ms < 24 * 60 * minute_ms; now_ms += 10000)
        if (sl_complaint_failed(&c, "no route", now_ms) && said < 32)
            said_ms[said++] = now_ms;
    assert_in_range(said, 5, 10);
    assert_int_equal(said_ms[0], 1000);
    assert_in_range(said_ms[1] - said_ms[0], 5 * minute_ms, 5 * minute_ms + 10000);
    assert_in_range(said_ms[2] - said_ms[1], 10 * minute_ms, 10 * minute_ms + 10000);
    assert_in_range(said_ms[3] - said_ms[2], 20 * minute_ms, 20 * minute_ms + 10000);
}

static void test_complaint_about_something_else_is_said_at_once(void **unused) {
    (void)unused;
    struct sl_complaint c = {0};
    assert_true(sl_complaint_failed(&c, "one", 1000));
    assert_false(sl_complaint_failed(&c, "one", 2000));
    assert_true(sl_complaint_failed(&c, "two", 3000));
}

static void test_complaint_ends_once(void **unused) {
    (void)unused;
    struct sl_complaint c = {0};
    int64_t lasted_ms = 0;
    uint64_t count = 0;
    assert_false(sl_complaint_succeeded(&c, 500, &lasted_ms, &count));
    for (int i = 0; i < 3; i++)
        sl_complaint_failed(&c, "x", 1000 + i * 1000);
    assert_true(sl_complaint_succeeded(&c, 61000, &lasted_ms, &count));
    assert_int_equal(lasted_ms, 60000);
    assert_int_equal(count, 3);
    assert_false(sl_complaint_succeeded(&c, 62000, NULL, NULL));
}

static void keep_line(void *context, enum sl_log_level level, const char *line) {
    struct sl_buffer *b = context;
    sl_buffer_printf(b, "%d %s|", (int)level, line);
}

static void test_log_cuts_lines_and_needs_no_sink(void **unused) {
    (void)unused;
    struct sl_buffer b;
    char text[2000];
    memset(text, 'z', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    sl_buffer_init(&b, 10000);
    struct sl_log log = {.write = keep_line, .context = &b};
    sl_log(&log, SL_LOG_WARNING, "a %d", 1);
    assert_string_equal(b.data, "1 a 1|");
    sl_buffer_reset(&b);
    sl_log(&log, SL_LOG_ERROR, "%s", text);
    assert_in_range(b.len, 990, 1005);
    sl_log(NULL, SL_LOG_ERROR, "nobody");
    sl_buffer_release(&b);
}

/* ---- base64, UTF-8 ---- */

static void test_base64(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        const char *bytes; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9v\nYmFy\n", "foobar"},
        {"Zm9vYg==", "foob"},
        {"+/+/", "\xfb\xff\xbf"},
        {"Zg", NULL},
        {"Zg=", NULL},
        {"Z===", NULL},
        {"Zg==Zg==", NULL},
        {"Zm9v!", NULL},
        {"-_-_", NULL},
        {"=", NULL},
        {"Zm9\x80", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_buffer b;
        sl_buffer_init(&b, 100);
        int code = sl_base64_decode(cases[i].text, strlen(cases[i].text), &b, &err);
        if ((cases[i].bytes != NULL) != (code == SL_OK))
            fail_msg("\"%s\": code %d", cases[i].text, code);
        if (cases[i].bytes != NULL)
            assert_string_equal(b.data, cases[i].bytes);
        sl_buffer_release(&b);
    }
}

/* The maximum is of what is decoded, not of a guess from the length of the text. */
static void test_base64_limit_is_exact(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer b;
    sl_buffer_init(&b, 7);
    sl_buffer_putc(&b, '>');
    assert_int_equal(sl_base64_decode("Zm9v\n    \n    YmFy\n", 19, &b, &err), SL_OK);
    assert_string_equal(b.data, ">foobar");
    assert_int_equal(sl_base64_decode("Zg==", 4, &b, &err), SL_TOOBIG);
    sl_buffer_release(&b);
}

static void test_base64_out(void **unused) {
    (void)unused;
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"\xfb\xff\xbf", "+/+/"},
        {"foobar!", "Zm9vYmFyIQ=="},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_buffer b;
        sl_buffer_init(&b, 12);
        sl_base64_encode(cases[i][0], strlen(cases[i][0]), &b);
        assert_int_equal(sl_buffer_check(&b, "it", NULL), SL_OK);
        assert_string_equal(b.data, cases[i][1]);
        sl_buffer_release(&b);
    }
}

static void test_utf8_is_mended(void **unused) {
    (void)unused;
#define BAD "\xef\xbf\xbd"
    static const struct {
        const char *name;
        const char *text;
        const char *good;
    } cases[] = {
        {"plain", "abc", "abc"},
        {"two, three, four bytes", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\x80",
         "\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\x80"},
        {"alone", "a\x80z", "a" BAD "z"},
        {"Latin-1", "K\xf6ln", "K" BAD "ln"},
        {"overlong slash", "\xc0\xaf", BAD BAD},
        {"overlong of three", "\xe0\x80\xaf", BAD BAD BAD},
        {"surrogate", "\xed\xa0\x80", BAD BAD BAD},
        {"beyond the last", "\xf4\x90\x80\x80", BAD BAD BAD BAD},
        {"cut off", "x\xe2\x82", "x" BAD BAD},
        {"never a byte", "\xff\xfe", BAD BAD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_buffer b;
        sl_buffer_init(&b, 100);
        sl_utf8_append(&b, cases[i].text, 100);
        if (strcmp(b.data, cases[i].good) != 0)
            fail_msg("%s: \"%s\"", cases[i].name, b.data);
        sl_buffer_release(&b);
    }
}

static void test_utf8_is_cut_before_a_character(void **unused) {
    (void)unused;
    struct sl_buffer b;
    sl_buffer_init(&b, 100);
    sl_utf8_append(&b, "ab\xe2\x82\xac", 4);
    assert_string_equal(b.data, "ab");
    sl_utf8_append(&b, "ab\xe2\x82\xac", 5);
    assert_int_equal(b.len, 7);
    sl_buffer_release(&b);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_fills_everything),
        cmocka_unit_test(test_fail_makes_one_line),
        cmocka_unit_test(test_fail_cuts_between_characters),
        cmocka_unit_test(test_prefix_keeps_the_rest),
        cmocka_unit_test(test_an_error_can_quote_itself),
        cmocka_unit_test(test_codes_have_words),
        cmocka_unit_test(test_buffer_is_a_string_from_the_start),
        cmocka_unit_test(test_buffer_limit_is_exact),
        cmocka_unit_test(test_buffer_failure_sticks),
        cmocka_unit_test(test_buffer_prints_more_than_its_scratch),
        cmocka_unit_test(test_buffer_steal),
        cmocka_unit_test(test_secret_trimmed),
        cmocka_unit_test(test_secret_equal),
        cmocka_unit_test(test_backoff_grows_and_ends),
        cmocka_unit_test(test_backoff_obeys_retry_after_within_reason),
        cmocka_unit_test(test_complaint_is_said_rarely),
        cmocka_unit_test(test_complaint_about_something_else_is_said_at_once),
        cmocka_unit_test(test_complaint_ends_once),
        cmocka_unit_test(test_log_cuts_lines_and_needs_no_sink),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_limit_is_exact),
        cmocka_unit_test(test_base64_out),
        cmocka_unit_test(test_utf8_is_mended),
        cmocka_unit_test(test_utf8_is_cut_before_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
