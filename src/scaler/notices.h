/* What the controllers have to tell, on its way to whoever passes it on: collectd's notifications
 * run other plugins' callbacks, which may block, so no controller calls them itself. A bounded
 * queue; any thread. */
#ifndef SL_SCALER_NOTICES_H
#define SL_SCALER_NOTICES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "os/wakeup.h"
#include "scaler/controller.h"

enum { SL_NOTICES = 256, SL_NOTICE_TEXT_BYTES = 480 };

struct sl_notice {
    enum sl_note note;
    const struct sl_pool_options *pool;
    int32_t from; /* of a change of size; elsewhere both are the size */
    int32_t to;
    char text[SL_NOTICE_TEXT_BYTES]; /* one line: "1 -> 3 workers: busy 1 + pending 2 = 3" */
};

struct sl_notices {
    pthread_mutex_t lock;
    struct sl_wakeup said; /* signalled while there is one */
    struct sl_notice *items;
    size_t first;
    size_t count;
    uint64_t dropped; /* the oldest, when nobody took them */
};

int sl_notices_init(struct sl_notices *n, struct sl_error *err) SL_CHECKED;
void sl_notices_release(struct sl_notices *n);

void sl_notices_put(struct sl_notices *n, const struct sl_notice *notice);

/* False if there is none. */
bool sl_notices_take(struct sl_notices *n, struct sl_notice *ret);

#endif
