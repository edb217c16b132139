/* Which worker pools there are: for documents that name pools by their id only. Pure; one thread at
 * a time. */
#ifndef SL_SPACELIFT_POOLS_H
#define SL_SPACELIFT_POOLS_H

#include "spacelift/answer.h"

struct sl_known_pool {
    char *id;
    char *name;
};

struct sl_known_pools {
    struct sl_known_pool *items; /* sorted by id */
    size_t count;
};

/* Replaces what is known by the pools of an answer to WORKER_POOLS. SL_NOMEM keeps the old ones. */
int sl_known_pools_set(struct sl_known_pools *known, const struct sl_answer *answer,
                       struct sl_error *err) SL_CHECKED;
void sl_known_pools_release(struct sl_known_pools *known);

/* The pool, or NULL. */
const struct sl_known_pool *sl_known_pools_find(const struct sl_known_pools *known, const char *id);

#endif
