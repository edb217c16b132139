/* A piece of the journal: records in memory, written from the front, never changed. The memory
 * survives the death of the process (os/survivor.h), so a record costs no system call; from there
 * the keeper copies it into a file, which survives the death of the host. No file is ever mapped:
 * one that somebody truncates, a file system that is full or read-only and a disk that fails would
 * each be a SIGBUS for whoever touches the page, and a disk that hangs would hold him.
 *
 *   head    magic, format, number, seed, time of creation, checksum
 *   record  checksum (32 bits) of everything else in it, the file's seed and its own place;
 *           word with kind (2 bits), words (6 bits), place of the list in this segment (24 bits);
 *           then
 *     DEFINE  (in a journal) bytes, count; the packed forms (labels.h) of count series, each with
 *             its length in front, and since when they count in ms (0: not known); what a value
 *             list is, before the first of its records
 *     VALUES  time in ms, count x 64 bits: one value list
 *
 * Everything is aligned to eight bytes and in the host's byte order: a spool does not travel. The
 * first word that is zero is the end. A record that does not carry its checksum is passed over
 * alone: the next one is found by its own, which depends on the place.
 *
 * One thread writes at a time; one other may read what is below used. */
#ifndef SL_REMOTE_WRITE_SEGMENT_H
#define SL_REMOTE_WRITE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "os/survivor.h"

enum {
    SL_SEGMENT_HEAD_BYTES = 64,
    SL_SEGMENT_VALUES_MAX = 32,
    SL_SEGMENT_NAME_BYTES = 32,
    SL_SEGMENT_KEPT_BYTES = 4096, /* from the front, which stay in memory, with the head */
};

struct sl_segment {
    struct sl_segment *next;
    uint64_t number;
    uint64_t seed;
    struct sl_survivor memory; /* without a base: only the file is there now */
    size_t size;               /* so far records may be put */
    size_t used;               /* records end here; written with release, read with acquire */
    uint64_t samples;
    size_t define_bytes; /* of used */
    bool is_journal;     /* definitions are in it: it may become a file */

    /* The file; the keeper's. */
    int fd;          /* -1: not open */
    bool has_file;   /* one of this number is in the directory */
    size_t written;  /* so far the file is as the memory is; atomic */
    size_t synced;   /* so far it is on the disk; atomic */
    size_t let_go;   /* so far the memory has been given back, but for the first page */
    bool is_damaged; /* the file has lost what the memory has no more: nothing is added to it */

    /* What the places in this segment stand for; the owner's. Chunks, so that what is there stays
     * where it is while more comes. */
    void ***chunks;
    uint32_t list_count;
    bool is_known;   /* they have been set */
    bool owns_lists; /* read back from the file: nobody else knows them */
};

/* Stands for a value that is not there: a NaN that no other code of ours makes. */
#define SL_SEGMENT_NO_VALUE UINT64_C(0x7ff8000000000010)

/* How many of them are there. */
static inline uint32_t sl_segment_samples(const uint64_t *values, uint32_t count) {
    uint32_t samples = 0;
    for (uint32_t i = 0; i < count; i++)
        samples += values[i] != SL_SEGMENT_NO_VALUE;
    return samples;
}

enum sl_record_kind { SL_RECORD_END, SL_RECORD_DEFINE, SL_RECORD_VALUES, SL_RECORD_BAD };

struct sl_record {
    enum sl_record_kind kind;
    size_t end; /* where the next one begins; of a bad one: where a good one was found, or used */
    uint32_t list;
    uint32_t count; /* of series or of values */
    int64_t time_ms;
    const uint64_t *values;
    const char *packed; /* count times: uint32_t length, bytes */
    size_t packed_len;
};

/* Makes one of size bytes, in memory. SL_NOMEM. */
int sl_segment_make(uint64_t number, size_t size, bool is_journal, struct sl_segment **ret,
                    struct sl_error *err) SL_CHECKED;

/* The memory that a dead process has left (sl_survivor_find()). SL_NOTFOUND: it is none of this
 * number. What had been given back of it, so many bytes, is read from the file. used is found by
 * sl_segment_find_end(). */
int sl_segment_find(int directory_fd, uint64_t number, int memory_id, size_t let_go,
                    struct sl_segment **ret, struct sl_error *err) SL_CHECKED;

/* The file that another process has left, read into memory. SL_NOTFOUND: nothing has been written
 * to it; SL_PARSE: it is none; SL_IO. used is found by sl_segment_find_end(). */
int sl_segment_open(int directory_fd, uint64_t number, struct sl_segment **ret,
                    struct sl_error *err) SL_CHECKED;

/* Reads the file again that sl_segment_forget_memory() has left, into what becomes s->memory. What
 * cannot be read is zeroes, and so no record. */
int sl_segment_load(const struct sl_segment *s, int directory_fd, struct sl_survivor *ret,
                    struct sl_error *err) SL_CHECKED;
void sl_segment_forget_memory(struct sl_segment *s);

/* The same in two steps, of which only the second makes system calls: what is to be forgotten goes
 * to rest. */
void sl_segment_take_memory(struct sl_segment *s, struct sl_segment *rest);

/* Closes; with a directory, the file is removed as well. */
void sl_segment_free(struct sl_segment *s, int directory_fd);

/* Takes leave of it at the end of the process: what is not in the file yet stays in memory. */
void sl_segment_leave(struct sl_segment *s);

/* Nothing is put behind the last record any more, and the file ends there too. */
void sl_segment_cut(struct sl_segment *s, int directory_fd);

/* ---- the keeper's: these wait for a disk ---- */

/* Copies what is new, up to used, into the file, which is made where there is none: with room for
 * everything, so that a full disk is known of before there is something to write. A file that
 * somebody has removed or truncated is made anew. SL_IO; SL_TOOBIG: there is no room. */
int sl_segment_save(struct sl_segment *s, int directory_fd, size_t used,
                    struct sl_error *err) SL_CHECKED;

/* What has been saved is on the disk when it returns. SL_IO: nobody knows what is (the system has
 * let go of what it could not write), and the next sl_segment_save() makes the file anew. */
int sl_segment_sync(struct sl_segment *s, int directory_fd, struct sl_error *err) SL_CHECKED;

/* Gives back the memory down to there: it is settled and on the disk. */
void sl_segment_let_go(struct sl_segment *s, size_t to);

/* The file is not to be trusted, or gone: it is made anew from memory. */
void sl_segment_lose_file(struct sl_segment *s);

/* The file system fails, and may have to be unmounted: closes the file. What is not known to be on
 * the disk is written again. */
void sl_segment_put_aside(struct sl_segment *s);

/* Any thread: how many bytes are in memory only. */
static inline size_t sl_segment_unsaved(const struct sl_segment *s) {
    size_t used = __atomic_load_n(&s->used, __ATOMIC_ACQUIRE);
    return used - __atomic_load_n(&s->written, __ATOMIC_RELAXED);
}

/* Writing. False: there is no room. A list is defined once; *ret_list is its place. */
bool sl_segment_define(struct sl_segment *s, void *list, uint32_t count, const char *packed,
                       size_t packed_len, uint32_t *ret_list);
bool sl_segment_put(struct sl_segment *s, uint32_t list, int64_t time_ms, const uint64_t *values,
                    uint32_t count);
size_t sl_segment_room(const struct sl_segment *s);
size_t sl_segment_define_bytes(size_t packed_len);
size_t sl_segment_put_bytes(uint32_t count);

/* Reading, from at on. Never beyond used; whatever the bytes say, it comes to an end. */
void sl_segment_read(const struct sl_segment *s, size_t at, struct sl_record *ret);

/* Sets used to the end of the last good record. */
void sl_segment_find_end(struct sl_segment *s);

/* What a place stands for; NULL: nothing has been said. False from set: out of memory. */
void *sl_segment_list(const struct sl_segment *s, uint32_t list);
bool sl_segment_set_list(struct sl_segment *s, uint32_t list, void *value);
void sl_segment_forget_lists(struct sl_segment *s);

/* The file's name, and its number from the name; false: no segment's. */
void sl_segment_name(uint64_t number, char name[SL_SEGMENT_NAME_BYTES]);
bool sl_segment_number(const char *name, uint64_t *ret);

#endif
