/* Scale and Status, in and out. */
#include "kubernetes/message.h"

#include <stdio.h>
#include <string.h>

#include "base/json_document.h"
#include "base/json_writer.h"

static int read_replicas(const struct sl_json *part, int32_t *ret, struct sl_error *err) {
    const struct sl_json *value = sl_json_get(part, "replicas");
    int64_t number = 0;
    if (value != NULL && (!sl_json_int64(value, &number) || number < 0 || number > INT32_MAX))
        return sl_fail(err, SL_PARSE, "a Scale whose replicas is no number of workers");
    *ret = (int32_t)number;
    return SL_OK;
}

static int read_scale(const struct sl_json *doc, struct sl_kube_scale *ret, struct sl_error *err) {
    struct sl_kube_scale scale = {.is_unset = false};
    const char *kind = sl_json_string(sl_json_get(doc, "kind"));
    const char *version =
        sl_json_string(sl_json_get(sl_json_get(doc, "metadata"), "resourceVersion"));
    if (kind == NULL || strcmp(kind, "Scale") != 0)
        return sl_fail(err, SL_PARSE, "the answer is no Scale");
    if (version == NULL || version[0] == '\0' || strlen(version) >= sizeof(scale.version))
        return sl_fail(err, SL_PARSE, "a Scale without a usable resourceVersion");
    memcpy(scale.version, version, strlen(version) + 1);
    if (!sl_json_is_object(sl_json_get(doc, "spec")))
        return sl_fail(err, SL_PARSE, "a Scale without spec");
    int code = read_replicas(sl_json_get(doc, "spec"), &scale.replicas, err);
    if (code == SL_OK)
        code = read_replicas(sl_json_get(doc, "status"), &scale.actual_replicas, err);
    if (code == SL_OK)
        *ret = scale;
    return code;
}

int sl_kube_scale_parse(const char *bytes, size_t len, struct sl_kube_scale *ret,
                        struct sl_error *err) {
    struct sl_json *doc = NULL;
    int code = sl_json_parse(bytes, len, &doc, err);
    if (code == SL_OK)
        code = read_scale(doc, ret, err);
    sl_json_free(doc);
    return code;
}

void sl_kube_scale_patch_body(int32_t replicas, const char *version, struct sl_buffer *out) {
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_object_begin(&w, NULL);
    if (version[0] != '\0') {
        sl_json_object_begin(&w, "metadata");
        sl_json_put_string(&w, "resourceVersion", version);
        sl_json_object_end(&w);
    }
    sl_json_object_begin(&w, "spec");
    sl_json_put_int64(&w, "replicas", replicas);
    sl_json_object_end(&w);
    sl_json_object_end(&w);
}

bool sl_kube_says_unset(int http_status, const char *bytes, size_t len) {
    struct sl_json *doc = NULL;
    if (http_status != 500 || sl_json_parse(bytes, len, &doc, NULL) != SL_OK)
        return false;
    const char *message = sl_json_string(sl_json_get(doc, "message"));
    bool is_unset = message != NULL && strstr(message, "spec replicas field") != NULL &&
                    strstr(message, "does not exist") != NULL;
    sl_json_free(doc);
    return is_unset;
}

void sl_kube_describe_failure(int http_status, const char *bytes, size_t len, char *out,
                              size_t size) {
    struct sl_json *doc = NULL;
    const char *reason = NULL;
    const char *message = NULL;
    if (sl_json_parse(bytes, len, &doc, NULL) == SL_OK) {
        reason = sl_json_string(sl_json_get(doc, "reason"));
        message = sl_json_string(sl_json_get(doc, "message"));
    }
    if (message != NULL)
        (void)snprintf(out, size, "HTTP %d %s: %s", http_status, reason != NULL ? reason : "",
                       message);
    else if (http_status == 404)
        (void)snprintf(out, size,
                       "HTTP 404 without a Kubernetes status: is the WorkerPool CRD installed, and "
                       "is this the API server?");
    else
        (void)snprintf(out, size, "HTTP %d without a Kubernetes status", http_status);
    sl_json_free(doc);
}
