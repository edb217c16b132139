/* Memory that outlives the process that has made it, whatever ends that process, but not the host:
 * System V shared memory, of this user and found again by its number. It has no file that could be
 * full, truncated, unplugged or slow, so touching it is never a SIGBUS and never waits for a disk.
 * It counts as memory of the process, page by page as it is touched.
 *
 * Where the system gives none (another IPC namespace, a policy) it is plain memory: id is -1. */
#ifndef SL_OS_SURVIVOR_H
#define SL_OS_SURVIVOR_H

#include <stddef.h>

#include "base/error.h"

struct sl_survivor {
    int id;     /* -1: it ends with the process */
    char *base; /* zeroes at first; NULL: there is none */
    size_t size;
};

#define SL_SURVIVOR_INIT                                                                           \
    { .id = -1 }

/* SL_NOMEM. */
int sl_survivor_make(size_t size, struct sl_survivor *ret, struct sl_error *err) SL_CHECKED;

/* Memory for this process only. SL_NOMEM. */
int sl_survivor_make_private(size_t size, struct sl_survivor *ret, struct sl_error *err) SL_CHECKED;

/* What a process that is dead has made. SL_NOTFOUND: there is none of this number that is ours and
 * that nobody uses, after half a second. A number may have been given to somebody else meanwhile:
 * look at what is in it before it is believed. */
int sl_survivor_find(int id, struct sl_survivor *ret, struct sl_error *err) SL_CHECKED;

/* False: it ends with the process after all (kernel.shm_rmid_forced can say so, too). */
bool sl_survivor_outlives(const struct sl_survivor *m);

/* Pages that lie between from and to are given back, and are zeroes when they are touched again. */
void sl_survivor_give_back(struct sl_survivor *m, size_t from, size_t to);

/* Lets go of it. Only sl_survivor_free() ends what has a number; the other leaves it to be found.
 */
void sl_survivor_free(struct sl_survivor *m);
void sl_survivor_leave(struct sl_survivor *m);

#endif
