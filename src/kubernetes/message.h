/* The messages of the Kubernetes API that a scaler needs (pure half).
 *
 * Scale is autoscaling/v1 (k8s.io/api/autoscaling/v1/types.go): spec.replicas is omitempty, so a
 * pool of 0 workers comes without it. Status is meta/v1 (apimachinery pkg/apis/meta/v1/types.go).
 */
#ifndef SL_KUBERNETES_MESSAGE_H
#define SL_KUBERNETES_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum { SL_KUBE_VERSION_BYTES = 64 };

struct sl_kube_scale {
    bool is_unset;           /* spec.poolSize was never set: nothing else here is known */
    int32_t replicas;        /* spec.replicas */
    int32_t actual_replicas; /* status.replicas; 0 until a controller has written it */
    char version[SL_KUBE_VERSION_BYTES]; /* metadata.resourceVersion, opaque */
};

/* SL_PARSE: not a Scale, a size below 0, a resourceVersion that is missing or too long. */
int sl_kube_scale_parse(const char *bytes, size_t len, struct sl_kube_scale *ret,
                        struct sl_error *err) SL_CHECKED;

/* The merge patch (RFC 7396) that sets the size; with a version it fails with 409 when somebody
 * else has written meanwhile. version "": no precondition. */
void sl_kube_scale_patch_body(int32_t replicas, const char *version, struct sl_buffer *out);

/* A server answers GET on scale with 500 while spec.poolSize is unset; the words are those of
 * apiextensions-apiserver pkg/registry/customresource/etcd.go. */
bool sl_kube_says_unset(int http_status, const char *bytes, size_t len);

/* An error answer in words: "HTTP 403 Forbidden: ..." from a Status, else what the body allows. */
void sl_kube_describe_failure(int http_status, const char *bytes, size_t len, char *out,
                              size_t size);

#endif
