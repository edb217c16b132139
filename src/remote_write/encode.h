/* Remote write 1.0 messages, byte by byte: no message tree is ever built.
 * Source: prometheus/prometheus prompb/remote.proto and prompb/types.proto; the specification is
 * prometheus.io/docs/specs/prw/remote_write_spec. Pure; any thread.
 *
 *   WriteRequest { repeated TimeSeries timeseries = 1; }
 *   TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2; }
 *   Label        { string name = 1; string value = 2; }
 *   Sample       { double value = 1; int64 timestamp = 2; }
 */
#ifndef SL_REMOTE_WRITE_ENCODE_H
#define SL_REMOTE_WRITE_ENCODE_H

#include <stdint.h>

#include "base/buffer.h"

/* Appends one label as it stands in a TimeSeries. All labels of a series, one after the other, are
 * its label block: made once, copied into every request. */
void sl_encode_label(struct sl_buffer *out, const char *name, size_t name_len, const char *value,
                     size_t value_len);

/* Appends a TimeSeries with one sample to a WriteRequest. timestamp_ms: Unix time. Values are sent
 * as they are, but for NaN: any of them becomes the quiet one, because one bit pattern means that
 * the series has ended (prometheus/model/value). */
void sl_encode_sample(struct sl_buffer *out, const char *labels, size_t labels_len, double value,
                      int64_t timestamp_ms);

/* Snappy's block format, the only one remote write takes. Replaces the content of out. */
int sl_encode_compress(const struct sl_buffer *message, struct sl_buffer *out,
                       struct sl_error *err) SL_CHECKED;

#endif
