/* Option tables: what may be typed, what is refused and with which words, and what they print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/option.h"
#include "base/secret.h"

struct target {
    char *text;
    char *url;
    struct sl_secret secret;
    int64_t count;
    double ratio;
    bool flag;
    int64_t wait_ms;
    int color;
    struct sl_option_list list;
};

#define AT(member) offsetof(struct target, member)

static const char *const colors[] = {"red", "green", NULL};
static const struct sl_option table[] = {
    {.name = "Text",
     .type = SL_OPTION_STRING,
     .offset = AT(text),
     .fallback = "preset",
     .help = "Some text."},
    {.name = "URL",
     .type = SL_OPTION_URL,
     .offset = AT(url),
     .flags = SL_OPTION_REQUIRED | SL_OPTION_EXAMPLE,
     .example = "https://host.example",
     .help = "Where to."},
    {.name = "Password",
     .type = SL_OPTION_SECRET,
     .offset = AT(secret),
     .example = "hush",
     .help = "Not to be seen."},
    {.name = "MaxWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = AT(count),
     .fallback = "5",
     .min = 0,
     .max = 100,
     .unit = "workers",
     .help = "Most workers."},
    {.name = "Ratio",
     .type = SL_OPTION_NUMBER,
     .offset = AT(ratio),
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .help = "A share."},
    {.name = "VerifyPeer",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(flag),
     .fallback = "true",
     .help = "Whether to."},
    {.name = "Interval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(wait_ms),
     .fallback = "10",
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .help = "How often, in seconds."},
    {.name = "Color",
     .type = SL_OPTION_CHOICE,
     .offset = AT(color),
     .fallback = "green",
     .choices = colors,
     .help = "Which."},
    {.name = "Also", .type = SL_OPTION_LIST, .offset = AT(list), .example = "x", .help = "More."},
    {.name = NULL},
};

static int start(void **state) {
    static struct target target;
    memset(&target, 0, sizeof(target));
    assert_int_equal(sl_option_defaults(table, &target, NULL), SL_OK);
    *state = &target;
    return 0;
}

static int end(void **state) {
    sl_option_release(table, *state);
    return 0;
}

static void test_defaults(void **state) {
    struct target *t = *state;
    assert_string_equal(t->text, "preset");
    assert_null(t->url);
    assert_int_equal(t->count, 5);
    assert_true(t->ratio > 0.49 && t->ratio < 0.51);
    assert_true(t->flag);
    assert_int_equal(t->wait_ms, 10000);
    assert_int_equal(t->color, 1);
    assert_int_equal(t->list.count, 0);
}

static void test_taken(void **state) {
    struct target *t = *state;
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"text", "one"},       {"TEXT", "two"}, {"url", "http://h:1/p"}, {"Password", "pw"},
        {"MaxWorkers", "100"}, {"Ratio", "1"},  {"VerifyPeer", "off"},   {"Interval", "0.25"},
        {"Color", "RED"},      {"Also", "a"},   {"Also", "b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        if (sl_option_set(table, t, "here", cases[i].name, cases[i].text, &err) != SL_OK)
            fail_msg("%s: %s", cases[i].name, err.text);
    }
    assert_string_equal(t->text, "two");
    assert_string_equal(t->url, "http://h:1/p");
    assert_string_equal(t->secret.text, "pw");
    assert_int_equal(t->count, 100);
    assert_false(t->flag);
    assert_int_equal(t->wait_ms, 250);
    assert_int_equal(t->color, 0);
    assert_int_equal(t->list.count, 2);
    assert_string_equal(t->list.items[1], "b");
}

/* Every message names the place, the option and, where it helps, the value, the range, the unit. */
static void test_refused(void **state) {
    static const struct {
        const char *name, *text;
        const char *words[5];
    } cases[] = {
        {"MaxWorker", "5", {"Account \"a\"", "MaxWorker", "MaxWorkers"}},
        {"Colour", "red", {"Colour", "Color"}},
        {"Nonsense", "5", {"Account \"a\"", "Nonsense"}},
        {"MaxWorkers", "101", {"Account \"a\"", "MaxWorkers", "101", "100", "workers"}},
        {"MaxWorkers", "-1", {"MaxWorkers", "-1", "0"}},
        {"MaxWorkers", "5x", {"MaxWorkers", "5x"}},
        {"MaxWorkers", "2.5", {"MaxWorkers", "2.5"}},
        {"MaxWorkers", "", {"MaxWorkers"}},
        {"MaxWorkers", "99999999999999999999", {"MaxWorkers"}},
        {"Ratio", "nan", {"Ratio", "nan"}},
        {"Ratio", "1.01", {"Ratio", "1.01"}},
        {"Interval", "0", {"Interval", "0.001", "s"}},
        {"Interval", "inf", {"Interval"}},
        {"VerifyPeer", "perhaps", {"VerifyPeer", "perhaps", "true"}},
        {"Color", "blue", {"Color", "blue", "red", "green"}},
        {"URL", "host.example", {"URL", "host.example", "https://"}},
        {"URL", "ftp://host", {"URL", "https://"}},
        {"URL", "https:///path", {"URL", "host"}},
        {"URL", "https://:443/path", {"URL", "host"}},
        {"URL", "https:///user:pw@host", {"URL", "host"}},
        {"URL", "https://user:pw@host", {"URL"}},
        {"URL", "ftp://user:pw@host", {"URL", "https://"}},
        {"URL", "https://ho st/", {"URL"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        int code =
            sl_option_set(table, *state, "Account \"a\"", cases[i].name, cases[i].text, &err);
        if (code != SL_CONFIG)
            fail_msg("%s \"%s\": code %d", cases[i].name, cases[i].text, code);
        for (size_t w = 0; w < 5 && cases[i].words[w] != NULL; w++)
            if (strstr(err.text, cases[i].words[w]) == NULL)
                fail_msg("%s \"%s\": no \"%s\" in: %s", cases[i].name, cases[i].text,
                         cases[i].words[w], err.text);
        assert_null(strstr(err.text, "pw@"));
    }
}

static void test_typed_hosts(void **state) {
    struct sl_error err = SL_ERROR_INIT;
    struct target *t = *state;
    assert_int_equal(sl_option_set_number(table, t, NULL, "MaxWorkers", 7, &err), SL_OK);
    assert_int_equal(t->count, 7);
    assert_int_equal(sl_option_set_number(table, t, NULL, "MaxWorkers", 7.5, &err), SL_CONFIG);
    assert_int_equal(sl_option_set_number(table, t, NULL, "Interval", 0.5, &err), SL_OK);
    assert_int_equal(t->wait_ms, 500);
    assert_int_equal(sl_option_set_number(table, t, NULL, "Text", 7, &err), SL_CONFIG);
    assert_int_equal(sl_option_set_boolean(table, t, NULL, "VerifyPeer", false, &err), SL_OK);
    assert_false(t->flag);
    assert_int_equal(sl_option_set_boolean(table, t, NULL, "MaxWorkers", true, &err), SL_CONFIG);
}

static void test_required(void **state) {
    struct sl_error err = SL_ERROR_INIT;
    assert_int_equal(sl_option_check(table, *state, "Node \"n\"", &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "Node \"n\""));
    assert_non_null(strstr(err.text, "URL"));
    assert_int_equal(sl_option_set(table, *state, NULL, "URL", "http://h", &err), SL_OK);
    assert_int_equal(sl_option_check(table, *state, "Node \"n\"", &err), SL_OK);
}

static void test_a_bad_default_is_a_bug(void **state) {
    (void)state;
    static const struct sl_option bad[] = {
        {.name = "N", .type = SL_OPTION_INTEGER, .fallback = "7", .min = 0, .max = 5},
        {.name = NULL}};
    int64_t target = 0;
    assert_int_equal(sl_option_defaults(bad, &target, NULL), SL_BUG);
}

static void test_printed(void **state) {
    (void)state;
    static const struct sl_option_block block = {
        .name = "Node", .label = "a name", .example = "n", .options = table, .help = "A node."};
    static const struct sl_option_block *const blocks[] = {&block, NULL};
    static const struct sl_option_block plugin = {
        .name = "some_plugin", .blocks = blocks, .help = "Does something."};
    struct sl_buffer out;
    sl_buffer_init(&out, 100000);
    sl_option_print_conf(&plugin, &out);
    static const char *const in_conf[] = {"LoadPlugin some_plugin",
                                          "<Plugin some_plugin>",
                                          "<Node \"n\">",
                                          "    URL \"https://host.example\"\n",
                                          "#MaxWorkers 5",
                                          "</Node>",
                                          "</Plugin>"};
    for (size_t i = 0; i < sizeof(in_conf) / sizeof(in_conf[0]); i++)
        if (strstr(out.data, in_conf[i]) == NULL)
            fail_msg("no \"%s\" in:\n%s", in_conf[i], out.data);
    sl_buffer_reset(&out);
    sl_option_print_man(&plugin, &out);
    static const char *const in_man[] = {"MaxWorkers", "workers", "100", "VerifyPeer", "green"};
    for (size_t i = 0; i < sizeof(in_man) / sizeof(in_man[0]); i++)
        if (strstr(out.data, in_man[i]) == NULL)
            fail_msg("no \"%s\" in:\n%s", in_man[i], out.data);
    sl_buffer_release(&out);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, start, end),
        cmocka_unit_test_setup_teardown(test_taken, start, end),
        cmocka_unit_test_setup_teardown(test_refused, start, end),
        cmocka_unit_test_setup_teardown(test_typed_hosts, start, end),
        cmocka_unit_test_setup_teardown(test_required, start, end),
        cmocka_unit_test_setup_teardown(test_a_bad_default_is_a_bug, start, end),
        cmocka_unit_test_setup_teardown(test_printed, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
