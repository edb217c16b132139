/* Sums of times in milliseconds that hold at the ends of the range: the clock of a host may be
 * broken, and INT64_MAX means never. Pure. */
#ifndef SL_BASE_TIMES_H
#define SL_BASE_TIMES_H

#include <stdint.h>

/* a + b */
int64_t sl_time_add(int64_t a_ms, int64_t b_ms);

/* a - b */
int64_t sl_time_since(int64_t a_ms, int64_t b_ms);

int64_t sl_time_earlier(int64_t a_ms, int64_t b_ms);

#endif
