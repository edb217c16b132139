/* The real way to read and write sizes: the operations of a controller over a Kubernetes client. */
#ifndef SL_SCALER_CLUSTER_H
#define SL_SCALER_CLUSTER_H

#include "base/log.h"
#include "os/wakeup.h"
#include "scaler/controller.h"
#include "scaler/options.h"

struct sl_cluster;

/* Reads the kubeconfig file, or the pod's credentials; opens no connection. SL_CONFIG names the
 * cluster and what is wrong. stop ends requests under way; log gets warnings about the files. Both
 * must outlive the cluster. */
int sl_cluster_new(const struct sl_cluster_options *options, const struct sl_wakeup *stop,
                   const struct sl_log *log, struct sl_cluster **ret,
                   struct sl_error *err) SL_CHECKED;
void sl_cluster_free(struct sl_cluster *c);

/* Valid as long as the cluster; for one thread at a time. */
struct sl_scale_ops sl_cluster_ops(struct sl_cluster *c);

#endif
