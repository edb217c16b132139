/* The poller's threads: asked from several at once, stopped while a server hangs or while nobody is
 * there. For the thread and address sanitizers above all. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/http.h"
#include "os/clock.h"
#include "spacelift/poller.h"

enum { ASKERS = 4, QUESTIONS = 50, PATIENCE_MS = 20 * 1000 };

/* ---- a host ---- */

struct host {
    atomic_int values;
    atomic_int polls;
    atomic_int successes;
    atomic_int lines;
};

static void on_values(void *context, const struct sl_values *values, int64_t realtime_ms) {
    struct host *host = context;
    atomic_fetch_add(&host->values, realtime_ms > 0 && values->type != NULL);
}

static void on_done(void *context, const struct sl_error *result) {
    struct host *host = context;
    atomic_fetch_add(&host->successes, result->code == SL_OK);
    atomic_fetch_add(&host->polls, 1);
}

static void on_line(void *context, enum sl_log_level level, const char *text) {
    struct host *host = context;
    (void)level, (void)text;
    atomic_fetch_add(&host->lines, 1);
}

/* ---- a server: gives every request the answer that suits its document, or none ---- */

struct server {
    int listener;
    bool hangs;
    char url[64];
    pthread_t thread;
};

static const char *answer_to(const char *request) {
    if (strstr(request, "_Login") != NULL)
        return "{\"data\":{\"apiKeyUser\":{\"jwt\":\"a.b.c\",\"validUntil\":4000000000}}}";
    if (strstr(request, "_WorkerPools") != NULL)
        return "{\"data\":{\"workerPools\":[{\"id\":\"01\",\"name\":\"p\",\"pendingRuns\":1,"
               "\"busyWorkers\":2,\"workers\":[{\"drained\":false}]}]}}";
    return "{\"errors\":[{\"message\":\"internal error\"}],\"data\":null}";
}

/* A connection for each answer: enough for a test. False when the listener is closed. */
static bool serve_one(struct server *s) {
    char request[8192] = "";
    size_t len = 0;
    int connection = accept(s->listener, NULL, NULL);
    if (connection < 0)
        return false;
    while (strstr(request, "operationName") == NULL && len < sizeof(request) - 1) {
        ssize_t got = read(connection, request + len, sizeof(request) - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
        request[len] = '\0';
    }
    const char *body = answer_to(request);
    dprintf(connection,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            "Content-Length: %zu\r\n\r\n%s",
            strlen(body), body);
    close(connection);
    return true;
}

static void *serve(void *context) {
    struct server *s = context;
    while (serve_one(s))
        continue;
    return NULL;
}

static void start_server(struct server *s, bool hangs) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    s->hangs = hangs;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen(s->listener, 64), 0);
    snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    if (!hangs)
        assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop_server(struct server *s) {
    shutdown(s->listener, SHUT_RDWR);
    if (!s->hangs)
        assert_int_equal(pthread_join(s->thread, NULL), 0);
    close(s->listener);
}

static struct sl_poller *start_poller(struct host *host, const char *url) {
    static const char secret[] = "secret-of-the-test";
    struct sl_account account = {
        .name = strdup("acme"),
        .url = strdup(url),
        .api_key_id = strdup("01KEY"),
        .http = {.verify_peer = true, .verify_host = true, .timeout_ms = PATIENCE_MS},
        .usage = true,
    };
    struct sl_poller_events events = {.on_values = on_values, .on_done = on_done, .context = host};
    struct sl_log log = {.write = on_line, .context = host};
    struct sl_poller *p = NULL;
    struct sl_error err = SL_ERROR_INIT;
    assert_int_equal(sl_secret_set(&account.api_key_secret, secret, strlen(secret), NULL), SL_OK);
    if (sl_poller_new(&account, &events, log, &p, &err) != SL_OK)
        fail_msg("%s", err.text);
    assert_int_equal(sl_poller_start(p, NULL), SL_OK);
    return p;
}

/* ---- cases ---- */

static void *ask(void *poller) {
    for (int i = 0; i < QUESTIONS; i++)
        sl_poller_request(poller);
    return NULL;
}

static void test_asked_by_many(void **unused) {
    (void)unused;
    struct host host = {0};
    struct server server;
    pthread_t askers[ASKERS];
    start_server(&server, false);
    struct sl_poller *p = start_poller(&host, server.url);
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask, p), 0);
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_join(askers[i], NULL), 0);
    /* The usage fails, which is the answer of the whole; the pools are there all the same. */
    struct sl_error err = SL_ERROR_INIT;
    assert_int_equal(sl_poller_run(p, &err), SL_REMOTE);
    assert_true(atomic_load(&host.polls) >= 1);
    assert_true(atomic_load(&host.polls) <= ASKERS * QUESTIONS + 1);
    assert_true(atomic_load(&host.values) >= 1);
    assert_int_equal(atomic_load(&host.lines), 1); /* said once, however often it was asked */
    sl_poller_free(p);
    stop_server(&server);
}

/* A server that takes connections and never answers, and one that is not there. */
static void check_stop(bool hangs) {
    struct host host = {0};
    struct server server;
    start_server(&server, true);
    if (!hangs)
        stop_server(&server);
    for (int i = 0; i < 20; i++) {
        struct sl_poller *p = start_poller(&host, server.url);
        sl_poller_request(p);
        if (i % 2 == 0) /* in the middle of it; else perhaps before it has begun */
            usleep(2000);
        int64_t begin_ms = sl_clock_monotonic_ms();
        sl_poller_free(p);
        assert_true(sl_clock_monotonic_ms() - begin_ms < PATIENCE_MS / 2);
    }
    assert_int_equal(atomic_load(&host.successes), 0);
    if (hangs)
        stop_server(&server);
}

static void test_stopped_while_a_server_hangs(void **unused) {
    (void)unused;
    check_stop(true);
}

static void test_stopped_while_nobody_is_there(void **unused) {
    (void)unused;
    check_stop(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_by_many),
        cmocka_unit_test(test_stopped_while_a_server_hangs),
        cmocka_unit_test(test_stopped_while_nobody_is_there),
    };
    if (sl_http_global_init(NULL) != SL_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
