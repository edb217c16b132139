/* What a cluster needs for a worker pool and for its scaler, as YAML for `kubectl apply -f -`:
 * steps 4 and 6 of Spacelift's tutorial "Autoscaling native Kubernetes workers", and a service
 * account that may read and write the pool's size and nothing else. Step 5, the controller, is a
 * Helm chart of Spacelift. Pure; any thread. */
#ifndef SL_KUBERNETES_MANIFESTS_H
#define SL_KUBERNETES_MANIFESTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"

struct sl_manifests {
    const char *kube_namespace;
    const char *worker_pool; /* name of the resource */
    int64_t pool_size;
    const char *service_account;
    /* Each NULL: its secret is left out, because it is there already. */
    const struct sl_secret *private_key_pem; /* goes with pool_token */
    const struct sl_secret *pool_token;      /* the file downloaded with the worker pool */
    const struct sl_secret
        *api_key_secret; /* for Spacelift's exporter, under the tutorial's name */
};

#define SL_MANIFESTS_NAMESPACE "spacelift-worker-pool-controller-system"
#define SL_MANIFESTS_ACCOUNT   "collectd-spacelift"
#define SL_MANIFESTS_LEASE     "collectd-workerpool-scaler"

/* What the scaler asks of a cluster, a rule of its Role each; conf/kubernetes/rbac.yaml says the
 * same by hand, which a test compares. */
struct sl_kube_rule {
    const char *group;
    const char *resource;
    const char *subresource;   /* NULL: none */
    const char *resource_name; /* NULL: the pool's; "": any */
    const char *verbs[4];      /* NULL-terminated */
    const char *purpose;       /* what does not work without it, in words */
    bool is_optional;
};

extern const struct sl_kube_rule sl_kube_rules[]; /* ends with a rule without a resource */

/* What it can do without and makes use of, and what is in no Role that we print: names do not limit
 * it. */
extern const struct sl_kube_rule sl_kube_rule_list;

/* SL_CONFIG: a name that Kubernetes does not take, a secret without its other half. out holds
 * secrets afterwards: sl_buffer_wipe(). */
int sl_manifests_print(const struct sl_manifests *m, struct sl_buffer *out,
                       struct sl_error *err) SL_CHECKED;

/* RFC 1123: the names of most objects. */
bool sl_kube_name_is_valid(const char *name);

#endif
