/* What an API server says when it refuses (pure half): Status of meta/v1
 * (k8s.io/apimachinery pkg/apis/meta/v1/types.go), in words that say what to do. */
#ifndef SL_KUBERNETES_STATUS_H
#define SL_KUBERNETES_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sl_kube_status {
    char reason[48];        /* "Forbidden", "AlreadyExists"; "" where there is none */
    char message[320];      /* cut; names verb, resource, group and namespace of a missing right */
    bool is_about_object;   /* details.name: one object is meant, not the kind or the path */
    int64_t retry_after_ms; /* details.retryAfterSeconds; -1: not said */
};

/* SL_PARSE: not a Status (a proxy's HTML, "404 page not found", an answer cut off). */
int sl_kube_status_parse(const char *bytes, size_t len, struct sl_kube_status *ret,
                         struct sl_error *err) SL_CHECKED;

/* Says in *err what an answer that is not 2xx means and what to do; code, HTTP status and
 * retry-after of err are kept, save that a Status's own retry-after stands in for a missing one. */
void sl_kube_explain(const char *bytes, size_t len, struct sl_error *err);

/* A server answers GET on scale with 500 while spec.poolSize is unset; the words are those of
 * apiextensions-apiserver pkg/registry/customresource/etcd.go. */
bool sl_kube_says_unset(int http_status, const char *bytes, size_t len);

#endif
