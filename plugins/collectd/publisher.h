/* The thread of the scaler's plugin that talks to collectd: values each interval, a notification
 * for each thing people should hear. Apart from the scaler's own threads, because collectd runs
 * other plugins' notification callbacks in the thread that notifies, and they may block. */
#ifndef SL_PLUGINS_COLLECTD_PUBLISHER_H
#define SL_PLUGINS_COLLECTD_PUBLISHER_H

#include "scaler/scaler.h"

struct sl_publisher;

/* From the init callback. interval_ms 0: no values. The scaler must outlive it. */
int sl_publisher_start(struct sl_scaler *scaler, size_t pool_count, int64_t interval_ms,
                       struct sl_publisher **ret, struct sl_error *err) SL_CHECKED;

/* Ends the thread. One that hangs in somebody's notification callback is given half a second, and
 * then left to itself: it touches nothing of ours any more. NULL is no publisher. */
void sl_publisher_stop(struct sl_publisher *p);

#endif
