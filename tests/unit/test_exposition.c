/* Exposition text: what is read of it, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/exposition.h"

static int show(void *context, const struct sl_exposition_sample *s, struct sl_error *err) {
    struct sl_buffer *out = context;
    (void)err;
    sl_buffer_puts(out, s->name);
    for (size_t i = 0; i < s->label_count; i++)
        sl_buffer_printf(out, " %s=[%s]", s->labels[i].name, s->labels[i].value);
    sl_buffer_printf(out, " %.17g", s->value);
    if (s->has_time)
        sl_buffer_printf(out, " @%lld", (long long)s->time_ms);
    if (s->type[0] != '\0' || s->help[0] != '\0' || s->unit[0] != '\0')
        sl_buffer_printf(out, " <%s|%s|%s>", s->type, s->help, s->unit);
    sl_buffer_putc(out, '\n');
    return SL_OK;
}

/* A copy of just that size, so that a sanitizer sees a read past its end. */
static int read_text(const char *text, size_t len, enum sl_exposition_form form,
                     struct sl_buffer *out, struct sl_error *err) {
    char *copy = malloc(len > 0 ? len : 1);
    memcpy(copy, text, len);
    int code = sl_exposition_read(copy, len, form, out != NULL ? show : NULL, out, err);
    free(copy);
    return code;
}

static const struct {
    enum sl_exposition_form form;
    const char *text;
    const char *shown;
} good[] = {
    {SL_EXPOSITION_TEXT, "", ""},
    {SL_EXPOSITION_TEXT, "a 1", "a 1\n"},
    {SL_EXPOSITION_TEXT, "a 1\nb{} 2\r\n\n  c\t{ x = \"y\" , }\t-3.5 1700000000123\n",
     "a 1\nb 2\nc x=[y] -3.5 @1700000000123\n"},
    {SL_EXPOSITION_TEXT, "a{b=\"\",c=\"d\"} 1\n", "a c=[d] 1\n"},
    {SL_EXPOSITION_TEXT, "a{b=\"x\\n\\\"\\\\y\",c=\"}{,=\"} 1\n", "a b=[x\n\"\\y] c=[}{,=] 1\n"},
    {SL_EXPOSITION_TEXT, "a NaN\nb +Inf\nc -Inf\nd inf\ne nan\n",
     "a nan\nb inf\nc -inf\nd inf\ne nan\n"},
    {SL_EXPOSITION_TEXT, "a +1\nb .5\nc 5.\nd 1e3\ne -0\nf 007\ng 1.7976931348623157e+308\nh -.5\n",
     "a 1\nb 0.5\nc 5\nd 1000\ne -0\nf 7\ng 1.7976931348623157e+308\nh -0.5\n"},
    {SL_EXPOSITION_TEXT,
     "# HELP a Some\\nhelp \\\\ \"q\".\n# TYPE a counter\na 1\na{x=\"1\"} 2\nother 3\n"
     "# any comment\n#\n# TYPEx\n",
     "a 1 <counter|Some\nhelp \\ \"q\".|>\na x=[1] 2 <counter|Some\nhelp \\ \"q\".|>\nother 3\n"},
    {SL_EXPOSITION_TEXT,
     "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 1\nh_other 4\n"
     "# TYPE s untyped\ns 1\n",
     "h_bucket le=[+Inf] 1 <histogram||>\nh_sum 2 <histogram||>\nh_count 1 <histogram||>\n"
     "h_other 4\ns 1 <unknown||>\n"},
    {SL_EXPOSITION_OPENMETRICS,
     "# TYPE c counter\n# UNIT c seconds\nc_total 5 1700000000.123 # {trace_id=\"x\"} 1 2\n"
     "c_created 1 # {}\n# EOF\nnot read",
     "c_total 5 @1700000000123 <counter||seconds>\nc_created 1 <counter||seconds>\n"},
};

static void test_what_is_read(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct sl_buffer out;
        struct sl_error err = SL_ERROR_INIT;
        sl_buffer_init(&out, 10000);
        if (read_text(good[i].text, strlen(good[i].text), good[i].form, &out, &err) != SL_OK)
            fail_msg("%s: %s", good[i].text, err.text);
        assert_string_equal(out.data, good[i].shown);
        sl_buffer_release(&out);
    }
}

static const struct {
    enum sl_exposition_form form;
    const char *text;
    const char *message;
} bad[] = {
    {SL_EXPOSITION_TEXT, "a", "line 1: the value"},
    {SL_EXPOSITION_TEXT, "a 1\nb x\n", "line 2: the value is no number"},
    {SL_EXPOSITION_TEXT, "a 1 2 3\n", "something stands after"},
    {SL_EXPOSITION_TEXT, "a 1 2.5\n", "the time is none"},
    {SL_EXPOSITION_TEXT, "a 1 # {x=\"y\"} 1\n", "something stands after"},
    {SL_EXPOSITION_TEXT, "{x=\"y\"} 1\n", "the name of a metric"},
    {SL_EXPOSITION_TEXT, "9a 1\n", "the name of a metric"},
    {SL_EXPOSITION_TEXT, "a-b 1\n", "the value is no number"},
    {SL_EXPOSITION_TEXT, "a{x=\"1\",x=\"2\"} 1\n", "twice"},
    {SL_EXPOSITION_TEXT, "a{x=\"1\" y=\"2\"} 1\n", "a comma"},
    {SL_EXPOSITION_TEXT, "a{x:y=\"1\"} 1\n", "an equals sign"},
    {SL_EXPOSITION_TEXT, "a{x=1} 1\n", "in quotes"},
    {SL_EXPOSITION_TEXT, "a{x=\"1} 1\n", "no end"},
    {SL_EXPOSITION_TEXT, "a{x=\"\\t\"} 1\n", "wrong escape"},
    {SL_EXPOSITION_TEXT, "a{x=\"1\"", "a comma"},
    {SL_EXPOSITION_TEXT, "a{", "a label's name"},
    {SL_EXPOSITION_TEXT, "# TYPE a nothing\n", "no such type"},
    {SL_EXPOSITION_TEXT, "# TYPE a gauge more\n", "after the type"},
    {SL_EXPOSITION_TEXT, "# HELP 9 x\n", "the name of a metric"},
    {SL_EXPOSITION_TEXT, "a .\n", "no number"},
    {SL_EXPOSITION_TEXT, "a 1e\n", "no number"},
    {SL_EXPOSITION_TEXT, "a --1\n", "no number"},
    {SL_EXPOSITION_TEXT, "a 0x10\n", "no number"},
    {SL_EXPOSITION_OPENMETRICS, "a 1\n", "does not end in"},
};

static void test_what_is_refused(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        if (read_text(bad[i].text, strlen(bad[i].text), bad[i].form, NULL, &err) != SL_PARSE ||
            strstr(err.text, bad[i].message) == NULL)
            fail_msg("%s: \"%s\"", bad[i].text, err.text);
    }
    assert_int_equal(read_text("a{x=\"\0\"} 1", 10, SL_EXPOSITION_TEXT, NULL, NULL), SL_PARSE);
}

static void test_limits(void **unused) {
    (void)unused;
    struct sl_buffer text;
    struct sl_error err = SL_ERROR_INIT;
    sl_buffer_init(&text, 1 << 20);
    sl_buffer_puts(&text, "a{");
    for (int i = 0; i <= SL_EXPOSITION_LABELS_MAX; i++)
        sl_buffer_printf(&text, "l%d=\"v\",", i);
    sl_buffer_puts(&text, "} 1\n");
    assert_int_equal(read_text(text.data, text.len, SL_EXPOSITION_TEXT, NULL, &err), SL_PARSE);
    assert_non_null(strstr(err.text, "more than 64 labels"));
    sl_buffer_reset(&text);
    for (int i = 0; i < 2000; i++)
        sl_buffer_putc(&text, 'n');
    sl_buffer_puts(&text, " 1\n");
    assert_int_equal(read_text(text.data, text.len, SL_EXPOSITION_TEXT, NULL, NULL), SL_PARSE);
    sl_buffer_reset(&text);
    sl_buffer_puts(&text, "a{x=\"");
    for (int i = 0; i < 300000; i++)
        sl_buffer_putc(&text, 'v');
    sl_buffer_puts(&text, "\"} 1\n");
    assert_int_equal(read_text(text.data, text.len, SL_EXPOSITION_TEXT, NULL, NULL), SL_PARSE);
    sl_buffer_release(&text);
}

static int stop_at_b(void *context, const struct sl_exposition_sample *s, struct sl_error *err) {
    *(int *)context += 1;
    return s->name[0] == 'b' ? sl_fail(err, SL_TOOBIG, "enough") : SL_OK;
}

static void test_the_caller_ends_it(void **unused) {
    (void)unused;
    int count = 0;
    assert_int_equal(
        sl_exposition_read("a 1\nb 2\nc 3\n", 12, SL_EXPOSITION_TEXT, stop_at_b, &count, NULL),
        SL_TOOBIG);
    assert_int_equal(count, 2);
}

static void test_forms(void **unused) {
    (void)unused;
    assert_int_equal(sl_exposition_form_of("application/openmetrics-text; version=1.0.0"),
                     SL_EXPOSITION_OPENMETRICS);
    assert_int_equal(sl_exposition_form_of("text/plain; version=0.0.4"), SL_EXPOSITION_TEXT);
    assert_int_equal(sl_exposition_form_of(""), SL_EXPOSITION_TEXT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read), cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_the_caller_ends_it),
        cmocka_unit_test(test_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
