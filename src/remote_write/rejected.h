/* The dead-letter file: samples that a receiver has refused for good, as exposition text that
 * people can read and `promtool tsdb create-blocks-from openmetrics` can take after a look at them.
 *
 *   # 2026-11-24T23:10:22Z HTTP 400: the receiver's words
 *   name{label="value"} 42 1700000000123
 *
 * The sender's thread. */
#ifndef SL_REMOTE_WRITE_REJECTED_H
#define SL_REMOTE_WRITE_REJECTED_H

#include "remote_write/queue.h"

/* Appends a batch. A file that has grown past 64 MiB is renamed to PATH.old first, which replaces
 * the one before. SL_IO. */
int sl_rejected_append(const char *path, const struct sl_batch *batch, const char *reason,
                       int64_t now_ms, struct sl_error *err) SL_CHECKED;

/* One sample as it stands in the file; pure. */
void sl_rejected_format(struct sl_buffer *out, const struct sl_series *series, uint64_t bits,
                        int64_t time_ms);

#endif
