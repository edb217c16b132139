/* HTTP: the one place that sets up libcurl, so that TLS checks, timeouts, limits and cancellation
 * are right once and for all.
 *
 * Always: certificate and host name verified (unless the operator says otherwise), http and https
 * only, connect and total timeout, bodies capped after decompression, no redirect followed (a token
 * must not travel; the answer says where to), connections and TLS sessions reused, compression
 * accepted, no signals, no Expect: 100-continue, environment proxies honoured (http_proxy,
 * https_proxy, no_proxy as libcurl documents them), a wake-up that ends a request within
 * milliseconds.
 *
 * Clients take a struct sl_transport, not a struct sl_http, so that a unit test can answer from a
 * script. One struct sl_http serves one thread at a time. */
#ifndef SL_NET_HTTP_H
#define SL_NET_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"
#include "os/wakeup.h"

enum { SL_HTTP_MAX_HEADERS = 16, SL_HTTP_CONTENT_TYPE_BYTES = 64, SL_HTTP_LOCATION_BYTES = 256 };

struct sl_http_header {
    const char *name;
    const char *value; /* a line break in it is refused: SL_CONFIG */
};

struct sl_http_request {
    const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    const char *url;
    struct sl_http_header headers[SL_HTTP_MAX_HEADERS]; /* ends at the first without a name */
    const struct sl_secret *bearer;                     /* "Authorization: Bearer ..." */
    const char *user;                                   /* basic authentication; NULL: none */
    const struct sl_secret *password;
    /* "aws:amz:REGION:SERVICE": sign with AWS Signature Version 4, user and password being the
     * keys; NULL: do not. SL_CONFIG if this libcurl cannot (it can from 7.75 on). */
    const char *aws_sigv4;
    const char *body; /* NULL: none */
    size_t body_len;
    int64_t timeout_ms;    /* 0: that of the settings */
    size_t max_body_bytes; /* of the answer; 0: SL_LIMIT_HTTP_BODY_BYTES */

    /* Where the body of a 2xx answer goes as it arrives; NULL: into the response. What the sink
     * returns other than SL_OK ends the request with that code. Bodies of other answers always go
     * into the response, cut at SL_LIMIT_ERROR_BODY_BYTES. */
    int (*sink)(void *context, const char *bytes, size_t len, struct sl_error *err);
    void *sink_context;

    /* Called for every header line of the final answer, name in lower case; may be NULL. */
    void (*on_header)(void *context, const char *name, const char *value);
    void *on_header_context;
};

struct sl_http_response {
    int status;
    char content_type[SL_HTTP_CONTENT_TYPE_BYTES]; /* "" where none came */
    char location[SL_HTTP_LOCATION_BYTES];         /* of a redirect; "" where none came */
    int64_t retry_after_ms; /* from seconds or from a date (RFC 9110 10.2.3); -1: none; never < 0 */
    int64_t date_ms;        /* the server's clock, from Date; -1: none */
    int64_t duration_ms;    /* from start to last byte */
    struct sl_buffer body;
};

void sl_http_response_init(struct sl_http_response *r);
void sl_http_response_release(struct sl_http_response *r);

/* perform: SL_OK means that an answer came, whatever its status; see sl_http_check_status().
 * Otherwise: SL_TIMEOUT, SL_TLS (certificate, host name, handshake), SL_IO (resolve, connect,
 * reset), SL_TOOBIG, SL_CANCELED, SL_NOMEM, SL_CONFIG, or the sink's code; the message names the
 * URL (without query) and libcurl's reason. *ret_sent, if not NULL, says whether the request may
 * have reached the server: then a failure's outcome is not known. */
struct sl_transport {
    int (*perform)(void *self, const struct sl_http_request *request,
                   struct sl_http_response *response, bool *ret_sent, struct sl_error *err);
    void *self;
};

enum sl_http_ca_mode {
    SL_HTTP_CA_ADD,     /* to the system's: DESIGN.md rule 8 */
    SL_HTTP_CA_REPLACE, /* the system's: what a kubeconfig's certificate-authority means */
};

struct sl_http_settings {
    int64_t connect_timeout_ms; /* 0: 5000, or the total timeout if that is shorter */
    int64_t timeout_ms;         /* 0: 10000 */
    bool insecure_peer;         /* true: the certificate is not verified */
    bool insecure_host;         /* true: the host name is not compared */
    enum sl_http_ca_mode ca_mode;
    const char *ca_pem; /* NULL: the system's only */
    const char *client_cert_pem;
    const struct sl_secret *client_key_pem;
    const char *tls_server_name; /* SNI and verified name; NULL: the URL's host */
    const char *proxy;           /* NULL: from the environment */
    const char *user_agent;      /* NULL: "collectd-spacelift/VERSION" */
    bool use_http2;              /* false: HTTP/1.1 */
};

struct sl_http;

/* Once per process before any thread uses net/http: from collectd's init callback, or from main().
 */
int sl_http_global_init(struct sl_error *err) SL_CHECKED;

/* For a program of its own that lives for milliseconds, at the same time: whenever it waits for a
 * server or has an answer, it lets go of the code that it has just used (os/memory.h). libcurl's
 * start, a TLS handshake and libcurl's end touch much that they do not share. Costs a quarter of
 * the processor time of a run. */
void sl_http_stay_small(void);

/* Copies the settings; PEM texts are parsed here (OpenSSL, from memory: no key ever touches a
 * temporary file), so a bad certificate is SL_CONFIG at start. stop may be NULL; while it is
 * signalled every request ends at once with SL_CANCELED. */
int sl_http_new(const struct sl_http_settings *settings, const struct sl_wakeup *stop,
                struct sl_http **ret, struct sl_error *err) SL_CHECKED;
void sl_http_free(struct sl_http *http);

/* The transport that http is; valid as long as http. */
struct sl_transport sl_http_transport(struct sl_http *http);

/* Sorts an answer's status: 2xx SL_OK; 401 SL_AUTH; 403 SL_FORBIDDEN; 404, 410 SL_NOTFOUND;
 * 409, 412 SL_CONFLICT; 413 SL_TOOBIG; 429 SL_RATELIMIT; 5xx SL_REMOTE; anything else SL_REJECTED.
 * err gets status, retry_after_ms and "HTTP 503" with the first words of a text body (HTML is
 * named, not quoted). Clients that read error bodies themselves do not call it. */
int sl_http_check_status(const struct sl_http_response *r, struct sl_error *err) SL_CHECKED;

/* Pure helpers, tested without a socket. retry-after as above, from a header's text, with the
 * wall clock as argument; -1 if it is neither form. */
int64_t sl_http_parse_retry_after(const char *text, int64_t now_realtime_ms);
int64_t sl_http_parse_date(const char *text); /* IMF-fixdate (RFC 9110 5.6.7) in ms; -1: no date */
/* "https://host:port/path" without user information, query and fragment, for messages. */
void sl_http_redact_url(const char *url, char *out, size_t size);
bool sl_http_is_https(const char *url);

#endif
