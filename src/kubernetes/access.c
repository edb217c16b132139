/* What may we do? */
#include "kubernetes/access.h"

#include <string.h>

#include "base/json_document.h"
#include "base/json_writer.h"

void sl_kube_access_ask(const struct sl_kube_rule *rule, const char *verb,
                        const char *kube_namespace, const char *name, struct sl_buffer *out) {
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_object_begin(&w, NULL);
    sl_json_put_string(&w, "apiVersion", "authorization.k8s.io/v1");
    sl_json_put_string(&w, "kind", "SelfSubjectAccessReview");
    sl_json_object_begin(&w, "spec");
    sl_json_object_begin(&w, "resourceAttributes");
    sl_json_put_string(&w, "namespace", kube_namespace);
    sl_json_put_string(&w, "verb", verb);
    sl_json_put_string(&w, "group", rule->group);
    sl_json_put_string(&w, "resource", rule->resource);
    if (rule->subresource != NULL)
        sl_json_put_string(&w, "subresource", rule->subresource);
    if (name[0] != '\0')
        sl_json_put_string(&w, "name", name);
    sl_json_object_end(&w);
    sl_json_object_end(&w);
    sl_json_object_end(&w);
}

int sl_kube_access_parse(const char *bytes, size_t len, bool *ret, struct sl_error *err) {
    struct sl_json *doc = NULL;
    int code = sl_json_parse(bytes, len, &doc, err);
    if (code != SL_OK)
        return code;
    const char *kind = sl_json_string(sl_json_get(doc, "kind"));
    bool is_allowed = false;
    if (kind == NULL || strcmp(kind, "SelfSubjectAccessReview") != 0 ||
        !sl_json_bool(sl_json_get(sl_json_get(doc, "status"), "allowed"), &is_allowed))
        code = sl_fail(err, SL_PARSE, "the answer is no SelfSubjectAccessReview");
    else
        *ret = is_allowed;
    sl_json_free(doc);
    return code;
}

static const char *name_of(const struct sl_kube_rule *rule, const char *worker_pool,
                           const char *lease_name) {
    if (rule->resource_name == NULL)
        return worker_pool;
    return rule->resource_name[0] != '\0' ? lease_name : "";
}

static int missing(const struct sl_kube_rule *rule, const char *verb, const char *kube_namespace,
                   const char *name, struct sl_error *err) {
    bool has_name = name[0] != '\0';
    return sl_fail(err, SL_FORBIDDEN,
                   "the account may not %s %s%s%s%s%s, which is needed %s: its Role in namespace "
                   "%s lacks {apiGroups: [%s], resources: [%s%s%s], %s%s%sverbs: [%s]}",
                   verb, rule->resource, rule->subresource != NULL ? "/" : "",
                   rule->subresource != NULL ? rule->subresource : "", has_name ? " " : "", name,
                   rule->purpose, kube_namespace, rule->group, rule->resource,
                   rule->subresource != NULL ? "/" : "",
                   rule->subresource != NULL ? rule->subresource : "",
                   has_name ? "resourceNames: [" : "", name, has_name ? "], " : "", verb);
}

int sl_kube_access_check(struct sl_kube_client *c, const struct sl_kube_rule *rule,
                         const char *verb, const char *kube_namespace, const char *worker_pool,
                         const char *lease_name, struct sl_error *err) {
    const char *name = name_of(rule, worker_pool, lease_name);
    struct sl_http_response response;
    struct sl_buffer body;
    bool is_allowed = false;
    kube_namespace = sl_kube_client_namespace(c, kube_namespace);
    sl_buffer_init(&body, 4096);
    sl_http_response_init(&response);
    sl_kube_access_ask(rule, verb, kube_namespace, name, &body);
    struct sl_kube_call call = {
        .method = "POST",
        .group_version = "authorization.k8s.io/v1",
        .plural = "selfsubjectaccessreviews",
        .is_cluster_scoped = true,
        .body = body.data,
        .body_len = body.len,
    };
    int code = sl_buffer_check(&body, "a SelfSubjectAccessReview", err);
    if (code == SL_OK)
        code = sl_kube_call(c, &call, &response, err);
    if (code == SL_OK)
        code = sl_kube_access_parse(response.body.data, response.body.len, &is_allowed, err);
    if (code == SL_OK && !is_allowed)
        code = missing(rule, verb, kube_namespace, name, err);
    sl_http_response_release(&response);
    sl_buffer_release(&body);
    return code;
}
