/* The journal of one receiver: segments in the order of time, the oldest of which is being sent and
 * the newest written, and the books. With a directory it outlives the process, and the host:
 *
 *   DIRECTORY/lock            held while it is in use
 *   DIRECTORY/state           spool_state.h
 *   DIRECTORY/NUMBER.seg      segment.h
 *
 * What is put goes into memory that survives the process; a thread, the keeper, copies it into
 * files ten times a second and forces them to the disk as often as it is told to. A directory that
 * cannot be used (there is none, it cannot be written, it is full, it has been removed) is tried
 * again and again; meanwhile segments are memory.
 *
 * The lock that is spoken of is the queue's (queue.h). "Locked" functions want it held; they make
 * no system call that waits for a disk. */
#ifndef SL_REMOTE_WRITE_SPOOL_H
#define SL_REMOTE_WRITE_SPOOL_H

#include <pthread.h>

#include "remote_write/segment.h"
#include "remote_write/spool_state.h"

struct sl_spool {
    char *path;       /* NULL: memory */
    int directory_fd; /* -1: it is not open; changed with the lock held */
    int lock_fd;
    struct sl_spool_state_file *state_file;
    size_t disk_segment_bytes;
    size_t memory_segment_bytes;
    size_t disk_bytes_max;
    size_t memory_bytes_max;

    struct sl_segment *oldest;  /* of the chain */
    struct sl_segment *current; /* the last of it, which is written */
    struct sl_segment *ready;   /* made in advance */
    struct sl_segment *trash;   /* to be freed where nobody waits */
    uint64_t next_number;

    struct sl_spool_state state;
    uint64_t settled_samples; /* of the oldest segment: before state.from */
    uint64_t batch_samples;   /* of the oldest segment: from state.from to state.to */
    bool is_pinned;           /* the sender reads the oldest segment */

    uint64_t bad_records;
    uint64_t corrected;  /* samples that books of a dead process had and the segments have not */
    uint64_t doubtful;   /* segments up to this one are from before a loss of power; 0: none */
    uint64_t unreadable; /* samples that were counted once and could not be read later */
    bool disk_failed;    /* the last time something was to be written; disk_error says why */
    struct sl_error disk_error;

    /* The keeper's own. */
    size_t kept_used; /* how far the writer was in its last round */
    bool has_new_files;
    bool is_synced_by_us; /* sl_spool_sync() is called: files count when they are on the disk */
    int64_t retry_ms;     /* after a failure; monotonic */
};

struct sl_spool_limits {
    size_t disk_bytes;   /* 0: memory only */
    size_t memory_bytes; /* where there is no disk */
};

void sl_spool_init(struct sl_spool *s, const struct sl_spool_limits *limits);

/* Makes path (its last two parts where they are missing), locks it and takes over what it holds.
 * Before any other thread knows s. On failure s is in memory: SL_IO with path and reason. */
int sl_spool_open(struct sl_spool *s, const char *path, struct sl_error *err) SL_CHECKED;

/* After the last use. Segments on disk stay, and in memory what could not be saved. */
void sl_spool_close(struct sl_spool *s);

/* Locked. Puts a segment at the end of the chain. */
void sl_spool_append(struct sl_spool *s, struct sl_segment *segment);

/* Locked. A segment with room for so many bytes; NULL: there is none, not even in memory. */
struct sl_segment *sl_spool_segment(struct sl_spool *s, size_t bytes);

/* Locked. So many samples have been put. */
void sl_spool_accept(struct sl_spool *s, uint64_t samples);

/* Locked. Where reading ends in the oldest segment. */
size_t sl_spool_oldest_end(const struct sl_spool *s);

/* Locked. The oldest segment that may hold something unread, which cannot be dropped until
 * sl_spool_unpin(); NULL: nothing waits. */
struct sl_segment *sl_spool_pin(struct sl_spool *s);
void sl_spool_unpin(struct sl_spool *s);

/* Locked, pinned. The oldest segment cannot be read: what is left of it is dropped_invalid. */
void sl_spool_give_up(struct sl_spool *s);

/* Locked, pinned. The batch is what stands from state.from to to. */
void sl_spool_begin_batch(struct sl_spool *s, size_t to, uint64_t samples);

/* Locked, pinned. What there was until to is settled; its samples have been added to the books by
 * the caller, all but pending. */
void sl_spool_settle(struct sl_spool *s, size_t to, uint64_t samples);

/* Locked. How much room the chain takes. */
size_t sl_spool_disk_bytes(const struct sl_spool *s);   /* in files */
size_t sl_spool_memory_bytes(const struct sl_spool *s); /* in memory only */

/* Locked, the sender: a descriptor of the directory that is the caller's to close; -1: none. */
int sl_spool_directory(const struct sl_spool *s);

/* ---- the keeper's: what may wait for a disk; not locked ---- */

/* What comes from the writers' side: makes the next segment in advance, touches the pages that will
 * be written next, lets go of memory that nobody needs, frees what is done with. forget is called
 * for the lists of a segment that is freed or let go, with the lock held. */
void sl_spool_keep(struct sl_spool *s, pthread_mutex_t *lock,
                   void (*forget)(void *context, struct sl_segment *segment), void *context);

/* Copies what has been put into files, and makes the directory where it is missing. A failure is in
 * disk_failed, and tried again after a second. */
void sl_spool_save(struct sl_spool *s, pthread_mutex_t *lock, int64_t now_ms);

/* The same, and everything that had been put is on the disk when it returns. */
void sl_spool_sync(struct sl_spool *s, pthread_mutex_t *lock, int64_t now_ms);

/* ---- between spool_keep.c and spool_directory.c ---- */

/* The keeper: opens the directory that could not be opened at the start, or the one that has come
 * in the place of one that is gone. SL_IO. */
int sl_spool_look_at_directory(struct sl_spool *s, pthread_mutex_t *lock,
                               struct sl_error *err) SL_CHECKED;

/* The keeper: the file system fails. Keeps nothing of it open, so that it can be unmounted. */
void sl_spool_put_aside(struct sl_spool *s, pthread_mutex_t *lock);

#endif
