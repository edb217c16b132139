/* What must outlive a restart, as lines of text: what decide() remembers, so that what was wanted
 * during the last ScaleInWindow is not forgotten; notifications in force, because the floor they
 * raise is still needed; and sizes that somebody else wrote, because what ForeignSize says of them
 * still holds. Times are written on the wall clock, because the monotonic one
 * begins anew with the machine; what lies in the future when it is read (a clock put back) counts
 * as now: a window may then last longer, never shorter. Pure. */
#ifndef SL_SCALER_STATE_H
#define SL_SCALER_STATE_H

#include "base/buffer.h"
#include "scaler/alarm.h"
#include "scaler/foreign.h"
#include "scaler/policy.h"

enum { SL_STATE_KEY_BYTES = 512, SL_STATE_LINE_BYTES = 16384 };

/* The two clocks, read together. */
struct sl_clocks {
    int64_t now_ms; /* monotonic */
    int64_t realtime_ms;
};

/* Appends one line with its newline. key names the pool; cut at SL_STATE_KEY_BYTES - 1. */
void sl_state_save(const struct sl_scaler_state *state, const char *key,
                   const struct sl_clocks *clocks, struct sl_buffer *out);

/* The same for a notification in force, by the name of its block, and for sizes of others. Those
 * that are over leave no line. */
void sl_state_save_alarm(const struct sl_alarm *alarm, const char *key,
                         const struct sl_clocks *clocks, struct sl_buffer *out);
void sl_state_save_foreign(const struct sl_foreign *foreign, const char *key,
                           const struct sl_clocks *clocks, struct sl_buffer *out);

/* Where a line goes; what is NULL is passed over. Members that are missing are as in a fresh state;
 * an alarm has no options. */
struct sl_state_sink {
    void *context;
    void (*put_state)(void *context, const char *key, const struct sl_scaler_state *state);
    void (*put_alarm)(void *context, const char *key, const char *name,
                      const struct sl_alarm *alarm);
    void (*put_foreign)(void *context, const char *key, const struct sl_foreign *foreign);
};

/* Reads a line (without its newline). SL_PARSE, and nothing put, for one that is not ours. */
int sl_state_load(const char *line, size_t len, const struct sl_clocks *clocks,
                  const struct sl_state_sink *sink, struct sl_error *err) SL_CHECKED;

#endif
