/* Which worker pools there are. */
#include "spacelift/pools.h"

#include <stdlib.h>
#include <string.h>

void sl_known_pools_release(struct sl_known_pools *known) {
    for (size_t i = 0; i < known->count; i++) {
        free(known->items[i].id);
        free(known->items[i].name);
    }
    free(known->items);
    *known = (struct sl_known_pools){.items = NULL};
}

static int compare(const void *a, const void *b) {
    return strcmp(((const struct sl_known_pool *)a)->id, ((const struct sl_known_pool *)b)->id);
}

int sl_known_pools_set(struct sl_known_pools *known, const struct sl_answer *answer,
                       struct sl_error *err) {
    struct sl_known_pools fresh = {.items = calloc(answer->pool_count + 1, sizeof(*fresh.items))};
    bool is_complete = fresh.items != NULL;
    for (size_t i = 0; is_complete && i < answer->pool_count; i++) {
        struct sl_known_pool *pool = &fresh.items[fresh.count++];
        pool->id = strdup(answer->pools[i].id);
        pool->name = strdup(answer->pools[i].name);
        is_complete = pool->id != NULL && pool->name != NULL;
    }
    if (!is_complete) {
        sl_known_pools_release(&fresh);
        return sl_fail(err, SL_NOMEM, "out of memory for worker pools");
    }
    qsort(fresh.items, fresh.count, sizeof(*fresh.items), compare);
    sl_known_pools_release(known);
    *known = fresh;
    return SL_OK;
}

const struct sl_known_pool *sl_known_pools_find(const struct sl_known_pools *known,
                                                const char *id) {
    struct sl_known_pool wanted = {.id = (char *)(uintptr_t)id};
    return known->count > 0
               ? bsearch(&wanted, known->items, known->count, sizeof(*known->items), compare)
               : NULL;
}
