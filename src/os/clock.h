/* The time. Code that computes takes it as an argument; only loops and plugins ask here. Any
 * thread. */
#ifndef SL_OS_CLOCK_H
#define SL_OS_CLOCK_H

#include <stdint.h>

int64_t sl_clock_monotonic_ms(void); /* for durations; never goes back */
int64_t sl_clock_monotonic_ns(void);
int64_t sl_clock_left_ms(int64_t until_ms); /* monotonic; 0: it is over */
int64_t sl_clock_realtime_ms(void); /* since 1970-01-01 UTC; for stamps and for a server's expiry */

#endif
