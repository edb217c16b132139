/* From a collectd value to the 64 bits that are sent. */
#include "remote_write/value.h"

#include <math.h>
#include <string.h>

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

uint64_t sl_value_bits_of_gauge(double value) {
    return isnan(value) ? SL_VALUE_NAN_BITS : bits_of(value);
}

uint64_t sl_value_bits_of_unsigned(uint64_t value) {
    return bits_of((double)value);
}

uint64_t sl_value_bits_of_signed(int64_t value) {
    return bits_of((double)value);
}
