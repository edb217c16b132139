/* Sizes of WorkerPools, read and written. */
#include "kubernetes/workerpools.h"

#include "kubernetes/status.h"

/* Of any age, from memory (kubernetes.io/docs/reference/using-api/api-concepts, "Resource
 * versions"). Without it a server asks etcd, for an object and for each of a list. */
static const char from_cache[] = "resourceVersion=0";

static struct sl_kube_call call_of(const char *method, const char *kube_namespace, const char *name,
                                   const char *subresource) {
    return (struct sl_kube_call){
        .method = method,
        .group_version = SL_KUBE_WORKERPOOLS,
        .plural = "workerpools",
        .kube_namespace = kube_namespace,
        .name = name,
        .subresource = subresource,
    };
}

static int unreadable(int code, const char *name, struct sl_error *err) {
    if (code != SL_OK && err != NULL)
        sl_error_prefix(err, "the API server's answer for WorkerPool %s", name);
    return code;
}

static int get_pool(struct sl_kube_client *c, const struct sl_kube_call *call,
                    const struct sl_kube_annotations *annotations, struct sl_kube_scale *ret,
                    struct sl_error *err) {
    struct sl_http_response response;
    sl_http_response_init(&response);
    int code = sl_kube_call(c, call, &response, err);
    if (code == SL_OK)
        code = unreadable(
            sl_kube_pool_parse(response.body.data, response.body.len, annotations, ret, err),
            call->name, err);
    sl_http_response_release(&response);
    return code;
}

int sl_kube_pool_get(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                     const struct sl_kube_annotations *annotations, struct sl_kube_scale *ret,
                     struct sl_error *err) {
    struct sl_kube_call call = call_of("GET", kube_namespace, name, NULL);
    return get_pool(c, &call, annotations, ret, err);
}

int sl_kube_pool_get_version(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                             struct sl_kube_scale *ret, struct sl_error *err) {
    struct sl_kube_call call = call_of("GET", kube_namespace, name, NULL);
    call.query = from_cache;
    return get_pool(c, &call, NULL, ret, err);
}

int sl_kube_pool_list_versions(struct sl_kube_client *c, const char *kube_namespace,
                               void (*take)(void *context, const struct sl_kube_version *item),
                               void *context, size_t *ret_count, struct sl_error *err) {
    struct sl_kube_call call = call_of("GET", kube_namespace, NULL, NULL);
    struct sl_http_response response;
    struct sl_version_list *list = sl_version_list_new(take, context);
    if (list == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a list of WorkerPools");
    call.query = from_cache;
    call.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
                  "application/json";
    call.sink = sl_version_list_feed;
    call.sink_context = list;
    sl_http_response_init(&response);
    int code = sl_kube_call(c, &call, &response, err);
    if (code == SL_OK)
        code = sl_version_list_finish(list, ret_count, err);
    sl_http_response_release(&response);
    sl_version_list_free(list);
    return code;
}

int sl_kube_scale_get(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                      struct sl_kube_scale *ret, struct sl_error *err) {
    struct sl_kube_call call = call_of("GET", kube_namespace, name, "scale");
    struct sl_http_response response;
    sl_http_response_init(&response);
    int code = sl_kube_call(c, &call, &response, err);
    if (code == SL_OK) {
        code = unreadable(sl_kube_scale_parse(response.body.data, response.body.len, ret, err),
                          name, err);
    } else if (code == SL_REMOTE &&
               sl_kube_says_unset(response.status, response.body.data, response.body.len)) {
        *ret = (struct sl_kube_scale){.is_unset = true};
        code = SL_OK;
    }
    sl_http_response_release(&response);
    return code;
}

int sl_kube_scale_patch(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                        int32_t replicas, const char *version, int64_t timeout_ms, bool is_dry_run,
                        struct sl_kube_scale *ret, struct sl_error *err) {
    struct sl_kube_call call = call_of("PATCH", kube_namespace, name, "scale");
    struct sl_http_response response;
    struct sl_buffer body;
    sl_http_response_init(&response);
    sl_buffer_init(&body, 512);
    sl_kube_scale_patch_body(replicas, version, &body);
    call.body = body.data;
    call.body_len = body.len;
    call.timeout_ms = timeout_ms;
    call.is_dry_run = is_dry_run;
    int code = sl_buffer_check(&body, "a patch", err);
    if (code == SL_OK)
        code = sl_kube_call(c, &call, &response, err);
    if (code == SL_OK)
        code = unreadable(sl_kube_scale_parse(response.body.data, response.body.len, ret, err),
                          name, err);
    sl_buffer_release(&body);
    sl_http_response_release(&response);
    return code;
}
