/* The scaler as a whole: what the plugin calls. Clusters with their credentials and threads, and
 * the way of a value list to the pool it is about. */
#ifndef SL_SCALER_SCALER_H
#define SL_SCALER_SCALER_H

#include <stdint.h>

#include "base/log.h"
#include "scaler/alarm.h"
#include "scaler/inbox.h"
#include "scaler/notices.h"
#include "scaler/options.h"
#include "scaler/report.h"

struct sl_scaler;

/* Checks the configuration and reads the kubeconfig files, so that mistakes show at start; opens no
 * connection, starts no thread. config and log must outlive the scaler. SL_CONFIG names the pool or
 * cluster and the option. */
int sl_scaler_new(struct sl_scaler_config *config, const struct sl_log *log, struct sl_scaler **ret,
                  struct sl_error *err) SL_CHECKED;

/* Starts the threads. Once, after sl_http_global_init(). */
int sl_scaler_start(struct sl_scaler *s, struct sl_error *err) SL_CHECKED;

/* For a program that is run anew for each batch of values, in place of start: resume before the
 * first take, so that values which the last run has seen do not count again; run_once after the
 * last. Returns when all clusters are done, or when deadline_ms is over and the rest is canceled.
 * The first failure; each has been logged. */
void sl_scaler_resume(struct sl_scaler *s);
int sl_scaler_run_once(struct sl_scaler *s, int64_t deadline_ms, struct sl_error *err) SL_CHECKED;

/* Any thread, also before start; copies and returns. Values of pools that are not configured are
 * noted by name. */
void sl_scaler_take(struct sl_scaler *s, const struct sl_pool_values *values, int64_t now_ms,
                    int64_t realtime_ms);

/* Any thread, also before start; copies and returns. For every pool that has a <Notification> for
 * it. */
void sl_scaler_hear(struct sl_scaler *s, const struct sl_notification *n);

/* Any thread: what is published of the pool of that place in the configuration. */
void sl_scaler_report(struct sl_scaler *s, size_t pool, struct sl_pool_report *ret);

/* Any thread: when the clusters' credentials end; reads their files. Calls out->put. */
void sl_scaler_put_expiry(const struct sl_scaler *s, const struct sl_values_out *out);

/* What people should hear; for one thread. As long as the scaler. */
struct sl_notices *sl_scaler_notices(struct sl_scaler *s);

/* Cancels what is under way and joins the threads, within milliseconds. May be called without
 * start and twice. */
void sl_scaler_stop(struct sl_scaler *s);

/* Stops, too. */
void sl_scaler_free(struct sl_scaler *s);

#endif
