/* How long to wait before the next try. Pure: the caller keeps the time. */
#ifndef SL_BASE_BACKOFF_H
#define SL_BASE_BACKOFF_H

#include <stdint.h>

struct sl_backoff {
    int64_t min_ms;
    int64_t max_ms;
    int64_t next_ms; /* before jitter; 0 after a success */
    uint64_t seed;   /* of the jitter */
};

/* Doubles from min_ms to max_ms. seed makes two hosts differ and a test repeatable. */
void sl_backoff_init(struct sl_backoff *b, int64_t min_ms, int64_t max_ms, uint64_t seed);

/* A try has failed: how many ms to wait. Jitter is at most +-10 %, so that intervals still grow
 * from one failure to the next; a server's Retry-After (retry_after_ms, -1: none) is honoured as
 * a lower bound, itself bounded by retry_after_max_ms. */
int64_t sl_backoff_failed(struct sl_backoff *b, int64_t retry_after_ms, int64_t retry_after_max_ms);
void sl_backoff_succeeded(struct sl_backoff *b);

#endif
