/* The plugin's block and that of a cluster, and the configuration as it grows block by block. */
#include "scaler/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTER(member) offsetof(struct sl_cluster_options, member)

static const struct sl_option cluster_options[] = {
    {.name = "KubeConfig",
     .type = SL_OPTION_PATH,
     .offset = CLUSTER(kube_config),
     .flags = SL_OPTION_EXAMPLE,
     .example = "/etc/collectd/kubeconfig",
     .help = "A kubeconfig file: where the API server is and how to log in; or several with colons "
             "between, which are merged as kubectl does. Default: those of the environment "
             "variable KUBECONFIG; where that is not set, the service account of the pod that "
             "collectd runs in."},
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
    {.name = "ExecTimeout",
     .type = SL_OPTION_SECONDS,
     .offset = CLUSTER(exec_timeout_ms),
     .fallback = "30",
     .min = 0.1,
     .max = 600,
     .unit = "s",
     .help = "How long a program that the kubeconfig runs to log in (exec) may take before it is "
             "killed. Only this cluster's pools wait for it."},
    {.name = "Events",
     .type = SL_OPTION_BOOLEAN,
     .offset = CLUSTER(has_events),
     .fallback = "true",
     .help = "Whether to write events about what was done to a pool, as kubectl describe shows "
             "them. Where the account may not, the log says so once and scaling goes on."},
    {.name = "LeaderElection",
     .type = SL_OPTION_BOOLEAN,
     .offset = CLUSTER(has_election),
     .fallback = "false",
     .help = "Whether several hosts with this setting agree on one that writes sizes; the others "
             "watch and take over. Needed only where more than one host scales the same pools."},
    {.name = "LeaseName",
     .type = SL_OPTION_STRING,
     .offset = CLUSTER(lease_name),
     .fallback = "collectd-workerpool-scaler",
     .help = "The Lease by which they agree. Hosts that scale different pools of one namespace "
             "need different ones."},
    {.name = "LeaseNamespace",
     .type = SL_OPTION_STRING,
     .offset = CLUSTER(lease_namespace),
     .example = "spacelift-worker-pool-controller-system",
     .help = "Where the Lease is. Default: the Namespace of the cluster's first pool, or that of "
             "the kubeconfig's context."},
    {.name = "LeaseDuration",
     .type = SL_OPTION_SECONDS,
     .offset = CLUSTER(lease_duration_ms),
     .fallback = "15",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .help = "How long the others wait after the leader's last sign of life before one of them "
             "takes over."},
    {.name = "RenewDeadline",
     .type = SL_OPTION_SECONDS,
     .offset = CLUSTER(renew_deadline_ms),
     .fallback = "10",
     .min = 0.5,
     .max = 3600,
     .unit = "s",
     .help = "How long the leader goes on writing without having renewed the Lease. Must be less "
             "than LeaseDuration."},
    {.name = "RetryPeriod",
     .type = SL_OPTION_SECONDS,
     .offset = CLUSTER(retry_period_ms),
     .fallback = "2",
     .min = 0.1,
     .max = 600,
     .unit = "s",
     .help = "How often the leader renews and the others look. RenewDeadline must be more than 1.2 "
             "times as long."},
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

static const struct sl_option plugin_options[] = {
    {.name = "StateDirectory",
     .type = SL_OPTION_PATH,
     .offset = offsetof(struct sl_scaler_config, state_directory),
     .example = "/var/lib/collectd/workerpool_scaler",
     .help =
         "Where to keep what was wanted lately, a file for each cluster, so that a restart does "
         "not delay the next scale-in. Default: workerpool_scaler in collectd's BaseDir."},
    {.name = "PublishInterval",
     .type = SL_OPTION_SECONDS,
     .offset = offsetof(struct sl_scaler_config, publish_interval_ms),
     .fallback = "10",
     .min = 0,
     .max = 3600,
     .unit = "s",
     .help = "How often the scaler's own values (desired size, demand, limits, decisions ...) are "
             "dispatched, in seconds. 0: never."},
    {.name = NULL},
};

static const struct sl_option_block *const inner_blocks[] = {
    &sl_scaler_cluster_block,
    &sl_scaler_pool_block,
    NULL,
};

const struct sl_option_block sl_scaler_plugin_block = {
    .name = "workerpool_scaler",
    .options = plugin_options,
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
        rc = sl_option_defaults(sl_scaler_pool_block.options, added, err);
    }
    if (rc != SL_OK) {
        sl_pool_options_free(added);
        return rc;
    }
    config->pools[config->pool_count++] = added;
    *ret = added;
    return SL_OK;
}

/* ---- from the configuration's tree ---- */

static int read_pool_block(void *context, const struct sl_option_block *block, const char *label,
                           const struct sl_config_item *item, struct sl_error *err) {
    struct sl_pool_options *pool = context;
    struct sl_schedule_options *schedule = NULL;
    struct sl_alarm_options *notification = NULL;
    char where[2 * SL_CONFIG_WHERE_BYTES];
    bool is_schedule = block == &sl_scaler_schedule_block;
    int rc = is_schedule ? sl_pool_options_add_schedule(pool, label, &schedule, err)
                         : sl_pool_options_add_notification(pool, label, &notification, err);

    (void)snprintf(where, sizeof where, "Pool \"%s\": %s \"%s\"", pool->name, block->name, label);
    return rc != SL_OK ? rc
                       : sl_config_read_block(block, where, item,
                                              is_schedule ? (void *)schedule : (void *)notification,
                                              NULL, NULL, err);
}

static int read_inner_block(void *context, const struct sl_option_block *block, const char *label,
                            const struct sl_config_item *item, struct sl_error *err) {
    struct sl_scaler_config *config = context;
    struct sl_cluster_options *cluster = NULL;
    struct sl_pool_options *pool = NULL;
    char where[SL_CONFIG_WHERE_BYTES];
    int rc = SL_OK;

    sl_config_where(block, label, where, sizeof where);
    if (block == &sl_scaler_cluster_block) {
        rc = sl_scaler_config_add_cluster(config, label, &cluster, err);
        return rc != SL_OK ? rc
                           : sl_config_read_block(block, where, item, cluster, NULL, NULL, err);
    }
    rc = sl_scaler_config_add_pool(config, label, &pool, err);
    return rc != SL_OK ? rc
                       : sl_config_read_block(block, where, item, pool, read_pool_block, pool, err);
}

int sl_scaler_config_read(struct sl_scaler_config *config, const struct sl_config_item *item,
                          struct sl_error *err) {
    return sl_config_read_block(&sl_scaler_plugin_block, sl_scaler_plugin_block.name, item, config,
                                read_inner_block, config, err);
}

void sl_scaler_config_rehearse(struct sl_scaler_config *config) {
    for (size_t i = 0; i < config->cluster_count; i++) {
        config->clusters[i]->has_election = false;
    }
    for (size_t i = 0; i < config->pool_count; i++) {
        config->pools[i]->is_shadow = true;
    }
    free(config->state_directory);
    config->state_directory = NULL;
}

void sl_scaler_config_release(struct sl_scaler_config *config) {
    for (size_t i = 0; i < config->cluster_count; i++) {
        cluster_free(config->clusters[i]);
    }
    for (size_t i = 0; i < config->pool_count; i++) {
        sl_pool_options_free(config->pools[i]);
    }
    sl_option_release(plugin_options, config);
    free(config->clusters);
    free(config->pools);
    *config = (struct sl_scaler_config){0};
}
