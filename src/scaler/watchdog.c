/* What the pool was asked for, what is there, and since when. */
#include "scaler/watchdog.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/times.h"
#include "scaler/policy.h"

static enum sl_watch trouble_of(int32_t size, int32_t actual) {
    if (size == SL_SIZE_UNSET) {
        return SL_WATCH_NEVER_SET;
    }
    if (actual >= size) { /* more: they end with their runs */
        return SL_WATCH_QUIET;
    }
    return actual <= 0 ? SL_WATCH_EMPTY : SL_WATCH_BEHIND;
}

bool sl_watchdog_look(struct sl_watchdog *w, int32_t size, int32_t actual, int64_t timeout_ms,
                      int64_t now_ms, enum sl_watch *ret) {
    enum sl_watch trouble = trouble_of(size, actual);
    bool is_progress = !w->has_begun || size != w->size || actual > w->actual;

    if (is_progress || trouble == SL_WATCH_QUIET) {
        w->since_ms = now_ms;
    }
    w->has_begun = true;
    w->size = size;
    w->actual = actual;
    if (timeout_ms <= 0 || sl_time_since(now_ms, w->since_ms) < timeout_ms) {
        if (trouble != SL_WATCH_QUIET) { /* not over, not yet long enough */
            return false;
        }
    }
    if (timeout_ms <= 0 || trouble == w->watch) {
        return false;
    }
    w->watch = trouble;
    *ret = trouble;
    return true;
}

int64_t sl_watchdog_due(const struct sl_watchdog *w, int64_t timeout_ms) {
    bool is_over = !w->has_begun || trouble_of(w->size, w->actual) == SL_WATCH_QUIET;

    return timeout_ms <= 0 || is_over ? INT64_MAX : sl_time_add(w->since_ms, timeout_ms);
}

void sl_watchdog_describe(const struct sl_watchdog *w, int64_t now_ms, char *out, size_t size) {
    int64_t since_s = sl_time_since(now_ms, w->since_ms) / 1000;

    switch (w->watch) {
    case SL_WATCH_NEVER_SET:
        (void)snprintf(out, size,
                       "poolSize was never set on the WorkerPool, and nothing is known "
                       "that would set it");
        break;
    case SL_WATCH_EMPTY:
        (void)snprintf(out, size,
                       "asked for %" PRId32 " workers, none is there for %" PRId64
                       " s (actualPoolSize is 0 or empty): does the worker pool controller run, "
                       "and are the pool's credentials right?",
                       w->size, since_s);
        break;
    case SL_WATCH_BEHIND:
        (void)snprintf(out, size,
                       "asked for %" PRId32 " workers, %" PRId32 " there for %" PRId64
                       " s: is there room in the cluster, or a quota?",
                       w->size, w->actual, since_s);
        break;
    case SL_WATCH_QUIET:
        (void)snprintf(out, size, "the pool has the %" PRId32 " workers it was asked for", w->size);
        break;
    }
}
