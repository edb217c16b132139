/* The commands of a Telegraf configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/dropin.h"

static struct sl_dropin *parse(const char *text) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_dropin *d = calloc(1, sizeof(*d));
    if (sl_dropin_parse(text, strlen(text), d, &err) != SL_OK)
        fail_msg("%s", err.text);
    return d;
}

static void release(struct sl_dropin *d) {
    sl_dropin_release(d);
    free(d);
}

static void assert_words(const struct sl_dropin *d, size_t i, const char *table,
                         const char *const *words) {
    assert_true(i < d->count);
    assert_string_equal(d->blocks[d->commands[i].block].table, table);
    for (size_t j = 0; words[j] != NULL; j++) {
        assert_true(j < d->commands[i].count);
        assert_string_equal(d->commands[i].words[j], words[j]);
    }
}

static void test_all_forms(void **unused) {
    (void)unused;
    struct sl_dropin *d =
        parse("# command = [\"no\"]\n"
              "command = [\"no\"]\n"
              "[[inputs.exec]]\n"
              "  commands = [\"/usr/bin/p read --name 'a b'\", # [[outputs.exec]]\n"
              "    [\"p\", \"read\",\n     'x\\y'],\n  ]\n"
              "  timeout = \"5s\"\n"
              "[[ outputs.execd ]]\n"
              "command=[\"p\", \"sc\\\"ale\"]\r\n"
              "[[inputs.exec_other]]\n"
              "command = [\"no\"]\n"
              "[[outputs.exec]]\n"
              "commands_of_mine = 1\n"
              "command = \"p scale\"\n");
    assert_int_equal(d->count, 4);
    assert_words(d, 0, "inputs.exec",
                 (const char *const[]){"/usr/bin/p", "read", "--name", "a b", NULL});
    assert_words(d, 1, "inputs.exec", (const char *const[]){"p", "read", "x\\y", NULL});
    assert_words(d, 2, "outputs.execd", (const char *const[]){"p", "sc\"ale", NULL});
    assert_words(d, 3, "outputs.exec", (const char *const[]){"p", "scale", NULL});
    release(d);
}

static void test_settings(void **unused) {
    (void)unused;
    struct sl_dropin *d = parse("[[inputs.exec]]\n"
                                "  environment = [\"A=1\", # one\n    'B=x y']\n"
                                "  commands = [\"p read\"]\n"
                                "  timeout=\"20s\" # long\n"
                                "  data_format = 'influx'\n"
                                "  [inputs.exec.tags]\n"
                                "    interval = \"1s\"\n"
                                "[[outputs.exec]]\n"
                                "command = [\"p\", \"scale\"]\n"
                                "timeout = 5\n"
                                "use_batch_format = false# no\n");
    assert_int_equal(d->block_count, 2);
    assert_int_equal(d->blocks[0].environment_count, 2);
    assert_string_equal(d->blocks[0].environment[0], "A=1");
    assert_string_equal(d->blocks[0].environment[1], "B=x y");
    assert_string_equal(d->blocks[0].settings[SL_DROPIN_TIMEOUT], "20s");
    assert_string_equal(d->blocks[0].settings[SL_DROPIN_DATA_FORMAT], "influx");
    assert_null(d->blocks[0].settings[SL_DROPIN_INTERVAL]); /* a tag of that name */
    assert_int_equal(d->commands[1].block, 1);
    assert_string_equal(d->blocks[1].settings[SL_DROPIN_TIMEOUT], "5");
    assert_string_equal(d->blocks[1].settings[SL_DROPIN_USE_BATCH_FORMAT], "false");
    release(d);
}

static void test_durations(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"5s", 5000},      {"500ms", 500},   {"1m30s", 90000}, {"5", 5000}, {"0.5", 500},
        {"1.5h", 5400000}, {"1d", 86400000}, {"0s", 0},        {"", -1},    {"s", -1},
        {"5x", -1},        {"-5s", -1},      {"1m30", -1},     {"nan", -1}, {"1e300h", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = -1;
        assert_int_equal(sl_dropin_duration(cases[i].text, &ms), cases[i].ms >= 0);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void test_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"[[inputs.exec]]\ncommand = 5\n", "line 2"},
        {"[[inputs.exec]]\ncommand = [\"a\n", "line 2: a string without its end"},
        {"[[inputs.exec]]\ncommand = [\"a\", 5]\n", "no string"},
        {"[[inputs.exec]]\ncommand = [\"a\"", "no string"},
        {"[[inputs.exec]]\ncommands = [[\"a\"", "no string"},
        {"[[inputs.exec]]\nenvironment = \"A=1\"\n", "a list of strings"},
        {"[[inputs.exec]]\ntimeout = \"5s\n", "a string without its end"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_dropin *d = calloc(1, sizeof(*d));
        assert_int_equal(sl_dropin_parse(cases[i].text, strlen(cases[i].text), d, &err), SL_PARSE);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].text, err.text);
        release(d);
    }
}

static void test_whose_it_is(void **unused) {
    (void)unused;
    assert_true(sl_dropin_is_telegraf("# x\n\n  [[inputs.exec]]\n", 22));
    assert_true(sl_dropin_is_telegraf("[agent]\n", 8));
    assert_false(sl_dropin_is_telegraf("LoadPlugin x\n<Plugin x>\n  A \"[\"\n", 32));
    assert_false(sl_dropin_is_telegraf("", 0));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_forms),   cmocka_unit_test(test_settings),
        cmocka_unit_test(test_durations),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_whose_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
