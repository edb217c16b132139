/* The thread that does for a queue what may wait for a disk, so that a write callback never has
 * to. */
#include "remote_write/queue_internal.h"

#include "os/clock.h"
#include "os/thread.h"

enum { ROUND_MS = 100 };

static void tell(struct sl_queue *q) {
    struct sl_error err = SL_ERROR_INIT;
    pthread_mutex_lock(&q->lock);
    bool failed = q->spool.disk_failed;
    if (failed)
        err = q->spool.disk_error;
    pthread_mutex_unlock(&q->lock);
    int64_t now_ms = sl_clock_monotonic_ms();
    if (failed && sl_complaint_failed(&q->disk_trouble, "disk", now_ms))
        sl_log(&q->settings.log, SL_LOG_ERROR,
               "node \"%s\": the spool cannot grow, what comes in is kept in memory: %s",
               q->settings.name, err.text);
    else if (!failed && sl_complaint_succeeded(&q->disk_trouble, now_ms, NULL, NULL))
        sl_log(&q->settings.log, SL_LOG_NOTICE, "node \"%s\": the spool grows again",
               q->settings.name);
}

static void *keep(void *arg) {
    struct sl_queue *q = arg;
    int64_t synced_ms = sl_clock_monotonic_ms();
    while (!sl_wakeup_is_signalled(&q->keeper_stop)) {
        sl_spool_keep(&q->spool, &q->lock, sl_queue_forget_lists, q);
        int64_t now_ms = sl_clock_monotonic_ms();
        if (q->settings.sync_ms > 0 && now_ms - synced_ms >= q->settings.sync_ms) {
            sl_spool_sync(&q->spool, &q->lock);
            synced_ms = now_ms;
        }
        tell(q);
        int64_t wait_ms = q->settings.sync_ms > 0 && q->settings.sync_ms < ROUND_MS
                              ? q->settings.sync_ms
                              : ROUND_MS;
        sl_wakeup_wait(&q->keeper_stop, NULL, wait_ms);
    }
    return NULL;
}

static void open_spool(struct sl_queue *q) {
    struct sl_error err = SL_ERROR_INIT;
    if (q->settings.path == NULL)
        return;
    if (sl_spool_open(&q->spool, q->settings.path, &err) != SL_OK) {
        sl_log(&q->settings.log, SL_LOG_ERROR,
               "node \"%s\": no spool, what waits is kept in memory and lost when collectd ends: "
               "%s",
               q->settings.name, err.text);
        return;
    }
    const struct sl_books *books = &q->spool.state.books;
    if (books->pending > 0 || q->spool.bad_records > 0 || q->spool.corrected > 0)
        sl_log(&q->settings.log, SL_LOG_NOTICE,
               "node \"%s\": %llu samples are in the spool from before; %llu records were damaged, "
               "%llu samples had not reached the disk",
               q->settings.name, (unsigned long long)books->pending,
               (unsigned long long)q->spool.bad_records, (unsigned long long)q->spool.corrected);
}

int sl_queue_start(struct sl_queue *q, struct sl_error *err) {
    open_spool(q);
    int code = sl_thread_start(&q->keeper, "sl-rw-spool", keep, q, err);
    q->has_keeper = code == SL_OK;
    return code;
}

void sl_queue_stop_keeper(struct sl_queue *q) {
    if (!q->has_keeper)
        return;
    sl_wakeup_signal(&q->keeper_stop);
    pthread_join(q->keeper, NULL);
    q->has_keeper = false;
    sl_spool_keep(&q->spool, &q->lock, sl_queue_forget_lists, q);
}
