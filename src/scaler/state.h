/* What decide() remembers, as a line of text: so that a restart does not forget what was wanted
 * during the last ScaleInWindow. Times are written on the wall clock, because the monotonic one
 * begins anew with the machine; what lies in the future when it is read (a clock put back) counts
 * as now: a window may then last longer, never shorter. Pure. */
#ifndef SL_SCALER_STATE_H
#define SL_SCALER_STATE_H

#include "base/buffer.h"
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

/* Reads a line (without its newline). key has SL_STATE_KEY_BYTES. Members that are missing are as
 * in a fresh state; SL_PARSE, and nothing written, for a line that is not one of ours. */
int sl_state_load(const char *line, size_t len, const struct sl_clocks *clocks, char *key,
                  struct sl_scaler_state *ret, struct sl_error *err) SL_CHECKED;

#endif
