/* The I/O half: files of the credentials, requests. */
#include "kubernetes/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "kubernetes/kubeconfig.h"
#include "os/clock.h"
#include "os/file.h"

#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

enum { TOKEN_READ_AGAIN_MS = 60 * 1000, ANSWER_BYTES = 1024 * 1024 };

struct sl_kube_client {
    struct sl_kubeconfig access;
    int64_t timeout_ms;
    const struct sl_log *log;
    struct sl_http *http;
    struct sl_transport transport;
    struct sl_secret token;
    int64_t token_read_ms;
    struct sl_complaint token_complaint;
};

/* ---- credentials ---- */

static int out_of_memory(struct sl_error *err) {
    return sl_fail(err, SL_NOMEM, "out of memory for a Kubernetes client");
}

static int read_kubeconfig(struct sl_kube_client *c, const struct sl_kube_settings *settings,
                           struct sl_error *err) {
    const char *path = settings->kubeconfig_path;
    const char *slash = strrchr(path, '/');
    char *folder = slash != NULL ? strndup(path, (size_t)(slash - path)) : strdup(".");
    struct sl_buffer yaml;
    if (folder == NULL)
        return out_of_memory(err);
    sl_buffer_init(&yaml, SL_LIMIT_CONFIG_FILE_BYTES);
    int code = sl_file_read(path, &yaml, err);
    if (code == SL_OK) {
        code = sl_kubeconfig_parse(yaml.data, yaml.len, settings->context, folder, &c->access, err);
        if (code != SL_OK && err != NULL)
            sl_error_prefix(err, "%s", path);
    }
    sl_buffer_wipe(&yaml);
    free(folder);
    return code;
}

static int copy(const char *text, char **ret, struct sl_error *err) {
    *ret = strdup(text);
    return *ret != NULL ? SL_OK : out_of_memory(err);
}

static int find_pod_namespace(struct sl_kube_client *c, struct sl_error *err) {
    const char *from_environment = getenv("POD_NAMESPACE");
    if (from_environment != NULL && from_environment[0] != '\0')
        return copy(from_environment, &c->access.kube_namespace, err);
    struct sl_buffer text;
    sl_buffer_init(&text, 256);
    if (sl_file_read(POD_FOLDER "/namespace", &text, NULL) == SL_OK && text.len > 0)
        c->access.kube_namespace = strndup(text.data, strcspn(text.data, " \t\r\n"));
    sl_buffer_release(&text);
    return SL_OK;
}

static int use_pod(struct sl_kube_client *c, struct sl_error *err) {
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    if (host == NULL || port == NULL || host[0] == '\0' || port[0] == '\0')
        return sl_fail(err, SL_CONFIG,
                       "no KubeConfig is given, and this is not a pod of a cluster: set KubeConfig "
                       "in <Cluster>");
    bool is_ipv6 = strchr(host, ':') != NULL;
    size_t size = strlen(host) + strlen(port) + sizeof("https://[]:");
    c->access.server = malloc(size);
    if (c->access.server == NULL)
        return out_of_memory(err);
    (void)snprintf(c->access.server, size, "https://%s%s%s:%s", is_ipv6 ? "[" : "", host,
                   is_ipv6 ? "]" : "", port);
    int code = copy(POD_FOLDER "/token", &c->access.token_path, err);
    if (code == SL_OK)
        code = copy(POD_FOLDER "/ca.crt", &c->access.ca_path, err);
    return code == SL_OK ? find_pod_namespace(c, err) : code;
}

static int read_text(const char *path, const char *what, char **ret, struct sl_error *err) {
    struct sl_buffer text;
    if (path == NULL || *ret != NULL)
        return SL_OK;
    sl_buffer_init(&text, SL_LIMIT_CA_FILE_BYTES);
    int code = sl_file_read(path, &text, err);
    if (code == SL_OK)
        *ret = sl_buffer_steal(&text);
    else if (err != NULL)
        sl_error_prefix(err, "%s", what);
    sl_buffer_release(&text);
    return code;
}

static int open_http(struct sl_kube_client *c, const struct sl_wakeup *stop, struct sl_error *err) {
    struct sl_kubeconfig *a = &c->access;
    int code = read_text(a->ca_path, "certificate-authority", &a->ca_pem, err);
    if (code == SL_OK)
        code = read_text(a->client_cert_path, "client-certificate", &a->client_cert_pem, err);
    if (code == SL_OK && a->client_key_path != NULL && !sl_secret_is_set(&a->client_key_pem)) {
        code = sl_file_read_secret(a->client_key_path, &a->client_key_pem, c->log, err);
        if (code != SL_OK && err != NULL)
            sl_error_prefix(err, "client-key");
    }
    if (code != SL_OK)
        return code;
    struct sl_http_settings settings = {
        .timeout_ms = c->timeout_ms,
        .insecure_peer = a->is_insecure,
        .insecure_host = a->is_insecure,
        .ca_mode = SL_HTTP_CA_REPLACE,
        .ca_pem = a->ca_pem,
        .client_cert_pem = a->client_cert_pem,
        .client_key_pem = sl_secret_is_set(&a->client_key_pem) ? &a->client_key_pem : NULL,
        .tls_server_name = a->tls_server_name,
        .proxy = a->proxy_url,
    };
    code = sl_http_new(&settings, stop, &c->http, err);
    if (code == SL_OK)
        c->transport = sl_http_transport(c->http);
    return code;
}

/* Keeps the old token where the new one cannot be read: a projected volume is replaced in place. */
static void refresh_token(struct sl_kube_client *c) {
    struct sl_error err = SL_ERROR_INIT;
    int64_t now_ms = sl_clock_monotonic_ms();
    if (c->access.token_path == NULL)
        return;
    c->token_read_ms = now_ms;
    struct sl_secret fresh = SL_SECRET_INIT;
    if (sl_file_read_secret(c->access.token_path, &fresh, NULL, &err) == SL_OK) {
        sl_secret_release(&c->token);
        c->token = fresh;
        (void)sl_complaint_succeeded(&c->token_complaint, now_ms, NULL, NULL);
    } else if (sl_complaint_failed(&c->token_complaint, err.text, now_ms)) {
        sl_log(c->log, SL_LOG_WARNING, "%s; the token read before is used", err.text);
    }
}

static int first_token(struct sl_kube_client *c, struct sl_error *err) {
    if (c->access.token_path == NULL)
        return SL_OK;
    int code = sl_file_read_secret(c->access.token_path, &c->token, c->log, err);
    c->token_read_ms = sl_clock_monotonic_ms();
    return code;
}

int sl_kube_client_new(const struct sl_kube_settings *settings, const struct sl_wakeup *stop,
                       const struct sl_log *log, struct sl_kube_client **ret,
                       struct sl_error *err) {
    struct sl_kube_client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return out_of_memory(err);
    c->log = log;
    c->timeout_ms = settings->timeout_ms;
    int code =
        settings->kubeconfig_path != NULL ? read_kubeconfig(c, settings, err) : use_pod(c, err);
    if (code == SL_OK)
        code = first_token(c, err);
    if (code == SL_OK)
        code = open_http(c, stop, err);
    if (code != SL_OK)
        sl_kube_client_free(c);
    else
        *ret = c;
    return code;
}

void sl_kube_client_free(struct sl_kube_client *c) {
    if (c == NULL)
        return;
    sl_http_free(c->http);
    sl_secret_release(&c->token);
    sl_kubeconfig_release(&c->access);
    free(c);
}

const char *sl_kube_client_namespace(const struct sl_kube_client *c) {
    return c->access.kube_namespace != NULL ? c->access.kube_namespace : "default";
}

/* ---- requests ---- */

static int explain(const struct sl_http_response *response, struct sl_error *err) {
    char words[SL_ERROR_TEXT_BYTES / 2];
    struct sl_error why = SL_ERROR_INIT;
    int code = sl_http_check_status(response, &why);
    sl_kube_describe_failure(response->status, response->body.data, response->body.len, words,
                             sizeof(words));
    int64_t retry_after_ms = why.retry_after_ms;
    sl_fail(&why, (enum sl_code)code, "%s", words);
    why.http_status = response->status;
    why.retry_after_ms = retry_after_ms;
    if (err != NULL)
        *err = why;
    return code;
}

static int perform(struct sl_kube_client *c, struct sl_http_request *request,
                   struct sl_http_response *response, struct sl_error *err) {
    if (sl_clock_monotonic_ms() - c->token_read_ms >= TOKEN_READ_AGAIN_MS)
        refresh_token(c);
    const struct sl_secret *token = sl_secret_is_set(&c->token) ? &c->token : &c->access.token;
    request->bearer = sl_secret_is_set(token) ? token : NULL;
    request->user = c->access.user;
    request->password = c->access.user != NULL ? &c->access.password : NULL;
    request->timeout_ms = c->timeout_ms;
    request->max_body_bytes = ANSWER_BYTES;
    return c->transport.perform(c->transport.self, request, response, NULL, err);
}

static int ask(struct sl_kube_client *c, struct sl_http_request *request,
               struct sl_http_response *response, struct sl_error *err) {
    int code = perform(c, request, response, err);
    if (code != SL_OK || response->status != 401 || c->access.token_path == NULL)
        return code;
    refresh_token(c);
    sl_http_response_release(response);
    sl_http_response_init(response);
    return perform(c, request, response, err);
}

static int scale_request(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                         struct sl_http_request *request, struct sl_kube_scale *ret,
                         struct sl_error *err) {
    struct sl_http_response response;
    struct sl_error why = SL_ERROR_INIT;
    struct sl_buffer url;
    if (kube_namespace == NULL)
        kube_namespace = sl_kube_client_namespace(c);
    sl_buffer_init(&url, 4096);
    sl_buffer_printf(&url,
                     "%s/apis/workers.spacelift.io/v1beta1/namespaces/%s/workerpools/%s/scale%s",
                     c->access.server, kube_namespace, name,
                     request->body != NULL ? "?fieldManager=collectd-spacelift" : "");
    sl_http_response_init(&response);
    int code = sl_buffer_check(&url, "a URL", &why);
    request->url = url.data;
    if (code == SL_OK)
        code = ask(c, request, &response, &why);
    if (code == SL_OK) {
        if (request->body == NULL &&
            sl_kube_says_unset(response.status, response.body.data, response.body.len))
            *ret = (struct sl_kube_scale){.is_unset = true};
        else if (response.status / 100 == 2)
            code = sl_kube_scale_parse(response.body.data, response.body.len, ret, &why);
        else
            code = explain(&response, &why);
        if (code != SL_OK)
            sl_error_prefix(&why, "%s %s", request->method, url.data);
    }
    sl_http_response_release(&response);
    sl_buffer_release(&url);
    if (code != SL_OK && err != NULL)
        *err = why;
    return code;
}

int sl_kube_scale_get(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                      struct sl_kube_scale *ret, struct sl_error *err) {
    struct sl_http_request request = {
        .method = "GET",
        .headers = {{"Accept", "application/json"}},
    };
    return scale_request(c, kube_namespace, name, &request, ret, err);
}

int sl_kube_scale_patch(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                        int32_t replicas, const char *version, struct sl_kube_scale *ret,
                        struct sl_error *err) {
    struct sl_buffer body;
    sl_buffer_init(&body, 512);
    sl_kube_scale_patch_body(replicas, version, &body);
    struct sl_http_request request = {
        .method = "PATCH",
        .headers = {{"Accept", "application/json"},
                    {"Content-Type", "application/merge-patch+json"}},
        .body = body.data,
        .body_len = body.len,
    };
    int code = sl_buffer_check(&body, "a patch", err);
    if (code == SL_OK)
        code = scale_request(c, kube_namespace, name, &request, ret, err);
    sl_buffer_release(&body);
    return code;
}
