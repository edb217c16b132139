/* What has become of every sample:
 *
 *   accepted = acked + rejected + dropped_full + dropped_age + dropped_invalid + pending
 *
 * at every moment. Accepted is what a write callback has returned 0 for, and stale markers. */
#ifndef SL_REMOTE_WRITE_BOOKS_H
#define SL_REMOTE_WRITE_BOOKS_H

#include <stdint.h>

struct sl_books {
    uint64_t accepted;
    uint64_t acked;           /* a receiver has said so */
    uint64_t rejected;        /* it has refused them for good */
    uint64_t dropped_full;    /* there was no room for more */
    uint64_t dropped_age;     /* older than MaxAge */
    uint64_t dropped_invalid; /* not newer than the one before, or no name could be made */
    uint64_t pending;
};

#endif
