/* How long to wait before the next try. */
#include "base/backoff.h"

void sl_backoff_init(struct sl_backoff *b, int64_t min_ms, int64_t max_ms, uint64_t seed) {
    *b = (struct sl_backoff){.min_ms = min_ms, .max_ms = max_ms, .seed = seed | 1};
}

/* xorshift64: a spread between hosts, nothing secret. */
static uint64_t next_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

int64_t sl_backoff_failed(struct sl_backoff *b, int64_t retry_after_ms,
                          int64_t retry_after_max_ms) {
    if (b->next_ms == 0)
        b->next_ms = b->min_ms;
    int64_t wait_ms = b->next_ms;
    b->next_ms = b->next_ms > b->max_ms / 2 ? b->max_ms : b->next_ms * 2;

    int64_t spread_ms = wait_ms / 5;
    if (spread_ms > 0)
        wait_ms += (int64_t)(next_random(&b->seed) % (uint64_t)(spread_ms + 1)) - spread_ms / 2;

    if (retry_after_ms > retry_after_max_ms)
        retry_after_ms = retry_after_max_ms;
    return wait_ms > retry_after_ms ? wait_ms : retry_after_ms;
}

void sl_backoff_succeeded(struct sl_backoff *b) {
    b->next_ms = 0;
}
