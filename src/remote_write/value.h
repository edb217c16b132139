/* From a collectd value to the 64 bits that are sent.
 *
 * A float64 travels as its bits, never as a double: the NaN that means "this series has ended" is a
 * signalling one, and passing it through a floating point register may change it
 * (prometheus/prometheus model/value/value.go; remote write 1.0, "Stale Markers").
 *
 *   GAUGE             as it is, infinities and -0 too; any NaN becomes the ordinary one, as
 *                     write_prometheus would expose it
 *   COUNTER, DERIVE,  the nearest float64. Above 2^53 not every integer has one; rounding keeps the
 *   ABSOLUTE          order, so a counter never seems to be reset by it.
 *
 * Pure; any thread. */
#ifndef SL_REMOTE_WRITE_VALUE_H
#define SL_REMOTE_WRITE_VALUE_H

#include <stdint.h>

#define SL_VALUE_NAN_BITS   UINT64_C(0x7ff8000000000001)
#define SL_VALUE_STALE_BITS UINT64_C(0x7ff0000000000002)

uint64_t sl_value_bits_of_gauge(double value);
uint64_t sl_value_bits_of_unsigned(uint64_t value); /* COUNTER, ABSOLUTE */
uint64_t sl_value_bits_of_signed(int64_t value);    /* DERIVE */

#endif
