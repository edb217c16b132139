/* Wakes a thread that sleeps or waits for a server: an eventfd. One thread waits; any thread may
 * signal, without blocking and without allocating.
 *
 * Two uses, one object each: "there is work" and "stop now". The second is what net/http takes to
 * cancel a request at once, so that stopping never waits for a timeout. */
#ifndef SL_OS_WAKEUP_H
#define SL_OS_WAKEUP_H

#include <stdint.h>

#include "base/error.h"

struct sl_wakeup {
    int fd; /* readable while signalled; for poll() and curl_multi_wait() */
};

int sl_wakeup_init(struct sl_wakeup *w, struct sl_error *err) SL_CHECKED;
void sl_wakeup_release(struct sl_wakeup *w);
void sl_wakeup_signal(struct sl_wakeup *w);
void sl_wakeup_clear(struct sl_wakeup *w);
bool sl_wakeup_is_signalled(const struct sl_wakeup *w);

/* Waits until a or b (b may be NULL) is signalled or timeout_ms is over (-1: no limit; 0: only
 * look). Clears nothing. */
void sl_wakeup_wait(const struct sl_wakeup *a, const struct sl_wakeup *b, int64_t timeout_ms);

#endif
