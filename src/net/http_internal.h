/* Shared by http.c (one request at a time) and http_stream.c (answers without an end), and by
 * nobody else. */
#ifndef SL_NET_HTTP_INTERNAL_H
#define SL_NET_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "net/http.h"

enum { SL_HTTP_URL_BYTES = 2048 };

struct sl_http {
    CURLM *multi; /* keeps the connections between requests */
    CURL *easy;   /* of perform() */
    const struct sl_wakeup *stop;
    struct sl_tls *tls;
    int64_t connect_timeout_ms;
    int64_t timeout_ms;
    bool insecure_peer, insecure_host, replace_ca, use_http2;
    bool has_ca_folder; /* so that no bundle need be read */
    char *tls_server_name;
    char *proxy;
    char *user_agent;
    struct sl_http_stream *streams; /* those that are open */
};

/* One request under way. */
struct sl_http_exchange {
    struct sl_http *http;
    CURL *easy;
    const struct sl_http_request *request;
    struct sl_http_response *response;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    char url[SL_HTTP_URL_BYTES];
    char reason[CURL_ERROR_SIZE];
    size_t header_bytes;
    size_t body_bytes;
    size_t max_body_bytes;
    bool cut;                /* enough of an error body has been read */
    struct sl_error failure; /* of a callback of ours */
};

/* Sets the options of easy; headers and connect_to are of use until release. */
int sl_http_exchange_begin(struct sl_http_exchange *x, struct sl_error *err) SL_CHECKED;
/* SL_OK, or what has gone wrong, in words. */
int sl_http_exchange_end(const struct sl_http_exchange *x, CURLcode result,
                         struct sl_error *err) SL_CHECKED;
void sl_http_exchange_release(struct sl_http_exchange *x);

bool sl_http_is_stopped(const struct sl_http *http);

/* http goes: what is open ends with SL_CANCELED. */
void sl_http_streams_end(struct sl_http *http);

#endif
