/* Talks to one API server about WorkerPools (workers.spacelift.io/v1beta1) and nothing else: reads
 * and writes the scale subresource, which is all that the Role in conf/kubernetes/rbac.yaml grants.
 * One thread at a time.
 *
 * Credentials are a kubeconfig's (token, token file, client certificate, user and password) or
 * those of the pod (k8s.io/client-go rest/config.go InClusterConfig). A token file is read again
 * every minute, and at once when the server answers 401: then the request is tried once more. */
#ifndef SL_KUBERNETES_CLIENT_H
#define SL_KUBERNETES_CLIENT_H

#include "base/log.h"
#include "kubernetes/message.h"
#include "net/http.h"

struct sl_kube_settings {
    const char *kubeconfig_path; /* NULL: in-cluster */
    const char *context;         /* NULL: current-context */
    int64_t timeout_ms;
};

struct sl_kube_client;

/* Reads the files, opens no connection. stop ends requests; log (may be NULL) gets warnings about
 * files; both must outlive the client. SL_CONFIG names the file and what to do. */
int sl_kube_client_new(const struct sl_kube_settings *settings, const struct sl_wakeup *stop,
                       const struct sl_log *log, struct sl_kube_client **ret,
                       struct sl_error *err) SL_CHECKED;
void sl_kube_client_free(struct sl_kube_client *c);

/* Of the context or the pod; "default" where neither says. Valid as long as the client. */
const char *sl_kube_client_namespace(const struct sl_kube_client *c);

/* Both name the WorkerPool and the server in their errors: SL_NOTFOUND, SL_FORBIDDEN, SL_AUTH,
 * SL_CONFLICT (409), SL_RATELIMIT, SL_REJECTED, SL_REMOTE, SL_PARSE and what net/http fails with.
 *
 * patch: after SL_CONFLICT, SL_FORBIDDEN, SL_NOTFOUND, SL_AUTH and SL_REJECTED nothing was
 * written; after any other failure nobody knows: get before deciding again. */
int sl_kube_scale_get(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                      struct sl_kube_scale *ret, struct sl_error *err) SL_CHECKED;
int sl_kube_scale_patch(struct sl_kube_client *c, const char *kube_namespace, const char *name,
                        int32_t replicas, const char *version, struct sl_kube_scale *ret,
                        struct sl_error *err) SL_CHECKED;

#endif
