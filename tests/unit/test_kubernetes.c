/* Kubeconfig files and the messages of the API server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubernetes/kubeconfig.h"
#include "kubernetes/message.h"

/* ---- kubeconfig ---- */

static int parse(const char *yaml, const char *context, struct sl_kubeconfig *k,
                 struct sl_error *err) {
    return sl_kubeconfig_parse(yaml, strlen(yaml), context, "/etc/kube", k, err);
}

#define HEAD    "apiVersion: v1\nkind: Config\ncurrent-context: one\n"
#define CLUSTER "clusters:\n- name: c\n  cluster:\n    server: https://api.example:6443/\n"
#define CONTEXTS                                                                                   \
    "contexts:\n- name: one\n  context: {cluster: c, user: u, namespace: workers}\n"               \
    "- name: two\n  context: {cluster: c, user: nobody}\n"
#define USER "users:\n- name: u\n  user:\n"

static void test_token(void **unused) {
    (void)unused;
    struct sl_kubeconfig k = {.server = NULL};
    struct sl_error err = SL_ERROR_INIT;
    int code = parse(HEAD CLUSTER CONTEXTS USER "    token: \"abc.def\"\n", NULL, &k, &err);
    if (code != SL_OK)
        fail_msg("%s", err.text);
    assert_string_equal(k.server, "https://api.example:6443");
    assert_string_equal(k.token.text, "abc.def");
    assert_string_equal(k.kube_namespace, "workers");
    assert_false(k.is_insecure);
    assert_null(k.ca_path);
    sl_kubeconfig_release(&k);
}

static void test_paths_start_at_the_file(void **unused) {
    (void)unused;
    struct sl_kubeconfig k = {.server = NULL};
    int code = parse(HEAD CLUSTER "    certificate-authority: pki/ca.crt\n" CONTEXTS USER
                                  "    client-certificate: me.crt\n"
                                  "    client-key: /abs/me.key\n    tokenFile: tok\n",
                     NULL, &k, NULL);
    assert_int_equal(code, SL_OK);
    assert_string_equal(k.ca_path, "/etc/kube/pki/ca.crt");
    assert_string_equal(k.client_cert_path, "/etc/kube/me.crt");
    assert_string_equal(k.client_key_path, "/abs/me.key");
    assert_string_equal(k.token_path, "/etc/kube/tok");
    sl_kubeconfig_release(&k);
}

static void test_data_is_decoded_and_wins(void **unused) {
    (void)unused;
    struct sl_kubeconfig k = {.server = NULL};
    int code =
        parse(HEAD CLUSTER "    certificate-authority: ca.crt\n"
                           "    certificate-authority-data: Q0EgdGV4dA==\n" CONTEXTS USER
                           "    client-certificate-data: Q0VSVA==\n    client-key-data: S0VZ\n",
              NULL, &k, NULL);
    assert_int_equal(code, SL_OK);
    assert_string_equal(k.ca_pem, "CA text");
    assert_string_equal(k.client_cert_pem, "CERT");
    assert_string_equal(k.client_key_pem.text, "KEY");
    sl_kubeconfig_release(&k);
}

static void test_the_rest_of_a_cluster(void **unused) {
    (void)unused;
    struct sl_kubeconfig k = {.server = NULL};
    int code = parse(HEAD CLUSTER "    insecure-skip-tls-verify: true\n"
                                  "    tls-server-name: inner\n"
                                  "    proxy-url: http://proxy:3128\n" CONTEXTS USER
                                  "    username: me\n    password: pw\n",
                     NULL, &k, NULL);
    assert_int_equal(code, SL_OK);
    assert_true(k.is_insecure);
    assert_string_equal(k.tls_server_name, "inner");
    assert_string_equal(k.proxy_url, "http://proxy:3128");
    assert_string_equal(k.user, "me");
    assert_string_equal(k.password.text, "pw");
    sl_kubeconfig_release(&k);
}

static void test_json_is_yaml(void **unused) {
    (void)unused;
    struct sl_kubeconfig k = {.server = NULL};
    int code = parse("{\"current-context\":\"x\",\"clusters\":[{\"name\":\"c\",\"cluster\":"
                     "{\"server\":\"https://h\"}}],\"users\":[{\"name\":\"u\",\"user\":{\"token\":"
                     "\"t\"}}],\"contexts\":[{\"name\":\"x\",\"context\":{\"cluster\":\"c\","
                     "\"user\":\"u\"}}]}",
                     NULL, &k, NULL);
    assert_int_equal(code, SL_OK);
    assert_string_equal(k.server, "https://h");
    assert_null(k.kube_namespace);
    sl_kubeconfig_release(&k);
}

static void test_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        const char *yaml;
        const char *context;
        const char *words[3];
    } cases[] = {
        {"no such context",
         HEAD CLUSTER CONTEXTS USER "    token: t\n",
         "three",
         {"three", "one", "two"}},
        {"no current context", CLUSTER CONTEXTS USER "    token: t\n", NULL, {"current-context"}},
        {"no such user", HEAD CLUSTER CONTEXTS USER "    token: t\n", "two", {"nobody"}},
        {"no such cluster", HEAD "clusters: []\n" CONTEXTS USER "    token: t\n", NULL, {"\"c\""}},
        {"no server",
         HEAD "clusters: [{name: c, cluster: {}}]\n" CONTEXTS USER "    token: t\n",
         NULL,
         {"server"}},
        {"exec", HEAD CLUSTER CONTEXTS USER "    exec: {command: aws}\n", NULL, {"exec", "token"}},
        {"auth-provider",
         HEAD CLUSTER CONTEXTS USER "    auth-provider: {name: gcp}\n",
         NULL,
         {"auth-provider"}},
        {"bad base64",
         HEAD CLUSTER "    certificate-authority-data: '!!'\n" CONTEXTS USER "    token: t\n",
         NULL,
         {"certificate-authority-data", "base64"}},
        {"no YAML", "a: [b\n: c", NULL, {"line"}},
        {"empty", "", NULL, {NULL}},
        {"a list", "- a\n", NULL, {NULL}},
        {"server is a list",
         HEAD "clusters: [{name: c, cluster: {server: [a]}}]\n" CONTEXTS USER "    token: t\n",
         NULL,
         {"server"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_kubeconfig k = {.server = NULL};
        struct sl_error err = SL_ERROR_INIT;
        int code = parse(cases[i].yaml, cases[i].context, &k, &err);
        if (code == SL_OK)
            fail_msg("%s: taken", cases[i].name);
        for (size_t w = 0; w < 3 && cases[i].words[w] != NULL; w++)
            if (strstr(err.text, cases[i].words[w]) == NULL)
                fail_msg("%s: no \"%s\" in: %s", cases[i].name, cases[i].words[w], err.text);
        assert_null(k.server);
    }
}

static void test_every_cut_is_survived(void **unused) {
    (void)unused;
    static const char yaml[] = HEAD CLUSTER CONTEXTS USER "    token: abcdef\n";
    for (size_t len = 0; len < sizeof(yaml) - 1; len++) {
        struct sl_kubeconfig k = {.server = NULL};
        if (sl_kubeconfig_parse(yaml, len, NULL, "/", &k, NULL) == SL_OK)
            sl_kubeconfig_release(&k);
    }
}

/* ---- messages ---- */

#define SCALE(spec, status)                                                                        \
    "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"p\","          \
    "\"resourceVersion\":\"812\"},\"spec\":" spec ",\"status\":" status "}"

static void test_scale(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        const char *json;
        bool is_good;
        int32_t replicas, actual;
    } cases[] = {
        {"both", SCALE("{\"replicas\":3}", "{\"replicas\":2,\"selector\":\"a=b\"}"), true, 3, 2},
        {"zero is left out", SCALE("{}", "{\"replicas\":1}"), true, 0, 1},
        {"largest", SCALE("{\"replicas\":2147483647}", "{\"replicas\":0}"), true, INT32_MAX, 0},
        {"too large", SCALE("{\"replicas\":2147483648}", "{\"replicas\":0}"), false, 0, 0},
        {"negative", SCALE("{\"replicas\":-1}", "{\"replicas\":0}"), false, 0, 0},
        {"text", SCALE("{\"replicas\":\"3\"}", "{\"replicas\":0}"), false, 0, 0},
        {"fraction", SCALE("{\"replicas\":2.5}", "{\"replicas\":0}"), false, 0, 0},
        {"spec is null", SCALE("null", "{\"replicas\":0}"), false, 0, 0},
        {"no version", "{\"kind\":\"Scale\",\"metadata\":{},\"spec\":{},\"status\":{}}", false, 0,
         0},
        {"a Status", "{\"kind\":\"Status\",\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{}}",
         false, 0, 0},
        {"cut off", "{\"kind\":\"Scale\",\"spec\":{\"rep", false, 0, 0},
        {"HTML", "<html>", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_kube_scale scale = {.replicas = 77};
        struct sl_error err = SL_ERROR_INIT;
        int code = sl_kube_scale_parse(cases[i].json, strlen(cases[i].json), &scale, &err);
        if ((code == SL_OK) != cases[i].is_good)
            fail_msg("%s: code %d, %s", cases[i].name, code, err.text);
        if (!cases[i].is_good) {
            assert_int_equal(scale.replicas, 77); /* not touched */
            continue;
        }
        assert_int_equal(scale.replicas, cases[i].replicas);
        assert_int_equal(scale.actual_replicas, cases[i].actual);
        assert_string_equal(scale.version, "812");
    }
}

static void test_patch_to_the_byte(void **unused) {
    (void)unused;
    struct sl_buffer out;
    sl_buffer_init(&out, 200);
    sl_kube_scale_patch_body(5, "812", &out);
    assert_string_equal(out.data,
                        "{\"metadata\":{\"resourceVersion\":\"812\"},\"spec\":{\"replicas\":5}}");
    sl_buffer_reset(&out);
    sl_kube_scale_patch_body(0, "", &out);
    assert_string_equal(out.data, "{\"spec\":{\"replicas\":0}}");
    sl_buffer_release(&out);
}

#define UNSET                                                                                      \
    "{\"kind\":\"Status\",\"message\":\"Internal error occurred: the spec replicas field "         \
    "\\\".spec.poolSize\\\" does not exist\",\"reason\":\"InternalError\",\"code\":500}"

static void test_unset_is_told_from_failure(void **unused) {
    (void)unused;
    static const char other[] = "{\"kind\":\"Status\",\"message\":\"etcdserver: timed out\"}";
    assert_true(sl_kube_says_unset(500, UNSET, strlen(UNSET)));
    assert_false(sl_kube_says_unset(404, UNSET, strlen(UNSET)));
    assert_false(sl_kube_says_unset(500, other, strlen(other)));
    assert_false(sl_kube_says_unset(500, "", 0));
}

static void test_failures_in_words(void **unused) {
    (void)unused;
    static const struct {
        int status;
        const char *body;
        const char *words;
    } cases[] = {
        {403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"may not\"}",
         "HTTP 403 Forbidden: may not"},
        {404, "404 page not found", "CRD"},
        {502, "<html>", "HTTP 502"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char words[256];
        sl_kube_describe_failure(cases[i].status, cases[i].body, strlen(cases[i].body), words,
                                 sizeof(words));
        if (strstr(words, cases[i].words) == NULL)
            fail_msg("%d: %s", cases[i].status, words);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_paths_start_at_the_file),
        cmocka_unit_test(test_data_is_decoded_and_wins),
        cmocka_unit_test(test_the_rest_of_a_cluster),
        cmocka_unit_test(test_json_is_yaml),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_cut_is_survived),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_patch_to_the_byte),
        cmocka_unit_test(test_unset_is_told_from_failure),
        cmocka_unit_test(test_failures_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
