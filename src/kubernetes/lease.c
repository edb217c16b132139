/* Lease, in and out. */
#include "kubernetes/lease.h"

#include <stdio.h>
#include <string.h>

#include "base/json_document.h"
#include "base/json_writer.h"

static void copy(const struct sl_json *value, char *out, size_t size) {
    const char *text = sl_json_string(value);
    (void)snprintf(out, size, "%s", text != NULL ? text : "");
}

static int read_number(const struct sl_json *spec, const char *key, int32_t *ret,
                       struct sl_error *err) {
    const struct sl_json *value = sl_json_get(spec, key);
    int64_t number = 0;
    if (value != NULL && !sl_json_is_null(value) &&
        (!sl_json_int64(value, &number) || number < 0 || number > INT32_MAX))
        return sl_fail(err, SL_PARSE, "a Lease whose %s is no number", key);
    *ret = (int32_t)number;
    return SL_OK;
}

static int read_lease(const struct sl_json *doc, struct sl_lease *ret, struct sl_error *err) {
    struct sl_lease lease = {.version = ""};
    const struct sl_json *spec = sl_json_get(doc, "spec");
    const char *kind = sl_json_string(sl_json_get(doc, "kind"));
    const char *version =
        sl_json_string(sl_json_get(sl_json_get(doc, "metadata"), "resourceVersion"));
    if (kind == NULL || strcmp(kind, "Lease") != 0)
        return sl_fail(err, SL_PARSE, "the answer is no Lease");
    if (version == NULL || version[0] == '\0' || strlen(version) >= sizeof(lease.version))
        return sl_fail(err, SL_PARSE, "a Lease without a usable resourceVersion");
    copy(sl_json_get(sl_json_get(doc, "metadata"), "resourceVersion"), lease.version,
         sizeof(lease.version));
    copy(sl_json_get(spec, "holderIdentity"), lease.holder, sizeof(lease.holder));
    copy(sl_json_get(spec, "acquireTime"), lease.acquire_time, sizeof(lease.acquire_time));
    copy(sl_json_get(spec, "renewTime"), lease.renew_time, sizeof(lease.renew_time));
    int code = read_number(spec, "leaseDurationSeconds", &lease.duration_s, err);
    if (code == SL_OK)
        code = read_number(spec, "leaseTransitions", &lease.transitions, err);
    if (code == SL_OK)
        *ret = lease;
    return code;
}

int sl_lease_parse(const char *bytes, size_t len, struct sl_lease *ret, struct sl_error *err) {
    struct sl_json *doc = NULL;
    int code = sl_json_parse(bytes, len, &doc, err);
    if (code == SL_OK)
        code = read_lease(doc, ret, err);
    sl_json_free(doc);
    return code;
}

void sl_lease_write(const struct sl_lease *lease, const char *name, struct sl_buffer *out) {
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_object_begin(&w, NULL);
    sl_json_put_string(&w, "apiVersion", "coordination.k8s.io/v1");
    sl_json_put_string(&w, "kind", "Lease");
    sl_json_object_begin(&w, "metadata");
    sl_json_put_string(&w, "name", name);
    if (lease->version[0] != '\0')
        sl_json_put_string(&w, "resourceVersion", lease->version);
    sl_json_object_end(&w);
    sl_json_object_begin(&w, "spec");
    sl_json_put_string(&w, "holderIdentity", lease->holder);
    sl_json_put_int64(&w, "leaseDurationSeconds", lease->duration_s);
    sl_json_put_string(&w, "acquireTime", lease->acquire_time);
    sl_json_put_string(&w, "renewTime", lease->renew_time);
    sl_json_put_int64(&w, "leaseTransitions", lease->transitions);
    sl_json_object_end(&w);
    sl_json_object_end(&w);
}

bool sl_lease_is_same(const struct sl_lease *a, const struct sl_lease *b) {
    return strcmp(a->holder, b->holder) == 0 && a->duration_s == b->duration_s &&
           a->transitions == b->transitions && strcmp(a->acquire_time, b->acquire_time) == 0 &&
           strcmp(a->renew_time, b->renew_time) == 0;
}
