/* The time. */
#include "os/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t sl_clock_monotonic_ns(void) {
    return read_ns(CLOCK_MONOTONIC);
}

int64_t sl_clock_monotonic_ms(void) {
    return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t sl_clock_left_ms(int64_t until_ms) {
    int64_t left_ms = until_ms - sl_clock_monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}

int64_t sl_clock_realtime_ms(void) {
    return read_ns(CLOCK_REALTIME) / 1000000;
}
