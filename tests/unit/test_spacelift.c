/* Spacelift's answers, whatever they are, and the session's way with keys and tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "spacelift/answer.h"
#include "spacelift/catalogue.h"
#include "spacelift/session.h"

/* ---- the catalogue ---- */

static void check_type(const struct sl_metric_type *type) {
    assert_ptr_equal(sl_catalogue_find(type->plugin, type->name), type);
    assert_in_range(type->count, 1, SL_TYPE_DS_MAX);
    for (size_t m = 0; m < SL_TYPE_DS_MAX; m++) {
        const struct sl_metric *metric = &type->metrics[m];
        if (m >= type->count) {
            assert_null(metric->ds);
            continue;
        }
        assert_non_null(metric->ds);
        assert_in_range(strlen(metric->ds), 1, SL_METRIC_DS_NAME_MAX);
        for (size_t before = 0; before < m; before++)
            assert_string_not_equal(metric->ds, type->metrics[before].ds);
        assert_non_null(strstr(metric->help, "."));
        assert_true((metric->label == NULL) == (metric->label_value == NULL));
        if (strcmp(type->plugin, SL_SPACELIFT_PLUGIN) == 0)
            assert_memory_equal(metric->prometheus, "spacelift_", 10);
    }
}

static void test_catalogue_keeps_to_its_hosts_rules(void **unused) {
    (void)unused;
    const struct sl_metric_type *type;
    for (size_t i = 0; (type = sl_catalogue(i)) != NULL; i++)
        check_type(type);
    assert_null(sl_catalogue_find(SL_SPACELIFT_PLUGIN, "cpu"));
    assert_null(sl_catalogue_find("cpu", SL_TYPE_WORKER_POOL));
}

/* "name=value name=value" of a metric; the caller frees it. */
static char *labels_of(const char *type, size_t m, const char *plugin_instance,
                       const char *type_instance, const char *pool_name) {
    struct sl_metric_label labels[SL_METRIC_LABELS_MAX];
    size_t count = sl_metric_labels(sl_catalogue_find(SL_SPACELIFT_PLUGIN, type), m,
                                    plugin_instance, type_instance, pool_name, labels);
    struct sl_buffer text;
    sl_buffer_init(&text, 1000);
    for (size_t i = 0; i < count; i++)
        sl_buffer_printf(&text, "%s%s=%.*s", i > 0 ? " " : "", labels[i].name, (int)labels[i].len,
                         labels[i].value);
    return sl_buffer_steal(&text);
}

static void test_labels_come_out_of_the_identifier(void **unused) {
    (void)unused;
    static const struct {
        const char *type, *plugin_instance, *type_instance, *pool_name, *labels;
        size_t metric;
    } cases[] = {
        {SL_TYPE_WORKER_POOL, "x", "01H", NULL, "worker_pool_name=x worker_pool_id=01H", 0},
        {SL_TYPE_WORKER_POOL, "a_b", "01H", "a/b", "worker_pool_name=a/b worker_pool_id=01H", 0},
        {SL_TYPE_PUBLIC_WORKER_POOL, "", "", NULL, "", 0},
        {SL_TYPE_PUBLIC_WORKER_POOL, "two", "", "x", "account=two", 0},
        {SL_TYPE_STACKS_BY_STATE, "", "A-B", NULL, "state=A-B", 0},
        {SL_TYPE_WORKER_POOL_WORKERS_BY_METADATA, "x", "01H-asg-1", NULL,
         "worker_pool_name=x worker_pool_id=01H metadata_value=asg-1", 0},
        {SL_TYPE_WORKER_POOL_WORKERS_BY_METADATA, "x", "01H", NULL,
         "worker_pool_name=x worker_pool_id=01H", 0},
        {SL_TYPE_WORKER_POOL_WAIT, "x", "01H", NULL,
         "worker_pool_name=x worker_pool_id=01H le=+Inf", SL_WAIT_BUCKETS + 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *labels = labels_of(cases[i].type, cases[i].metric, cases[i].plugin_instance,
                                 cases[i].type_instance, cases[i].pool_name);
        assert_string_equal(labels != NULL ? labels : "", cases[i].labels);
        free(labels);
    }
}

/* ---- documents and endpoints ---- */

static void test_documents_to_the_byte(void **unused) {
    (void)unused;
    struct sl_secret secret = SL_SECRET_INIT;
    struct sl_buffer out;
    sl_buffer_init(&out, 1000);
    struct sl_document_arguments arguments = {.api_key_id = "01H", .secret = &secret};
    assert_int_equal(sl_document_body(SL_DOCUMENT_PUBLIC_WORKER_POOL, &arguments, &out, NULL),
                     SL_OK);
    assert_string_equal(out.data,
                        "{\"query\":\"query CollectdSpacelift_PublicWorkerPool{publicWorkerPool{"
                        "parallelism,busyWorkers,pendingRuns}}\",\"operationName\":"
                        "\"CollectdSpacelift_PublicWorkerPool\"}");
    sl_buffer_reset(&out);
    assert_int_equal(sl_secret_set(&secret, "a\"b\\", 4, NULL), SL_OK);
    assert_int_equal(sl_document_body(SL_DOCUMENT_API_KEY_USER, &arguments, &out, NULL), SL_OK);
    assert_non_null(strstr(out.data, "\"variables\":{\"id\":\"01H\",\"secret\":\"a\\\"b\\\\\"}"));
    sl_secret_release(&secret);
    sl_buffer_wipe(&out);
}

static void test_endpoints(void **unused) {
    (void)unused;
    static const char *const forms[] = {"https://a.example", "https://a.example/",
                                        "https://a.example///", "https://a.example/graphql",
                                        "https://a.example/graphql/"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char *endpoint = NULL;
        assert_int_equal(sl_endpoint(forms[i], &endpoint, NULL), SL_OK);
        if (strcmp(endpoint, "https://a.example/graphql") != 0)
            fail_msg("%s: %s", forms[i], endpoint);
        free(endpoint);
    }
}

/* ---- answers ---- */

enum { NOW_S = 1000000 };

static int read_answer(enum sl_document document, const char *text, size_t len, size_t step,
                       struct sl_answer *ret, struct sl_error *err) {
    struct sl_answer_settings settings = {.now_s = NOW_S, .metadata_key = "asg_id"};
    struct sl_answer_parser *p = sl_answer_parser_new(document, &settings);
    int code = SL_OK;
    for (size_t i = 0; i < len && code == SL_OK; i += step)
        code = sl_answer_parser_feed(p, text + i, len - i < step ? len - i : step, err);
    if (code == SL_OK)
        code = sl_answer_parser_finish(p, ret, err);
    sl_answer_parser_free(p);
    return code;
}

#define POOL(name, pending, busy, workers)                                                         \
    "{\"id\":\"01H\",\"name\":" name ",\"pendingRuns\":" pending ",\"busyWorkers\":" busy          \
    ",\"workers\":" workers "}"
#define POOLS(pools) "{\"data\":{\"workerPools\":[" pools "]}}"
#define WORKERS      "[{\"id\":\"a\",\"drained\":false},{\"id\":\"b\",\"drained\":true}]"

static const char good[] =
    POOLS(POOL("\"x\"", "7", "1", WORKERS) "," POOL("\"y \\\"/\\u00e4\"", "0", "0", "[]"));

static void test_pools(void **unused) {
    (void)unused;
    for (size_t step = 1; step < sizeof(good); step += 13) {
        struct sl_answer answer = {.pools = NULL};
        assert_int_equal(
            read_answer(SL_DOCUMENT_WORKER_POOLS, good, sizeof(good) - 1, step, &answer, NULL),
            SL_OK);
        assert_int_equal(answer.pool_count, 2);
        assert_string_equal(answer.pools[0].id, "01H");
        assert_string_equal(answer.pools[0].name, "x");
        assert_int_equal(answer.pools[0].runs_pending, 7);
        assert_int_equal(answer.pools[0].workers_busy, 1);
        assert_int_equal(answer.pools[0].workers, 2);
        assert_int_equal(answer.pools[0].workers_drained, 1);
        assert_string_equal(answer.pools[1].name, "y \"/\xc3\xa4");
        assert_int_equal(answer.pools[1].workers, 0);
        sl_answer_release(&answer);
    }
}

static void test_no_cut_is_taken_for_an_answer(void **unused) {
    (void)unused;
    for (size_t len = 0; len < sizeof(good) - 1; len++) {
        struct sl_answer answer = {.pools = NULL};
        if (read_answer(SL_DOCUMENT_WORKER_POOLS, good, len, 64, &answer, NULL) != SL_PARSE)
            fail_msg("taken at %zu bytes", len);
        assert_null(answer.pools);
    }
}

static void test_bad_answers(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        const char *text;
        int code;
        const char *words;
    } cases[] = {
        {"null pending", POOLS(POOL("\"x\"", "null", "1", "[]")), SL_PARSE,
         "workerPools[0].pendingRuns is null"},
        {"null in the second pool",
         POOLS(POOL("\"x\"", "1", "1", "[]") "," POOL("\"y\"", "1", "null", "[]")), SL_PARSE,
         "workerPools[1].busyWorkers is null"},
        {"null name", POOLS(POOL("null", "1", "1", "[]")), SL_PARSE, "workerPools[0].name"},
        {"null workers", POOLS(POOL("\"x\"", "1", "1", "null")), SL_PARSE,
         "workerPools[0].workers"},
        {"text for a number", POOLS(POOL("\"x\"", "\"1\"", "1", "[]")), SL_PARSE, "pendingRuns"},
        {"negative", POOLS(POOL("\"x\"", "-1", "1", "[]")), SL_PARSE, "pendingRuns"},
        {"fraction", POOLS(POOL("\"x\"", "1.5", "1", "[]")), SL_PARSE, "pendingRuns"},
        {"beyond all runs", POOLS(POOL("\"x\"", "99999999999999999999", "1", "[]")), SL_PARSE,
         "pendingRuns"},
        {"field missing",
         "{\"data\":{\"workerPools\":[{\"id\":\"1\",\"name\":\"x\",\"pendingRuns\":1}]}}", SL_PARSE,
         "busyWorkers"},
        {"null list", "{\"data\":{\"workerPools\":null}}", SL_PARSE, "workerPools"},
        {"null data", "{\"data\":null}", SL_PARSE, ""},
        {"no data", "{}", SL_PARSE, ""},
        {"another field", "{\"data\":{\"stacks\":[]}}", SL_PARSE, "workerPools"},
        {"HTML", "<html><body>no</body></html>", SL_PARSE, "<html>"},
        {"nothing", "", SL_PARSE, ""},
        {"unauthorized",
         "{\"errors\":[{\"message\":\"unauthorized\",\"path\":[\"workerPools\"]}],\"data\":null}",
         SL_AUTH, "unauthorized"},
        {"for people only",
         "{\"errors\":[{\"message\":\"not available for machine sessions\"}],\"data\":null}",
         SL_REJECTED, "machine"},
        {"rate limit", "{\"errors\":[{\"message\":\"rate limit exceeded\"}],\"-\":429}",
         SL_RATELIMIT, "rate limit"},
        {"unknown field",
         "{\"errors\":[{\"message\":\"Cannot query field \\\"x\\\" on type \\\"Worker\\\".\"}]}",
         SL_REJECTED, "Cannot query field"},
        {"their trouble", "{\"errors\":[{\"message\":\"internal error\"}],\"data\":null}",
         SL_REMOTE, "internal error"},
        {"errors after data", "{\"data\":null,\"errors\":[{\"message\":\"unauthorized\"}]}",
         SL_AUTH, "unauthorized"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_answer answer = {.pools = NULL};
        struct sl_error err = SL_ERROR_INIT;
        int code = read_answer(SL_DOCUMENT_WORKER_POOLS, cases[i].text, strlen(cases[i].text), 7,
                               &answer, &err);
        if (code != cases[i].code || strstr(err.text, cases[i].words) == NULL)
            fail_msg("%s: code %s, \"%s\"", cases[i].name, sl_code_name((enum sl_code)code),
                     err.text);
        assert_null(answer.pools);
    }
}

static void test_too_many_pools(void **unused) {
    (void)unused;
    struct sl_answer answer = {.pools = NULL};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer text;
    sl_buffer_init(&text, 4u << 20);
    for (int extra = 0; extra <= 1; extra++) {
        sl_buffer_reset(&text);
        sl_buffer_puts(&text, "{\"data\":{\"workerPools\":[" POOL("\"x\"", "1", "1", "[]"));
        for (unsigned i = 1; i < SL_LIMIT_POOLS_PER_ACCOUNT + (unsigned)extra; i++)
            sl_buffer_puts(&text, "," POOL("\"x\"", "1", "1", "[]"));
        sl_buffer_puts(&text, "]}}");
        int code = read_answer(SL_DOCUMENT_WORKER_POOLS, text.data, text.len, 65536, &answer, &err);
        assert_int_equal(code, extra ? SL_TOOBIG : SL_OK);
        sl_answer_release(&answer);
    }
    sl_buffer_release(&text);
}

static void test_public_pool_may_be_missing(void **unused) {
    (void)unused;
    static const char none[] = "{\"data\":{\"publicWorkerPool\":null}}";
    static const char some[] = "{\"data\":{\"publicWorkerPool\":{\"parallelism\":3,"
                               "\"busyWorkers\":2,\"pendingRuns\":1}}}";
    struct sl_answer answer = {.pools = NULL};
    assert_int_equal(
        read_answer(SL_DOCUMENT_PUBLIC_WORKER_POOL, none, sizeof(none) - 1, 9, &answer, NULL),
        SL_OK);
    assert_false(answer.has_public_pool);
    assert_int_equal(
        read_answer(SL_DOCUMENT_PUBLIC_WORKER_POOL, some, sizeof(some) - 1, 9, &answer, NULL),
        SL_OK);
    assert_true(answer.has_public_pool);
    assert_int_equal(answer.public_parallelism, 3);
    assert_int_equal(answer.public_workers_busy, 2);
    assert_int_equal(answer.public_runs_pending, 1);
}

/* ---- the session, with a server that reads from a script ---- */

struct line {
    const char *expected; /* in the request's body */
    const char *bearer;   /* NULL: none is sent */
    int status;
    const char *answer;
};

struct script {
    const struct line *lines;
    size_t next;
};

static int perform(void *self, const struct sl_http_request *request,
                   struct sl_http_response *response, bool *ret_sent, struct sl_error *err) {
    struct script *script = self;
    const struct line *line = &script->lines[script->next++];
    (void)ret_sent;
    assert_non_null(line->expected); /* a request that is not in the script */
    if (strstr(request->body, line->expected) == NULL)
        fail_msg("request %zu: no %s in %s", script->next, line->expected, request->body);
    if (line->bearer == NULL)
        assert_null(request->bearer);
    else
        assert_string_equal(request->bearer->text, line->bearer);
    response->status = line->status;
    return line->status == 200
               ? request->sink(request->sink_context, line->answer, strlen(line->answer), err)
               : SL_OK;
}

static char secret_path[] = "/tmp/sl-test-secret-XXXXXX";
static char api_key_id[] = "01KEY";
static char url[] = "https://a.example";

static int make_secret(void **unused) {
    (void)unused;
    int fd = mkstemp(secret_path);
    return fd >= 0 && write(fd, "s3cret\n", 7) == 7 && close(fd) == 0 ? 0 : -1;
}

static int remove_secret(void **unused) {
    (void)unused;
    return unlink(secret_path);
}

/* Asks for the pools as often as codes has entries. */
static void play(const struct line *lines, const int *codes, size_t count) {
    struct script script = {.lines = lines};
    struct sl_account account = {
        .url = url, .api_key_id = api_key_id, .api_key_secret_file = secret_path};
    struct sl_transport transport = {.perform = perform, .self = &script};
    struct sl_session *session = NULL;
    assert_int_equal(sl_session_new(&account, transport, NULL, &session, NULL), SL_OK);
    for (size_t i = 0; i < count; i++) {
        struct sl_answer answer = {.pools = NULL};
        struct sl_error err = SL_ERROR_INIT;
        struct sl_document_arguments arguments = {.pool_id = NULL};
        struct sl_answer_settings settings = {.filter = NULL};
        int code = sl_session_read(session, SL_DOCUMENT_WORKER_POOLS, &arguments, &settings,
                                   &answer, &err);
        if (code != codes[i])
            fail_msg("read %zu: %s: %s", i + 1, sl_code_name((enum sl_code)code), err.text);
        assert_null(strstr(err.text, "s3cret"));
        sl_answer_release(&answer);
    }
    assert_null(lines[script.next].expected); /* all of it was asked */
    sl_session_free(session);
}

#define LOGIN      "CollectdSpacelift_Login"
#define ASK        "CollectdSpacelift_WorkerPools"
#define WHO        "CollectdSpacelift_Viewer"
#define NO         "{\"errors\":[{\"message\":\"unauthorized\"}],\"data\":null}"
#define YES        POOLS("")
#define TOKEN(jwt) "{\"data\":{\"apiKeyUser\":{\"jwt\":\"" jwt "\",\"validUntil\":4102444800}}}"

static void test_token_is_kept(void **unused) {
    (void)unused;
    static const struct line lines[] = {{LOGIN, NULL, 200, TOKEN("t1")}, {ASK, "t1", 200, YES},
                                        {ASK, "t1", 200, YES},           {ASK, "t1", 503, ""},
                                        {ASK, "t1", 200, YES},           {NULL, NULL, 0, NULL}};
    static const int codes[] = {SL_OK, SL_OK, SL_REMOTE, SL_OK};
    play(lines, codes, 4);
}

static void test_token_is_renewed_before_it_expires(void **unused) {
    (void)unused;
    char soon[128];
    snprintf(soon, sizeof(soon), "{\"data\":{\"apiKeyUser\":{\"jwt\":\"t1\",\"validUntil\":%lld}}}",
             (long long)time(NULL) + 25); /* less than the 30 s of margin */
    struct line lines[] = {{LOGIN, NULL, 200, soon},
                           {ASK, "t1", 200, YES},
                           {LOGIN, NULL, 200, TOKEN("t2")},
                           {ASK, "t2", 200, YES},
                           {NULL, NULL, 0, NULL}};
    static const int codes[] = {SL_OK, SL_OK};
    play(lines, codes, 2);
}

static void test_bad_key_is_not_tried_at_every_poll(void **unused) {
    (void)unused;
    static const struct line lines[] = {{LOGIN, NULL, 200, NO}, {NULL, NULL, 0, NULL}};
    static const int codes[] = {SL_AUTH, SL_AUTH, SL_AUTH};
    play(lines, codes, 3);
}

static void test_unknown_key_is_an_error(void **unused) {
    (void)unused;
    static const struct line lines[] = {{LOGIN, NULL, 200, "{\"data\":{\"apiKeyUser\":null}}"},
                                        {NULL, NULL, 0, NULL}};
    static const int codes[] = {SL_NOTFOUND, SL_NOTFOUND};
    play(lines, codes, 2);
}

static void test_good_key_without_access(void **unused) {
    (void)unused;
    static const struct line lines[] = {{LOGIN, NULL, 200, TOKEN("t1")},
                                        {ASK, "t1", 200, NO},
                                        {WHO, "t1", 200, "{\"data\":{\"viewer\":{\"id\":\"k\"}}}"},
                                        {NULL, NULL, 0, NULL}};
    static const int codes[] = {SL_FORBIDDEN};
    play(lines, codes, 1);
}

static void test_dead_token_is_exchanged_at_once(void **unused) {
    (void)unused;
    static const struct line lines[] = {{LOGIN, NULL, 200, TOKEN("t1")},
                                        {ASK, "t1", 200, NO},
                                        {WHO, "t1", 200, "{\"data\":{\"viewer\":null}}"},
                                        {LOGIN, NULL, 200, TOKEN("t2")},
                                        {ASK, "t2", 200, YES},
                                        {NULL, NULL, 0, NULL}};
    static const int codes[] = {SL_OK};
    play(lines, codes, 1);
}

/* Once more, and then no more, whether the refusal is one of GraphQL or of HTTP. */
static void test_token_that_is_always_refused(void **unused) {
    (void)unused;
    static const struct line lines[] = {{LOGIN, NULL, 200, TOKEN("t1")},
                                        {ASK, "t1", 401, ""},
                                        {WHO, "t1", 401, ""},
                                        {LOGIN, NULL, 200, TOKEN("t2")},
                                        {ASK, "t2", 200, NO},
                                        {WHO, "t2", 200, "{\"data\":{\"viewer\":null}}"},
                                        {NULL, NULL, 0, NULL}};
    static const int codes[] = {SL_AUTH, SL_AUTH, SL_AUTH};
    play(lines, codes, 3);
}

/* The server fails while it is asked who we are: nobody knows whether the token is bad. */
static void test_failure_is_no_refusal(void **unused) {
    (void)unused;
    static const struct line lines[] = {{LOGIN, NULL, 200, TOKEN("t1")},
                                        {ASK, "t1", 200, NO},
                                        {WHO, "t1", 502, ""},
                                        {ASK, "t1", 200, YES},
                                        {NULL, NULL, 0, NULL}};
    static const int codes[] = {SL_REMOTE, SL_OK};
    play(lines, codes, 2);
}

static void test_login_that_fails_for_a_while(void **unused) {
    (void)unused;
    static const struct line lines[] = {{LOGIN, NULL, 502, ""},
                                        {LOGIN, NULL, 200, TOKEN("t1")},
                                        {ASK, "t1", 200, YES},
                                        {NULL, NULL, 0, NULL}};
    static const int codes[] = {SL_REMOTE, SL_OK};
    play(lines, codes, 2);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catalogue_keeps_to_its_hosts_rules),
        cmocka_unit_test(test_labels_come_out_of_the_identifier),
        cmocka_unit_test(test_documents_to_the_byte),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_no_cut_is_taken_for_an_answer),
        cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_too_many_pools),
        cmocka_unit_test(test_public_pool_may_be_missing),
        cmocka_unit_test(test_token_is_kept),
        cmocka_unit_test(test_token_is_renewed_before_it_expires),
        cmocka_unit_test(test_bad_key_is_not_tried_at_every_poll),
        cmocka_unit_test(test_unknown_key_is_an_error),
        cmocka_unit_test(test_good_key_without_access),
        cmocka_unit_test(test_dead_token_is_exchanged_at_once),
        cmocka_unit_test(test_token_that_is_always_refused),
        cmocka_unit_test(test_failure_is_no_refusal),
        cmocka_unit_test(test_login_that_fails_for_a_while),
    };
    return cmocka_run_group_tests(tests, make_secret, remove_secret);
}
