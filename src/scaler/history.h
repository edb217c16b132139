/* What was wanted lately: the highest value of a sliding window, in fixed memory.
 *
 * The scale-in window of the Horizontal Pod Autoscaler keeps every recommendation of the window
 * and takes the highest (kubernetes/kubernetes pkg/controller/podautoscaler/horizontal.go,
 * stabilizeRecommendation). Only values that no later one has reached can ever be that highest, so
 * only those are kept: strictly falling, oldest first. When SL_HISTORY_PEAKS are not enough two
 * neighbours become one with the higher value and the later time: the answer may then be too
 * high or last too long, never the other way round. Pure; one thread at a time. */
#ifndef SL_SCALER_HISTORY_H
#define SL_SCALER_HISTORY_H

#include <stddef.h>
#include <stdint.h>

enum { SL_HISTORY_PEAKS = 64 };

struct sl_peak {
    int64_t at_ms;
    int32_t wanted;
};

/* All zero is an empty history. */
struct sl_history {
    struct sl_peak peaks[SL_HISTORY_PEAKS];
    size_t count;
};

/* at_ms must not be before that of an earlier call; if it is, the earlier one counts. Forgets
 * what is window_ms old or older. */
void sl_history_add(struct sl_history *h, int64_t at_ms, int32_t wanted, int64_t window_ms);

/* The highest value seen after now_ms - window_ms, -1 if there is none. *ret_until_ms (only then
 * written) is the moment at which it leaves the window. */
int32_t sl_history_peak(const struct sl_history *h, int64_t now_ms, int64_t window_ms,
                        int64_t *ret_until_ms);

#endif
