/* The order of samples within a message: a radix sort, two passes over half of the bits each. */
#include "remote_write/batch_order.h"

#include <string.h>

#include "remote_write/series_set.h"

enum { PASS_BITS = SL_ORDER_BITS / 2, BINS = 1 << PASS_BITS };

static void pass(const uint64_t *from, uint64_t *to, size_t count, unsigned shift) {
    uint32_t starts[BINS] = {0}, sum = 0;
    for (size_t i = 0; i < count; i++)
        starts[from[i] >> shift & (BINS - 1)]++;
    for (size_t i = 0; i < BINS; i++) {
        uint32_t here = starts[i];
        starts[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i] >> shift & (BINS - 1)]++] = from[i];
}

void sl_order_sort(uint64_t *keys, uint64_t *scratch, size_t count) {
    pass(keys, scratch, count, 32);
    pass(scratch, keys, count, 32 + PASS_BITS);
}
