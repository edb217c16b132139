/* What an API server tells of the pools of one cluster by itself, as news for a controller: on top
 * of kubernetes/watch.h it knows which changes are our own writes. Of the controller's thread. */
#ifndef SL_SCALER_CLUSTER_WATCH_H
#define SL_SCALER_CLUSTER_WATCH_H

#include "kubernetes/watch.h"
#include "scaler/controller.h"

struct sl_cluster_watch;

/* settings without group_version, plural, take and context. */
int sl_cluster_watch_new(const struct sl_kube_watch_settings *settings,
                         struct sl_cluster_watch **ret, struct sl_error *err) SL_CHECKED;
void sl_cluster_watch_free(struct sl_cluster_watch *w); /* may be NULL */

/* We have read the pool, or written it, and it is at that version: what comes of before it is old.
 */
void sl_cluster_watch_known(struct sl_cluster_watch *w, size_t index, const char *version);

/* We have tried to read it, and it is not there. */
void sl_cluster_watch_absent(struct sl_cluster_watch *w, size_t index);

/* As in struct sl_scale_ops. */
void sl_cluster_watch_wait(struct sl_cluster_watch *w, const struct sl_wakeup *work,
                           int64_t timeout_ms);
enum sl_news sl_cluster_watch_news(struct sl_cluster_watch *w, size_t index,
                                   struct sl_scale_reading *ret);

/* A WorkerPool as the controller sees it. */
struct sl_scale_reading sl_scale_reading_of(const struct sl_kube_scale *scale);
void sl_scale_reading_annotate(void *orders, const char *key, const char *value);

#endif
