/* YAML as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_document.h"
#include "kubernetes/yaml.h"

static void test_documents_and_scalars(void **unused) {
    (void)unused;
    static const struct {
        const char *yaml;
        const char *json;
    } cases[] = {
        {"", "[]"},
        {"---\n", "[null]"},
        {"a: 1\n---\nb: 2\n...\n", "[{\"a\":1},{\"b\":2}]"},
        {"[1, -0, 0.5, 1e3, 1.5E-2]", "[[1,-0,0.5,1e3,1.5E-2]]"},
        {"[007, 1., .5, +1, 0x10, 1e, -, 1_000]",
         "[[\"007\",\"1.\",\".5\",\"+1\",\"0x10\",\"1e\",\"-\",\"1_000\"]]"},
        {"[~, null, True, FALSE, yes, \"true\", '1']",
         "[[null,null,true,false,\"yes\",\"true\",\"1\"]]"},
        {"threshold: '1.0'\n", "[{\"threshold\":\"1.0\"}]"},
        {"a: |\n  two\n  lines\n", "[{\"a\":\"two\\u000alines\\u000a\"}]"},
        {"a: &x {b: c}\nd: *x\n", "[{\"a\":{\"b\":\"c\"},\"d\":{\"b\":\"c\"}}]"},
        {"{1: one, \"\": none}", "[{\"1\":\"one\",\"\":\"none\"}]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_buffer out;
        struct sl_json *doc = NULL;
        sl_buffer_init(&out, 1000);
        if (sl_yaml_to_json(cases[i].yaml, strlen(cases[i].yaml), &out, &err) != SL_OK)
            fail_msg("%s: %s", cases[i].yaml, err.text);
        assert_string_equal(out.data, cases[i].json);
        assert_int_equal(sl_json_parse(out.data, out.len, &doc, &err), SL_OK);
        sl_json_free(doc);
        sl_buffer_release(&out);
    }
}

static void test_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *yaml;
        enum sl_code code;
        const char *says;
    } cases[] = {
        {"a: [1\nb: 2\n", SL_PARSE, "line 2"},
        {"? [1, 2]\n: x\n", SL_PARSE, "a key that is no plain text"},
        {"a: \"x\\0y\"\n", SL_PARSE, "line 1: a NUL"},
        {"a: &x [*x]\n", SL_TOOBIG, "nested deeper"},
        {"a: *nobody\n", SL_PARSE, "line 1"},
        {"\xff\xfe\xfd", SL_PARSE, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_buffer out;
        sl_buffer_init(&out, 100000);
        int code = sl_yaml_to_json(cases[i].yaml, strlen(cases[i].yaml), &out, &err);
        if (code != (int)cases[i].code || strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s: %d %s", cases[i].yaml, code, err.text);
        sl_buffer_release(&out);
    }
}

/* Nine lines of aliases that stand for a thousand million words. */
static void test_aliases_do_not_explode(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer yaml, out;
    sl_buffer_init(&yaml, 10000);
    sl_buffer_init(&out, 100000);
    sl_buffer_puts(&yaml, "l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (int i = 1; i < 9; i++) {
        sl_buffer_printf(&yaml, "l%d: &l%d [", i, i);
        for (int j = 0; j < 10; j++)
            sl_buffer_printf(&yaml, "%s*l%d", j > 0 ? ", " : "", i - 1);
        sl_buffer_puts(&yaml, "]\n");
    }
    assert_int_equal(sl_yaml_to_json(yaml.data, yaml.len, &out, &err), SL_TOOBIG);
    sl_buffer_release(&out);
    sl_buffer_release(&yaml);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_and_scalars),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_aliases_do_not_explode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
