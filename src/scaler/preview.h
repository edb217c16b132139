/* What the scaler would decide on a pool at this moment, for people who want to know before it
 * does: sl_policy_decide() with the schedules and the pause of the options, and with no memory, as
 * after a first start. Reads time zone files. */
#ifndef SL_SCALER_PREVIEW_H
#define SL_SCALER_PREVIEW_H

#include "scaler/options.h"

struct sl_preview {
    struct sl_decision decision;
    char why[SL_ERROR_TEXT_BYTES];
};

/* current: spec.replicas, or SL_SIZE_UNSET. SL_CONFIG: a schedule or a time that cannot be read. */
int sl_preview(const struct sl_pool_options *pool, int64_t runs_pending, int64_t workers_busy,
               int32_t current, int64_t realtime_ms, struct sl_preview *ret,
               struct sl_error *err) SL_CHECKED;

#endif
