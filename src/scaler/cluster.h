/* The real cluster behind a controller: sizes read and written by a Kubernetes client in the
 * controller's thread; election, events and rights in an attendant's (kubernetes/attendant.h). */
#ifndef SL_SCALER_CLUSTER_H
#define SL_SCALER_CLUSTER_H

#include "base/log.h"
#include "os/wakeup.h"
#include "scaler/controller.h"
#include "scaler/options.h"
#include "spacelift/values.h"

struct sl_cluster;

/* Reads the kubeconfig files, or the pod's credentials; opens no connection, runs nothing.
 * SL_CONFIG names the cluster and what is wrong. pools are those of this cluster. stop ends
 * requests under way; log gets warnings. All of it must outlive the cluster. */
int sl_cluster_new(const struct sl_cluster_options *options,
                   const struct sl_pool_options *const *pools, size_t pool_count,
                   const struct sl_wakeup *stop, const struct sl_log *log, struct sl_cluster **ret,
                   struct sl_error *err) SL_CHECKED;

/* Starts the attendant. on_leadership is called in its thread when this process begins or ceases
 * to be the one that writes; may be NULL. */
int sl_cluster_start(struct sl_cluster *c, void (*on_leadership)(void *context), void *context,
                     struct sl_error *err) SL_CHECKED;

/* In place of start and stop, around a controller's run_once; an event then tells of what was
 * written only, because the next run does not know what this one has told. */
int sl_cluster_begin_once(struct sl_cluster *c, struct sl_error *err) SL_CHECKED;
void sl_cluster_end_once(struct sl_cluster *c);

/* The controller has ended, nothing is being written: gives the lease back, if there is one, within
 * 0.7 s. begin does not wait. */
void sl_cluster_begin_stop(struct sl_cluster *c);
void sl_cluster_stop(struct sl_cluster *c);
void sl_cluster_free(struct sl_cluster *c);

/* Calls out->put for each credential of the cluster whose end is known; reads the kubeconfig files.
 * Any thread. */
void sl_cluster_put_expiry(const struct sl_cluster *c, const struct sl_values_out *out);

/* Valid as long as the cluster; for one thread at a time. */
struct sl_scale_ops sl_cluster_ops(struct sl_cluster *c);

#endif
