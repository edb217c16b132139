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
    uint64_t batch; /* running number, which stamps series */

    pthread_t keeper;
    bool has_keeper;
    bool has_wakeups;
    struct sl_wakeup keeper_stop;
    struct sl_complaint disk_trouble;
};

/* With the lock held, or alone: frees what only this segment knows. */
void sl_queue_forget_lists(void *queue, struct sl_segment *segment);

void sl_queue_stop_keeper(struct sl_queue *q);

#endif
