/* The table behind spacelift/catalogue.h. */
#include "spacelift/catalogue.h"

#include <string.h>

const char SL_TYPE_WORKER_POOL[] = "worker_pool";
const char SL_TYPE_PUBLIC_WORKER_POOL[] = "public_worker_pool";

static const struct sl_metric_type types[] = {
    {
        .name = SL_TYPE_WORKER_POOL,
        .labels = SL_LABELS_WORKER_POOL,
        .count = 4,
        .metrics =
            {
                [SL_POOL_RUNS_PENDING] = {"runs_pending", "spacelift_worker_pool_runs_pending",
                                          "runs", "Runs that wait for a worker of this pool."},
                [SL_POOL_WORKERS_BUSY] = {"workers_busy", "spacelift_worker_pool_workers_busy",
                                          "workers", "Workers of this pool that hold a run."},
                [SL_POOL_WORKERS] = {"workers", "spacelift_worker_pool_workers", "workers",
                                     "Workers registered in this pool, drained ones included."},
                [SL_POOL_WORKERS_DRAINED] = {"workers_drained",
                                             "spacelift_worker_pool_workers_drained", "workers",
                                             "Workers of this pool that take no new run."},
            },
    },
    {
        .name = SL_TYPE_PUBLIC_WORKER_POOL,
        .labels = SL_LABELS_ACCOUNT,
        .count = 3,
        .metrics =
            {
                {"runs_pending", "spacelift_public_worker_pool_runs_pending", "runs",
                 "Runs that wait for a public worker."},
                {"workers_busy", "spacelift_public_worker_pool_workers_busy", "workers",
                 "Public workers that hold a run of this account."},
                {"parallelism", "spacelift_public_worker_pool_parallelism", "runs",
                 "Most runs of this account that may hold a public worker at once."},
            },
    },
};

const struct sl_metric_type *sl_catalogue(size_t *ret_count) {
    *ret_count = sizeof(types) / sizeof(types[0]);
    return types;
}

const struct sl_metric_type *sl_catalogue_find(const char *type) {
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].name, type) == 0)
            return &types[i];
    return NULL;
}
