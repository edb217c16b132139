/* The size of a WorkerPool as the Kubernetes API spells it (pure half): the resource itself, and
 * its scale subresource.
 *
 * Scale is autoscaling/v1 (k8s.io/api/autoscaling/v1/types.go): spec.replicas is omitempty, so a
 * pool of 0 workers comes without it. */
#ifndef SL_KUBERNETES_MESSAGE_H
#define SL_KUBERNETES_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum { SL_KUBE_VERSION_BYTES = 64, SL_KUBE_UID_BYTES = 48 };

struct sl_kube_pool_name {
    const char *kube_namespace; /* NULL: that of the credentials */
    const char *worker_pool;
};

struct sl_kube_scale {
    bool is_unset;           /* spec.poolSize was never set: nothing else here is known */
    int32_t replicas;        /* spec.replicas */
    int32_t actual_replicas; /* status.replicas; 0 until a controller has written it */
    char version[SL_KUBE_VERSION_BYTES]; /* metadata.resourceVersion, opaque */
    char uid[SL_KUBE_UID_BYTES];         /* another one: deleted and made anew; "": not said */
};

/* Called for each annotation; may be NULL. */
struct sl_kube_annotations {
    void (*take)(void *context, const char *key, const char *value);
    void *context;
};

/* SL_PARSE: not a Scale, a size below 0, a resourceVersion that is missing or too long. */
int sl_kube_scale_parse(const char *bytes, size_t len, struct sl_kube_scale *ret,
                        struct sl_error *err) SL_CHECKED;

/* The same from the WorkerPool itself (spec.poolSize, status.actualPoolSize), and its annotations;
 * they are handed out only if all of it is good. */
int sl_kube_pool_parse(const char *bytes, size_t len, const struct sl_kube_annotations *annotations,
                       struct sl_kube_scale *ret, struct sl_error *err) SL_CHECKED;

/* The merge patch (RFC 7396) that sets the size; with a version it fails with 409 when somebody
 * else has written meanwhile. version "": no precondition. */
void sl_kube_scale_patch_body(int32_t replicas, const char *version, struct sl_buffer *out);

#endif
