/* Status, in and in words. */
#include "kubernetes/status.h"

#include <stdio.h>
#include <string.h>

#include "base/json_document.h"

static void copy(const struct sl_json *value, char *out, size_t size) {
    const char *text = sl_json_string(value);
    (void)snprintf(out, size, "%s", text != NULL ? text : "");
}

int sl_kube_status_parse(const char *bytes, size_t len, struct sl_kube_status *ret,
                         struct sl_error *err) {
    struct sl_json *doc = NULL;
    int64_t seconds = 0;
    int code = sl_json_parse(bytes, len, &doc, err);
    if (code != SL_OK)
        return code;
    const char *kind = sl_json_string(sl_json_get(doc, "kind"));
    if (kind == NULL || strcmp(kind, "Status") != 0) {
        sl_json_free(doc);
        return sl_fail(err, SL_PARSE, "the answer is no Status");
    }
    struct sl_kube_status s = {.retry_after_ms = -1};
    const struct sl_json *details = sl_json_get(doc, "details");
    copy(sl_json_get(doc, "reason"), s.reason, sizeof(s.reason));
    copy(sl_json_get(doc, "message"), s.message, sizeof(s.message));
    const char *name = sl_json_string(sl_json_get(details, "name"));
    s.is_about_object = name != NULL && name[0] != '\0';
    if (sl_json_int64(sl_json_get(details, "retryAfterSeconds"), &seconds) && seconds > 0 &&
        seconds < 86400)
        s.retry_after_ms = seconds * 1000;
    *ret = s;
    sl_json_free(doc);
    return SL_OK;
}

bool sl_kube_says_unset(int http_status, const char *bytes, size_t len) {
    struct sl_kube_status s;
    return http_status == 500 && sl_kube_status_parse(bytes, len, &s, NULL) == SL_OK &&
           strstr(s.message, "spec replicas field") != NULL &&
           strstr(s.message, "does not exist") != NULL;
}

/* s NULL: the body was no Status. */
static const char *advice(int http_status, const struct sl_kube_status *s) {
    switch (http_status) {
    case 401:
        return "; the token or certificate is not valid, or not any more";
    case 403:
        return "; give it that right: the example rbac.yaml has every one that is used";
    case 404:
        if (s == NULL || !s->is_about_object)
            return "; is the WorkerPool CRD installed, and is this the API server?";
        return "; check Namespace and WorkerPool";
    case 410:
        return "; the server no longer has this version of it";
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
        return "; nothing is written until the server takes it: is it newer than this plugin?";
    case 422:
        return "; a limit of the WorkerPool's definition or an admission rule";
    default:
        return "";
    }
}

void sl_kube_explain(const char *bytes, size_t len, struct sl_error *err) {
    struct sl_kube_status s;
    struct sl_error why = *err;
    bool has_status = sl_kube_status_parse(bytes, len, &s, NULL) == SL_OK;
    if (has_status)
        sl_fail(&why, err->code, "HTTP %d %s: %s%s", err->http_status, s.reason, s.message,
                advice(err->http_status, &s));
    else if (err->http_status == 404)
        sl_fail(&why, err->code, "HTTP 404 without a Kubernetes status%s", advice(404, NULL));
    else /* the text of sl_http_check_status() quotes a text body */
        sl_fail(&why, err->code, "%s%s", err->text, advice(err->http_status, NULL));
    why.http_status = err->http_status;
    why.retry_after_ms = err->retry_after_ms;
    if (has_status && why.retry_after_ms < 0)
        why.retry_after_ms = s.retry_after_ms;
    *err = why;
}
