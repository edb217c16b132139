/* The journal of one receiver: the chain of segments. What waits for a disk is in spool_keep.c, its
 * directory in spool_directory.c. */
#include "remote_write/spool.h"

#include <fcntl.h>
#include <string.h>

enum {
    SEGMENTS_PER_SPOOL = 16,
    SEGMENT_BYTES_MIN = 256 * 1024,
    SEGMENT_BYTES_MAX = 4 * 1024 * 1024,
    LARGEST_PART = 4, /* of the spool that one segment may be */
    DEFINED_PART = 8, /* of a segment that its definitions should take at most */
    PAGE_BYTES = 4096,
    UNSAVED_SEGMENTS = 4, /* that a slow disk may be behind */
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

/* What the next segment should be: what its lists are must not take most of it. */
static size_t next_bytes(const struct sl_spool *s) {
    bool is_on_disk = s->path != NULL && !s->disk_failed;
    size_t usual = is_on_disk ? s->disk_segment_bytes : s->memory_segment_bytes;
    size_t most = (is_on_disk ? s->disk_bytes_max : s->memory_bytes_max) / LARGEST_PART;
    size_t wanted = s->current != NULL ? s->current->define_bytes * DEFINED_PART : 0;
    wanted = (wanted < most ? wanted : most) & ~(size_t)(PAGE_BYTES - 1);
    return wanted > usual ? wanted : usual;
}

static size_t unsaved_bytes(const struct sl_segment *segment) {
    return segment->memory.base != NULL ? sl_segment_unsaved(segment) : 0;
}

static size_t chain_bytes(const struct sl_spool *s) {
    size_t bytes = 0;
    for (const struct sl_segment *each = s->oldest; each != NULL; each = each->next)
        bytes += each->size;
    return bytes;
}

size_t sl_spool_disk_bytes(const struct sl_spool *s) {
    size_t bytes = 0;
    for (const struct sl_segment *each = s->oldest; each != NULL; each = each->next)
        bytes += __atomic_load_n(&each->written, __ATOMIC_RELAXED) > 0 ? each->size : 0;
    return bytes;
}

size_t sl_spool_memory_bytes(const struct sl_spool *s) {
    size_t bytes = 0;
    for (const struct sl_segment *each = s->oldest; each != NULL; each = each->next)
        bytes += unsaved_bytes(each);
    return bytes;
}

int sl_spool_directory(const struct sl_spool *s) {
    return s->directory_fd >= 0 ? fcntl(s->directory_fd, F_DUPFD_CLOEXEC, 0) : -1;
}

/* ---- the chain ---- */

void sl_spool_append(struct sl_spool *s, struct sl_segment *segment) {
    if (s->current != NULL)
        s->current->next = segment;
    else
        s->oldest = segment;
    s->current = segment;
}

/* Takes a segment out of the chain; before is the one before it, or NULL. */
static void take_out(struct sl_spool *s, struct sl_segment *before, struct sl_segment *segment) {
    *(before != NULL ? &before->next : &s->oldest) = segment->next;
    if (s->current == segment)
        s->current = before;
    sl_spool_state_forget(s->state_file, segment->number);
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

/* The oldest segment that can go, of all or of those in memory only, goes. False: there is none. */
static bool drop_oldest(struct sl_spool *s, bool of_unsaved) {
    struct sl_segment *before = NULL, *victim = s->oldest;
    for (; victim != NULL; before = victim, victim = victim->next) {
        if ((of_unsaved && unsaved_bytes(victim) == 0) || victim == s->current)
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

/* The one that was made in advance, if it is the next. */
static struct sl_segment *take_ready(struct sl_spool *s) {
    struct sl_segment *segment = s->ready;
    s->ready = NULL;
    if (segment != NULL && segment->number + 1 != s->next_number) {
        sl_spool_state_forget(s->state_file, segment->number);
        segment->next = s->trash;
        s->trash = segment;
        segment = NULL;
    }
    return segment;
}

/* A disk that is slow gets some patience; one that says it is full gets none. */
static size_t unsaved_max(const struct sl_spool *s) {
    size_t patience = UNSAVED_SEGMENTS * s->disk_segment_bytes;
    bool is_patient = s->path != NULL && !s->disk_failed && patience > s->memory_bytes_max;
    return is_patient ? patience : s->memory_bytes_max;
}

static void make_room(struct sl_spool *s, size_t bytes) {
    while (s->path != NULL && chain_bytes(s) + bytes > s->disk_bytes_max && drop_oldest(s, false))
        continue;
    while (sl_spool_memory_bytes(s) + bytes > unsaved_max(s) && drop_oldest(s, true))
        continue;
}

static bool begin_segment(struct sl_spool *s) {
    struct sl_segment *segment = take_ready(s);
    size_t bytes = segment != NULL ? segment->size : next_bytes(s);
    make_room(s, bytes);
    if (segment == NULL &&
        sl_segment_make(s->next_number++, bytes, s->path != NULL, &segment, NULL) != SL_OK)
        return false;
    sl_spool_state_remember(s->state_file, segment->number, segment->memory.id, 0);
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
    if (segment != NULL && bytes <= sl_segment_room(segment))
        return segment;
    if (!begin_segment(s))
        return NULL;
    segment = s->current;
    return bytes <= sl_segment_room(segment) ? segment : NULL;
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
    s->unreadable += left;
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
