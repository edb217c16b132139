/* Remote write messages, 1.0 and 2.0, byte by byte: no message tree is ever built. Sources:
 * prometheus/prometheus prompb/remote.proto, prompb/types.proto and
 * prompb/io/prometheus/write/v2/types.proto (2.0-rc.4); the specifications are
 * prometheus.io/docs/specs/prw/remote_write_spec and remote_write_spec_2_0.
 *
 *   1.0  WriteRequest { repeated TimeSeries timeseries = 1; }
 *        TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2; }
 *        Label        { string name = 1; string value = 2; }
 *        Sample       { double value = 1; int64 timestamp = 2; }
 *
 *   2.0  Request      { repeated string symbols = 4; repeated TimeSeries timeseries = 5; }
 *        TimeSeries   { repeated uint32 labels_refs = 1; repeated Sample samples = 2;
 *                       Metadata metadata = 5; }
 *        Sample       { double value = 1; int64 timestamp = 2; int64 start_timestamp = 3; }
 *        Metadata     { MetricType type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
 *
 * A TimeSeries has one sample, in the order in which they came: the specification lets a request
 * hold the same series twice, and receivers and their tests expect arrival order.
 *
 * Pure; the sender's thread. */
#ifndef SL_REMOTE_WRITE_ENCODE_H
#define SL_REMOTE_WRITE_ENCODE_H

#include "base/buffer.h"
#include "remote_write/protocol.h"
#include "remote_write/series_set.h"
#include "remote_write/snappy.h"

struct sl_sample {
    uint64_t bits;    /* of the value (value.h) */
    int64_t time_ms;  /* Unix time */
    int64_t start_ms; /* of a counter: since when it counts; 0: not known */
};

struct sl_encoder {
    enum sl_write_protocol protocol;
    uint64_t batch; /* stamps symbols; never the same twice in a process */
    uint32_t symbol_count;
    struct sl_buffer symbols; /* 2.0: the table so far */
    struct sl_buffer series;  /* the TimeSeries so far */
    struct sl_buffer records; /* of them, each a struct sl_snappy_record */
    size_t first;             /* where they begin in what has been ended */
};

/* max_bytes: of the message. */
void sl_encoder_init(struct sl_encoder *e, size_t max_bytes);
void sl_encoder_release(struct sl_encoder *e);

/* Begins a message. */
void sl_encoder_begin(struct sl_encoder *e, enum sl_write_protocol protocol);
void sl_encoder_add(struct sl_encoder *e, const struct sl_series *series,
                    const struct sl_sample *sample);

/* Ends it. The whole of it is the encoder's own, until the next begins. */
int sl_encoder_end(struct sl_encoder *e, const struct sl_buffer **ret,
                   struct sl_error *err) SL_CHECKED;

/* What has been ended, in snappy's block format, the only one remote write takes. Replaces the
 * content of out. */
int sl_encoder_compress(const struct sl_encoder *e, struct sl_buffer *out,
                        struct sl_error *err) SL_CHECKED;

#endif
