/* Is each cluster there, may we do what we must, and what would happen to each pool? */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "kube.h"
#include "kubernetes/access.h"
#include "kubernetes/workerpools.h"
#include "os/clock.h"
#include "migrate/migrate.h"
#include "scaler/preview.h"

/* ---- the pool's name in Spacelift ---- */

static void say_unknown(struct sl_check *c, const struct sl_pool_options *pool) {
    struct sl_nearest near = {.wanted = pool->name};
    struct sl_buffer names;
    sl_buffer_init(&names, SL_CHECK_REMEDY_BYTES - 64);
    for (size_t i = 0; i < c->pool_count; i++) {
        sl_nearest_offer(&near, c->pools[i].name);
        if (names.len + strlen(c->pools[i].name) < names.max - 8)
            sl_buffer_printf(&names, "%s\"%s\"", i > 0 ? ", " : "", c->pools[i].name);
    }
    char remedy[SL_CHECK_REMEDY_BYTES];
    if (near.best != NULL)
        (void)snprintf(remedy, sizeof(remedy), "did you mean \"%s\"?", near.best);
    else
        (void)snprintf(remedy, sizeof(remedy),
                       "the key sees: %s; give it access to the space, or "
                       "mend the name",
                       names.len > 0 ? names.data : "none at all");
    sl_check_say(c, SL_CHECK_FAILED, remedy, "Spacelift has no worker pool of this name");
    sl_buffer_release(&names);
}

/* NULL: nobody knows, and it has been said. */
static const struct sl_check_pool *find_pool(struct sl_check *c,
                                             const struct sl_pool_options *pool) {
    const struct sl_check_pool *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < c->pool_count; i++) {
        const struct sl_check_pool *p = &c->pools[i];
        bool is_it = pool->worker_pool_id != NULL ? strcmp(p->id, pool->worker_pool_id) == 0
                                                  : strcmp(p->name, pool->name) == 0;
        found = is_it ? p : found;
        count += is_it;
    }
    if (count == 1 && strcmp(found->name, pool->name) != 0)
        sl_check_say(c, SL_CHECK_WARNING, "change the label of <Pool>",
                     "the pool with this WorkerPoolID is called \"%s\" in Spacelift", found->name);
    if (count == 1) {
        sl_check_say(c, SL_CHECK_OK, NULL, "Spacelift knows it: %lld busy, %lld pending",
                     (long long)found->workers_busy, (long long)found->runs_pending);
        return found;
    }
    if (count > 1)
        sl_check_say(c, SL_CHECK_FAILED, "tell them apart with WorkerPoolID",
                     "Spacelift has %zu worker pools of this name", count);
    else if (!c->has_pools)
        sl_check_say(c, SL_CHECK_SKIPPED, NULL,
                     "its name is not compared: not every account could be read");
    else
        say_unknown(c, pool);
    return NULL;
}

/* ---- rights ---- */

static bool is_about_leases(const struct sl_kube_rule *rule) {
    return strcmp(rule->resource, "leases") == 0;
}

/* False: the server does not answer, so nothing else need be asked. */
static bool check_right(struct sl_check *c, struct sl_kube_link *link,
                        const struct sl_cluster_options *cluster,
                        const struct sl_pool_options *pool, const struct sl_kube_rule *rule,
                        const char *verb) {
    struct sl_error err = SL_ERROR_INIT;
    bool is_lease = is_about_leases(rule);
    const char *where = is_lease ? cluster->lease_namespace : pool->kube_namespace;
    int code = sl_kube_access_check(link->client, rule, verb, where, pool->worker_pool,
                                    cluster->lease_name, &err);
    if (code == SL_OK) {
        sl_check_say(c, SL_CHECK_OK, NULL, "may %s %s%s%s", verb, rule->resource,
                     rule->subresource != NULL ? "/" : "",
                     rule->subresource != NULL ? rule->subresource : "");
        return true;
    }
    if (code == SL_FORBIDDEN) {
        bool is_needed = is_lease || !rule->is_optional;
        sl_check_say(c, is_needed ? SL_CHECK_FAILED : SL_CHECK_WARNING,
                     "spacelift-pool manifests prints the Role: kubectl apply it", "%s", err.text);
        return true;
    }
    sl_check_say(c, SL_CHECK_FAILED,
                 code == SL_AUTH
                     ? "make a new token: kubectl create token, as spacelift-pool "
                       "manifests says"
                     : "check the kubeconfig's server, the network, and the certificate",
                 "%s", err.text);
    return false;
}

static bool check_rights(struct sl_check *c, struct sl_kube_link *link,
                         const struct sl_cluster_options *cluster,
                         const struct sl_pool_options *pool) {
    for (const struct sl_kube_rule *rule = sl_kube_rules; rule->resource != NULL; rule++) {
        bool is_event = strcmp(rule->resource, "events") == 0;
        if ((is_about_leases(rule) && !cluster->has_election) || (is_event && !cluster->has_events))
            continue;
        for (size_t i = 0; rule->verbs[i] != NULL; i++)
            if (!check_right(c, link, cluster, pool, rule, rule->verbs[i]))
                return false;
    }
    return true;
}

static bool share_a_namespace(const struct sl_kube_link *link, const struct sl_pool_options *a,
                              const struct sl_pool_options *b) {
    return a->cluster_index == b->cluster_index &&
           strcmp(sl_kube_client_namespace(link->client, a->kube_namespace),
                  sl_kube_client_namespace(link->client, b->kube_namespace)) == 0;
}

/* Said once for a namespace, with its first pool: may one request look at all of them? */
static void say_list(struct sl_check *c, struct sl_kube_link *link, size_t first) {
    const struct sl_scaler_config *scaler = &c->configuration->scaler;
    const struct sl_pool_options *pool = scaler->pools[first];
    struct sl_error err = SL_ERROR_INIT;
    size_t count = 0;
    for (size_t i = 0; i < scaler->pool_count; i++) {
        if (!share_a_namespace(link, scaler->pools[i], pool))
            continue;
        if (i < first)
            return;
        count++;
    }
    if (count < 2)
        return;
    int code = sl_kube_access_check(link->client, &sl_kube_rule_list, "list", pool->kube_namespace,
                                    "", "", &err);
    if (code == SL_OK)
        sl_check_say(
            c, SL_CHECK_OK, NULL,
            "may list workerpools: one request for each interval looks at all %zu pools of "
            "its namespace",
            count);
    else if (code == SL_FORBIDDEN)
        sl_check_say(c, SL_CHECK_OK, NULL,
                     "may not list workerpools, and need not: the %zu pools of its namespace are "
                     "looked at one by one; list in the Role would cost the API server less "
                     "(spacelift-pool manifests prints the rule)",
                     count);
}

/* ---- the size ---- */

static void say_preview(struct sl_check *c, const struct sl_pool_options *pool,
                        const struct sl_check_pool *known, const struct sl_kube_scale *scale) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_preview preview;
    if (sl_preview(pool, known->runs_pending, known->workers_busy,
                   scale->is_unset ? SL_SIZE_UNSET : scale->replicas, sl_clock_realtime_ms(),
                   &preview, &err) != SL_OK)
        sl_check_say(c, SL_CHECK_FAILED, NULL, "%s", err.text);
    else
        sl_check_say(c, SL_CHECK_OK, NULL, "it would get %d worker%s now: %s",
                     preview.decision.size, preview.decision.size == 1 ? "" : "s", preview.why);
}

static void check_size(struct sl_check *c, struct sl_kube_link *link,
                       const struct sl_pool_options *pool, const struct sl_check_pool *known) {
    struct sl_kube_scale scale;
    struct sl_error err = SL_ERROR_INIT;
    int code =
        sl_kube_pool_get(link->client, pool->kube_namespace, pool->worker_pool, NULL, &scale, &err);
    if (code != SL_OK) {
        sl_check_say(c, SL_CHECK_FAILED,
                     code == SL_NOTFOUND
                         ? "compare with kubectl get workerpools -A; WorkerPool and "
                           "Namespace in <Pool> name the resource"
                         : NULL,
                     "%s", err.text);
        return;
    }
    if (scale.is_unset)
        sl_check_say(c, SL_CHECK_OK, NULL, "its poolSize was never set; it will be");
    else
        sl_check_say(c, SL_CHECK_OK, NULL, "poolSize is %d, %d exist", scale.replicas,
                     scale.actual_replicas);
    if (known != NULL)
        say_preview(c, pool, known, &scale);
}

/* ---- others who resize it ---- */

static bool has_target(const struct sl_json *object, const char *worker_pool) {
    const struct sl_json *target = sl_json_get(sl_json_get(object, "spec"), "scaleTargetRef");
    const char *name = sl_json_string(sl_json_get(target, "name"));
    return sl_migrate_is_ours(object) && name != NULL && strcmp(name, worker_pool) == 0;
}

static void check_rival_kind(struct sl_check *c, struct sl_kube_link *link,
                             const struct sl_pool_options *pool, const char *version,
                             const char *plural, const char *kind) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_json *list = NULL;
    int code = sl_kube_link_list(link, version, plural, pool->kube_namespace, &list, &err);
    if (code != SL_OK) {
        sl_check_say(
            c, SL_CHECK_SKIPPED,
            "run check once with a kubeconfig of yours: --cluster-kube-config ~/.kube/config",
            code == SL_FORBIDDEN ? "whether a %s resizes it too is not known: the account "
                                   "may not list them"
                                 : "whether a %s resizes it too is not known",
            kind);
        return;
    }
    const struct sl_json *items = sl_json_get(list, "items");
    size_t found = 0;
    for (size_t i = 0; i < sl_json_size(items); i++) {
        const struct sl_json *each = sl_json_at(items, i);
        const char *name = sl_json_string(sl_json_get(sl_json_get(each, "metadata"), "name"));
        if (!has_target(each, pool->worker_pool))
            continue;
        found++;
        sl_check_say(c, pool->is_shadow ? SL_CHECK_OK : SL_CHECK_FAILED,
                     pool->is_shadow ? NULL
                                     : "spacelift-pool migrate translates it; then delete it, or "
                                       "set Shadow true to watch beside it",
                     "the %s \"%s\" resizes it too%s", kind, name != NULL ? name : "",
                     pool->is_shadow ? "; this is a shadow, so they do not fight" : ": they fight");
    }
    if (found == 0)
        sl_check_say(c, SL_CHECK_OK, NULL, "no %s resizes it", kind);
    sl_json_free(list);
}

/* ---- all of it ---- */

static void check_pool(struct sl_check *c, struct sl_kube_link *link, size_t index,
                       bool *is_reachable) {
    const struct sl_pool_options *pool = c->configuration->scaler.pools[index];
    const struct sl_cluster_options *cluster =
        c->configuration->scaler.clusters[pool->cluster_index];
    sl_check_area(c, "pool \"%s\"", pool->name);
    const struct sl_check_pool *known = find_pool(c, pool);
    if (!*is_reachable) {
        sl_check_say(c, SL_CHECK_SKIPPED, NULL, "nothing more: the cluster \"%s\" does not answer",
                     cluster->name);
        return;
    }
    *is_reachable = check_rights(c, link, cluster, pool);
    if (!*is_reachable)
        return;
    say_list(c, link, index);
    check_size(c, link, pool, known);
    check_rival_kind(c, link, pool, "keda.sh/v1alpha1", "scaledobjects", "ScaledObject");
    check_rival_kind(c, link, pool, "autoscaling/v2", "horizontalpodautoscalers",
                     "HorizontalPodAutoscaler");
}

void sl_check_clusters(struct sl_check *c) {
    const struct sl_scaler_config *scaler = &c->configuration->scaler;
    struct sl_log log = sl_check_log(c);
    for (size_t i = 0; i < scaler->cluster_count; i++) {
        struct sl_kube_link link;
        struct sl_error err = SL_ERROR_INIT;
        sl_check_area(c, "cluster \"%s\"", scaler->clusters[i]->name);
        bool is_there = sl_kube_link_open(scaler->clusters[i], &log, &link, &err) == SL_OK;
        if (is_there)
            sl_check_say(c, SL_CHECK_OK, NULL, "its credentials can be read; namespace %s",
                         sl_kube_credentials_namespace(link.credentials));
        else
            sl_check_say(c, SL_CHECK_FAILED,
                         "name a kubeconfig with KubeConfig in <Cluster>, or --cluster-kube-config",
                         "%s", err.text);
        for (size_t j = 0; j < scaler->pool_count; j++)
            if (scaler->pools[j]->cluster_index == i)
                check_pool(c, &link, j, &is_there);
        sl_kube_link_close(&link);
    }
}
