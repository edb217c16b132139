/* JSON in and out: what is taken, what is refused, and that every limit holds to the byte. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_document.h"
#include "base/json_parser.h"
#include "base/json_writer.h"

/* ---- the parser ---- */

/* Events as text: {k"s"12tn[]} with depth left out. */
static int note(void *context, const struct sl_json_event *e, struct sl_error *err) {
    struct sl_buffer *out = context;
    static const char *const marks[] = {
        [SL_JSON_NULL] = "n",        [SL_JSON_OBJECT_BEGIN] = "{", [SL_JSON_OBJECT_END] = "}",
        [SL_JSON_ARRAY_BEGIN] = "[", [SL_JSON_ARRAY_END] = "]",
    };
    if (e->kind == SL_JSON_BOOL)
        sl_buffer_puts(out, e->boolean ? "t" : "f");
    else if (e->kind == SL_JSON_NUMBER)
        sl_buffer_printf(out, "%.*s;", (int)e->len, e->text);
    else if (e->kind == SL_JSON_STRING)
        sl_buffer_printf(out, "'%.*s'", (int)e->len, e->text);
    else if (e->kind == SL_JSON_KEY)
        sl_buffer_printf(out, "%.*s:", (int)e->len, e->text);
    else
        sl_buffer_puts(out, marks[e->kind]);
    if (e->kind == SL_JSON_STRING && e->len == 4 && memcmp(e->text, "stop", 4) == 0)
        return sl_fail(err, SL_CANCELED, "stopped by the handler");
    return SL_OK;
}

static int parse(const char *text, size_t len, size_t step, const struct sl_json_limits *limits,
                 struct sl_buffer *events, struct sl_error *err) {
    struct sl_json_limits defaults = sl_json_default_limits();
    struct sl_json_parser *p =
        sl_json_parser_new(limits != NULL ? limits : &defaults, note, events);
    int code = SL_OK;
    assert_non_null(p);
    for (size_t i = 0; i < len && code == SL_OK; i += step)
        code = sl_json_parser_feed(p, text + i, len - i < step ? len - i : step, err);
    if (code == SL_OK)
        code = sl_json_parser_finish(p, err);
    sl_json_parser_free(p);
    return code;
}

static void test_events(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        const char *events;
    } cases[] = {
        {"{\"a\":[1,-2.5e3,\"x\",true,false,null,{}]}", "{a:[1;-2.5e3;'x'tfn{}]}"},
        {" [ ] \n", "[]"},
        {"\"\\u00e4\\n\\\"\"", "'\xc3\xa4\n\"'"},
        {"\"\\ud83d\\ude80\"", "'\xf0\x9f\x9a\x80'"},
        {"0", "0;"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t step = 1; step < 50; step += 7) {
            struct sl_buffer events;
            struct sl_error err = SL_ERROR_INIT;
            sl_buffer_init(&events, 1000);
            if (parse(cases[i].text, strlen(cases[i].text), step, NULL, &events, &err) != SL_OK)
                fail_msg("%s: %s", cases[i].text, err.text);
            assert_string_equal(events.data, cases[i].events);
            sl_buffer_release(&events);
        }
    }
}

static void test_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        const char *text;
    } cases[] = {
        {"nothing", ""},
        {"blanks only", "  \n"},
        {"cut off", "{\"a\":[1,2"},
        {"two values", "1 2"},
        {"trailing bytes", "{}x"},
        {"comment", "{/* no */}"},
        {"single quotes", "{'a':1}"},
        {"trailing comma", "[1,]"},
        {"bare word", "nan"},
        {"leading zero", "[01]"},
        {"broken UTF-8", "\"\xff\""},
        {"control character", "\"a\nb\""},
        {"NUL by escape", "\"a\\u0000b\""},
        {"bad escape", "\"\\x\""},
        {"HTML", "<html></html>"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_buffer events;
        struct sl_error err = SL_ERROR_INIT;
        sl_buffer_init(&events, 1000);
        int code = parse(cases[i].text, strlen(cases[i].text), 100, NULL, &events, &err);
        if (code != SL_PARSE || err.text[0] == '\0')
            fail_msg("%s: code %d, \"%s\"", cases[i].name, code, err.text);
        sl_buffer_release(&events);
    }
}

static void test_limits_are_exact(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        const char *text;
        struct sl_json_limits limits;
        int code;
    } cases[] = {
        {"size", "[1,2]", {5, 100, 9}, SL_OK},
        {"size and one", "[1,22]", {5, 100, 9}, SL_TOOBIG},
        {"depth", "[[[]]]", {100, 100, 3}, SL_OK},
        {"depth and one", "[[[[]]]]", {100, 100, 3}, SL_TOOBIG},
        {"string", "[\"abc\"]", {100, 3, 9}, SL_OK},
        {"string and one", "[\"abcd\"]", {100, 3, 9}, SL_TOOBIG},
        {"key and one", "{\"abcd\":1}", {100, 3, 9}, SL_TOOBIG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_buffer events;
        struct sl_error err = SL_ERROR_INIT;
        sl_buffer_init(&events, 1000);
        int code = parse(cases[i].text, strlen(cases[i].text), 2, &cases[i].limits, &events, &err);
        if (code != cases[i].code)
            fail_msg("%s: code %d, \"%s\"", cases[i].name, code, err.text);
        sl_buffer_release(&events);
    }
}

static void test_a_failure_stays(void **unused) {
    (void)unused;
    struct sl_json_limits limits = sl_json_default_limits();
    struct sl_buffer events;
    struct sl_error err = SL_ERROR_INIT;
    sl_buffer_init(&events, 1000);
    struct sl_json_parser *p = sl_json_parser_new(&limits, note, &events);
    assert_int_equal(sl_json_parser_feed(p, "[\"stop\"", 7, &err), SL_CANCELED);
    assert_string_equal(err.text, "stopped by the handler");
    assert_int_equal(sl_json_parser_feed(p, "]", 1, &err), SL_CANCELED);
    assert_int_equal(sl_json_parser_finish(p, &err), SL_CANCELED);
    sl_json_parser_free(p);
    sl_buffer_release(&events);
}

static void test_numbers(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        bool is_int;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"", false, 0},
        {"+1", false, 0},
        {"12x", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t value = 77;
        int code = sl_json_to_int64(cases[i].text, strlen(cases[i].text), &value, NULL);
        if ((code == SL_OK) != cases[i].is_int || (code == SL_OK && value != cases[i].value))
            fail_msg("\"%s\": code %d, %" PRId64, cases[i].text, code, value);
    }
    double number = 0;
    assert_int_equal(sl_json_to_double("-2.5e3", 6, &number, NULL), SL_OK);
    assert_true(number == -2500.0);
    assert_int_equal(sl_json_to_double("1e999", 5, &number, NULL), SL_PARSE);
    assert_int_equal(sl_json_to_double("0x10", 4, &number, NULL), SL_PARSE);
}

/* ---- documents ---- */

static void test_document(void **unused) {
    (void)unused;
    static const char text[] = "{\"a\":{\"b\":[10,\"x\",null,true]},\"big\":12345678901234567890}";
    struct sl_json *doc = NULL;
    int64_t number = 5;
    bool flag = false;
    assert_int_equal(sl_json_parse(text, strlen(text), &doc, NULL), SL_OK);
    const struct sl_json *list = sl_json_get(sl_json_get(doc, "a"), "b");
    assert_true(sl_json_is_array(list));
    assert_int_equal(sl_json_size(list), 4);
    assert_true(sl_json_int64(sl_json_at(list, 0), &number));
    assert_int_equal(number, 10);
    assert_string_equal(sl_json_string(sl_json_at(list, 1)), "x");
    assert_true(sl_json_is_null(sl_json_at(list, 2)));
    assert_true(sl_json_bool(sl_json_at(list, 3), &flag) && flag);
    assert_null(sl_json_at(list, 4));
    assert_false(sl_json_int64(sl_json_get(doc, "big"), &number));
    assert_int_equal(number, 10);
    assert_null(sl_json_get(sl_json_get(sl_json_get(doc, "no"), "such"), "path"));
    assert_false(sl_json_is_null(sl_json_get(doc, "no")));
    assert_null(sl_json_string(list));
    assert_string_equal(sl_json_key(sl_json_at(doc, 1)), "big");
    assert_null(sl_json_key(sl_json_at(list, 0)));
    double wide = 0;
    assert_true(sl_json_double(sl_json_get(doc, "big"), &wide) && wide > 1.2e19);
    assert_false(sl_json_double(list, &wide));
    sl_json_free(doc);
}

static void test_document_with_empty_texts(void **unused) {
    (void)unused;
    static const char text[] = "{\"\":\"\",\"none\":{}}";
    struct sl_json *doc = NULL;
    assert_int_equal(sl_json_parse(text, strlen(text), &doc, NULL), SL_OK);
    assert_string_equal(sl_json_string(sl_json_get(doc, "")), "");
    assert_int_equal(sl_json_size(sl_json_get(doc, "none")), 0);
    assert_null(sl_json_get(sl_json_get(doc, "none"), "x"));
    assert_null(sl_json_at(sl_json_get(doc, "none"), 0));
    sl_json_free(doc);
}

static void test_document_refuses_a_key_twice(void **unused) {
    (void)unused;
    static const char text[] = "{\"a\":1,\"a\":2}";
    struct sl_json *doc = NULL;
    assert_int_equal(sl_json_parse(text, strlen(text), &doc, NULL), SL_PARSE);
    assert_null(doc);
}

static void test_document_has_a_limit_of_values(void **unused) {
    (void)unused;
    struct sl_buffer text;
    struct sl_json *doc = NULL;
    sl_buffer_init(&text, 1000000);
    sl_buffer_putc(&text, '[');
    for (int i = 0; i < 20001; i++)
        sl_buffer_puts(&text, "1,");
    sl_buffer_puts(&text, "1]");
    assert_int_equal(sl_json_parse(text.data, text.len, &doc, NULL), SL_TOOBIG);
    sl_buffer_release(&text);
}

/* ---- the writer ---- */

static void test_writer(void **unused) {
    (void)unused;
    struct sl_buffer out;
    struct sl_json_writer w;
    sl_buffer_init(&out, 1000);
    sl_json_writer_init(&w, &out);
    sl_json_object_begin(&w, NULL);
    sl_json_put_string(&w, "s", "q\" b\\ n\n \x01 \xc3\xa4");
    sl_json_array_begin(&w, "l");
    sl_json_put_int64(&w, NULL, INT64_MIN);
    sl_json_put_bool(&w, NULL, true);
    sl_json_put_null(&w, NULL);
    sl_json_put_double(&w, NULL, 0.5);
    sl_json_put_raw(&w, NULL, "1e9");
    sl_json_array_end(&w);
    sl_json_object_end(&w);
    assert_int_equal(sl_buffer_check(&out, "it", NULL), SL_OK);
    assert_string_equal(out.data, "{\"s\":\"q\\\" b\\\\ n\\u000a \\u0001 \xc3\xa4\","
                                  "\"l\":[-9223372036854775808,true,null,0.5,1e9]}");
    struct sl_json *doc = NULL;
    assert_int_equal(sl_json_parse(out.data, out.len, &doc, NULL), SL_OK);
    assert_string_equal(sl_json_string(sl_json_get(doc, "s")), "q\" b\\ n\n \x01 \xc3\xa4");
    sl_json_free(doc);
    sl_buffer_release(&out);
}

static void test_writer_never_writes_nonsense(void **unused) {
    (void)unused;
    struct sl_buffer out;
    struct sl_json_writer w;
    sl_buffer_init(&out, 1000);
    sl_json_writer_init(&w, &out);
    sl_json_object_begin(&w, NULL);
    sl_json_put_int64(&w, NULL, 1); /* a member needs a key */
    assert_int_equal(sl_buffer_check(&out, "it", NULL), SL_BUG);
    sl_buffer_reset(&out);
    sl_json_writer_init(&w, &out);
    sl_json_array_end(&w);
    assert_int_equal(sl_buffer_check(&out, "it", NULL), SL_BUG);
    sl_buffer_release(&out);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits_are_exact),
        cmocka_unit_test(test_a_failure_stays),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_document_with_empty_texts),
        cmocka_unit_test(test_document_refuses_a_key_twice),
        cmocka_unit_test(test_document_has_a_limit_of_values),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_writer_never_writes_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
