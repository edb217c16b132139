/* collectd's configuration syntax, and command line flags of option tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/config_file.h"

static struct sl_config_item root;
static struct sl_error err;

static int start(void **state) {
    (void)state;
    root = (struct sl_config_item){.key = NULL};
    err = (struct sl_error)SL_ERROR_INIT;
    return 0;
}

static int end(void **state) {
    (void)state;
    sl_config_release(&root);
    return 0;
}

static void parse(const char *text) {
    if (sl_config_parse(text, strlen(text), "file", &root, &err) != SL_OK)
        fail_msg("%s", err.text);
}

static void refuse(const char *text, const char *message) {
    sl_config_release(&root);
    assert_int_equal(sl_config_parse(text, strlen(text), "file", &root, &err), SL_CONFIG);
    assert_string_equal(err.text, message);
}

static void test_tree(void **state) {
    (void)state;
    parse("# a comment\n"
          "LoadPlugin spacelift\r\n"
          "<Plugin spacelift>\n"
          "  <Account \"ac me\"> # another\n"
          "    URL \"https://acme.app.spacelift.io\"\n"
          "  </Account>\n"
          "</Plugin>");
    assert_int_equal(root.child_count, 2);
    assert_string_equal(root.children[0].key, "LoadPlugin");
    assert_string_equal(root.children[0].values[0].text, "spacelift");
    const struct sl_config_item *account = &root.children[1].children[0];
    assert_string_equal(account->key, "Account");
    assert_string_equal(account->values[0].text, "ac me");
    assert_string_equal(account->children[0].values[0].text, "https://acme.app.spacelift.io");
}

static void test_values(void **state) {
    (void)state;
    parse("Key \"a \\\"b\\\" \\\\c\" 0x1f 017 -5 +5 .5 1e3 on OFF word \"7\"\nNext \\\n 1\n");
    const struct sl_config_value *v = root.children[0].values;
    assert_int_equal(root.children[0].value_count, 11);
    assert_string_equal(v[0].text, "a \"b\" \\c");
    const double numbers[] = {31, 15, -5, 5, 0.5, 1000};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(v[i + 1].type, SL_CONFIG_NUMBER);
        assert_true(v[i + 1].number == numbers[i]);
    }
    assert_int_equal(v[7].type, SL_CONFIG_BOOLEAN);
    assert_true(v[7].boolean);
    assert_false(v[8].boolean);
    assert_string_equal(v[9].text, "word");
    assert_string_equal(v[10].text, "7");
    assert_true(root.children[1].values[0].number == 1);
}

static void test_refused(void **state) {
    (void)state;
    refuse("Key\n", "file:1: Key has no value");
    refuse("\n<A>\n<B>\n</A>\n", "file:4: </A> where <B> of line 3 ends");
    refuse("<A>\n\n", "file:1: <A> has no </A>");
    refuse("<A\n", "file:1: <A has no >");
    refuse("</A>\n", "file:1: a block ends here that has not begun");
    refuse("Key \"open\nmore\n", "file:1: a string begins with a quote and does not end");
    refuse("<A> Key 1\n</A> Key\n", "file:2: expected the end of the line after A");
    refuse("<A><A><A><A><A><A><A><A><A><A><A><A><A><A><A><A><A><A>\n",
           "file:1: blocks are nested deeper than 16");
}

struct target {
    char *id;
    bool verify;
};

static const struct sl_option table[] = {
    {.name = "APIKeyID",
     .type = SL_OPTION_STRING,
     .offset = offsetof(struct target, id),
     .help = "An ID."},
    {.name = "VerifyPeer",
     .type = SL_OPTION_BOOLEAN,
     .offset = offsetof(struct target, verify),
     .fallback = "true",
     .help = "Whether."},
    {.name = NULL},
};
static const struct sl_option_block block = {
    .name = "Account", .label = "a name", .example = "acme", .options = table};

static void test_block(void **state) {
    (void)state;
    struct target target = {.id = NULL};
    parse("APIKeyID \"01H\"\nverifypeer false\n");
    assert_int_equal(sl_config_read_block(&block, "here", &root, &target, NULL, NULL, &err), SL_OK);
    assert_string_equal(target.id, "01H");
    assert_false(target.verify);
    sl_option_release(table, &target);

    sl_config_release(&root);
    parse("<APIKeyID \"x\">\n  A 1\n</APIKeyID>\n");
    assert_int_equal(sl_config_read_block(&block, "here", &root, &target, NULL, NULL, &err),
                     SL_CONFIG);
    assert_string_equal(err.text, "here: APIKeyID is an option, not a block: APIKeyID VALUE");
}

static void test_flags(void **state) {
    (void)state;
    char flag[SL_OPTION_FLAG_BYTES];
    sl_option_flag(&table[0], NULL, flag);
    assert_string_equal(flag, "api-key-id");
    sl_option_flag(&table[1], "cluster", flag);
    assert_string_equal(flag, "cluster-verify-peer");
    assert_ptr_equal(sl_option_find_flag(table, NULL, "apikey-id=x", 9), &table[0]);
    assert_ptr_equal(sl_option_find_flag(table, "cluster", "cluster-VerifyPeer", 18), &table[1]);
    assert_null(sl_option_find_flag(table, NULL, "api-key", 7));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tree, start, end),
        cmocka_unit_test_setup_teardown(test_values, start, end),
        cmocka_unit_test_setup_teardown(test_refused, start, end),
        cmocka_unit_test_setup_teardown(test_block, start, end),
        cmocka_unit_test(test_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
