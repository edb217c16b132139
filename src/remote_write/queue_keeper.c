/* The thread that does for a queue what may wait for a disk, so that a write callback never has
 * to. */
#include "remote_write/queue_internal.h"

#include <errno.h>
#include <string.h>

#include "os/clock.h"
#include "os/thread.h"

enum { ROUND_MS = 100, STOP_PATIENCE_MS = 400, COMMIT_PATIENCE_MS = 1000 };

/* What to do about it, by the system's reason, which an error has in its text only. */
static const char *remedy_of(const struct sl_error *err) {
    static const struct {
        int reason;
        const char *remedy;
    } remedies[] = {
        {ENOSPC,
         "; free some space (or inodes) there, or set SpoolDirectory to where there is some"},
        {EDQUOT, "; raise the quota of the user collectd runs as, or make SpoolSize smaller"},
        {EROFS, "; the kernel's log says why it became read-only: mount it writable again"},
        {EIO, "; the kernel's log says what is wrong with the disk"},
        {EACCES, "; let the user collectd runs as write there"},
        {EPERM, "; let the user collectd runs as write there"},
    };
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
        if (strstr(err->text, strerror(remedies[i].reason)) != NULL)
            return remedies[i].remedy;
    return "";
}

/* One trouble for each reason: the rest of the text has numbers that change. */
static bool is_news(struct sl_queue *q, const struct sl_error *err) {
    return sl_complaint_failed(&q->disk_trouble, remedy_of(err), sl_clock_monotonic_ms());
}

static void tell_disk(struct sl_queue *q) {
    struct sl_error err = SL_ERROR_INIT;
    int64_t lasted_ms = 0;
    pthread_mutex_lock(&q->lock);
    bool failed = q->spool.disk_failed;
    if (failed)
        err = q->spool.disk_error;
    pthread_mutex_unlock(&q->lock);
    if (failed && is_news(q, &err))
        sl_log(
            &q->settings.log, SL_LOG_ERROR,
            "node \"%s\": the spool %s cannot be written, what comes in is kept in memory (option "
            "Capacity): %s%s",
            q->settings.name, q->settings.path, err.text, remedy_of(&err));
    else if (!failed &&
             sl_complaint_succeeded(&q->disk_trouble, sl_clock_monotonic_ms(), &lasted_ms, NULL))
        sl_log(&q->settings.log, SL_LOG_NOTICE,
               "node \"%s\": the spool %s is written again after %.1f s, and what was in memory is "
               "in it",
               q->settings.name, q->settings.path, (double)lasted_ms / 1000);
}

static void tell_unreadable(struct sl_queue *q) {
    pthread_mutex_lock(&q->lock);
    uint64_t now = q->spool.unreadable, more = now - q->told_unreadable;
    pthread_mutex_unlock(&q->lock);
    q->told_unreadable = now;
    if (more > 0)
        sl_log(&q->settings.log, SL_LOG_ERROR,
               "node \"%s\": %llu samples in the spool %s can no longer be read and are lost "
               "(dropped_invalid): somebody has changed its files, or the disk is failing",
               q->settings.name, (unsigned long long)more, q->settings.path);
}

/* One round. Ends within sync_ms of the beginning of the last sync, if the disk lets it: so much a
 * power cut may cost. */
static void go_round(struct sl_queue *q, int64_t *synced_ms, int64_t *took_ms) {
    int64_t sync_ms = q->settings.sync_ms, now_ms = sl_clock_monotonic_ms();
    pthread_mutex_lock(&q->lock);
    uint64_t wanted = q->sync_wanted;
    pthread_mutex_unlock(&q->lock);
    if (wanted != q->sync_done ||
        (sync_ms > 0 && now_ms - *synced_ms >= sync_ms - *took_ms - ROUND_MS)) {
        sl_spool_sync(&q->spool, &q->lock, now_ms);
        *synced_ms = now_ms;
        *took_ms = sl_clock_monotonic_ms() - now_ms;
        *took_ms = *took_ms < sync_ms / 2 ? *took_ms : sync_ms / 2;
    } else {
        sl_spool_save(&q->spool, &q->lock, now_ms);
    }
    if (wanted != q->sync_done) {
        __atomic_store_n(&q->sync_done, wanted, __ATOMIC_RELEASE);
        sl_wakeup_signal(&q->synced);
    }
    sl_spool_keep(&q->spool, &q->lock, sl_queue_forget_lists, q);
}

static void *keep(void *arg) {
    struct sl_queue *q = arg;
    int64_t sync_ms = q->settings.sync_ms, synced_ms = sl_clock_monotonic_ms(), took_ms = 0;
    while (!sl_wakeup_is_signalled(&q->keeper_stop)) {
        sl_wakeup_clear(&q->keeper_work);
        go_round(q, &synced_ms, &took_ms);
        tell_disk(q);
        tell_unreadable(q);
        sl_wakeup_wait(&q->keeper_stop, &q->keeper_work,
                       sync_ms > 0 && sync_ms < ROUND_MS ? sync_ms : ROUND_MS);
    }
    /* From here on nothing of the settings: nobody may be waiting any more. */
    q->spool.retry_ms = 0;
    if (sync_ms > 0)
        sl_spool_sync(&q->spool, &q->lock, sl_clock_monotonic_ms());
    else
        sl_spool_save(&q->spool, &q->lock, sl_clock_monotonic_ms());
    return NULL;
}

void sl_queue_commit(struct sl_queue *q, const struct sl_batch *batch,
                     const struct sl_wakeup *cancel) {
    struct sl_queue_status status;
    sl_queue_status(q, &status);
    if (q->settings.sync_ms <= 0 || batch->is_certain || !status.is_on_disk)
        return;
    int64_t until_ms = sl_clock_monotonic_ms() + COMMIT_PATIENCE_MS;
    pthread_mutex_lock(&q->lock);
    uint64_t wanted = ++q->sync_wanted;
    pthread_mutex_unlock(&q->lock);
    sl_wakeup_signal(&q->keeper_work);
    for (;;) {
        int64_t left_ms = until_ms - sl_clock_monotonic_ms();
        if (__atomic_load_n(&q->sync_done, __ATOMIC_ACQUIRE) >= wanted || left_ms <= 0 ||
            sl_wakeup_is_signalled(cancel))
            return;
        sl_wakeup_clear(&q->synced);
        if (__atomic_load_n(&q->sync_done, __ATOMIC_ACQUIRE) < wanted)
            sl_wakeup_wait(&q->synced, cancel, left_ms);
    }
}

static void open_spool(struct sl_queue *q) {
    struct sl_error err = SL_ERROR_INIT;
    if (q->settings.path == NULL)
        return;
    if (sl_spool_open(&q->spool, q->settings.path, &err) != SL_OK) {
        sl_log(&q->settings.log, SL_LOG_ERROR,
               "node \"%s\": no spool, what waits is kept in memory (option Capacity) and lost "
               "when collectd ends: %s%s; it is tried again every second",
               q->settings.name, err.text, remedy_of(&err));
        (void)is_news(q, &err);
        return;
    }
    if (!sl_spool_state_is_lasting(q->spool.state_file))
        sl_log(&q->settings.log, SL_LOG_WARNING,
               "node \"%s\": the system gives no System V shared memory that outlives collectd (a "
               "policy, kernel.shm_rmid_forced or kernel.shmmni): what has come in within a tenth "
               "of a second is lost if it is killed",
               q->settings.name);
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

void sl_queue_finish(struct sl_queue *q) {
    if (!q->has_keeper || q->finish_ms != 0)
        return;
    q->finish_ms = sl_clock_monotonic_ms();
    sl_wakeup_signal(&q->keeper_stop);
}

bool sl_queue_stop_keeper(struct sl_queue *q) {
    if (!q->has_keeper)
        return true;
    sl_queue_finish(q);
    q->has_keeper = false;
    if (sl_thread_join(q->keeper, sl_clock_left_ms(q->finish_ms + STOP_PATIENCE_MS)))
        return true;
    sl_log(&q->settings.log, SL_LOG_ERROR,
           "node \"%s\": the disk of the spool %s does not answer; what has not been written is in "
           "shared memory until the next start, or until this host is started anew",
           q->settings.name, q->settings.path);
    return false;
}
