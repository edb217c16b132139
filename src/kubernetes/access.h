/* Asks a server what we may do there: SelfSubjectAccessReview (authorization.k8s.io/v1), which
 * every account may create. Blocks up to the timeout of the client. */
#ifndef SL_KUBERNETES_ACCESS_H
#define SL_KUBERNETES_ACCESS_H

#include "kubernetes/client.h"
#include "kubernetes/manifests.h"

/* May we do verb by this rule of sl_kube_rules to that pool? SL_FORBIDDEN: no; the message is the
 * rule of a Role that is missing. kube_namespace NULL: that of the credentials. lease_name stands
 * in for the name in the rules about leases. */
int sl_kube_access_check(struct sl_kube_client *c, const struct sl_kube_rule *rule,
                         const char *verb, const char *kube_namespace, const char *worker_pool,
                         const char *lease_name, struct sl_error *err) SL_CHECKED;

/* Pure: the question and its answer. SL_PARSE: no SelfSubjectAccessReview. */
void sl_kube_access_ask(const struct sl_kube_rule *rule, const char *verb,
                        const char *kube_namespace, const char *name, struct sl_buffer *out);
int sl_kube_access_parse(const char *bytes, size_t len, bool *ret, struct sl_error *err) SL_CHECKED;

#endif
