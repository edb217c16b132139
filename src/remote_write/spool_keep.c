/* The journal of one receiver: what its keeper does, and may wait for. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "remote_write/spool.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum {
    PAGE_BYTES = 4096,
    TOUCH_BYTES = 512 * 1024, /* how far ahead of the writer pages are there at most */
    RETRY_MS = 1000,
    UNSYNCED_SEGMENTS = 4,
};

/* ---- memory ---- */

static void make_ready(struct sl_spool *s, pthread_mutex_t *lock) {
    struct sl_segment *segment = NULL;
    pthread_mutex_lock(lock);
    const struct sl_segment *current = s->current;
    bool is_wanted = s->path != NULL && !s->disk_failed && s->ready == NULL && current != NULL &&
                     current->used > current->size / 2;
    uint64_t number = is_wanted ? s->next_number++ : 0;
    size_t size = is_wanted ? current->size : 0;
    if (size < s->disk_segment_bytes)
        size = s->disk_segment_bytes;
    pthread_mutex_unlock(lock);
    if (!is_wanted || sl_segment_make(number, size, true, &segment, NULL) != SL_OK)
        return;
    pthread_mutex_lock(lock);
    s->ready = segment;
    sl_spool_state_remember(s->state_file, number, segment->memory.id, 0);
    pthread_mutex_unlock(lock);
}

/* The first write to a page costs a fault; here nobody waits for it. Kernels before 5.14 do not
 * know how, and the writer pays. */
static void touch(struct sl_segment *segment, size_t from, size_t to) {
    from &= ~(size_t)(PAGE_BYTES - 1);
    to = to < segment->size ? to : segment->size;
    if (from < to)
        (void)madvise(segment->memory.base + from, to - from, MADV_POPULATE_WRITE);
}

/* What is settled, and on the disk, is given back; the list of memory knows before it happens. */
static void let_go(struct sl_spool *s, pthread_mutex_t *lock, struct sl_segment *segment,
                   size_t settled) {
    size_t safe = s->is_synced_by_us ? segment->synced : segment->written;
    settled = (settled < safe ? settled : safe) & ~(size_t)(PAGE_BYTES - 1);
    if (!segment->is_journal || settled <= segment->let_go)
        return;
    pthread_mutex_lock(lock);
    sl_spool_state_remember(s->state_file, segment->number, segment->memory.id, settled);
    pthread_mutex_unlock(lock);
    sl_segment_let_go(segment, settled);
}

/* Not locked: nobody but the keeper frees a segment that others know, or its memory. */
static void touch_ahead(struct sl_spool *s, pthread_mutex_t *lock) {
    pthread_mutex_lock(lock);
    struct sl_segment *current = s->current, *ready = s->ready;
    size_t used = current != NULL ? current->used : 0;
    size_t settled = current == s->oldest ? (size_t)s->state.from : 0;
    pthread_mutex_unlock(lock);
    if (current != NULL && current->memory.base != NULL) {
        /* As far as four more rounds like the last one would come. */
        size_t ahead = used > s->kept_used ? 4 * (used - s->kept_used) : 0;
        touch(current, used, used + (ahead < TOUCH_BYTES ? ahead : TOUCH_BYTES));
        let_go(s, lock, current, settled);
    }
    s->kept_used = used;
    if (current != NULL && ready != NULL && used + TOUCH_BYTES > current->size)
        touch(ready, 0, TOUCH_BYTES);
}

/* A segment that only waits, and whose file is enough. A few stay until they are on the disk: they
 * can be written again when it fails. */
static bool is_parked(const struct sl_spool *s, const struct sl_segment *segment) {
    return segment != s->oldest && segment != s->current && segment->memory.base != NULL &&
           sl_segment_unsaved(segment) == 0 &&
           (!s->is_synced_by_us || segment->synced == segment->written ||
            segment->number + UNSYNCED_SEGMENTS < s->current->number);
}

/* Some megabytes each, which are given back, and a file, which is closed, while nobody waits. */
static void park(struct sl_spool *s, pthread_mutex_t *lock,
                 void (*forget)(void *context, struct sl_segment *segment), void *context) {
    struct sl_segment *each = NULL;
    do {
        struct sl_segment rest = {.memory = SL_SURVIVOR_INIT, .fd = -1};
        pthread_mutex_lock(lock);
        for (each = s->oldest; each != NULL && !is_parked(s, each); each = each->next)
            continue;
        if (each != NULL) {
            forget(context, each);
            sl_spool_state_forget(s->state_file, each->number);
            sl_segment_take_memory(each, &rest);
        }
        pthread_mutex_unlock(lock);
        sl_segment_forget_memory(&rest);
    } while (each != NULL);
}

void sl_spool_keep(struct sl_spool *s, pthread_mutex_t *lock,
                   void (*forget)(void *context, struct sl_segment *segment), void *context) {
    make_ready(s, lock);
    touch_ahead(s, lock);
    park(s, lock, forget, context);
    pthread_mutex_lock(lock);
    struct sl_segment *trash = s->trash;
    s->trash = NULL;
    for (struct sl_segment *each = trash; each != NULL; each = each->next)
        forget(context, each);
    pthread_mutex_unlock(lock);
    while (trash != NULL) {
        struct sl_segment *next = trash->next;
        sl_segment_free(trash, s->directory_fd);
        trash = next;
    }
}

/* ---- the disk ---- */

/* The first one from number on of which not everything is in its file. */
static struct sl_segment *next_unsaved(struct sl_spool *s, pthread_mutex_t *lock, uint64_t number,
                                       size_t *ret_used) {
    pthread_mutex_lock(lock);
    struct sl_segment *each = s->oldest;
    while (each != NULL && (each->number < number || each->memory.base == NULL ||
                            (sl_segment_unsaved(each) == 0 && each != s->current)))
        each = each->next;
    *ret_used = each != NULL ? each->used : 0;
    pthread_mutex_unlock(lock);
    return each;
}

/* The first one from number on that is not on the disk as far as it is in its file. */
static struct sl_segment *next_unsynced(struct sl_spool *s, pthread_mutex_t *lock,
                                        uint64_t number) {
    pthread_mutex_lock(lock);
    struct sl_segment *each = s->oldest;
    while (each != NULL &&
           (each->number < number || !each->has_file || each->synced == each->written))
        each = each->next;
    pthread_mutex_unlock(lock);
    return each;
}

static int save_segments(struct sl_spool *s, pthread_mutex_t *lock, struct sl_error *err) {
    size_t used = 0;
    int code = SL_OK;
    struct sl_segment *each = next_unsaved(s, lock, 0, &used);
    for (; code == SL_OK && each != NULL; each = next_unsaved(s, lock, each->number + 1, &used)) {
        bool had_file = each->has_file;
        code = sl_segment_save(each, s->directory_fd, used, err);
        pthread_mutex_lock(lock);
        if (code == SL_OK)
            __atomic_store_n(&each->written, used, __ATOMIC_RELAXED);
        pthread_mutex_unlock(lock);
        s->has_new_files = s->has_new_files || (each->has_file && !had_file);
    }
    return code;
}

static void note(struct sl_spool *s, pthread_mutex_t *lock, int code, const struct sl_error *err,
                 int64_t now_ms) {
    pthread_mutex_lock(lock);
    s->disk_failed = code != SL_OK;
    if (code != SL_OK)
        s->disk_error = *err;
    pthread_mutex_unlock(lock);
    s->retry_ms = now_ms + RETRY_MS;
    if (code == SL_IO)
        sl_spool_put_aside(s, lock);
}

static int save(struct sl_spool *s, pthread_mutex_t *lock, struct sl_error *err) {
    int code = sl_spool_look_at_directory(s, lock, err);
    if (code != SL_OK)
        return code;
    /* Never newer than the segments that are saved after it. */
    pthread_mutex_lock(lock);
    struct sl_spool_state state = s->state;
    pthread_mutex_unlock(lock);
    code = save_segments(s, lock, err);
    if (code == SL_IO)
        return code;
    int state_code = sl_spool_state_save(s->state_file, &state, false, code == SL_OK ? err : NULL);
    return code == SL_OK ? state_code : code;
}

void sl_spool_save(struct sl_spool *s, pthread_mutex_t *lock, int64_t now_ms) {
    struct sl_error err = SL_ERROR_INIT;
    if (s->path == NULL || (s->disk_failed && now_ms < s->retry_ms))
        return;
    note(s, lock, save(s, lock, &err), &err, now_ms);
}

/* Segments first, then the directory that names them, then the state that speaks of them. */
static int sync_all(struct sl_spool *s, pthread_mutex_t *lock, struct sl_error *err) {
    struct sl_spool_state state;
    struct sl_segment *each = next_unsynced(s, lock, 0);
    pthread_mutex_lock(lock);
    state = s->state;
    pthread_mutex_unlock(lock);
    for (; each != NULL; each = next_unsynced(s, lock, each->number + 1)) {
        size_t written = each->written;
        int code = sl_segment_sync(each, s->directory_fd, err);
        pthread_mutex_lock(lock);
        if (code == SL_OK || each->memory.base == NULL)
            /* Of one that is only a file there is nothing to write again. */
            __atomic_store_n(&each->synced, written, __ATOMIC_RELAXED);
        else
            sl_segment_lose_file(each);
        pthread_mutex_unlock(lock);
        if (code != SL_OK)
            return code;
    }
    if (s->has_new_files && fsync(s->directory_fd) == 0)
        s->has_new_files = false;
    return sl_spool_state_save(s->state_file, &state, true, err);
}

void sl_spool_sync(struct sl_spool *s, pthread_mutex_t *lock, int64_t now_ms) {
    struct sl_error err = SL_ERROR_INIT;
    s->is_synced_by_us = true;
    sl_spool_save(s, lock, now_ms);
    if (s->path == NULL || s->disk_failed)
        return;
    int code = sync_all(s, lock, &err);
    if (code != SL_OK)
        note(s, lock, code, &err, now_ms);
}
