/* A piece of the journal: records in mapped memory, written from the front, never changed. Mapped
 * from a file it survives the death of the process without a system call per record; without a file
 * it is memory and nothing more.
 *
 *   head    magic, format, number, seed, time of creation, checksum
 *   record  checksum (32 bits) of everything else in it, the file's seed and its own place;
 *           word with kind (2 bits), words (6 bits), place of the list in this segment (24 bits);
 *           then
 *     DEFINE  (in files) bytes, count; the packed forms (labels.h) of count series, each with its
 *             length in front, and since when they count in ms (0: not known); what a value list
 * is, before the first of its records VALUES  time in ms, count x 64 bits: one value list
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

enum {
    SL_SEGMENT_HEAD_BYTES = 64,
    SL_SEGMENT_VALUES_MAX = 32,
    SL_SEGMENT_NAME_BYTES = 32,
};

struct sl_segment {
    struct sl_segment *next;
    uint64_t number;
    uint64_t seed;
    int fd;      /* -1: memory */
    char *base;  /* NULL: not mapped now */
    size_t size; /* of the file or the memory */
    size_t used; /* records end here; written with release, read with acquire */
    uint64_t samples;
    size_t define_bytes; /* of used */
    size_t let_go;       /* the keeper's: so much from the front need not be mapped now */
    bool is_synced;      /* on the disk, all of it */

    /* What the places in this segment stand for; the owner's. Chunks, so that what is there stays
     * where it is while more comes. */
    void ***chunks;
    uint32_t list_count;
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

/* Makes one of size bytes, all of which are there: in the file system (directory_fd) or in memory
 * (-1). SL_IO with the system's reason, SL_NOMEM. */
int sl_segment_make(int directory_fd, uint64_t number, size_t size, struct sl_segment **ret,
                    struct sl_error *err) SL_CHECKED;

/* Opens what another process has left, and maps it. SL_NOTFOUND: nothing has been written to it;
 * SL_PARSE: it is none; SL_IO. used is found by sl_segment_find_end(). */
int sl_segment_open(int directory_fd, uint64_t number, struct sl_segment **ret,
                    struct sl_error *err) SL_CHECKED;

/* Maps again what sl_segment_unmap() has let go. */
int sl_segment_map(struct sl_segment *s, struct sl_error *err) SL_CHECKED;
void sl_segment_unmap(struct sl_segment *s);

/* Closes; with a directory, the file is removed as well. */
void sl_segment_free(struct sl_segment *s, int directory_fd);

/* Cuts the file behind the last record. */
void sl_segment_cut(struct sl_segment *s);

/* Writing. False: there is no room. A list is defined once; *ret_list is its place. */
bool sl_segment_define(struct sl_segment *s, void *list, uint32_t count, const char *packed,
                       size_t packed_len, uint32_t *ret_list);
bool sl_segment_put(struct sl_segment *s, uint32_t list, int64_t time_ms, const uint64_t *values,
                    uint32_t count);
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
