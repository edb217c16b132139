/* Relabelling. Where a case stands in Prometheus's own table (model/relabel/relabel_test.go), the
 * expectation is the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote_write/header.h"
#include "remote_write/md5.h"
#include "remote_write/regex.h"
#include "remote_write/relabel.h"
#include "remote_write/rules.h"

enum { SOURCES_MAX = 3, LABELS_IN = 4, RULES_MAX = 3 };

struct rule {
    const char *sources[SOURCES_MAX];
    const char *separator, *regex, *target, *replacement; /* or Modulus, with hashmod */
    enum sl_relabel_action action;
};

/* As an operator types it; what is NULL here is left out there. */
static int add_rule(struct sl_relabel *r, const struct rule *rule, struct sl_error *err) {
    static const char *const actions[] = {"Replace",   "keep",      "drop",      "keepequal",
                                          "dropequal", "labelmap",  "labeldrop", "labelkeep",
                                          "lowercase", "uppercase", "hashmod"};
    const struct sl_option *table = sl_relabel_block.options;
    struct sl_relabel_options o = {.regex = NULL};
    assert_int_equal(sl_option_defaults(table, &o, err), SL_OK);
    for (size_t i = 0; i < SOURCES_MAX && rule->sources[i] != NULL; i++)
        assert_int_equal(sl_option_set(table, &o, NULL, "SourceLabels", rule->sources[i], err), 0);
    const struct {
        const char *name, *text;
    } texts[] = {
        {"Separator", rule->separator},
        {"Regex", rule->regex},
        {"TargetLabel", rule->target},
        {rule->action == SL_RELABEL_HASHMOD ? "Modulus" : "Replacement", rule->replacement},
        {"Action", actions[rule->action]}};
    for (size_t i = 0; i < 5; i++)
        if (texts[i].text != NULL)
            assert_int_equal(sl_option_set(table, &o, NULL, texts[i].name, texts[i].text, err), 0);
    int code = sl_relabel_add(r, &o, err);
    sl_relabel_options_release(&o);
    return code;
}

#define R SL_RELABEL_REPLACE

static const struct {
    const char *name;
    const char *in[LABELS_IN]; /* name=value */
    struct rule rules[RULES_MAX];
    size_t rule_count;
    const char *out; /* NULL: dropped */
} cases[] = {
    {"replace by a group",
     {"a=foo", "b=bar", "c=baz"},
     {{{"a"}, NULL, "f(.*)", "d", "ch${1}-ch${1}", R}},
     1,
     "a=foo b=bar c=baz d=choo-choo "},
    {"joined sources, and the next rule sees what the first has made",
     {"a=foo", "b=bar", "c=baz"},
     {{{"a", "b"}, NULL, "f(.*);(.*)r", "a", "b${1}${2}m", R},
      {{"c", "a"}, NULL, "(b).*b(.*)ba(.*)", "d", "$1$2$2$3", R}},
     2,
     "a=boobam b=bar c=baz d=boooom "},
    {"drop", {"a=foo"}, {{{"a"}, NULL, ".*o.*", NULL, NULL, SL_RELABEL_DROP}}, 1, NULL},
    {"drop ends the rules",
     {"a=foo"},
     {{{"a"}, NULL, "foo", NULL, NULL, SL_RELABEL_DROP}, {{"a"}, NULL, "f(.*)", "d", "x", R}},
     2,
     NULL},
    {"drop that does not match, because it is anchored",
     {"a=abc"},
     {{{"a"}, NULL, ".*(b).*c.", NULL, NULL, SL_RELABEL_DROP}},
     1,
     "a=abc "},
    {"keep", {"a=foo"}, {{{"a"}, NULL, "no-match", NULL, NULL, SL_RELABEL_KEEP}}, 1, NULL},
    {"keep a match", {"a=foo"}, {{{"a"}, NULL, "f.o", NULL, NULL, SL_RELABEL_KEEP}}, 1, "a=foo "},
    {"anchored at both ends", {"a=boo"}, {{{"a"}, NULL, "o", "b", "x", R}}, 1, "a=boo "},
    {"an alternative is anchored as a whole",
     {"a=foobar"},
     {{{"a"}, NULL, "foo|bar", "b", "x", R}},
     1,
     "a=foobar "},
    {"the shorter alternative gives way to the anchor",
     {"a=foobar"},
     {{{"a"}, NULL, "foo|foobar", "b", "x", R}},
     1,
     "a=foobar b=x "},
    {"an empty regular expression matches what is not there",
     {"a=foo"},
     {{{"f"}, NULL, "", "b", "bar", R}},
     1,
     "a=foo b=bar "},
    {"all defaults copy", {"a=foo"}, {{{"a"}, NULL, NULL, "b", NULL, R}}, 1, "a=foo b=foo "},
    {"no match leaves alone",
     {"a=foo", "b=x"},
     {{{"a"}, NULL, "(bar)", "b", "$1", R}},
     1,
     "a=foo b=x "},
    {"an empty result removes the label",
     {"a=foo", "b=bar"},
     {{{"a"}, NULL, "(f).*", "b", "$2", R}},
     1,
     "a=foo "},
    {"an empty replacement removes the label",
     {"a=foo", "b=bar"},
     {{{NULL}, NULL, NULL, "b", "", R}},
     1,
     "a=foo "},
    {"a target that is made",
     {"a=some-name-value"},
     {{{"a"}, NULL, "some-([^-]+)-([^,]+)", "${1}", "${2}", R}},
     1,
     "a=some-name-value name=value "},
    {"a target that is no name leaves alone",
     {"a=some-name-0"},
     {{{"a"}, NULL, "some-([^-]+)-([^,]+)", "${2}", "${1}", R}},
     1,
     "a=some-name-0 "},
    {"a target that is empty leaves alone",
     {"a=some-name-"},
     {{{"a"}, NULL, "some-([^-]+)-(.*)", "${2}", "${1}", R}},
     1,
     "a=some-name- "},
    {"the longest name counts: $1x is a group called 1x",
     {"a=foo"},
     {{{"a"}, NULL, "(.*)", "b", "<$1x>${1}x", R}},
     1,
     "a=foo b=<>foox "},
    {"named groups, dollars",
     {"a=foo"},
     {{{"a"}, NULL, "(?P<first>.)(.*)", "b", "$first-${first}-$$1-$-${-$", R}},
     1,
     "a=foo b=f-f-$1-$-${-$ "},
    {"a line feed is taken by a dot, and $ is the very end",
     {"a=x\n"},
     {{{"a"}, NULL, "x.", "b", "dot", R}, {{"a"}, NULL, "x$", "c", "dollar", R}},
     2,
     "a=x\n b=dot "},
    {"characters, not bytes",
     {"a=\xc3\xa4"},
     {{{"a"}, NULL, ".", "b", "x", R}},
     1,
     "a=\xc3\xa4 b=x "},
    {"labelmap",
     {"a=foo", "b1=bar", "b2=baz"},
     {{{NULL}, NULL, "b(.*)", NULL, "bar_${1}", SL_RELABEL_LABELMAP}},
     1,
     "a=foo b1=bar b2=baz bar_1=bar bar_2=baz "},
    {"labelmap with the default replacement",
     {"a=foo", "__meta_my_bar=aaa", "__meta_my_baz=bbb", "__meta_other=ccc"},
     {{{NULL}, NULL, "__meta_(my.*)", NULL, NULL, SL_RELABEL_LABELMAP}},
     1,
     "__meta_my_bar=aaa __meta_my_baz=bbb __meta_other=ccc a=foo my_bar=aaa my_baz=bbb "},
    {"labeldrop",
     {"a=foo", "b1=bar", "b2=baz"},
     {{{NULL}, NULL, "(b.*)", NULL, NULL, SL_RELABEL_LABELDROP}},
     1,
     "a=foo "},
    {"labelkeep",
     {"a=foo", "b1=bar", "b2=baz"},
     {{{NULL}, NULL, "(b.*)", NULL, NULL, SL_RELABEL_LABELKEEP}},
     1,
     "b1=bar b2=baz "},
    {"nothing is left: dropped",
     {"a=foo"},
     {{{NULL}, NULL, "a", NULL, NULL, SL_RELABEL_LABELDROP}},
     1,
     NULL},
    {"lowercase and uppercase",
     {"a=bAr123Foo"},
     {{{"a"}, NULL, NULL, "a_lower", NULL, SL_RELABEL_LOWERCASE},
      {{"a"}, NULL, NULL, "a_upper", NULL, SL_RELABEL_UPPERCASE}},
     2,
     "a=bAr123Foo a_lower=bar123foo a_upper=BAR123FOO "},
    {"keepequal",
     {"a=1234", "b=1234"},
     {{{"a"}, NULL, NULL, "b", NULL, SL_RELABEL_KEEPEQUAL}},
     1,
     "a=1234 b=1234 "},
    {"keepequal of unequals",
     {"a=1234", "b=5678"},
     {{{"a"}, NULL, NULL, "b", NULL, SL_RELABEL_KEEPEQUAL}},
     1,
     NULL},
    {"dropequal",
     {"a=1234", "b=1234"},
     {{{"a"}, NULL, NULL, "b", NULL, SL_RELABEL_DROPEQUAL}},
     1,
     NULL},
    {"dropequal of unequals",
     {"a=1234", "b=5678"},
     {{{"a"}, NULL, NULL, "b", NULL, SL_RELABEL_DROPEQUAL}},
     1,
     "a=1234 b=5678 "},
    {"hashmod",
     {"a=foo", "b=bar", "c=baz"},
     {{{"c"}, NULL, NULL, "d", "1000", SL_RELABEL_HASHMOD}},
     1,
     "a=foo b=bar c=baz d=976 "},
    {"hashmod of a label of several lines",
     {"a=foo\nbar"},
     {{{"a"}, NULL, NULL, "b", "1000", SL_RELABEL_HASHMOD}},
     1,
     "a=foo\nbar b=734 "},
    {"hashmod of what is not there, then keep of a shard",
     {"a=foo"},
     {{{"x"}, NULL, NULL, "__tmp", "2", SL_RELABEL_HASHMOD},
      {{"__tmp"}, NULL, "0", NULL, NULL, SL_RELABEL_KEEP}},
     2,
     "__tmp=0 a=foo "},
    {"an empty separator",
     {"a=foo", "b=bar"},
     {{{"a", "b"}, "", NULL, "c", NULL, R}},
     1,
     "a=foo b=bar c=foobar "},
    {"a match that would take for ever is none",
     {"a=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"},
     {{{"a"}, NULL, "((a|aa)*)*c", "b", "x", R}},
     1,
     "a=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab "},
};

static void fill(struct sl_labels *labels, const char *const *in) {
    sl_labels_init(labels);
    for (size_t i = 0; i < LABELS_IN && in[i] != NULL; i++) {
        const char *sign = strchr(in[i], '=');
        sl_labels_set(labels, in[i], (size_t)(sign - in[i]), sign + 1, strlen(sign + 1));
    }
}

/* Sorted by name, without finishing: reserved names stay. */
static void show(const struct sl_labels *labels, struct sl_buffer *out) {
    bool shown[SL_LABELS_MAX] = {false};
    for (size_t n = 0; n < labels->count; n++) {
        size_t best = SL_LABELS_MAX;
        for (size_t i = 0; i < labels->count; i++) {
            struct sl_label label = sl_labels_at(labels, i), least = {.name = NULL};
            if (best < SL_LABELS_MAX)
                least = sl_labels_at(labels, best);
            if (!shown[i] && (best == SL_LABELS_MAX || sl_label_compare(&label, &least) < 0))
                best = i;
        }
        struct sl_label label = sl_labels_at(labels, best);
        shown[best] = true;
        sl_buffer_printf(out, "%.*s=%.*s ", (int)label.name_len, label.name, (int)label.value_len,
                         label.value);
    }
}

static void test_rules(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_relabel *r = NULL;
        struct sl_error err = SL_ERROR_INIT;
        struct sl_labels labels;
        struct sl_buffer text;
        assert_int_equal(sl_relabel_new(&r, NULL), SL_OK);
        for (size_t n = 0; n < cases[i].rule_count; n++)
            if (add_rule(r, &cases[i].rules[n], &err) != SL_OK)
                fail_msg("%s: %s", cases[i].name, err.text);
        fill(&labels, cases[i].in);
        sl_buffer_init(&text, 10000);
        bool is_kept = sl_relabel_apply(r, &labels);
        show(&labels, &text);
        const char *wanted = cases[i].out;
        if (is_kept != (wanted != NULL) || (is_kept && strcmp(text.data, wanted) != 0))
            fail_msg("%s: %s\"%s\"", cases[i].name, is_kept ? "" : "dropped, ", text.data);
        sl_buffer_release(&text);
        sl_labels_release(&labels);
        sl_relabel_free(r);
    }
}

static const struct {
    struct rule rule;
    const char *message;
} wrong[] = {
    {{{"a"}, NULL, NULL, NULL, NULL, R}, "needs TargetLabel"},
    {{{"a"}, NULL, NULL, "a-b", NULL, R}, "TargetLabel \"a-b\" is no name"},
    {{{"a"}, NULL, NULL, "$1", NULL, SL_RELABEL_LOWERCASE}, "TargetLabel \"$1\" is no name"},
    {{{"a"}, NULL, "x", "b", NULL, SL_RELABEL_UPPERCASE}, "Regex has no meaning"},
    {{{"a"}, NULL, NULL, "b", "x", SL_RELABEL_KEEPEQUAL}, "Replacement has no meaning"},
    {{{"a"}, NULL, "x", NULL, NULL, SL_RELABEL_LABELDROP}, "SourceLabels has no meaning"},
    {{{NULL}, "-", "x", NULL, NULL, SL_RELABEL_LABELKEEP}, "Separator has no meaning"},
    {{{NULL}, NULL, "x", "b", NULL, SL_RELABEL_LABELMAP}, "TargetLabel has no meaning"},
    {{{NULL}, NULL, "x", NULL, "a b", SL_RELABEL_LABELMAP}, "Replacement \"a b\" is no name"},
    {{{"a"}, NULL, NULL, "b", NULL, SL_RELABEL_HASHMOD}, "\"hashmod\" needs Modulus"},
    {{{"a"}, NULL, NULL, NULL, "2", SL_RELABEL_HASHMOD}, "needs TargetLabel"},
    {{{"a"}, NULL, "x", "b", "2", SL_RELABEL_HASHMOD}, "Regex has no meaning"},
    {{{"a"}, NULL, "(", "b", NULL, R}, "\"(\" is wrong at byte 2"},
    {{{"a"}, NULL, "a(?=b)", "b", NULL, R}, "at byte 2 what RE2"},
    {{{"a"}, NULL, "(?<!b)", "b", NULL, R}, "what RE2"},
    {{{"a"}, NULL, "(?>b)", "b", NULL, R}, "what RE2"},
    {{{"a"}, NULL, "(?R)", "b", NULL, R}, "what RE2"},
    {{{"a"}, NULL, "(?(1)a|b)", "b", NULL, R}, "what RE2"},
    {{{"a"}, NULL, "(?P=x)", "b", NULL, R}, "what RE2"},
    {{{"a"}, NULL, "(*UCP)a", "b", NULL, R}, "what RE2"},
    {{{"a"}, NULL, "(a)\\1", "b", NULL, R}, "at byte 4 what RE2"},
    {{{"a"}, NULL, "a\\Kb", "b", NULL, R}, "what RE2"},
    {{{"a"}, NULL, "a*+", "b", NULL, R}, "at byte 2 what RE2"},
};

static void test_rules_that_are_refused(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sl_relabel *r = NULL;
        struct sl_error err = SL_ERROR_INIT;
        assert_int_equal(sl_relabel_new(&r, NULL), SL_OK);
        if (add_rule(r, &wrong[i].rule, &err) != SL_CONFIG ||
            strstr(err.text, wrong[i].message) == NULL)
            fail_msg("%s: \"%s\"", wrong[i].message, err.text);
        sl_relabel_free(r);
    }
}

static void test_modulus_is_for_hashmod(void **unused) {
    (void)unused;
    char target[] = "b", regex[] = "(.*)", separator[] = ";", replacement[] = "$1";
    struct sl_relabel_options o = {.separator = separator,
                                   .regex = regex,
                                   .target_label = target,
                                   .replacement = replacement,
                                   .modulus = 2};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_relabel *r = NULL;
    assert_int_equal(sl_relabel_new(&r, NULL), SL_OK);
    assert_int_equal(sl_relabel_add(r, &o, &err), SL_CONFIG);
    assert_string_equal(err.text, "Modulus has no meaning with Action \"replace\": remove it");
    sl_relabel_free(r);
}

/* What looks like the constructs above and is none. */
static void test_expressions_that_are_taken(void **unused) {
    (void)unused;
    static const char *const taken[][2] = {
        {"[(?=]+", "(?="}, {"\\Q(?=\\E", "(?="}, {"\\(\\?=", "(?="},     {"[]*+]{1,3}", "*+]"},
        {"(?i)A", "a"},    {"(?i:A)b", "ab"},    {"[[:alpha:]]+", "xY"}, {"\\p{Lu}", "X"},
        {"[\\]+]*", "]+"}, {"a+?b", "aab"}};
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        struct sl_regex *re = NULL;
        struct sl_error err = SL_ERROR_INIT;
        if (sl_regex_new(taken[i][0], &re, &err) != SL_OK)
            fail_msg("%s", err.text);
        assert_true(sl_regex_match(re, taken[i][1], strlen(taken[i][1]), NULL, NULL));
        sl_regex_free(re);
    }
}

/* The test suite of RFC 1321, appendix A.5, and the lengths around a block. */
static void test_md5(void **unused) {
    (void)unused;
    static const char *const known[][2] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "04364420e25c512fd958a70738aa8f72"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "668a72d5ba17f08e62dabcafad6db14b"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "c1bb4f81d892b2d57947682aeb252456"}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        unsigned char hash[SL_MD5_BYTES];
        char text[2 * SL_MD5_BYTES + 1];
        sl_md5(known[i][0], strlen(known[i][0]), hash);
        for (size_t n = 0; n < SL_MD5_BYTES; n++)
            snprintf(text + 2 * n, 3, "%02x", hash[n]);
        assert_string_equal(text, known[i][1]);
    }
}

/* ---- a node's labels and headers ---- */

static void test_labels_of_a_node(void **unused) {
    (void)unused;
    char site[32] = "site=fra", note[] = "note=a=b", none[] = "none=";
    char *texts[] = {site, note, none};
    struct sl_option_list list = {texts, 3};
    struct sl_rules rules;
    assert_int_equal(sl_rules_init(&rules, "j", &list, NULL, NULL), SL_OK);
    assert_string_equal(rules.series.job, "j");
    assert_int_equal(rules.series.extra_count, 3);
    assert_string_equal(rules.series.extra[1].key, "note");
    assert_string_equal(rules.series.extra[1].value, "a=b");
    assert_string_equal(rules.series.extra[2].value, "");
    sl_rules_release(&rules);
    static const char *const bad[] = {"site", "=x", "1a=x", "a-b=x", "__x=y", "__name__=y"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        snprintf(site, sizeof(site), "%s", bad[i]);
        assert_int_equal(sl_rules_init(&rules, NULL, &list, NULL, &err), SL_CONFIG);
        assert_non_null(strstr(err.text, bad[i]));
    }
    struct sl_error err = SL_ERROR_INIT;
    texts[0] = note;
    assert_int_equal(sl_rules_init(&rules, NULL, &list, NULL, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "\"note\" twice"));
}

static void test_headers_of_a_node(void **unused) {
    (void)unused;
    static const char *const good[] = {"X-Scope-OrgID: a", "x:", "X-A: b: c"};
    static const char *const bad[] = {"X-Scope-OrgID",
                                      ": a",
                                      "a b: c",
                                      "a: b\r\nc: d",
                                      "Content-Type: x",
                                      "content-ENCODING:x",
                                      "x-prometheus-remote-write-version: 9",
                                      "User-Agent: me",
                                      "Authorization: secret",
                                      "Host: x",
                                      "Content-Length: 1"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(sl_header_check(good[i], NULL), SL_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        assert_int_equal(sl_header_check(bad[i], &err), SL_CONFIG);
        assert_null(strstr(err.text, "secret"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_rules_that_are_refused),
        cmocka_unit_test(test_expressions_that_are_taken),
        cmocka_unit_test(test_modulus_is_for_hashmod),
        cmocka_unit_test(test_md5),
        cmocka_unit_test(test_labels_of_a_node),
        cmocka_unit_test(test_headers_of_a_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
