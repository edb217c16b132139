/* Requests to an API server. */
#include "kubernetes/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "kubernetes/status.h"

/* A WorkerPool can carry 256 KiB of annotations and as much again in managed fields. */
enum { ANSWER_BYTES = 2 * 1024 * 1024, URL_BYTES = 4096 };

struct sl_kube_client {
    struct sl_kube_credentials *credentials;
    const struct sl_wakeup *stop;
    struct sl_kube_login login;
};

int sl_kube_client_new(struct sl_kube_credentials *credentials, const struct sl_wakeup *stop,
                       struct sl_kube_client **ret, struct sl_error *err) {
    struct sl_kube_client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a Kubernetes client");
    c->credentials = credentials;
    c->stop = stop;
    *ret = c;
    return SL_OK;
}

void sl_kube_client_free(struct sl_kube_client *c) {
    if (c == NULL)
        return;
    sl_kube_login_release(&c->login);
    free(c);
}

const char *sl_kube_client_namespace(const struct sl_kube_client *c, const char *given) {
    return given != NULL ? given : sl_kube_credentials_namespace(c->credentials);
}

static void build_url(const struct sl_kube_client *c, const struct sl_kube_call *call,
                      struct sl_buffer *url) {
    sl_buffer_printf(url, "%s/apis/%s", c->login.server, call->group_version);
    if (!call->is_cluster_scoped)
        sl_buffer_printf(url, "/namespaces/%s", sl_kube_client_namespace(c, call->kube_namespace));
    sl_buffer_printf(url, "/%s", call->plural);
    if (call->name != NULL)
        sl_buffer_printf(url, "/%s", call->name);
    if (call->subresource != NULL)
        sl_buffer_printf(url, "/%s", call->subresource);
    if (call->body != NULL)
        sl_buffer_printf(url, "?fieldManager=collectd-spacelift%s",
                         call->is_dry_run ? "&dryRun=All" : "");
    else if (call->query != NULL)
        sl_buffer_printf(url, "?%s", call->query);
}

static int send(struct sl_kube_client *c, const struct sl_kube_call *call, struct sl_buffer *url,
                struct sl_http_response *ret, struct sl_error *err) {
    struct sl_error why = SL_ERROR_INIT;
    bool was_sent = false;
    int code = sl_kube_credentials_log_in(c->credentials, c->stop, &c->login, err);
    if (code != SL_OK)
        return code;
    sl_buffer_reset(url);
    build_url(c, call, url);
    code = sl_buffer_check(url, "a URL", err);
    if (code != SL_OK)
        return code;
    struct sl_http_request request = {
        .method = call->method,
        .url = url->data,
        .headers = {{"Accept", call->accept != NULL ? call->accept : "application/json"}},
        .bearer = sl_secret_is_set(&c->login.token) ? &c->login.token : NULL,
        .body = call->body,
        .body_len = call->body_len,
        .timeout_ms = call->timeout_ms,
        .max_body_bytes = call->sink != NULL ? SL_LIMIT_HTTP_BODY_BYTES : ANSWER_BYTES,
        .sink = call->sink,
        .sink_context = call->sink_context,
    };
    if (call->sink != NULL)
        request.headers[1] = (struct sl_http_header){"Accept-Encoding", "identity"};
    if (call->body != NULL)
        request.headers[1] = (struct sl_http_header){
            "Content-Type", strcmp(call->method, "PATCH") == 0 ? "application/merge-patch+json"
                                                               : "application/json"};
    struct sl_transport transport = sl_http_transport(c->login.http);
    code = transport.perform(transport.self, &request, ret, &was_sent, &why);
    if (code != SL_OK && code != SL_CANCELED && was_sent && call->body != NULL)
        sl_fail(&why, why.code, "%s; nobody knows whether it was carried out", why.text);
    if (code != SL_OK && err != NULL)
        *err = why;
    return code;
}

/* Would another login have helped? */
static bool is_login_refused(int code, const struct sl_http_response *response) {
    return code == SL_TLS || (code == SL_OK && response->status == 401);
}

int sl_kube_call(struct sl_kube_client *c, const struct sl_kube_call *call,
                 struct sl_http_response *ret, struct sl_error *err) {
    struct sl_error why = SL_ERROR_INIT;
    struct sl_buffer url;
    sl_buffer_init(&url, URL_BYTES);
    int code = send(c, call, &url, ret, &why);
    if (is_login_refused(code, ret) && sl_kube_credentials_renew(c->credentials, &c->login)) {
        sl_http_response_release(ret);
        sl_http_response_init(ret);
        code = send(c, call, &url, ret, &why);
    }
    if (code == SL_OK) {
        code = sl_http_check_status(ret, &why);
        if (code != SL_OK) {
            sl_kube_explain(ret->body.data, ret->body.len, &why);
            sl_error_prefix(&why, "%s %s", call->method, url.data);
        }
    }
    sl_buffer_release(&url);
    if (code != SL_OK && err != NULL)
        *err = why;
    return code;
}
