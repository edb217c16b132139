/* A ring under a lock; the oldest goes when it is full. */
#include "scaler/notices.h"

#include <stdlib.h>
#include <string.h>

int sl_notices_init(struct sl_notices *n, struct sl_error *err) {
    int rc = SL_OK;

    memset(n, 0, sizeof *n);
    rc = sl_wakeup_init(&n->said, err);
    if (rc != SL_OK) {
        return rc;
    }
    n->items = calloc(SL_NOTICES, sizeof *n->items);
    if (n->items == NULL || pthread_mutex_init(&n->lock, NULL) != 0) {
        free(n->items);
        sl_wakeup_release(&n->said);
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    return SL_OK;
}

void sl_notices_release(struct sl_notices *n) {
    free(n->items);
    (void)pthread_mutex_destroy(&n->lock);
    sl_wakeup_release(&n->said);
}

void sl_notices_put(struct sl_notices *n, const struct sl_notice *notice) {
    (void)pthread_mutex_lock(&n->lock);
    if (n->count == SL_NOTICES) {
        n->first = (n->first + 1) % SL_NOTICES;
        n->count--;
        n->dropped++;
    }
    n->items[(n->first + n->count) % SL_NOTICES] = *notice;
    n->count++;
    (void)pthread_mutex_unlock(&n->lock);
    sl_wakeup_signal(&n->said);
}

bool sl_notices_take(struct sl_notices *n, struct sl_notice *ret) {
    bool is_there = false;

    (void)pthread_mutex_lock(&n->lock);
    is_there = n->count > 0;
    if (is_there) {
        *ret = n->items[n->first];
        n->first = (n->first + 1) % SL_NOTICES;
        n->count--;
    } else {
        sl_wakeup_clear(&n->said);
    }
    (void)pthread_mutex_unlock(&n->lock);
    return is_there;
}
