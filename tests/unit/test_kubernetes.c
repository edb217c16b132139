/* Kubeconfig files and the messages of the API server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubernetes/kubeconfig.h"
#include "kubernetes/exec_credential.h"
#include "kubernetes/message.h"
#include "kubernetes/status.h"

/* ---- kubeconfig ---- */

static int parse(const char *yaml, const char *context, struct sl_kubeconfig *k,
                 struct sl_error *err) {
    struct sl_kubeconfig_file file = {
        .path = "/etc/kube/config", .yaml = yaml, .len = strlen(yaml)};
    return sl_kubeconfig_parse(&file, 1, context, k, err);
}

#define HEAD    "apiVersion: v1\nkind: Config\ncurrent-context: one\n"
#define CLUSTER "clusters:\n- name: c\n  cluster:\n    server: https://api.example:6443/\n"
#define CONTEXTS                                                                                   \
    "contexts:\n- name: one\n  context: {cluster: c, user: u, namespace: workers}\n"               \
    "- name: two\n  context: {cluster: c, user: nobody}\n"
#define GROUP "client.authentication.k8s.io/"
#define USER  "users:\n- name: u\n  user:\n"

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
    int code =
        parse(HEAD CLUSTER "    insecure-skip-tls-verify: true\n"
                           "    tls-server-name: inner\n"
                           "    proxy-url: socks5://proxy:3128\n" CONTEXTS USER "    token: t\n",
              NULL, &k, NULL);
    assert_int_equal(code, SL_OK);
    assert_true(k.is_insecure);
    assert_string_equal(k.tls_server_name, "inner");
    assert_string_equal(k.proxy_url, "socks5://proxy:3128");
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
        {"exec without a version",
         HEAD CLUSTER CONTEXTS USER "    exec: {command: aws}\n",
         NULL,
         {"apiVersion", "v1beta1"}},
        {"exec of a removed version",
         HEAD CLUSTER CONTEXTS USER "    exec: {command: aws, apiVersion: " GROUP "v1alpha1}\n",
         NULL,
         {"v1alpha1", "v1beta1"}},
        {"exec without its mode",
         HEAD CLUSTER CONTEXTS USER "    exec: {command: aws, apiVersion: " GROUP "v1}\n",
         NULL,
         {"interactiveMode", "Never"}},
        {"exec that asks a person",
         HEAD CLUSTER CONTEXTS USER "    exec: {command: aws, apiVersion: " GROUP
                                    "v1, interactiveMode: Always}\n",
         NULL,
         {"Always", "daemon"}},
        {"exec without a command",
         HEAD CLUSTER CONTEXTS USER "    exec: {apiVersion: " GROUP "v1}\n",
         NULL,
         {"command"}},
        {"user name and password",
         HEAD CLUSTER CONTEXTS USER "    username: me\n    password: pw\n",
         NULL,
         {"password", "token"}},
        {"impersonation",
         HEAD CLUSTER CONTEXTS USER "    token: t\n    as: somebody\n",
         NULL,
         {"impersonation"}},
        {"a certificate without its key",
         HEAD CLUSTER CONTEXTS USER "    client-certificate: me.crt\n",
         NULL,
         {"client-certificate", "client-key"}},
        {"a proxy of a kind nobody knows",
         HEAD CLUSTER "    proxy-url: ftp://p\n" CONTEXTS USER "    token: t\n",
         NULL,
         {"proxy-url", "socks5"}},
        {"auth-provider",
         HEAD CLUSTER CONTEXTS USER "    auth-provider: {name: gcp}\n",
         NULL,
         {"auth-provider", "removed", "exec"}},
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
        struct sl_kubeconfig_file file = {.path = "f", .yaml = yaml, .len = len};
        if (sl_kubeconfig_parse(&file, 1, NULL, &k, NULL) == SL_OK)
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
        const char *words[2];
        int64_t retry_after_ms;
    } cases[] = {
        {401,
         "{\"kind\":\"Status\",\"reason\":\"Unauthorized\",\"message\":\"Unauthorized\"}",
         {"HTTP 401 Unauthorized", "token"},
         -1},
        {403,
         "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"may not\"}",
         {"HTTP 403 Forbidden: may not", "rbac.yaml"},
         -1},
        {404, "404 page not found", {"CRD", "API server"}, -1},
        {404,
         "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no\",\"details\":{}}",
         {"CRD", "no"},
         -1},
        {404,
         "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"workerpools \\\"x\\\" not "
         "found\",\"details\":{\"name\":\"x\"}}",
         {"\"x\" not found", "check Namespace"},
         -1},
        {410,
         "{\"kind\":\"Status\",\"reason\":\"Gone\",\"message\":\"gone\"}",
         {"Gone", "version"},
         -1},
        {415,
         "{\"kind\":\"Status\",\"reason\":\"UnsupportedMediaType\",\"message\":\"no\"}",
         {"415", "newer"},
         -1},
        {422,
         "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"spec.replicas\"}",
         {"Invalid: spec.replicas", "admission"},
         -1},
        {503,
         "{\"kind\":\"Status\",\"reason\":\"ServiceUnavailable\",\"message\":\"busy\",\"details\":"
         "{\"retryAfterSeconds\":7}}",
         {"503", "busy"},
         7000},
        {502, "<html>", {"first words", ""}, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        (void)sl_fail(&err, SL_REMOTE, "first words");
        err.http_status = cases[i].status;
        sl_kube_explain(cases[i].body, strlen(cases[i].body), &err);
        for (size_t w = 0; w < 2; w++)
            if (strstr(err.text, cases[i].words[w]) == NULL)
                fail_msg("%d: no \"%s\" in: %s", cases[i].status, cases[i].words[w], err.text);
        assert_int_equal(err.http_status, cases[i].status);
        assert_int_equal(err.retry_after_ms, cases[i].retry_after_ms);
    }
}

#define POOL(annotations, spec)                                                                    \
    "{\"kind\":\"WorkerPool\",\"metadata\":{\"uid\":\"u-1\",\"resourceVersion\":\"9\","            \
    "\"annotations\":" annotations "},\"spec\":" spec ",\"status\":{\"actualPoolSize\":2}}"

static void take_annotation(void *context, const char *key, const char *value) {
    struct sl_buffer *out = context;
    sl_buffer_printf(out, "%s=%s;", key, value);
}

static void test_worker_pool(void **unused) {
    (void)unused;
    static const struct {
        const char *json;
        bool is_good, is_unset;
        int32_t replicas;
        const char *annotations;
    } cases[] = {
        {POOL("{\"a/b\":\"1\",\"c\":\"\"}", "{\"poolSize\":3}"), true, false, 3, "a/b=1;c=;"},
        {POOL("null", "{\"poolSize\":0}"), true, false, 0, ""},
        {POOL("{}", "{}"), true, true, 0, ""},
        {POOL("{}", "{\"poolSize\":null}"), true, true, 0, ""},
        {POOL("{\"a\":1}", "{\"poolSize\":1}"), true, false, 1, ""},
        {POOL("{\"a\":\"1\"}", "{\"poolSize\":-1}"), false, false, 0, ""},
        {SCALE("{}", "{}"), false, false, 0, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_kube_scale pool = {.replicas = 77};
        struct sl_buffer seen;
        sl_buffer_init(&seen, 1000);
        struct sl_kube_annotations annotations = {take_annotation, &seen};
        int code =
            sl_kube_pool_parse(cases[i].json, strlen(cases[i].json), &annotations, &pool, NULL);
        assert_int_equal(code == SL_OK, cases[i].is_good);
        assert_string_equal(seen.data, cases[i].annotations);
        if (code == SL_OK) {
            assert_int_equal(pool.replicas, cases[i].replicas);
            assert_int_equal(pool.is_unset, cases[i].is_unset);
            assert_string_equal(pool.uid, "u-1");
            assert_int_equal(pool.actual_replicas, 2);
        }
        sl_buffer_release(&seen);
    }
}

/* ---- several files, exec ---- */

static void test_files_are_merged(void **unused) {
    (void)unused;
    static const char first[] = "current-context: two\n"
                                "users: [{name: u, user: {tokenFile: tok}}]\n";
    static const char second[] =
        "current-context: one\n" CLUSTER "    certificate-authority: ca.crt\n"
        "contexts:\n- name: two\n  context: {cluster: c, user: u}\n"
        "users: [{name: u, user: {token: hidden}}]\n";
    struct sl_kubeconfig_file files[] = {{"/a/one", first, sizeof(first) - 1},
                                         {"/b/two", second, sizeof(second) - 1}};
    struct sl_kubeconfig k;
    struct sl_error err = SL_ERROR_INIT;
    int code = sl_kubeconfig_parse(files, 2, NULL, &k, &err);
    if (code != SL_OK)
        fail_msg("%s", err.text);
    assert_string_equal(k.token_path, "/a/tok"); /* the first user of that name, whole */
    assert_false(sl_secret_is_set(&k.token));
    assert_string_equal(k.ca_path, "/b/ca.crt");
    sl_kubeconfig_release(&k);
    files[1].len = 5;
    assert_int_equal(sl_kubeconfig_parse(files, 2, NULL, &k, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "/b/two"));
}

#define EXEC                                                                                       \
    HEAD CLUSTER                                                                                   \
        "    certificate-authority-data: Q0E=\n"                                                   \
        "    extensions:\n"                                                                        \
        "    - name: client.authentication.k8s.io/exec\n"                                          \
        "      extension: {audience: it, port: 1, deep: [true, null, \"7\"]}\n" CONTEXTS USER      \
        "    exec:\n      apiVersion: " GROUP "v1beta1\n"                                          \
        "      command: ./bin/token\n      args: [--for, \"42\"]\n"                                \
        "      env: [{name: A, value: b}]\n      provideClusterInfo: true\n"

static void test_exec(void **unused) {
    (void)unused;
    struct sl_kubeconfig k;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer info;
    if (parse(EXEC, NULL, &k, &err) != SL_OK)
        fail_msg("%s", err.text);
    assert_string_equal(k.exec.argv[0], "/etc/kube/./bin/token");
    assert_string_equal(k.exec.argv[2], "42");
    assert_null(k.exec.argv[3]);
    assert_string_equal(k.exec.environment[0], "A=b");
    sl_buffer_init(&info, 10000);
    sl_exec_credential_ask(&k, k.ca_pem, &info);
    assert_string_equal(
        info.data,
        "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":\"" GROUP
        "v1beta1\",\"spec\":{\"interactive\":false,\"cluster\":{\"server\":"
        "\"https://api.example:6443\",\"certificate-authority-data\":\"Q0E=\",\"config\":"
        "{\"audience\":\"it\",\"port\":1,\"deep\":[true,null,\"7\"]}}}}");
    sl_buffer_release(&info);
    sl_kubeconfig_release(&k);
    /* A token beside it wins. */
    assert_int_equal(parse(EXEC "    token: t\n", NULL, &k, NULL), SL_OK);
    assert_null(k.exec.argv);
    sl_kubeconfig_release(&k);
}

#define PRINTED(status)                                                                            \
    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" GROUP "v1\",\"status\":{" status "}}"

static void test_exec_credential(void **unused) {
    (void)unused;
    static const struct {
        const char *json;
        bool is_good;
        int64_t expires_ms;
    } cases[] = {
        {PRINTED("\"token\":\"t\\n\""), true, INT64_MAX},
        {PRINTED("\"token\":\"t\",\"expirationTimestamp\":\"1970-01-01T00:00:01Z\""), true, 1000},
        {PRINTED("\"token\":\"t\",\"expirationTimestamp\":\"soon\""), false, 0},
        {PRINTED("\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\""), true, INT64_MAX},
        {PRINTED("\"clientCertificateData\":\"C\",\"token\":\"t\""), false, 0},
        {PRINTED("\"clientKeyData\":\"K\",\"token\":\"t\""), false, 0},
        {PRINTED("\"token\":\"\""), false, 0},
        {PRINTED(""), false, 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" GROUP "v1beta1\",\"status\":"
         "{\"token\":\"t\"}}",
         false, 0},
        {"{\"kind\":\"Status\"}", false, 0},
        {"s3cret", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_exec_credential c = {.expires_ms = -5};
        struct sl_error err = SL_ERROR_INIT;
        int code =
            sl_exec_credential_parse(cases[i].json, strlen(cases[i].json), GROUP "v1", &c, &err);
        if ((code == SL_OK) != cases[i].is_good)
            fail_msg("%s: %d %s", cases[i].json, code, err.text);
        assert_null(strstr(err.text, "s3cret"));
        assert_int_equal(c.expires_ms, code == SL_OK ? cases[i].expires_ms : -5);
        if (code == SL_OK)
            sl_exec_credential_release(&c);
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
        cmocka_unit_test(test_worker_pool),
        cmocka_unit_test(test_files_are_merged),
        cmocka_unit_test(test_exec),
        cmocka_unit_test(test_exec_credential),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
