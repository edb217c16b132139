/* Which pools Spacelift reports that nobody configured. Only for messages: a pool that never gets
 * a value is most often a pool whose name is misspelt, and then the names that do come help. Any
 * thread; never blocks for long. */
#ifndef SL_SCALER_NEIGHBOURS_H
#define SL_SCALER_NEIGHBOURS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { SL_NEIGHBOURS = 8, SL_NEIGHBOUR_BYTES = 64 };

struct sl_neighbours {
    pthread_mutex_t lock;
    char names[SL_NEIGHBOURS][SL_NEIGHBOUR_BYTES]; /* cut */
    size_t count;
    bool has_more;
};

int sl_neighbours_init(struct sl_neighbours *n, struct sl_error *err) SL_CHECKED;
void sl_neighbours_release(struct sl_neighbours *n);

void sl_neighbours_add(struct sl_neighbours *n, const char *name);

/* Writes "\"a\", \"b\" and others" and returns true; false, and "", if none was added. */
bool sl_neighbours_list(struct sl_neighbours *n, char *out, size_t size);

#endif
