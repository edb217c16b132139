#include "base/times.h"

int64_t sl_time_add(int64_t a_ms, int64_t b_ms) {
    int64_t sum;
    if (!__builtin_add_overflow(a_ms, b_ms, &sum))
        return sum;
    return b_ms > 0 ? INT64_MAX : INT64_MIN;
}

int64_t sl_time_since(int64_t a_ms, int64_t b_ms) {
    int64_t difference;
    if (!__builtin_sub_overflow(a_ms, b_ms, &difference))
        return difference;
    return b_ms < 0 ? INT64_MAX : INT64_MIN;
}

int64_t sl_time_earlier(int64_t a_ms, int64_t b_ms) {
    return a_ms < b_ms ? a_ms : b_ms;
}
