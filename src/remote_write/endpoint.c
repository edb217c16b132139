/* A receiver as HTTP sees it. */
#include "remote_write/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "os/clock.h"
#include "os/file.h"

enum { READ_AGAIN_MS = 60 * 1000, SIGV4_BYTES = 256 };

struct sl_endpoint {
    const struct sl_node_options *options;
    struct sl_log log;
    struct sl_http *http;
    struct sl_transport transport;
    int64_t read_ms;  /* when the secrets were read */
    bool has_changed; /* a secret has, since this was set to false */
    struct sl_secret token;
    struct sl_secret password; /* or the secret key of AWS */
    struct sl_secret session;  /* token of AWS */
    char sigv4[SIGV4_BYTES];   /* for libcurl; "" where it is not used */
    char *headers;             /* names and values, each ended by a NUL */
    struct sl_http_header custom[SL_CUSTOM_HEADERS_MAX];
    size_t custom_count;
};

/* ---- headers ---- */

static int copy_headers(struct sl_endpoint *e, struct sl_error *err) {
    const struct sl_option_list *list = &e->options->headers;
    size_t bytes = 1;
    for (size_t i = 0; i < list->count; i++)
        bytes += strlen(list->items[i]) + 2;
    char *at = e->headers = calloc(1, bytes);
    if (at == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for headers");
    for (size_t i = 0; i < list->count && i < SL_CUSTOM_HEADERS_MAX; i++) {
        const char *text = list->items[i];
        size_t len = strcspn(text, ":");
        const char *value = text + len + (text[len] == ':' ? 1 : 0);
        value += strspn(value, " \t");
        struct sl_http_header *h = &e->custom[e->custom_count++];
        memcpy(at, text, len);
        h->name = at;
        at += len + 1;
        memcpy(at, value, strlen(value));
        h->value = at;
        at += strlen(value) + 1;
    }
    return SL_OK;
}

/* ---- files ---- */

static int read_pem(const char *option, const char *path, struct sl_buffer *out,
                    struct sl_error *err) {
    if (path == NULL)
        return SL_OK;
    int code = sl_file_read(path, out, err);
    if (code != SL_OK && err != NULL)
        sl_error_prefix(err, "option %s", option);
    return code;
}

static int read_secret(struct sl_endpoint *e, const char *option, const char *path,
                       struct sl_secret *ret, struct sl_error *err) {
    struct sl_secret fresh = SL_SECRET_INIT;
    if (path == NULL)
        return SL_OK;
    int code = sl_file_read_secret(path, &fresh, &e->log, err);
    if (code != SL_OK && err != NULL)
        sl_error_prefix(err, "option %s", option);
    if (code != SL_OK)
        return code;
    e->has_changed = e->has_changed || !sl_secret_equal(&fresh, ret);
    sl_secret_release(ret);
    *ret = fresh;
    return SL_OK;
}

/* A file that cannot be read leaves the secret as it was. */
static int read_secrets(struct sl_endpoint *e, struct sl_error *err) {
    const struct sl_node_options *o = e->options;
    e->read_ms = sl_clock_monotonic_ms();
    int code = read_secret(e, "PasswordFile", o->password_file, &e->password, err);
    if (code == SL_OK)
        code = read_secret(e, "BearerTokenFile", o->bearer_token_file, &e->token, err);
    if (code == SL_OK)
        code = read_secret(e, "SigV4SecretKeyFile", o->sigv4_secret_key_file, &e->password, err);
    if (code == SL_OK)
        code =
            read_secret(e, "SigV4SessionTokenFile", o->sigv4_session_token_file, &e->session, err);
    return code;
}

/* ---- setting up ---- */

static int open_http(struct sl_endpoint *e, const struct sl_wakeup *cancel, struct sl_error *err) {
    const struct sl_node_options *o = e->options;
    struct sl_buffer ca, cert;
    struct sl_secret key = SL_SECRET_INIT;
    sl_buffer_init(&ca, SL_LIMIT_CA_FILE_BYTES);
    sl_buffer_init(&cert, SL_LIMIT_CA_FILE_BYTES);
    int code = read_pem("CACert", o->ca_cert, &ca, err);
    if (code == SL_OK)
        code = read_pem("ClientCert", o->client_cert, &cert, err);
    if (code == SL_OK)
        code = read_secret(e, "ClientKey", o->client_key, &key, err);
    if (code == SL_OK) {
        struct sl_http_settings settings = {
            .timeout_ms = o->timeout_ms,
            .insecure_peer = !o->verify_peer,
            .insecure_host = !o->verify_host,
            .ca_pem = o->ca_cert != NULL ? ca.data : NULL,
            .client_cert_pem = o->client_cert != NULL ? cert.data : NULL,
            .client_key_pem = o->client_key != NULL ? &key : NULL,
            .proxy = o->proxy,
            .use_http2 = o->http2,
        };
        code = sl_http_new(&settings, cancel, &e->http, err);
    }
    if (code == SL_OK)
        e->transport = sl_http_transport(e->http);
    sl_buffer_release(&ca);
    sl_buffer_release(&cert);
    sl_secret_release(&key);
    return code;
}

static int build(struct sl_endpoint *e, const struct sl_wakeup *cancel, struct sl_error *err) {
    const struct sl_node_options *o = e->options;
    int code = SL_OK;
    if (sl_secret_is_set(&o->password))
        code = sl_secret_set(&e->password, o->password.text, o->password.len, err);
    if (o->sigv4_region != NULL)
        snprintf(e->sigv4, sizeof(e->sigv4), "aws:amz:%s:%s", o->sigv4_region, o->sigv4_service);
    if (code == SL_OK)
        code = copy_headers(e, err);
    if (code == SL_OK)
        code = read_secrets(e, err);
    return code == SL_OK ? open_http(e, cancel, err) : code;
}

int sl_endpoint_new(const struct sl_node_options *options, struct sl_log log,
                    const struct sl_wakeup *cancel, struct sl_endpoint **ret,
                    struct sl_error *err) {
    struct sl_endpoint *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for an endpoint");
    e->options = options;
    e->log = log;
    int code = build(e, cancel, err);
    if (code != SL_OK)
        sl_endpoint_free(e);
    else
        *ret = e;
    return code;
}

void sl_endpoint_free(struct sl_endpoint *e) {
    if (e == NULL)
        return;
    sl_http_free(e->http);
    sl_secret_release(&e->token);
    sl_secret_release(&e->password);
    sl_secret_release(&e->session);
    free(e->headers);
    free(e);
}

/* ---- a request ---- */

static void add_header(struct sl_http_request *r, const char *name, const char *value) {
    size_t i = 0;
    while (i < SL_HTTP_MAX_HEADERS && r->headers[i].name != NULL)
        i++;
    if (i < SL_HTTP_MAX_HEADERS)
        r->headers[i] = (struct sl_http_header){name, value};
}

static int ignore(void *context, const char *bytes, size_t len, struct sl_error *err) {
    (void)context;
    (void)bytes;
    (void)len;
    (void)err;
    return SL_OK;
}

static int post_once(struct sl_endpoint *e, const struct sl_endpoint_request *q,
                     struct sl_http_response *response, bool *ret_sent, struct sl_error *err) {
    const struct sl_node_options *o = e->options;
    bool is_2_0 = q->protocol == SL_WRITE_2_0;
    struct sl_http_request request = {
        .method = "POST",
        .url = o->url,
        .bearer = sl_secret_is_set(&e->token) ? &e->token : NULL,
        .user = o->sigv4_region != NULL ? o->sigv4_access_key_id : o->user,
        .password = sl_secret_is_set(&e->password) ? &e->password : NULL,
        .aws_sigv4 = e->sigv4[0] != '\0' ? e->sigv4 : NULL,
        .body = q->body,
        .body_len = q->body_len,
        .timeout_ms = q->timeout_ms,
        .sink = ignore, /* "MUST ignore the response body on success" */
        .on_header = q->on_header,
        .on_header_context = q->on_header_context,
    };
    /* To the letter: a blank after the semicolon would make it 1.0 for the reference receiver
     * (client_golang exp/api/remote, ParseProtoMsg). */
    add_header(&request, "Content-Encoding", "snappy");
    add_header(&request, "Content-Type",
               is_2_0 ? "application/x-protobuf;proto=io.prometheus.write.v2.Request"
                      : "application/x-protobuf");
    add_header(&request, "X-Prometheus-Remote-Write-Version", is_2_0 ? "2.0.0" : "0.1.0");
    if (sl_secret_is_set(&e->session))
        add_header(&request, "X-Amz-Security-Token", e->session.text);
    for (size_t i = 0; i < e->custom_count; i++)
        add_header(&request, e->custom[i].name, e->custom[i].value);
    return e->transport.perform(e->transport.self, &request, response, ret_sent, err);
}

int sl_endpoint_post(struct sl_endpoint *e, const struct sl_endpoint_request *request,
                     struct sl_http_response *response, bool *ret_sent, struct sl_error *err) {
    if (sl_clock_monotonic_ms() - e->read_ms >= READ_AGAIN_MS)
        (void)!read_secrets(e, NULL);
    int code = post_once(e, request, response, ret_sent, err);
    if (code != SL_OK || (response->status != 401 && response->status != 403))
        return code;
    e->has_changed = false;
    if (read_secrets(e, NULL) != SL_OK || !e->has_changed)
        return code;
    return post_once(e, request, response, ret_sent, err);
}
