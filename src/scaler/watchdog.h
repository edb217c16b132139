/* Does the WorkerPool follow? A size that was asked for and is not there after a while is an alarm;
 * decisions go on meanwhile, nothing waits for it. Pure; one thread at a time. */
#ifndef SL_SCALER_WATCHDOG_H
#define SL_SCALER_WATCHDOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum sl_watch {
    SL_WATCH_QUIET,
    SL_WATCH_NEVER_SET, /* poolSize is not in the spec */
    SL_WATCH_EMPTY,     /* no worker of any exists: actualPoolSize is 0 or was never reported */
    SL_WATCH_BEHIND,    /* fewer than asked for */
};

/* All zero is a start. */
struct sl_watchdog {
    bool has_begun;
    int32_t size;        /* asked for */
    int32_t actual;      /* there */
    int64_t since_ms;    /* neither has changed since */
    enum sl_watch watch; /* what is told */
};

/* After each reading of the scale. Returns true where there is news: *ret is QUIET when it is over.
 * timeout_ms 0: never. */
bool sl_watchdog_look(struct sl_watchdog *w, int32_t size, int32_t actual, int64_t timeout_ms,
                      int64_t now_ms, enum sl_watch *ret);

/* When to look again if nothing happens before; INT64_MAX: not needed. */
int64_t sl_watchdog_due(const struct sl_watchdog *w, int64_t timeout_ms);

/* One line: "asked for 3 workers, 1 is there for 300 s: ...". */
void sl_watchdog_describe(const struct sl_watchdog *w, int64_t now_ms, char *out, size_t size);

#endif
