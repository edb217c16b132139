/* The manifests, and the files that Spacelift's web page downloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/json_document.h"
#include "kubernetes/manifests.h"
#include "kubernetes/yaml.h"
#include "spacelift/key_file.h"

/* ---- the key's file ---- */

#define NEW_LAYOUT                                                                                 \
    "# Spacelift API Key Configuration\n\n[credentials]\napi_key_id     = 01HQ\n"                  \
    "api_key_secret = s3cret\n\n# Usage Options:\n#   Use the api_key_secret above\n"              \
    "credentials \"spacelift.io\" {\n  token = \"other\"\n}\n"
#define OLD_LAYOUT                                                                                 \
    "Please use the following API secret when communicating with Spacelift\nprogrammatically:\n"   \
    "\ns3cret\n\nPlease add this snippet to your .terraformrc file\n"                              \
    "credentials \"spacelift.io\" {\n  token = \"other\"\n}\n"

static void test_key_file_layouts(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        const char *id;
    } cases[] = {
        {NEW_LAYOUT, "01HQ"},
        {"[credentials]\r\napi_key_id = 01HQ\r\napi_key_secret = s3cret\r\n", "01HQ"},
        {"api_key_secret=s3cret", ""},
        {OLD_LAYOUT, ""},
        {"s3cret", ""},
        {"  s3cret\n\n", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_secret secret = SL_SECRET_INIT;
        char id[SL_KEY_ID_BYTES];
        if (sl_key_file_parse(cases[i].text, strlen(cases[i].text), &secret, id, &err) != SL_OK)
            fail_msg("case %zu: %s", i, err.text);
        assert_string_equal(secret.text, "s3cret");
        assert_string_equal(id, cases[i].id);
        sl_secret_release(&secret);
    }
}

static void test_key_file_that_is_none(void **unused) {
    (void)unused;
    static const char *const cases[] = {
        "",
        "\n\n",
        "some text about hunter2",
        "api_key_id = 01HQ\napi_key_secret =\n",
        "Please use the following API secret when communicating\nprogrammatically:\n\n",
        "two\nhunter2",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_secret secret = SL_SECRET_INIT;
        assert_int_equal(sl_key_file_parse(cases[i], strlen(cases[i]), &secret, NULL, &err),
                         SL_CONFIG);
        assert_null(strstr(err.text, "hunter2"));
        assert_false(sl_secret_is_set(&secret));
    }
}

/* ---- manifests ---- */

static struct sl_secret secret_of(const char *text) {
    struct sl_secret s = SL_SECRET_INIT;
    assert_int_equal(sl_secret_set(&s, text, strlen(text), NULL), SL_OK);
    return s;
}

static struct sl_manifests tutorial(void) {
    return (struct sl_manifests){
        .kube_namespace = SL_MANIFESTS_NAMESPACE,
        .worker_pool = "my-amazing-worker-pool",
        .pool_size = 1,
        .service_account = SL_MANIFESTS_ACCOUNT,
    };
}

static struct sl_json *print(const struct sl_manifests *m) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer yaml, json;
    struct sl_json *doc = NULL;
    sl_buffer_init(&yaml, 100000);
    sl_buffer_init(&json, 100000);
    if (sl_manifests_print(m, &yaml, &err) != SL_OK ||
        sl_yaml_to_json(yaml.data, yaml.len, &json, &err) != SL_OK ||
        sl_json_parse(json.data, json.len, &doc, &err) != SL_OK)
        fail_msg("%s", err.text);
    sl_buffer_release(&yaml);
    sl_buffer_release(&json);
    return doc;
}

static const struct sl_json *object(const struct sl_json *list, const char *kind,
                                    const char *name) {
    for (size_t i = 0; i < sl_json_size(list); i++) {
        const struct sl_json *each = sl_json_at(list, i);
        if (strcmp(sl_json_string(sl_json_get(each, "kind")), kind) == 0 &&
            strcmp(sl_json_string(sl_json_get(sl_json_get(each, "metadata"), "name")), name) == 0)
            return each;
    }
    return NULL;
}

static void assert_datum(const struct sl_json *secret, const char *key, const char *expected) {
    struct sl_buffer b;
    const char *text = sl_json_string(sl_json_get(sl_json_get(secret, "data"), key));
    assert_non_null(text);
    sl_buffer_init(&b, 1000);
    assert_int_equal(sl_base64_decode(text, strlen(text), &b, NULL), SL_OK);
    assert_string_equal(b.data, expected);
    sl_buffer_release(&b);
}

static void test_secrets(void **unused) {
    (void)unused;
    struct sl_secret key = secret_of("KEY\n"), token = secret_of("dG9rZW4="), api = secret_of("s");
    struct sl_manifests m = tutorial();
    m.private_key_pem = &key;
    m.pool_token = &token;
    m.api_key_secret = &api;
    struct sl_json *list = print(&m);
    const struct sl_json *pool = object(list, "Secret", "spacelift-worker-pool-credentials");
    assert_datum(pool, "privateKey", "S0VZCg=="); /* base64 of the PEM text, as the tutorial says */
    assert_datum(pool, "token", "dG9rZW4=");
    assert_datum(object(list, "Secret", "spacelift-prometheus-exporter-credentials"),
                 "SPACELIFT_PROMEX_API_KEY_SECRET", "s");
    sl_json_free(list);
    sl_secret_release(&key);
    sl_secret_release(&token);
    sl_secret_release(&api);
}

static void test_without_secrets(void **unused) {
    (void)unused;
    struct sl_manifests m = tutorial();
    struct sl_json *list = print(&m);
    assert_null(object(list, "Secret", "spacelift-worker-pool-credentials"));
    assert_non_null(object(list, "Namespace", SL_MANIFESTS_NAMESPACE));
    assert_non_null(object(list, "Secret", "collectd-spacelift-token"));
    const struct sl_json *pool = object(list, "WorkerPool", "my-amazing-worker-pool");
    const struct sl_json *spec = sl_json_get(pool, "spec");
    int64_t size = 0;
    assert_true(sl_json_int64(sl_json_get(spec, "poolSize"), &size) && size == 1);
    const struct sl_json *role = object(list, "Role", SL_MANIFESTS_ACCOUNT);
    assert_int_equal(sl_json_size(sl_json_get(role, "rules")), 5); /* list is a comment */
    sl_json_free(list);
}

static void test_refused(void **unused) {
    (void)unused;
    static const char *const names[] = {"", "My Pool", "-a", "a-", "a..b", "a.-b", "a\nb: c", "ä"};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer out;
    sl_buffer_init(&out, 10000);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct sl_manifests m = tutorial();
        m.worker_pool = names[i];
        assert_int_equal(sl_manifests_print(&m, &out, &err), SL_CONFIG);
        assert_non_null(strstr(err.text, "the worker pool"));
    }
    struct sl_manifests m = tutorial();
    m.kube_namespace = "a.b";
    assert_int_equal(sl_manifests_print(&m, &out, &err), SL_CONFIG);
    struct sl_secret key = secret_of("KEY");
    m = tutorial();
    m.private_key_pem = &key;
    assert_int_equal(sl_manifests_print(&m, &out, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "worker pool's file is missing"));
    assert_int_equal(out.len, 0);
    sl_secret_release(&key);
    sl_buffer_release(&out);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_file_layouts), cmocka_unit_test(test_key_file_that_is_none),
        cmocka_unit_test(test_secrets),          cmocka_unit_test(test_without_secrets),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
