/* Scale and WorkerPool, in and out. */
#include "kubernetes/message.h"

#include <stdio.h>
#include <string.h>

#include "base/json_document.h"
#include "base/json_writer.h"

static int read_count(const struct sl_json *part, const char *key, int32_t *ret,
                      struct sl_error *err) {
    const struct sl_json *value = sl_json_get(part, key);
    int64_t number = 0;
    if (value != NULL && !sl_json_is_null(value) &&
        (!sl_json_int64(value, &number) || number < 0 || number > INT32_MAX))
        return sl_fail(err, SL_PARSE, "%s is no number of workers", key);
    *ret = (int32_t)number;
    return SL_OK;
}

static int read_metadata(const struct sl_json *doc, const char *kind, struct sl_kube_scale *ret,
                         struct sl_error *err) {
    const struct sl_json *metadata = sl_json_get(doc, "metadata");
    const char *its_kind = sl_json_string(sl_json_get(doc, "kind"));
    const char *version = sl_json_string(sl_json_get(metadata, "resourceVersion"));
    const char *uid = sl_json_string(sl_json_get(metadata, "uid"));
    if (its_kind == NULL || strcmp(its_kind, kind) != 0)
        return sl_fail(err, SL_PARSE, "the answer is no %s", kind);
    if (version == NULL || version[0] == '\0' || strlen(version) >= sizeof(ret->version))
        return sl_fail(err, SL_PARSE, "a %s without a usable resourceVersion", kind);
    memcpy(ret->version, version, strlen(version) + 1);
    if (uid != NULL && strlen(uid) < sizeof(ret->uid))
        memcpy(ret->uid, uid, strlen(uid) + 1);
    if (!sl_json_is_object(sl_json_get(doc, "spec")))
        return sl_fail(err, SL_PARSE, "a %s without spec", kind);
    return SL_OK;
}

static int read_scale(const struct sl_json *doc, struct sl_kube_scale *ret, struct sl_error *err) {
    struct sl_kube_scale scale = {.is_unset = false};
    int code = read_metadata(doc, "Scale", &scale, err);
    if (code == SL_OK)
        code = read_count(sl_json_get(doc, "spec"), "replicas", &scale.replicas, err);
    if (code == SL_OK)
        code = read_count(sl_json_get(doc, "status"), "replicas", &scale.actual_replicas, err);
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

static int read_pool(const struct sl_json *doc, struct sl_kube_scale *ret, struct sl_error *err) {
    struct sl_kube_scale scale = {.is_unset = false};
    const struct sl_json *spec = sl_json_get(doc, "spec");
    const struct sl_json *size = sl_json_get(spec, "poolSize");
    int code = read_metadata(doc, "WorkerPool", &scale, err);
    if (code == SL_OK)
        code = read_count(spec, "poolSize", &scale.replicas, err);
    if (code == SL_OK)
        code =
            read_count(sl_json_get(doc, "status"), "actualPoolSize", &scale.actual_replicas, err);
    scale.is_unset = size == NULL || sl_json_is_null(size);
    if (code == SL_OK)
        *ret = scale;
    return code;
}

int sl_kube_pool_parse(const char *bytes, size_t len, const struct sl_kube_annotations *annotations,
                       struct sl_kube_scale *ret, struct sl_error *err) {
    struct sl_json *doc = NULL;
    int code = sl_json_parse(bytes, len, &doc, err);
    if (code == SL_OK)
        code = read_pool(doc, ret, err);
    const struct sl_json *map = sl_json_get(sl_json_get(doc, "metadata"), "annotations");
    for (size_t i = 0; code == SL_OK && annotations != NULL && i < sl_json_size(map); i++) {
        const char *value = sl_json_string(sl_json_at(map, i));
        const char *key = sl_json_key(sl_json_at(map, i));
        if (key != NULL && value != NULL)
            annotations->take(annotations->context, key, value);
    }
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
