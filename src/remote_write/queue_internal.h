/* What the three files of the queue share, and nobody else sees. */
#ifndef SL_REMOTE_WRITE_QUEUE_INTERNAL_H
#define SL_REMOTE_WRITE_QUEUE_INTERNAL_H

#include "os/wakeup.h"
#include "remote_write/queue.h"

struct sl_queue {
    struct sl_queue_settings settings;
    pthread_mutex_t lock; /* of everything down to the sender's own */
    struct sl_roster *roster;
    struct sl_spool spool;
    struct sl_buffer packed;

    /* The sender's own. */
    struct sl_batch_item *items; /* settings.batch_max */
    struct sl_batch_place *places;
    uint64_t *order; /* and as many to sort with */
    size_t places_max;
    uint64_t batch;              /* running number, which stamps series */
    int64_t unreadable_since_ms; /* that a segment cannot be read; monotonic; 0: all can */

    pthread_t keeper;
    bool has_keeper;
    int64_t finish_ms;   /* when it was told to end; monotonic; 0: not yet */
    size_t wakeup_count; /* of the three that are there */
    struct sl_wakeup keeper_stop;
    struct sl_wakeup keeper_work; /* somebody waits for a sync */
    struct sl_wakeup synced;
    uint64_t sync_wanted; /* running numbers of syncs that were asked for: locked, and */
    uint64_t sync_done;   /* done: the keeper's, atomic */
    struct sl_complaint disk_trouble; /* the keeper's, and told_unreadable */
    uint64_t told_unreadable;
};

/* With the lock held, or alone: frees what only this segment knows. */
void sl_queue_forget_lists(void *queue, struct sl_segment *segment);

/* False: it hangs in the disk, and what it uses must not be freed. */
bool sl_queue_stop_keeper(struct sl_queue *q);

#endif
