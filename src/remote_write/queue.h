/* Between the host's write threads and a sender: the lists they have written, and the journal of
 * values that wait. A put looks the list up and copies it into shared memory under a short lock; it
 * makes no system call, and what it has taken survives the death of the process.
 *
 * A series never goes back in time: collectd calls write callbacks from several threads, so two
 * values of one series can change places, and one sample out of order makes a receiver refuse the
 * whole request (prometheus/prometheus storage/remote/write_handler.go).
 *
 * A batch holds at most one sample of a series. Then a request whose answer was lost can be sent
 * again as it was: Prometheus accepts an exact repetition of a series' newest sample and of no
 * other. Where it ends is journalled before it is handed out, so it is the same after a restart. */
#ifndef SL_REMOTE_WRITE_QUEUE_H
#define SL_REMOTE_WRITE_QUEUE_H

#include "base/log.h"
#include "os/wakeup.h"
#include "remote_write/books.h"
#include "remote_write/encode.h"
#include "remote_write/roster.h"
#include "remote_write/spool.h"

struct sl_queue;

struct sl_queue_settings {
    struct sl_series_rules rules; /* what it points to must live as long as the queue */
    struct sl_spool_limits limits;
    int64_t max_age_ms;    /* 0: none */
    int64_t sync_ms;       /* how much a power cut may cost; 0: as much as the system likes */
    size_t batch_max;      /* most samples in a batch */
    int64_t unreadable_ms; /* how long what cannot be read may stand in the way of all others */
    const char *path;      /* of the spool; NULL: memory */
    struct sl_log log;
    const char *name; /* for the log */
};

int sl_queue_new(const struct sl_queue_settings *settings, struct sl_queue **ret,
                 struct sl_error *err) SL_CHECKED;

/* Main thread, once: takes over what the spool holds and starts the thread that keeps it. A spool
 * that cannot be used is an error in the log, and the queue is in memory. */
int sl_queue_start(struct sl_queue *q, struct sl_error *err) SL_CHECKED;

/* When nothing is put or taken any more. Tells the queue's own thread to write out what is in
 * memory only, and to end; returns at once. */
void sl_queue_finish(struct sl_queue *q);

/* Main thread, after all others have ended. Finishes, if nobody has before. What is on disk stays
 * there; a disk that does not answer within 0.4 s of being told is left alone, with all that the
 * queue has. */
void sl_queue_free(struct sl_queue *q);

/* Any thread. first: the number of id's first data source within its value list; bits: a float64 of
 * each (value.h). Returns how many samples wait now. */
size_t sl_queue_put(struct sl_queue *q, const struct sl_value_id *id, size_t first,
                    const uint64_t *bits, int64_t time_ms);

/* Any thread. The host has not seen these values for too long (collectd's missing callback): every
 * series of the identity gets a stale marker, once, until it is written again. id needs no sources
 * and no meta data. Returns how many samples wait now. */
size_t sl_queue_end_series(struct sl_queue *q, const struct sl_value_id *id, int64_t now_ms);

/* ---- the sender's thread only ---- */

struct sl_batch_item {
    const struct sl_list *list;
    int64_t time_ms;
    const uint64_t *bits; /* list->kept of them; some may be SL_SEGMENT_NO_VALUE */
    uint32_t samples;     /* so many are not */
};

/* One sample of a batch. */
struct sl_batch_place {
    struct sl_series *series;
    uint64_t bits;
    int64_t time_ms;
    int64_t start_ms; /* since when it counts, as its list says; 0: it does not */
};

struct sl_batch {
    const struct sl_batch_item *items;
    size_t count;
    size_t samples;
    const struct sl_batch_place *places; /* samples of them, in the order of arrival */
    const uint64_t *order;               /* batch_order.h: the places, as they are sent */
    size_t to;                           /* where it ends in its segment */
    int64_t newest_ms;
    bool is_certain; /* would end there again, whatever happens to this host (sl_queue_commit()) */
    bool may_be_old; /* from before a loss of power: the receiver may have had it */
};

/* The batch to send: up to max samples (and batch_max), oldest first. What it points to is valid
 * until it is settled. False: nothing waits, or what waits cannot be read now: ask again in a
 * while. Samples older than MaxAge are dropped here. */
bool sl_queue_next(struct sl_queue *q, size_t max, int64_t now_ms, struct sl_batch *ret);

/* Before a batch is sent for the first time: waits until the disk has it, and where it ends.
 * Otherwise a host that loses power would send it again with other bounds, among samples that the
 * receiver has and refuses, and with them those it has not. Waits a second at most, for a disk that
 * is sick or slow; not at all without a spool or with sync_ms 0. */
void sl_queue_commit(struct sl_queue *q, const struct sl_batch *batch,
                     const struct sl_wakeup *cancel);

/* Adds every sample of the batch to a message that has begun. */
void sl_batch_encode(const struct sl_batch *batch, struct sl_encoder *encoder);

/* The batch is too large for the receiver: sl_queue_next() will make it anew, smaller. */
void sl_queue_undo(struct sl_queue *q);

/* All samples of the batch have met their fate; the sum is batch->samples. Forgets a few lists that
 * have not been written for an hour; now_ms: monotonic. */
struct sl_fates {
    uint64_t acked;
    uint64_t rejected;
    uint64_t dropped_age;
};
void sl_queue_settle(struct sl_queue *q, const struct sl_batch *batch, const struct sl_fates *fates,
                     int64_t now_ms);

/* Any thread. */
struct sl_queue_status {
    struct sl_books books;
    uint64_t lists;
    uint64_t disk_bytes;
    uint64_t memory_bytes;
    uint64_t bad_records;
    bool is_on_disk;
};
void sl_queue_status(struct sl_queue *q, struct sl_queue_status *ret);

#endif
