/* Where the sender stands in its spool, and its books: a page of a file, mapped, so that a killed
 * process leaves it as it was. Two slots, written in turn, each with a checksum: whatever moment a
 * process or a host ends at, one of them is whole. One thread at a time. */
#ifndef SL_REMOTE_WRITE_SPOOL_STATE_H
#define SL_REMOTE_WRITE_SPOOL_STATE_H

#include "base/error.h"
#include "remote_write/books.h"

struct sl_spool_state {
    uint64_t segment; /* its number */
    uint64_t from;    /* everything before has met its fate */
    uint64_t to;      /* the end of the batch under way; from: there is none */
    uint64_t end;     /* what is behind it in this segment has been dropped; 0: nothing has */
    struct sl_books books;
};

struct sl_spool_state_file;

/* *state: what the file says; zeroes where it says nothing. SL_IO. */
int sl_spool_state_open(int directory_fd, struct sl_spool_state_file **ret,
                        struct sl_spool_state *state, struct sl_error *err) SL_CHECKED;
void sl_spool_state_write(struct sl_spool_state_file *file, const struct sl_spool_state *state);
int sl_spool_state_fd(const struct sl_spool_state_file *file); /* for fdatasync() */
void sl_spool_state_close(struct sl_spool_state_file *file);

#endif
