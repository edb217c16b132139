/* A receiver as HTTP sees it. */
#include "remote_write/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/identity.h"

enum { SIGV4_BYTES = 256 };

struct sl_endpoint {
    const struct sl_node_options *options;
    struct sl_log log;
    struct sl_http *http;
    struct sl_transport transport;
    struct sl_identity identity; /* the password is the secret key of AWS, where that is used */
    char sigv4[SIGV4_BYTES];     /* for libcurl; "" where it is not used */
    char *headers;               /* names and values, each ended by a NUL */
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

/* ---- setting up ---- */

static int build(struct sl_endpoint *e, const struct sl_wakeup *cancel, struct sl_error *err) {
    const struct sl_node_options *o = e->options;
    bool is_aws = o->sigv4_region != NULL;
    const struct sl_identity_file files[SL_IDENTITY_SECRETS] = {
        [SL_IDENTITY_PASSWORD] = {is_aws ? "SigV4SecretKeyFile" : "PasswordFile",
                                  is_aws ? o->sigv4_secret_key_file : o->http.password_file},
        [SL_IDENTITY_TOKEN] = {"BearerTokenFile", o->http.bearer_token_file},
        [SL_IDENTITY_SESSION] = {"SigV4SessionTokenFile", o->sigv4_session_token_file},
    };
    if (is_aws)
        snprintf(e->sigv4, sizeof(e->sigv4), "aws:amz:%s:%s", o->sigv4_region, o->sigv4_service);
    int code = sl_identity_init(&e->identity, files, e->log, err);
    if (code == SL_OK)
        code = copy_headers(e, err);
    if (code == SL_OK)
        code = sl_identity_open(&o->http, o->http2, &e->log, cancel, &e->http, err);
    if (code != SL_OK)
        return code;
    e->transport = sl_http_transport(e->http);
    sl_identity_warn(&o->http, &e->log, "node", o->name);
    return SL_OK;
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
    sl_identity_release(&e->identity);
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
    const struct sl_secret *session = &e->identity.secrets[SL_IDENTITY_SESSION];
    bool is_2_0 = q->protocol == SL_WRITE_2_0;
    struct sl_http_request request = {
        .method = "POST",
        .url = o->url,
        .aws_sigv4 = e->sigv4[0] != '\0' ? e->sigv4 : NULL,
        .body = q->body,
        .body_len = q->body_len,
        .timeout_ms = q->timeout_ms,
        .sink = ignore, /* "MUST ignore the response body on success" */
        .on_header = q->on_header,
        .on_header_context = q->on_header_context,
    };
    sl_identity_sign(&e->identity, &o->http, &request);
    if (o->sigv4_region != NULL)
        request.user = o->sigv4_access_key_id;
    /* To the letter: a blank after the semicolon would make it 1.0 for the reference receiver
     * (client_golang exp/api/remote, ParseProtoMsg). */
    add_header(&request, "Content-Encoding", "snappy");
    add_header(&request, "Content-Type",
               is_2_0 ? "application/x-protobuf;proto=io.prometheus.write.v2.Request"
                      : "application/x-protobuf");
    add_header(&request, "X-Prometheus-Remote-Write-Version", is_2_0 ? "2.0.0" : "0.1.0");
    if (sl_secret_is_set(session))
        add_header(&request, "X-Amz-Security-Token", session->text);
    for (size_t i = 0; i < e->custom_count; i++)
        add_header(&request, e->custom[i].name, e->custom[i].value);
    return e->transport.perform(e->transport.self, &request, response, ret_sent, err);
}

int sl_endpoint_post(struct sl_endpoint *e, const struct sl_endpoint_request *request,
                     struct sl_http_response *response, bool *ret_sent, struct sl_error *err) {
    sl_identity_refresh(&e->identity);
    int code = post_once(e, request, response, ret_sent, err);
    if (code != SL_OK || (response->status != 401 && response->status != 403) ||
        !sl_identity_has_changed(&e->identity))
        return code;
    return post_once(e, request, response, ret_sent, err);
}
