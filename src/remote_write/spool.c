/* The journal of one receiver: the chain of segments. Its directory is in spool_directory.c. */
#include "remote_write/spool.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum {
    SEGMENTS_PER_SPOOL = 16,
    SEGMENT_BYTES_MIN = 256 * 1024,
    SEGMENT_BYTES_MAX = 16 * 1024 * 1024,
    LARGEST_PART = 4, /* of the spool that one segment may be */
    DEFINED_PART = 8, /* of a segment that its definitions should take at most */
    PAGE_BYTES = 4096,
    TOUCH_BYTES = 512 * 1024, /* how far ahead of the writer pages are there at most */
};

static size_t segment_bytes(size_t all) {
    size_t bytes = all / SEGMENTS_PER_SPOOL & ~(size_t)(PAGE_BYTES - 1);
    if (bytes < SEGMENT_BYTES_MIN)
        return SEGMENT_BYTES_MIN;
    return bytes > SEGMENT_BYTES_MAX ? SEGMENT_BYTES_MAX : bytes;
}

void sl_spool_init(struct sl_spool *s, const struct sl_spool_limits *limits) {
    *s = (struct sl_spool){
        .directory_fd = -1,
        .lock_fd = -1,
        .disk_segment_bytes = segment_bytes(limits->disk_bytes),
        .memory_segment_bytes = segment_bytes(limits->memory_bytes),
        .disk_bytes_max = limits->disk_bytes,
        .memory_bytes_max = limits->memory_bytes,
        .next_number = 1,
    };
}

/* What the next file should be: what its lists are must not take most of it. */
static size_t next_disk_bytes(const struct sl_spool *s) {
    size_t most = s->disk_bytes_max / LARGEST_PART & ~(size_t)(PAGE_BYTES - 1);
    size_t wanted = s->current != NULL ? s->current->define_bytes * DEFINED_PART : 0;
    wanted = (wanted + PAGE_BYTES) & ~(size_t)(PAGE_BYTES - 1);
    wanted = wanted < most ? wanted : most;
    return wanted > s->disk_segment_bytes ? wanted : s->disk_segment_bytes;
}

/* ---- the chain ---- */

void sl_spool_append(struct sl_spool *s, struct sl_segment *segment) {
    if (s->current != NULL)
        s->current->next = segment;
    else
        s->oldest = segment;
    s->current = segment;
    *(segment->fd >= 0 ? &s->disk_bytes : &s->memory_bytes) += segment->size;
}

/* Takes a segment out of the chain; before is the one before it, or NULL. */
static void take_out(struct sl_spool *s, struct sl_segment *before, struct sl_segment *segment) {
    *(before != NULL ? &before->next : &s->oldest) = segment->next;
    if (s->current == segment)
        s->current = before;
    *(segment->fd >= 0 ? &s->disk_bytes : &s->memory_bytes) -= segment->size;
    segment->next = s->trash;
    s->trash = segment;
    if (before == NULL) {
        s->settled_samples = s->batch_samples = 0;
        s->state.end = 0;
        s->state.segment = s->oldest != NULL ? s->oldest->number : s->next_number;
        s->state.from = s->state.to = SL_SEGMENT_HEAD_BYTES;
    }
}

static void lose(struct sl_spool *s, uint64_t samples) {
    s->state.books.dropped_full += samples;
    s->state.books.pending -= samples;
}

/* The oldest segment that can go, on disk or in memory, goes. False: there is none. */
static bool drop_oldest(struct sl_spool *s, bool on_disk) {
    struct sl_segment *before = NULL, *victim = s->oldest;
    for (; victim != NULL; before = victim, victim = victim->next) {
        if ((victim->fd >= 0) != on_disk || victim == s->current)
            continue;
        if (victim == s->oldest && s->is_pinned) {
            /* Its batch is under way; only what is behind that can go, and that frees no room. */
            if (s->state.to > s->state.from && s->state.end == 0) {
                s->state.end = s->state.to;
                lose(s, victim->samples - s->settled_samples - s->batch_samples);
                victim->samples = s->settled_samples + s->batch_samples;
            }
            continue;
        }
        lose(s, victim->samples - (victim == s->oldest ? s->settled_samples : 0));
        take_out(s, before, victim);
        sl_spool_state_write(s->state_file, &s->state);
        return true;
    }
    return false;
}

static struct sl_segment *make_on_disk(struct sl_spool *s) {
    struct sl_segment *segment = s->ready;
    s->ready = NULL;
    if (segment != NULL && segment->number + 1 == s->next_number)
        return segment;
    if (segment != NULL) {
        segment->next = s->trash;
        s->trash = segment;
    }
    int code = sl_segment_make(s->directory_fd, s->next_number++, next_disk_bytes(s), &segment,
                               &s->disk_error);
    s->disk_failed = code != SL_OK;
    return code == SL_OK ? segment : NULL;
}

static bool begin_segment(struct sl_spool *s) {
    struct sl_segment *segment = NULL;
    if (s->directory_fd >= 0) {
        while (s->disk_bytes + next_disk_bytes(s) > s->disk_bytes_max && drop_oldest(s, true))
            continue;
        segment = make_on_disk(s);
    }
    if (segment == NULL) {
        while (s->memory_bytes > 0 &&
               s->memory_bytes + s->memory_segment_bytes > s->memory_bytes_max &&
               drop_oldest(s, false))
            continue;
        if (sl_segment_make(-1, s->next_number++, s->memory_segment_bytes, &segment, NULL) != SL_OK)
            return false;
    }
    sl_spool_append(s, segment);
    if (s->oldest == segment) {
        s->state.segment = segment->number;
        s->state.from = s->state.to = SL_SEGMENT_HEAD_BYTES;
        sl_spool_state_write(s->state_file, &s->state);
    }
    return true;
}

struct sl_segment *sl_spool_segment(struct sl_spool *s, size_t bytes) {
    struct sl_segment *segment = s->current;
    if (segment != NULL && bytes <= segment->size - segment->used)
        return segment;
    if (!begin_segment(s))
        return NULL;
    segment = s->current;
    return bytes <= segment->size - segment->used ? segment : NULL;
}

void sl_spool_accept(struct sl_spool *s, uint64_t samples) {
    s->state.books.accepted += samples;
    s->state.books.pending += samples;
}

/* ---- the sender's end ---- */

void sl_spool_give_up(struct sl_spool *s) {
    uint64_t left = s->oldest->samples - s->settled_samples;
    s->state.books.dropped_invalid += left;
    s->state.books.pending -= left;
    s->is_pinned = false;
    take_out(s, NULL, s->oldest);
}

size_t sl_spool_oldest_end(const struct sl_spool *s) {
    size_t used = __atomic_load_n(&s->oldest->used, __ATOMIC_ACQUIRE);
    return s->state.end > 0 && s->state.end < used ? (size_t)s->state.end : used;
}

struct sl_segment *sl_spool_pin(struct sl_spool *s) {
    while (s->oldest != NULL && s->oldest != s->current) {
        if (s->state.from < sl_spool_oldest_end(s))
            break;
        sl_spool_give_up(s); /* nothing, unless records have gone bad since they were counted */
    }
    s->is_pinned = s->oldest != NULL;
    return s->oldest;
}

void sl_spool_unpin(struct sl_spool *s) {
    s->is_pinned = false;
}

void sl_spool_begin_batch(struct sl_spool *s, size_t to, uint64_t samples) {
    s->state.to = to;
    s->batch_samples = samples;
    sl_spool_state_write(s->state_file, &s->state);
}

void sl_spool_settle(struct sl_spool *s, size_t to, uint64_t samples) {
    s->state.from = s->state.to = to;
    s->settled_samples += samples;
    s->batch_samples = 0;
    s->state.books.pending -= samples;
    sl_spool_state_write(s->state_file, &s->state);
}

/* ---- the keeper ---- */

static void make_ready(struct sl_spool *s, pthread_mutex_t *lock) {
    struct sl_segment *segment = NULL;
    struct sl_error err = SL_ERROR_INIT;
    pthread_mutex_lock(lock);
    bool is_wanted = s->directory_fd >= 0 && s->ready == NULL && s->current != NULL &&
                     s->current->used > s->current->size / 2;
    uint64_t number = is_wanted ? s->next_number++ : 0;
    size_t size = is_wanted ? next_disk_bytes(s) : 0;
    pthread_mutex_unlock(lock);
    if (!is_wanted)
        return;
    int code = sl_segment_make(s->directory_fd, number, size, &segment, &err);
    if (code == SL_OK)
        (void)fsync(s->directory_fd);
    pthread_mutex_lock(lock);
    s->disk_failed = code != SL_OK;
    if (code == SL_OK)
        s->ready = segment;
    else
        s->disk_error = err;
    pthread_mutex_unlock(lock);
}

/* The first write to a page costs a fault; here nobody waits for it. Kernels before 5.14 do not
 * know how, and the writer pays. */
static void touch(struct sl_segment *segment, size_t from, size_t to) {
    from &= ~(size_t)(PAGE_BYTES - 1);
    to = to < segment->size ? to : segment->size;
    if (from < to)
        (void)madvise(segment->base + from, to - from, MADV_POPULATE_WRITE);
}

/* What is settled is let go: it stays in the system's cache, but is no memory of this process. */
static void let_go(struct sl_segment *segment, size_t settled) {
    settled &= ~(size_t)(PAGE_BYTES - 1);
    if (segment->fd < 0 || settled <= segment->let_go)
        return;
    (void)madvise(segment->base + segment->let_go, settled - segment->let_go, MADV_DONTNEED);
    segment->let_go = settled;
}

/* Not locked: nobody but the keeper unmaps or frees a segment that others know. */
static void touch_ahead(struct sl_spool *s, pthread_mutex_t *lock) {
    pthread_mutex_lock(lock);
    struct sl_segment *current = s->current, *ready = s->ready;
    size_t used = current != NULL ? current->used : 0;
    size_t settled = current == s->oldest ? (size_t)s->state.from : 0;
    pthread_mutex_unlock(lock);
    if (current != NULL && current->base != NULL) {
        /* As far as four more rounds like the last one would come. */
        size_t ahead = used > s->kept_used ? 4 * (used - s->kept_used) : 0;
        touch(current, used, used + (ahead < TOUCH_BYTES ? ahead : TOUCH_BYTES));
        let_go(current, settled);
    }
    s->kept_used = used;
    if (current != NULL && ready != NULL && used + TOUCH_BYTES > current->size)
        touch(ready, 0, TOUCH_BYTES);
}

void sl_spool_keep(struct sl_spool *s, pthread_mutex_t *lock,
                   void (*forget)(void *context, struct sl_segment *segment), void *context) {
    make_ready(s, lock);
    touch_ahead(s, lock);
    pthread_mutex_lock(lock);
    struct sl_segment *trash = s->trash;
    s->trash = NULL;
    for (struct sl_segment *each = trash; each != NULL; each = each->next)
        forget(context, each);
    void *base = NULL;
    size_t size = 0;
    for (struct sl_segment *each = s->oldest; each != NULL && base == NULL; each = each->next) {
        if (each == s->oldest || each == s->current || each->fd < 0 || each->base == NULL)
            continue;
        forget(context, each);
        base = each->base;
        size = each->size;
        each->base = NULL;
    }
    pthread_mutex_unlock(lock);
    if (base != NULL)
        munmap(base, size);
    while (trash != NULL) {
        struct sl_segment *next = trash->next;
        sl_segment_free(trash, s->directory_fd);
        trash = next;
    }
}

void sl_spool_sync(struct sl_spool *s, pthread_mutex_t *lock) {
    int fds[SEGMENTS_PER_SPOOL + 2];
    size_t count = 0;
    pthread_mutex_lock(lock);
    for (struct sl_segment *each = s->oldest; each != NULL; each = each->next) {
        if (each->fd < 0 || each->is_synced || count == SEGMENTS_PER_SPOOL)
            continue;
        if ((fds[count] = dup(each->fd)) >= 0)
            count++;
        each->is_synced = each != s->current;
    }
    if (s->state_file != NULL && (fds[count] = dup(sl_spool_state_fd(s->state_file))) >= 0)
        count++;
    pthread_mutex_unlock(lock);
    for (size_t i = 0; i < count; i++) {
        (void)fdatasync(fds[i]);
        close(fds[i]);
    }
}
