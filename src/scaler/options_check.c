/* Does the configuration fit together? The checks that look at more than one option. */
#include "scaler/options.h"

#include <stdlib.h>
#include <string.h>

/* Kubernetes' limits: a namespace is an RFC 1123 label, a resource's name a subdomain
 * (kubernetes/apimachinery pkg/util/validation). */
enum { MAX_LABEL_BYTES = 63, MAX_SUBDOMAIN_BYTES = 253 };

static bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Lower case letters, digits and inner dashes; separator '.' joins such labels, '\0': none does. */
static bool is_kubernetes_name(const char *name, size_t max_bytes, char separator) {
    size_t len = strlen(name);

    if (len == 0 || len > max_bytes) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool is_edge = i == 0 || i + 1 == len || (separator != '\0' && name[i - 1] == separator) ||
                       (separator != '\0' && name[i + 1] == separator);
        bool is_inner = name[i] == '-' || (separator != '\0' && name[i] == separator);

        if (!is_alphanumeric(name[i]) && (is_edge || !is_inner)) {
            return false;
        }
    }
    return true;
}

static int check_resource(struct sl_pool_options *pool, struct sl_error *err) {
    if (pool->worker_pool == NULL) {
        if (!is_kubernetes_name(pool->name, MAX_SUBDOMAIN_BYTES, '.')) {
            return sl_fail(err, SL_CONFIG,
                           "Pool \"%s\": a WorkerPool resource cannot have this name: set the "
                           "option WorkerPool to the resource's name (kubectl get workerpools)",
                           pool->name);
        }
        pool->worker_pool = strdup(pool->name);
        if (pool->worker_pool == NULL) {
            return sl_fail(err, SL_NOMEM, "out of memory while reading the configuration");
        }
    }
    if (!is_kubernetes_name(pool->worker_pool, MAX_SUBDOMAIN_BYTES, '.')) {
        return sl_fail(err, SL_CONFIG,
                       "Pool \"%s\": WorkerPool \"%s\" is not a name Kubernetes allows (lower case "
                       "letters, digits, '-' and '.')",
                       pool->name, pool->worker_pool);
    }
    if (pool->kube_namespace != NULL &&
        !is_kubernetes_name(pool->kube_namespace, MAX_LABEL_BYTES, '\0')) {
        return sl_fail(err, SL_CONFIG,
                       "Pool \"%s\": Namespace \"%s\" is not a name Kubernetes allows (lower case "
                       "letters, digits and '-')",
                       pool->name, pool->kube_namespace);
    }
    return SL_OK;
}

static int check_cluster(const struct sl_scaler_config *config, struct sl_pool_options *pool,
                         struct sl_error *err) {
    if (pool->cluster == NULL && config->cluster_count > 1) {
        return sl_fail(err, SL_CONFIG,
                       "Pool \"%s\": there are %zu clusters, so the option Cluster is needed",
                       pool->name, config->cluster_count);
    }
    for (size_t i = 0; i < config->cluster_count; i++) {
        if (pool->cluster == NULL || strcmp(pool->cluster, config->clusters[i]->name) == 0) {
            pool->cluster_index = i;
            return SL_OK;
        }
    }
    return sl_fail(err, SL_CONFIG,
                   "Pool \"%s\": Cluster \"%s\" is not the name of a <Cluster> block", pool->name,
                   pool->cluster);
}

static bool same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static int check_pair(const struct sl_pool_options *a, const struct sl_pool_options *b,
                      struct sl_error *err) {
    bool both_pinned = a->worker_pool_id != NULL && b->worker_pool_id != NULL;

    if (strcmp(a->name, b->name) == 0 &&
        (!both_pinned || same_text(a->worker_pool_id, b->worker_pool_id))) {
        return sl_fail(err, SL_CONFIG,
                       "there are two <Pool \"%s\">: remove one, or give each its own WorkerPoolID "
                       "if Spacelift has two pools of this name",
                       a->name);
    }
    if (a->cluster_index == b->cluster_index && same_text(a->worker_pool, b->worker_pool) &&
        same_text(a->kube_namespace, b->kube_namespace)) {
        return sl_fail(
            err, SL_CONFIG,
            "Pool \"%s\" and Pool \"%s\" both set the size of the WorkerPool \"%s\": give "
            "each its own WorkerPool or Namespace",
            a->name, b->name, a->worker_pool);
    }
    return SL_OK;
}

static int check_schedules(const struct sl_pool_options *pool, struct sl_error *err) {
    for (size_t i = 0; i < pool->schedule_count; i++) {
        const struct sl_schedule_options *s = pool->schedules[i];
        bool has_cap = s->max_workers >= 0;

        if (s->min_workers == 0 && !has_cap) {
            return sl_fail(err, SL_CONFIG,
                           "Pool \"%s\": Schedule \"%s\" has neither MinWorkers nor MaxWorkers",
                           pool->name, s->name);
        }
        if (s->min_workers > pool->max_workers || (has_cap && s->min_workers > s->max_workers)) {
            return sl_fail(err, SL_CONFIG,
                           "Pool \"%s\": Schedule \"%s\": MinWorkers %d is more than MaxWorkers",
                           pool->name, s->name, (int)s->min_workers);
        }
    }
    return SL_OK;
}

static int check_notifications(const struct sl_pool_options *pool, struct sl_error *err) {
    for (size_t i = 0; i < pool->notification_count; i++) {
        const struct sl_alarm_options *n = pool->notifications[i];

        if (n->warning_min_workers == 0 && n->failure_min_workers == 0 &&
            n->warning_add_workers == 0 && n->failure_add_workers == 0) {
            return sl_fail(err, SL_CONFIG,
                           "Pool \"%s\": Notification \"%s\" does nothing: set WarningMinWorkers, "
                           "FailureMinWorkers, WarningAddWorkers or FailureAddWorkers",
                           pool->name, n->name);
        }
    }
    return SL_OK;
}

static int check_pool(struct sl_scaler_config *config, size_t index, struct sl_error *err) {
    struct sl_pool_options *pool = config->pools[index];
    struct sl_policy policy = sl_pool_policy(pool);
    struct sl_error why = SL_ERROR_INIT;

    if (sl_policy_check(&policy, &why) != SL_OK) {
        return sl_fail(err, SL_CONFIG, "Pool \"%s\": %s", pool->name, why.text);
    }
    if (check_resource(pool, &why) != SL_OK || check_cluster(config, pool, &why) != SL_OK ||
        check_schedules(pool, &why) != SL_OK || check_notifications(pool, &why) != SL_OK) {
        return sl_fail(err, why.code, "%s", why.text);
    }
    for (size_t i = 0; i < index; i++) {
        if (check_pair(config->pools[i], pool, &why) != SL_OK) {
            return sl_fail(err, SL_CONFIG, "%s", why.text);
        }
    }
    return SL_OK;
}

static int check_election(const struct sl_cluster_options *c, struct sl_error *err) {
    if (!c->has_election) {
        return SL_OK;
    }
    if (c->lease_duration_ms <= c->renew_deadline_ms) {
        return sl_fail(err, SL_CONFIG,
                       "Cluster \"%s\": LeaseDuration (%g s) must be longer than RenewDeadline "
                       "(%g s)",
                       c->name, (double)c->lease_duration_ms / 1000,
                       (double)c->renew_deadline_ms / 1000);
    }
    if (c->renew_deadline_ms * 5 <= c->retry_period_ms * 6) {
        return sl_fail(
            err, SL_CONFIG,
            "Cluster \"%s\": RenewDeadline (%g s) must be more than 1.2 times RetryPeriod "
            "(%g s)",
            c->name, (double)c->renew_deadline_ms / 1000, (double)c->retry_period_ms / 1000);
    }
    if (!is_kubernetes_name(c->lease_name, MAX_SUBDOMAIN_BYTES, '.') ||
        (c->lease_namespace != NULL &&
         !is_kubernetes_name(c->lease_namespace, MAX_LABEL_BYTES, '\0'))) {
        return sl_fail(
            err, SL_CONFIG,
            "Cluster \"%s\": LeaseName or LeaseNamespace is not a name Kubernetes allows", c->name);
    }
    return SL_OK;
}

int sl_scaler_config_check(struct sl_scaler_config *config, struct sl_error *err) {
    if (config->pool_count == 0) {
        return sl_fail(err, SL_CONFIG,
                       "there is no <Pool>: name at least one worker pool, or remove the plugin");
    }
    if (config->cluster_count == 0) {
        struct sl_cluster_options *unused = NULL;
        int rc = sl_scaler_config_add_cluster(config, "in-cluster", &unused, err);

        if (rc != SL_OK) {
            return rc;
        }
    }
    for (size_t i = 0; i < config->cluster_count; i++) {
        int rc = check_election(config->clusters[i], err);

        if (rc != SL_OK) {
            return rc;
        }
    }
    for (size_t i = 0; i < config->pool_count; i++) {
        int rc = check_pool(config, i, err);

        if (rc != SL_OK) {
            return rc;
        }
    }
    return SL_OK;
}
