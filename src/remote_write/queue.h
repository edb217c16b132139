/* Between the host's write threads and a sender: the series they have written and the samples that
 * wait. Memory is bounded: a full queue drops its oldest sample and counts it. Nothing here waits
 * for a network; the lock is held for a look-up and a copy.
 *
 * A series never goes back in time: collectd calls write callbacks from several threads, so two
 * values of one series can change places, and one sample out of order makes a receiver refuse the
 * whole request (prometheus/prometheus storage/remote/write_handler.go). */
#ifndef SL_REMOTE_WRITE_QUEUE_H
#define SL_REMOTE_WRITE_QUEUE_H

#include <stdint.h>

#include "remote_write/series.h"

struct sl_queue;
struct sl_series; /* a value list's identity; owned by the queue */

/* Value lists with more data sources are put in slices of this many. */
enum { SL_QUEUE_SOURCES_MAX = 32 };

struct sl_sample {
    struct sl_series *series;
    double value;
    int64_t timestamp_ms;
    uint32_t source;
};

/* accepted = acked + rejected + dropped_full + dropped_invalid + pending, at every moment. */
struct sl_queue_counts {
    uint64_t accepted;
    uint64_t acked;           /* a receiver has said so */
    uint64_t rejected;        /* it has refused them for good */
    uint64_t dropped_full;    /* the queue was full */
    uint64_t dropped_invalid; /* not newer than the one before, or no name could be made */
    uint64_t pending;
};

/* What rules point to must live as long as the queue. */
int sl_queue_new(size_t capacity, const struct sl_series_rules *rules, struct sl_queue **ret,
                 struct sl_error *err) SL_CHECKED;
void sl_queue_free(struct sl_queue *q);

/* Any thread. first: the number of id's first data source within its value list. NaNs that
 * sl_series_omits_nan() are left out. Returns how many samples wait now. */
size_t sl_queue_put(struct sl_queue *q, const struct sl_value_id *id, size_t first,
                    const double *values, int64_t timestamp_ms);

/* The sender's thread only, these three. Moves up to max samples, oldest first, to out. They stay
 * pending, and their series valid, until sl_queue_settle() has been told about them. */
size_t sl_queue_take(struct sl_queue *q, struct sl_sample *out, size_t max);

enum sl_fate { SL_FATE_ACKED, SL_FATE_REJECTED };

/* The oldest count samples that were taken have met their fate. Forgets a few series that have not
 * been written for an hour. */
void sl_queue_settle(struct sl_queue *q, size_t count, enum sl_fate fate, int64_t now_ms);

/* A series' label block of one data source. *ret_batch is a number for the sender to keep. */
const char *sl_series_block(struct sl_series *series, uint32_t source, size_t *ret_len,
                            uint64_t **ret_batch);

/* Any thread. */
void sl_queue_count(struct sl_queue *q, struct sl_queue_counts *ret);

#endif
