/* The option tables of the scaler, and the checks that need more than one option. A contradiction
 * is refused at start: found at 3 a.m. it would cost a queue. */
#include "scaler/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define CLUSTER(member) offsetof(struct sl_cluster_options, member)
#define POOL(member)    offsetof(struct sl_pool_options, member)

static const struct sl_option cluster_options[] = {
    {.name = "KubeConfig",
     .type = SL_OPTION_PATH,
     .offset = CLUSTER(kube_config),
     .flags = SL_OPTION_EXAMPLE,
     .example = "/etc/collectd/kubeconfig",
     .help = "A kubeconfig file: where the API server is and how to log in. Without it the "
             "service account of the pod that collectd runs in is used."},
    {.name = "Context",
     .type = SL_OPTION_STRING,
     .offset = CLUSTER(context),
     .example = "prod",
     .help = "Which context of the kubeconfig file to use. Default: its current-context."},
    {.name = "Timeout",
     .type = SL_OPTION_INTEGER,
     .offset = CLUSTER(timeout_ms),
     .fallback = "10000",
     .min = 100,
     .max = 120000,
     .unit = "ms",
     .help = "How long one request to the API server may take, in milliseconds. Only this "
             "cluster's pools wait for it."},
    {.name = NULL},
};

static const struct sl_option pool_options[] = {
    {.name = "Cluster",
     .type = SL_OPTION_STRING,
     .offset = POOL(cluster),
     .example = "prod",
     .help = "The <Cluster> the pool is in. Needed only where there are several."},
    {.name = "Namespace",
     .type = SL_OPTION_STRING,
     .offset = POOL(kube_namespace),
     .flags = SL_OPTION_EXAMPLE,
     .example = "spacelift-worker-pool-controller-system",
     .help = "The namespace of the WorkerPool resource. Default: that of the kubeconfig's context "
             "or of the pod, else \"default\"."},
    {.name = "WorkerPool",
     .type = SL_OPTION_STRING,
     .offset = POOL(worker_pool),
     .example = "my-worker-pool",
     .help = "The name of the WorkerPool resource, where it is not the pool's name in Spacelift."},
    {.name = "WorkerPoolID",
     .type = SL_OPTION_STRING,
     .offset = POOL(worker_pool_id),
     .example = "01HQZX9K7P2M3N4Q5R6S7T8U9V",
     .help = "The pool's ID in Spacelift. Needed only where two pools have the same name."},
    {.name = "MinWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(min_workers),
     .fallback = "1",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .flags = SL_OPTION_EXAMPLE,
     .example = "1",
     .help = "The pool is never made smaller than this. It is kept without any data, too."},
    {.name = "MaxWorkers",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(max_workers),
     .min = 1,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .flags = SL_OPTION_REQUIRED | SL_OPTION_EXAMPLE,
     .example = "5",
     .help = "The pool is never made larger than this. A pool that somebody has made larger is "
             "made smaller again, but never below its busy workers and waiting runs."},
    {.name = "TargetUtilization",
     .type = SL_OPTION_INTEGER,
     .offset = POOL(target_utilization_percent),
     .fallback = "100",
     .min = 1,
     .max = 100,
     .unit = "percent",
     .help = "How many of 100 workers shall be busy. 100: one worker for each busy worker and "
             "waiting run. 80: a quarter more, ready for the next runs."},
    {.name = "ScaleInWindow",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(scale_in_window_ms),
     .fallback = "60",
     .min = 0,
     .max = 86400,
     .unit = "s",
     .help = "The pool is made no smaller than the largest size that was wanted within this time, "
             "in seconds, and not at all until that time has been watched after a start."},
    {.name = "StaleAfter",
     .type = SL_OPTION_SECONDS,
     .offset = POOL(stale_after_ms),
     .min = 1,
     .max = 86400,
     .unit = "s",
     .example = "60",
     .help = "The pool keeps its size when nothing has been heard from Spacelift for this time, in "
             "seconds. Default: three intervals of the values, and at least 60."},
    {.name = NULL},
};

const struct sl_option_block sl_scaler_cluster_block = {
    .name = "Cluster",
    .label = "a name of your choice",
    .example = "prod",
    .options = cluster_options,
    .help = "A Kubernetes cluster with worker pools. Each has a thread of its own, so that one "
            "that hangs does not delay another. Without any the cluster that collectd runs in is "
            "used.",
};

const struct sl_option_block sl_scaler_pool_block = {
    .name = "Pool",
    .label = "the pool's name in Spacelift",
    .example = "my-amazing-worker-pool",
    .options = pool_options,
    .help = "A worker pool whose size follows its queue.",
};

static const struct sl_option_block *const inner_blocks[] = {
    &sl_scaler_cluster_block,
    &sl_scaler_pool_block,
    NULL,
};

const struct sl_option_block sl_scaler_plugin_block = {
    .name = "workerpool_scaler",
    .blocks = inner_blocks,
    .help = "Resizes Kubernetes WorkerPool resources so that each has a worker for every busy "
            "worker and every waiting run. Takes the values of the spacelift plugin, on this host "
            "or through the network plugin.",
};

static int out_of_memory(struct sl_error *err) {
    return sl_fail(err, SL_NOMEM, "out of memory while reading the configuration");
}

static void cluster_free(struct sl_cluster_options *c) {
    if (c == NULL) {
        return;
    }
    sl_option_release(cluster_options, c);
    free(c->name);
    free(c);
}

static void pool_free(struct sl_pool_options *p) {
    if (p == NULL) {
        return;
    }
    sl_option_release(pool_options, p);
    free(p->name);
    free(p);
}

int sl_scaler_config_add_cluster(struct sl_scaler_config *config, const char *name,
                                 struct sl_cluster_options **ret, struct sl_error *err) {
    struct sl_cluster_options **grown = NULL;
    struct sl_cluster_options *added = NULL;
    int rc = SL_OK;

    for (size_t i = 0; i < config->cluster_count; i++) {
        if (strcmp(config->clusters[i]->name, name) == 0) {
            return sl_fail(err, SL_CONFIG, "there are two <Cluster \"%s\">: give each its own name",
                           name);
        }
    }
    grown = realloc(config->clusters, (config->cluster_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return out_of_memory(err);
    }
    config->clusters = grown;
    added = calloc(1, sizeof *added);
    if (added == NULL || (added->name = strdup(name)) == NULL) {
        rc = out_of_memory(err);
    } else {
        rc = sl_option_defaults(cluster_options, added, err);
    }
    if (rc != SL_OK) {
        cluster_free(added);
        return rc;
    }
    config->clusters[config->cluster_count++] = added;
    *ret = added;
    return SL_OK;
}

int sl_scaler_config_add_pool(struct sl_scaler_config *config, const char *name,
                              struct sl_pool_options **ret, struct sl_error *err) {
    struct sl_pool_options **grown = NULL;
    struct sl_pool_options *added = NULL;
    int rc = SL_OK;

    if (name[0] == '\0') {
        return sl_fail(err, SL_CONFIG, "<Pool> needs the pool's name in Spacelift in quotes");
    }
    grown = realloc(config->pools, (config->pool_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return out_of_memory(err);
    }
    config->pools = grown;
    added = calloc(1, sizeof *added);
    if (added == NULL || (added->name = strdup(name)) == NULL) {
        rc = out_of_memory(err);
    } else {
        rc = sl_option_defaults(pool_options, added, err);
    }
    if (rc != SL_OK) {
        pool_free(added);
        return rc;
    }
    config->pools[config->pool_count++] = added;
    *ret = added;
    return SL_OK;
}

void sl_scaler_config_release(struct sl_scaler_config *config) {
    for (size_t i = 0; i < config->cluster_count; i++) {
        cluster_free(config->clusters[i]);
    }
    for (size_t i = 0; i < config->pool_count; i++) {
        pool_free(config->pools[i]);
    }
    free(config->clusters);
    free(config->pools);
    *config = (struct sl_scaler_config){0};
}

struct sl_policy sl_pool_policy(const struct sl_pool_options *pool) {
    return (struct sl_policy){
        .min_workers = (int32_t)pool->min_workers,
        .max_workers = (int32_t)pool->max_workers,
        .target_utilization_percent = (int32_t)pool->target_utilization_percent,
        .scale_in_window_ms = pool->scale_in_window_ms,
        .stale_after_ms = pool->stale_after_ms,
    };
}
