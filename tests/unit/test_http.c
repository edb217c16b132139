/* HTTP: the parts that compute, and the client against a small server of the test's own that can
 * misbehave in ways that are hard to order elsewhere. */
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
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/http.h"
#include "net/identity.h"
#include "os/clock.h"
#include "os/thread.h"

/* ---- what answers mean ---- */

static void test_retry_after(void **unused) {
    (void)unused;
    static const int64_t now_ms = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"0", 0},
        {"120", 120000},
        {"Sun, 06 Nov 1994 08:49:57 GMT", 20000},
        {"-5", -1},
        {"1.5", -1},
        {"soon", -1},
        {"", -1},
        {"Sun, 06 Nov 1994 08:49:00 GMT", 0},
        {"Sun, 06 Nov 1994", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = sl_http_parse_retry_after(cases[i].text, now_ms);
        if (ms != cases[i].ms)
            fail_msg("\"%s\": %lld", cases[i].text, (long long)ms);
    }
    assert_int_equal(sl_http_parse_retry_after("99999999999999999999", now_ms), -1);
}

static void test_dates(void **unused) {
    (void)unused;
    assert_int_equal(sl_http_parse_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
    assert_int_equal(sl_http_parse_date("Thu, 29 Feb 2024 00:00:00 GMT"), 1709164800000);
    assert_int_equal(sl_http_parse_date("Sun, 06 Nov 1994 08:49:37 UTC"), -1);
    assert_int_equal(sl_http_parse_date("Sunday, 06-Nov-94 08:49:37 GMT"), -1);
    assert_int_equal(sl_http_parse_date("Sun, 32 Nov 1994 08:49:37 GMT"), -1);
}

static void test_urls_in_messages(void **unused) {
    (void)unused;
    static const struct {
        const char *url, *shown;
    } cases[] = {
        {"https://u:pw@h:1/p?token=x#f", "https://h:1/p"},
        {"http://h", "http://h"},
        {"https://h/p?q", "https://h/p"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[100];
        sl_http_redact_url(cases[i].url, out, sizeof(out));
        assert_string_equal(out, cases[i].shown);
    }
    assert_true(sl_http_is_https("HTTPS://h"));
    assert_false(sl_http_is_https("http://h"));
}

static void test_statuses(void **unused) {
    (void)unused;
    static const struct {
        int status;
        int code;
    } cases[] = {{200, SL_OK},       {204, SL_OK},        {301, SL_REJECTED},  {400, SL_REJECTED},
                 {401, SL_AUTH},     {403, SL_FORBIDDEN}, {404, SL_NOTFOUND},  {409, SL_CONFLICT},
                 {412, SL_CONFLICT}, {413, SL_TOOBIG},    {429, SL_RATELIMIT}, {500, SL_REMOTE},
                 {503, SL_REMOTE}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_http_response r;
        struct sl_error err = SL_ERROR_INIT;
        sl_http_response_init(&r);
        r.status = cases[i].status;
        r.retry_after_ms = 5000;
        assert_int_equal(sl_http_check_status(&r, &err), cases[i].code);
        if (cases[i].code != SL_OK) {
            assert_int_equal(err.http_status, cases[i].status);
            assert_int_equal(err.retry_after_ms, 5000);
        }
        sl_http_response_release(&r);
    }
}

/* ---- a server ---- */

struct server {
    int listener;
    char url[64];
    const char *answer; /* sent to every request; NULL: nothing is ever sent */
    size_t repeat;      /* how often its last 1000 bytes come again */
    atomic_int connections;
    atomic_int requests;
    pthread_t thread;
    struct sl_wakeup stop;
};

static void send_answer(const struct server *s, int fd) {
    size_t len = strlen(s->answer);
    bool ok = send(fd, s->answer, len, MSG_NOSIGNAL) == (ssize_t)len;
    for (size_t i = 0; ok && i < s->repeat; i++)
        ok = send(fd, s->answer + len - 1000, 1000, MSG_NOSIGNAL) == 1000;
}

static void *serve(void *arg) {
    struct server *s = arg;
    for (;;) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        atomic_fetch_add(&s->connections, 1);
        char request[8192];
        while (recv(fd, request, sizeof(request), 0) > 0) {
            atomic_fetch_add(&s->requests, 1);
            if (s->answer != NULL)
                send_answer(s, fd);
            else
                sl_wakeup_wait(&s->stop, NULL, -1);
        }
        close(fd);
    }
}

static void start(struct server *s, const char *answer, size_t repeat) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    memset(s, 0, sizeof(*s));
    s->answer = answer;
    s->repeat = repeat;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(s->listener, 5), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/path?secret=1", ntohs(address.sin_port));
    assert_int_equal(sl_wakeup_init(&s->stop, NULL), SL_OK);
    assert_int_equal(sl_thread_start(&s->thread, "server", serve, s, NULL), SL_OK);
}

static void finish(struct server *s) {
    sl_wakeup_signal(&s->stop);
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    sl_wakeup_release(&s->stop);
}

static int get(struct sl_http *http, const struct server *s, struct sl_http_response *response,
               bool *ret_sent, struct sl_error *err) {
    struct sl_transport t = sl_http_transport(http);
    struct sl_http_request request = {.method = "GET", .url = s->url, .max_body_bytes = 2000};
    sl_http_response_init(response);
    return t.perform(t.self, &request, response, ret_sent, err);
}

static struct sl_http *client(int64_t timeout_ms, const struct sl_wakeup *stop) {
    struct sl_http_settings settings = {.timeout_ms = timeout_ms};
    struct sl_http *http = NULL;
    assert_int_equal(sl_http_new(&settings, stop, &http, NULL), SL_OK);
    return http;
}

#define HELLO "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

static void test_connection_is_used_again(void **unused) {
    (void)unused;
    struct server s;
    struct sl_http *http = client(5000, NULL);
    start(&s, HELLO, 0);
    for (int i = 0; i < 3; i++) {
        struct sl_http_response r;
        struct sl_error err = SL_ERROR_INIT;
        if (get(http, &s, &r, NULL, &err) != SL_OK)
            fail_msg("%s", err.text);
        assert_int_equal(r.status, 200);
        assert_string_equal(r.body.data, "hello");
        assert_string_equal(r.content_type, "text/plain");
        sl_http_response_release(&r);
    }
    sl_http_free(http);
    assert_int_equal(atomic_load(&s.connections), 1);
    finish(&s);
}

static void test_redirect_is_not_followed(void **unused) {
    (void)unused;
    struct server s;
    struct sl_http_response r;
    struct sl_http *http = client(5000, NULL);
    start(&s, "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", 0);
    assert_int_equal(get(http, &s, &r, NULL, NULL), SL_OK);
    assert_int_equal(r.status, 302);
    assert_string_equal(r.location, "http://elsewhere/");
    assert_int_equal(atomic_load(&s.requests), 1);
    sl_http_response_release(&r);
    sl_http_free(http);
    finish(&s);
}

static void test_body_is_capped(void **unused) {
    (void)unused;
    struct server s;
    struct sl_http_response r;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_http *http = client(5000, NULL);
    char answer[2000];
    char filler[1001];
    memset(filler, 'x', 1000);
    filler[1000] = '\0';
    snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: 50001000\r\n\r\n%s",
             filler);
    start(&s, answer, 50000);
    assert_int_equal(get(http, &s, &r, NULL, &err), SL_TOOBIG);
    assert_non_null(strstr(err.text, "2000"));
    assert_null(strstr(err.text, "secret"));
    sl_http_response_release(&r);
    sl_http_free(http);
    finish(&s);
}

static void test_timeout(void **unused) {
    (void)unused;
    struct server s;
    struct sl_http_response r;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_http *http = client(200, NULL);
    bool was_sent = false;
    start(&s, NULL, 0);
    int64_t begin_ms = sl_clock_monotonic_ms();
    assert_int_equal(get(http, &s, &r, &was_sent, &err), SL_TIMEOUT);
    assert_in_range(sl_clock_monotonic_ms() - begin_ms, 150, 10000);
    assert_true(was_sent); /* so its outcome is not known */
    sl_http_response_release(&r);
    sl_http_free(http);
    finish(&s);
}

static void *cancel_soon(void *arg) {
    struct server *s = arg;
    while (atomic_load(&s->requests) == 0)
        usleep(1000);
    sl_wakeup_signal(&s->stop);
    return NULL;
}

static void test_cancel_does_not_wait(void **unused) {
    (void)unused;
    struct server s;
    struct sl_http_response r;
    pthread_t canceler;
    start(&s, NULL, 0);
    struct sl_http *http = client(60000, &s.stop);
    int64_t begin_ms = sl_clock_monotonic_ms();
    assert_int_equal(sl_thread_start(&canceler, "canceler", cancel_soon, &s, NULL), SL_OK);
    assert_int_equal(get(http, &s, &r, NULL, NULL), SL_CANCELED);
    assert_true(sl_clock_monotonic_ms() - begin_ms < 10000); /* of 60000 */
    sl_http_response_release(&r);
    assert_int_equal(get(http, &s, &r, NULL, NULL), SL_CANCELED); /* and stays so */
    sl_http_response_release(&r);
    pthread_join(canceler, NULL);
    sl_http_free(http);
    finish(&s);
}

static void test_nobody_there(void **unused) {
    (void)unused;
    struct server s;
    struct sl_http_response r;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_http *http = client(5000, NULL);
    bool was_sent = true;
    start(&s, HELLO, 0);
    finish(&s);
    assert_int_equal(get(http, &s, &r, &was_sent, &err), SL_IO);
    assert_false(was_sent);
    assert_non_null(strstr(err.text, "127.0.0.1"));
    assert_null(strstr(err.text, "secret"));
    sl_http_response_release(&r);
    sl_http_free(http);
}

static void test_header_with_a_line_break_is_refused(void **unused) {
    (void)unused;
    struct sl_http *http = client(5000, NULL);
    struct sl_transport t = sl_http_transport(http);
    struct sl_http_request request = {
        .method = "GET", .url = "http://127.0.0.1:9/", .headers = {{"X-A", "b\r\nX-C: d"}}};
    struct sl_http_response r;
    sl_http_response_init(&r);
    assert_int_equal(t.perform(t.self, &request, &r, NULL, NULL), SL_CONFIG);
    sl_http_response_release(&r);
    sl_http_free(http);
}

static void test_bad_certificates_show_at_start(void **unused) {
    (void)unused;
    struct sl_http *http = NULL;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_http_settings settings = {.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n"};
    assert_int_equal(sl_http_new(&settings, NULL, &http, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "CA"));
    settings = (struct sl_http_settings){.client_cert_pem = "x"};
    assert_int_equal(sl_http_new(&settings, NULL, &http, &err), SL_CONFIG);
    assert_null(http);
}

static void count_warning(void *context, enum sl_log_level level, const char *line) {
    int *count = context;
    assert_int_equal(level, SL_LOG_WARNING);
    assert_non_null(strstr(line, "node \"prometheus\""));
    assert_non_null(strstr(line, *count == 0 ? "VerifyPeer false" : "VerifyHost false"));
    (*count)++;
}

static void test_a_server_that_is_not_verified_is_told(void **unused) {
    (void)unused;
    int count = 0;
    struct sl_log log = {.write = count_warning, .context = &count};
    struct sl_http_options o = {.verify_host = true};
    sl_identity_warn(&o, &log, "node", "prometheus");
    o = (struct sl_http_options){.verify_peer = true};
    sl_identity_warn(&o, &log, "node", "prometheus");
    o.verify_host = true;
    sl_identity_warn(&o, &log, "node", "prometheus");
    assert_int_equal(count, 2);
}

static int global_init(void **unused) {
    (void)unused;
    /* The tests talk to 127.0.0.1 whatever the environment says. */
    setenv("no_proxy", "*", 1);
    return sl_http_global_init(NULL);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_urls_in_messages),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_connection_is_used_again),
        cmocka_unit_test(test_redirect_is_not_followed),
        cmocka_unit_test(test_body_is_capped),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_cancel_does_not_wait),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_header_with_a_line_break_is_refused),
        cmocka_unit_test(test_bad_certificates_show_at_start),
        cmocka_unit_test(test_a_server_that_is_not_verified_is_told),
    };
    return cmocka_run_group_tests(tests, global_init, NULL);
}
