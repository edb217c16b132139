/* Where the sender stands in its spool, its books, and which memory the newest segments are in. All
 * of it stands in memory that survives the process (os/survivor.h), in two slots written in turn,
 * each with a checksum: whatever moment a process ends at, one of them is whole. The keeper copies
 * it into the file "state", in two slots as well, a page apart: whatever moment a host ends at, one
 * of them is whole. */
#ifndef SL_REMOTE_WRITE_SPOOL_STATE_H
#define SL_REMOTE_WRITE_SPOOL_STATE_H

#include <stddef.h>

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

/* A segment whose memory may hold what its file does not. */
struct sl_spool_memory {
    uint64_t number;
    uint64_t id;     /* os/survivor.h, and one more: 0 is none */
    uint64_t let_go; /* of its first bytes, only the file is left */
};

/* *state: what an earlier process has left; zeroes where it has left nothing. SL_IO. */
int sl_spool_state_open(int directory_fd, struct sl_spool_state_file **ret,
                        struct sl_spool_state *state, struct sl_error *err) SL_CHECKED;

/* Is the state older than what was known when the last process ended? */
bool sl_spool_state_is_doubtful(const struct sl_spool_state_file *file);

/* False: the end of the process is an end of what has not been saved. */
bool sl_spool_state_is_lasting(const struct sl_spool_state_file *file);

/* One thread at a time. */
void sl_spool_state_write(struct sl_spool_state_file *file, const struct sl_spool_state *state);

/* One thread at a time. What stands in the list, by place; NULL behind the last place. */
const struct sl_spool_memory *sl_spool_state_memory(const struct sl_spool_state_file *file,
                                                    size_t place);
void sl_spool_state_remember(struct sl_spool_state_file *file, uint64_t number, int id,
                             size_t let_go);
void sl_spool_state_forget(struct sl_spool_state_file *file, uint64_t number);

/* The keeper; waits for a disk. SL_IO. */
int sl_spool_state_save(struct sl_spool_state_file *file, const struct sl_spool_state *state,
                        bool to_disk, struct sl_error *err) SL_CHECKED;

/* The keeper: a directory has taken the place of the one it was in; -1: none has yet. SL_IO. */
int sl_spool_state_move(struct sl_spool_state_file *file, int directory_fd,
                        struct sl_error *err) SL_CHECKED;

/* At the end, when everything has been saved: from now on the file is enough. SL_IO. */
int sl_spool_state_end(struct sl_spool_state_file *file, const struct sl_spool_state *state,
                       struct sl_error *err) SL_CHECKED;

/* is_needed: not everything has been saved, and the memory stays for the next process. */
void sl_spool_state_close(struct sl_spool_state_file *file, bool is_needed);

#endif
