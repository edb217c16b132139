/* WorkerPools (workers.spacelift.io/v1beta1) on an API server: read, and resized through their
 * scale subresource, never otherwise: who may patch the resource itself may also change what runs
 * in its pods. */
#ifndef SL_KUBERNETES_WORKERPOOLS_H
#define SL_KUBERNETES_WORKERPOOLS_H

#include "kubernetes/client.h"
#include "kubernetes/message.h"
#include "kubernetes/version_list.h"

#define SL_KUBE_WORKERPOOLS_GROUP "workers.spacelift.io"
#define SL_KUBE_WORKERPOOLS       SL_KUBE_WORKERPOOLS_GROUP "/v1beta1"

/* Size and annotations, in one request: GET of the WorkerPool. */
int sl_kube_pool_get(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                     const struct sl_kube_annotations *annotations, struct sl_kube_scale *ret,
                     struct sl_error *err) SL_CHECKED;

/* In which version is it? From the server's cache, which costs it less than half of the above and
 * may be some moments old. Of ret only version and uid. */
int sl_kube_pool_get_version(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                             struct sl_kube_scale *ret, struct sl_error *err) SL_CHECKED;

/* The same of all WorkerPools of a namespace, in one request (LIST); what has been taken counts
 * only after SL_OK. ret_count: how many there are. */
int sl_kube_pool_list_versions(struct sl_kube_client *c, const char *kube_namespace,
                               void (*take)(void *context, const struct sl_kube_version *item),
                               void *context, size_t *ret_count, struct sl_error *err) SL_CHECKED;

/* Size alone, for a role without the right above. A pool that never had a size is is_unset. */
int sl_kube_scale_get(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                      struct sl_kube_scale *ret, struct sl_error *err) SL_CHECKED;

/* version "": no precondition. timeout_ms 0: that of the settings. is_dry_run: the server checks
 * rights, limits and admission, and keeps nothing. */
int sl_kube_scale_patch(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                        int32_t replicas, const char *version, int64_t timeout_ms, bool is_dry_run,
                        struct sl_kube_scale *ret, struct sl_error *err) SL_CHECKED;

#endif
