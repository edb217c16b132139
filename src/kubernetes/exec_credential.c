/* ExecCredential, out and in. */
#include "kubernetes/exec_credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/civil.h"
#include "base/json_document.h"
#include "base/json_writer.h"
#include "base/limits.h"

static void put_cluster(struct sl_json_writer *w, const struct sl_kubeconfig *k,
                        const char *ca_pem) {
    sl_json_object_begin(w, "cluster");
    sl_json_put_string(w, "server", k->server);
    if (k->tls_server_name != NULL)
        sl_json_put_string(w, "tls-server-name", k->tls_server_name);
    if (k->is_insecure)
        sl_json_put_bool(w, "insecure-skip-tls-verify", true);
    if (ca_pem != NULL) {
        struct sl_buffer text;
        sl_buffer_init(&text, 2 * (size_t)SL_LIMIT_CA_FILE_BYTES);
        sl_base64_encode(ca_pem, strlen(ca_pem), &text);
        sl_json_put_string(w, "certificate-authority-data", text.data);
        sl_buffer_release(&text);
    }
    if (k->proxy_url != NULL)
        sl_json_put_string(w, "proxy-url", k->proxy_url);
    if (k->exec.cluster_config != NULL)
        sl_json_put_raw(w, "config", k->exec.cluster_config);
    sl_json_object_end(w);
}

void sl_exec_credential_ask(const struct sl_kubeconfig *k, const char *ca_pem,
                            struct sl_buffer *out) {
    struct sl_buffer json;
    struct sl_json_writer w;
    sl_buffer_init(&json, out->max);
    sl_json_writer_init(&w, &json);
    sl_json_object_begin(&w, NULL);
    sl_json_put_string(&w, "kind", "ExecCredential");
    sl_json_put_string(&w, "apiVersion", k->exec.api_version);
    sl_json_object_begin(&w, "spec");
    sl_json_put_bool(&w, "interactive", false);
    if (k->exec.is_told_cluster)
        put_cluster(&w, k, ca_pem);
    sl_json_object_end(&w);
    sl_json_object_end(&w);
    sl_buffer_puts(out, "KUBERNETES_EXEC_INFO=");
    sl_buffer_puts(out, json.data);
    if (json.failed != SL_OK && out->failed == SL_OK)
        out->failed = json.failed;
    sl_buffer_release(&json);
}

static int read_status(const struct sl_json *status, struct sl_exec_credential *c,
                       struct sl_error *err) {
    const char *token = sl_json_string(sl_json_get(status, "token"));
    const char *cert = sl_json_string(sl_json_get(status, "clientCertificateData"));
    const char *key = sl_json_string(sl_json_get(status, "clientKeyData"));
    const char *expires = sl_json_string(sl_json_get(status, "expirationTimestamp"));
    bool has_cert = cert != NULL && cert[0] != '\0';
    bool has_key = key != NULL && key[0] != '\0';
    int code = SL_OK;
    if (expires != NULL && !sl_parse_rfc3339(expires, &c->expires_ms))
        return sl_fail(err, SL_PARSE, "an expirationTimestamp that is no time");
    if (has_cert != has_key)
        return sl_fail(err, SL_PARSE, "a client certificate without its key, or the reverse");
    if (!has_cert && (token == NULL || token[0] == '\0'))
        return sl_fail(err, SL_PARSE, "neither a token nor a client certificate");
    if (token != NULL)
        code = sl_secret_set_trimmed(&c->token, token, strlen(token), err);
    if (code == SL_OK && has_cert)
        code = sl_secret_set(&c->key_pem, key, strlen(key), err);
    if (code == SL_OK && has_cert && (c->cert_pem = strdup(cert)) == NULL)
        code = sl_fail(err, SL_NOMEM, "out of memory for a certificate");
    return code;
}

static int read_credential(const struct sl_json *doc, const char *api_version,
                           struct sl_exec_credential *ret, struct sl_error *err) {
    struct sl_exec_credential c = {.expires_ms = INT64_MAX};
    const char *kind = sl_json_string(sl_json_get(doc, "kind"));
    const char *version = sl_json_string(sl_json_get(doc, "apiVersion"));
    if (kind == NULL || strcmp(kind, "ExecCredential") != 0)
        return sl_fail(err, SL_PARSE, "no ExecCredential");
    if (version == NULL || strcmp(version, api_version) != 0)
        return sl_fail(err, SL_PARSE, "an ExecCredential of another apiVersion than \"%s\"",
                       api_version);
    int code = read_status(sl_json_get(doc, "status"), &c, err);
    if (code == SL_OK)
        *ret = c;
    else
        sl_exec_credential_release(&c);
    return code;
}

int sl_exec_credential_parse(const char *bytes, size_t len, const char *api_version,
                             struct sl_exec_credential *ret, struct sl_error *err) {
    struct sl_json *doc = NULL;
    /* What the parser says of a text that is no JSON may quote it, and it may be a token. */
    if (sl_json_parse(bytes, len, &doc, NULL) != SL_OK)
        return sl_fail(err, SL_PARSE, "no ExecCredential: not JSON");
    int code = read_credential(doc, api_version, ret, err);
    sl_json_free(doc);
    return code;
}

void sl_exec_credential_release(struct sl_exec_credential *c) {
    sl_secret_release(&c->token);
    sl_secret_release(&c->key_pem);
    free(c->cert_pem);
    *c = (struct sl_exec_credential){.expires_ms = INT64_MAX};
}
