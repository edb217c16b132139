/* What people order about a pool, by option or by annotation on its WorkerPool resource: pause, no
 * scale-in, no scale-out, a floor for a while, wake up. Pure.
 *
 * Annotations, ours and those people know from KEDA (kedacore/keda-docs, "Pause autoscaling"):
 *   collectd-spacelift/pause            true | all | scale-in | scale-out
 *   collectd-spacelift/pause-workers    N: set this size and keep it
 *   collectd-spacelift/pause-until      2026-08-20T18:00:00Z: the end of these two
 *   collectd-spacelift/min-workers      N: a floor for a while
 *   collectd-spacelift/min-workers-until
 *   collectd-spacelift/force-activation true
 *   collectd-spacelift/force-activation-until
 *   autoscaling.keda.sh/paused, paused-replicas, paused-scale-in, paused-scale-out,
 * force-activation
 *
 * As with KEDA a pause whose value cannot be read is a pause: somebody at 3 a.m. meant one. */
#ifndef SL_SCALER_ORDERS_H
#define SL_SCALER_ORDERS_H

#include "base/civil.h"
#include "scaler/policy.h"

enum { SL_ORDER_TEXT_BYTES = 128, SL_ORDER_PROBLEM_BYTES = 400 };

enum sl_pause {
    SL_PAUSE_NONE,
    SL_PAUSE_ALL,
    SL_PAUSE_SCALE_IN,
    SL_PAUSE_SCALE_OUT,
};

struct sl_orders {
    enum sl_pause pause;
    int32_t pause_workers;                /* SL_SIZE_UNSET: whatever the size is */
    int64_t pause_until_ms;               /* wall clock; INT64_MAX: no end */
    char pause_text[SL_ORDER_TEXT_BYTES]; /* whose it is: "option Pause", "annotation ..." */
    int32_t floor;
    int64_t floor_until_ms;
    char floor_text[SL_ORDER_TEXT_BYTES];
    bool is_forced_active;
    int64_t active_until_ms;
    char problem[SL_ORDER_PROBLEM_BYTES]; /* annotations that cannot be read, and what is made of
                                             them; "" if there are none */
};

/* No orders. */
void sl_orders_init(struct sl_orders *orders);

/* One annotation; keys that are not ours are passed over. */
void sl_orders_add_annotation(struct sl_orders *orders, const char *key, const char *value);

/* Adds the orders that hold at realtime_ms to those in c. Returns the moment (wall clock) at which
 * one of them ends; INT64_MAX if none does. */
int64_t sl_orders_apply(const struct sl_orders *orders, int64_t realtime_ms,
                        struct sl_conditions *c);

#endif
