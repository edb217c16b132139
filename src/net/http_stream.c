/* Answers without an end, several at a time. */
#include "net/http_internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    BUFFER_BYTES = 2048, /* of each stream, for as long as it is open; libcurl's own is 16 KiB */
    KEEPALIVE_S = 30,    /* a network that is gone is noticed, though nobody writes */
    LONGEST_WAIT_MS = 60000,
};

struct sl_http_stream {
    struct sl_http_exchange x; /* its http: NULL after that has gone */
    struct sl_http_request request;
    struct sl_http_response response;
    struct sl_http_stream *next;
    bool has_ended;
    int code;
    struct sl_error why;
};

/* Without it nine unanswered probes are waited for. */
static int on_socket(void *context, curl_socket_t fd, curlsocktype purpose) {
    unsigned gone_ms = 2 * KEEPALIVE_S * 1000;
    (void)context;
    (void)purpose;
    (void)!setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof(gone_ms));
    return CURL_SOCKOPT_OK;
}

static void set_options(struct sl_http_stream *s) {
    CURL *easy = s->x.easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, s);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
    /* A first connection that is being made may turn out to carry all of them. */
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
}

int sl_http_stream_open(struct sl_http *http, const struct sl_http_request *request,
                        struct sl_http_stream **ret, struct sl_error *err) {
    struct sl_http_stream *s = calloc(1, sizeof(*s));
    CURL *easy = curl_easy_init();
    if (s == NULL || easy == NULL) {
        curl_easy_cleanup(easy);
        free(s);
        return sl_fail(err, SL_NOMEM, "out of memory for HTTP");
    }
    sl_http_response_init(&s->response);
    s->request = *request;
    s->request.max_body_bytes = SIZE_MAX;
    s->x = (struct sl_http_exchange){
        .http = http, .easy = easy, .request = &s->request, .response = &s->response};
    int code = sl_http_exchange_begin(&s->x, err);
    if (code != SL_OK) {
        s->x.http = NULL;
        sl_http_stream_close(s);
        return code;
    }
    s->request.url = s->x.url; /* nothing of the caller's is kept */
    s->request.bearer = NULL;
    set_options(s);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_add_handle(http->multi, easy);
    s->next = http->streams;
    http->streams = s;
    *ret = s;
    return SL_OK;
}

static void take_out(struct sl_http_stream *s) {
    struct sl_http_stream **at = &s->x.http->streams;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    curl_multi_remove_handle(s->x.http->multi, s->x.easy);
    s->x.http = NULL;
}

void sl_http_stream_close(struct sl_http_stream *s) {
    if (s == NULL)
        return;
    if (s->x.http != NULL)
        take_out(s);
    curl_easy_cleanup(s->x.easy);
    sl_http_exchange_release(&s->x);
    sl_http_response_release(&s->response);
    free(s);
}

static void end(struct sl_http_stream *s, int code) {
    s->code = code;
    s->has_ended = true;
    take_out(s);
}

void sl_http_streams_end(struct sl_http *http) {
    while (http->streams != NULL) {
        struct sl_http_stream *s = http->streams;
        end(s, sl_fail(&s->why, SL_CANCELED, "canceled"));
    }
}

const struct sl_http_response *sl_http_stream_response(const struct sl_http_stream *s) {
    return &s->response;
}

bool sl_http_stream_has_ended(const struct sl_http_stream *s, int *ret_code, struct sl_error *err) {
    if (s->has_ended) {
        *ret_code = s->code;
        if (err != NULL && s->code != SL_OK)
            *err = s->why;
    }
    return s->has_ended;
}

static void carry_forward(struct sl_http *http) {
    CURLMsg *message = NULL;
    int running = 0, left = 0;
    curl_multi_perform(http->multi, &running);
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct sl_http_stream *s = NULL;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        end(s, sl_http_exchange_end(&s->x, result, &s->why));
    }
}

void sl_http_streams_wait(struct sl_http *http, const struct sl_wakeup *work, int64_t timeout_ms) {
    struct curl_waitfd wake[2] = {{.fd = work->fd, .events = CURL_WAIT_POLLIN}};
    unsigned count = 1;
    if (http->stop != NULL)
        wake[count++] = (struct curl_waitfd){.fd = http->stop->fd, .events = CURL_WAIT_POLLIN};
    if (timeout_ms < 0 || timeout_ms > LONGEST_WAIT_MS)
        timeout_ms = LONGEST_WAIT_MS;
    curl_multi_wait(http->multi, wake, count, (int)timeout_ms, NULL);
    carry_forward(http);
}
