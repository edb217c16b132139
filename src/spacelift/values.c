/* From an answer to value lists. */
#include "spacelift/values.h"

static void put_pools(const struct sl_answer *answer, sl_values_fn *put, void *context) {
    const struct sl_metric_type *type = sl_catalogue_find(SL_SPACELIFT_PLUGIN, SL_TYPE_WORKER_POOL);
    for (size_t i = 0; i < answer->pool_count; i++) {
        const struct sl_worker_pool *pool = &answer->pools[i];
        const double values[] = {
            [SL_POOL_RUNS_PENDING] = (double)pool->runs_pending,
            [SL_POOL_WORKERS_BUSY] = (double)pool->workers_busy,
            [SL_POOL_WORKERS] = (double)pool->workers,
            [SL_POOL_WORKERS_DRAINED] = (double)pool->workers_drained,
        };
        put(context, &(struct sl_values){.type = type,
                                         .plugin_instance = pool->name,
                                         .type_instance = pool->id,
                                         .true_name = pool->name,
                                         .values = values});
    }
}

static void put_public_pool(const struct sl_answer *answer, const char *account, sl_values_fn *put,
                            void *context) {
    const double values[] = {
        [SL_PUBLIC_RUNS_PENDING] = (double)answer->public_runs_pending,
        [SL_PUBLIC_WORKERS_BUSY] = (double)answer->public_workers_busy,
        [SL_PUBLIC_PARALLELISM] = (double)answer->public_parallelism,
    };
    if (answer->has_public_pool)
        put(context, &(struct sl_values){
                         .type = sl_catalogue_find(SL_SPACELIFT_PLUGIN, SL_TYPE_PUBLIC_WORKER_POOL),
                         .plugin_instance = account,
                         .type_instance = "",
                         .values = values});
}

void sl_answer_values(enum sl_document document, const struct sl_answer *answer,
                      const char *account, sl_values_fn *put, void *context) {
    if (document == SL_DOCUMENT_WORKER_POOLS)
        put_pools(answer, put, context);
    else if (document == SL_DOCUMENT_PUBLIC_WORKER_POOL)
        put_public_pool(answer, account, put, context);
}
