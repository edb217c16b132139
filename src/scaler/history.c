/* The sliding maximum behind the scale-in window. Fixed memory, because one lives in the state of
 * every pool and decide() must not allocate. */
#include "scaler/history.h"

#include <string.h>

#include "base/times.h"

static void remove_peaks(struct sl_history *h, size_t first, size_t n) {
    memmove(&h->peaks[first], &h->peaks[first + n], (h->count - first - n) * sizeof h->peaks[0]);
    h->count -= n;
}

static void forget_old(struct sl_history *h, int64_t now_ms, int64_t window_ms) {
    size_t old = 0;

    while (old < h->count && sl_time_since(now_ms, h->peaks[old].at_ms) >= window_ms) {
        old++;
    }
    if (old > 0) {
        remove_peaks(h, 0, old);
    }
}

/* Makes room where it costs least: between the two neighbours whose values differ least. */
static void merge_nearest(struct sl_history *h) {
    size_t best = 0;

    for (size_t i = 1; i + 1 < h->count; i++) {
        if (h->peaks[i].wanted - h->peaks[i + 1].wanted <
            h->peaks[best].wanted - h->peaks[best + 1].wanted) {
            best = i;
        }
    }
    h->peaks[best].at_ms = h->peaks[best + 1].at_ms;
    remove_peaks(h, best + 1, 1);
}

void sl_history_add(struct sl_history *h, int64_t at_ms, int32_t wanted, int64_t window_ms) {
    if (wanted < 0) {
        wanted = 0;
    }
    if (h->count > 0 && at_ms < h->peaks[h->count - 1].at_ms) {
        at_ms = h->peaks[h->count - 1].at_ms;
    }
    forget_old(h, at_ms, window_ms);
    while (h->count > 0 && h->peaks[h->count - 1].wanted <= wanted) {
        h->count--;
    }
    if (h->count == SL_HISTORY_PEAKS) {
        merge_nearest(h);
    }
    h->peaks[h->count].at_ms = at_ms;
    h->peaks[h->count].wanted = wanted;
    h->count++;
}

int32_t sl_history_peak(const struct sl_history *h, int64_t now_ms, int64_t window_ms,
                        int64_t *ret_until_ms) {
    for (size_t i = 0; i < h->count; i++) {
        if (sl_time_since(now_ms, h->peaks[i].at_ms) < window_ms) {
            *ret_until_ms = sl_time_add(h->peaks[i].at_ms, window_ms);
            return h->peaks[i].wanted;
        }
    }
    return -1;
}
