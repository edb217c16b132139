/* A KEDA ScaledObject, field by field. */
#include "migrate/internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DEFAULT_MAX = 100, DEFAULT_COOLDOWN_S = 300, PATH_BYTES = 128 };

#define ANNOTATION "autoscaling.keda.sh/"

struct keda {
    struct sl_migration *m;
    const struct sl_json *spec;
    double min_workers;
    double max_workers;
    double idle_workers; /* -1: not set */
    bool can_sleep;      /* KEDA's own loop has something to do */
    bool is_polled;      /* ... or answers the HPA from its cache */
    bool has_query;
    struct sl_query_facts facts;
};

/* ---- fields nobody reads ---- */

static bool is_known(const char *key, const char *const *known) {
    for (; *known != NULL; known++) {
        if (strcmp(key, *known) == 0) {
            return true;
        }
    }
    return false;
}

/* The API server prunes what the CRD does not have, without a word. */
static void find_unknown(struct keda *k, const struct sl_json *object, const char *path,
                         const char *const *known, const char *why) {
    for (size_t i = 0; i < sl_json_size(object); i++) {
        const char *key = sl_json_key(sl_json_at(object, i));

        if (key != NULL && !is_known(key, known)) { /* NULL: a list where a map belongs */
            char field[PATH_BYTES];

            (void)snprintf(field, sizeof field, "%s%s%.60s", path, path[0] != '\0' ? "." : "", key);
            sl_migration_find(k->m, SL_FINDING_INERT, field, "%s", why);
        }
    }
}

static void find_inert_rhythm(struct keda *k) {
    if (sl_json_get(k->spec, "pollingInterval") != NULL && !k->can_sleep && !k->is_polled) {
        sl_migration_find(k->m, SL_FINDING_INERT, "pollingInterval",
                          "KEDA polls only to go to and from zero or idleReplicaCount; between "
                          "minReplicaCount and maxReplicaCount the HPA asks every 15 s, for data "
                          "that Prometheus scrapes every 30 s by default: 23 s on average");
    }
    if (sl_json_get(k->spec, "cooldownPeriod") != NULL && !k->can_sleep) {
        sl_migration_find(k->m, SL_FINDING_INERT, "cooldownPeriod",
                          "only for going to zero or to idleReplicaCount, which this object never "
                          "does; it delays no other scale-in and speeds none up");
    }
    if (sl_json_get(k->spec, "initialCooldownPeriod") != NULL && !k->can_sleep) {
        sl_migration_find(k->m, SL_FINDING_INERT, "initialCooldownPeriod",
                          "only for the first time of going to zero or to idleReplicaCount");
    }
}

/* ---- the prometheus trigger ---- */

static void find_answers(struct keda *k, const char *path, const struct sl_json *metadata) {
    const char *ignore = sl_migration_text(metadata, "ignoreNullValues", "true");
    char field[PATH_BYTES];

    (void)snprintf(field, sizeof field, "%s.ignoreNullValues", path);
    if (strcasecmp(ignore, "false") != 0 || k->facts.has_vector_or) {
        sl_migration_find(
            k->m, SL_FINDING_SURPRISE, field,
            "%s: no data reads as an empty queue. With Spacelift's API down, the key revoked "
            "or the pool renamed the query gives nothing, that counts as 0, and minutes later "
            "the pool is at its minimum with the queue full. The new configuration keeps the "
            "size and says so",
            k->facts.has_vector_or ? "\"or vector(...)\" in the query" : "true is the default");
    }
    if (!k->facts.is_aggregated) {
        (void)snprintf(field, sizeof field, "%s.query", path);
        sl_migration_find(k->m, SL_FINDING_SURPRISE, field,
                          "gives two series when the exporter's pod is replaced or runs twice, and "
                          "then KEDA fails with \"multiple elements\" and nothing scales for as "
                          "long as both are remembered: max(...) around it would help");
    }
}

static void take_safety(struct keda *k, const char *path, const struct sl_json *metadata) {
    const char *address = sl_migration_text(metadata, "serverAddress", "");
    char field[PATH_BYTES];

    if (sl_json_get(metadata, "unsafeSsl") == NULL) {
        return;
    }
    (void)snprintf(field, sizeof field, "%s.unsafeSsl", path);
    if (strncmp(address, "https://", 8) != 0) {
        sl_migration_find(k->m, SL_FINDING_INERT, field,
                          "there is no certificate to check at an http:// address");
    } else if (strcasecmp(sl_migration_text(metadata, "unsafeSsl", ""), "true") == 0) {
        sl_migration_find(k->m, SL_FINDING_SURPRISE, field,
                          "whoever answers in Prometheus' place decides on the size of the pool");
    }
}

static void take_activation(struct keda *k, const char *path, const struct sl_json *metadata) {
    const struct sl_json *value = sl_json_get(metadata, "activationThreshold");
    double threshold = 0;
    char field[PATH_BYTES];

    (void)snprintf(field, sizeof field, "%s.activationThreshold", path);
    if (value == NULL) {
        return;
    }
    if (!k->can_sleep) {
        sl_migration_find(k->m, SL_FINDING_INERT, field,
                          "only decides on leaving zero or idleReplicaCount, which this object "
                          "never does");
    } else if (sl_migration_number(value, &threshold) && threshold >= 0) {
        sl_migration_set(k->m, false, "ActivationThreshold", field, "%.0f", threshold);
    }
}

static void take_prometheus(struct keda *k, const char *path, const struct sl_json *metadata) {
    static const char *const known[] = {
        "serverAddress",  "query",
        "threshold",      "activationThreshold",
        "namespace",      "customHeaders",
        "unsafeSsl",      "ignoreNullValues",
        "authModes",      "queryParameters",
        "timeout",        "cortexOrgID",
        "metricName",     "awsRegion",
        "identityOwner",  "azureManagedPrometheus",
        "executionAzure", NULL,
    };
    double threshold = 0;
    char field[PATH_BYTES];

    (void)snprintf(field, sizeof field, "%s.query", path);
    if (k->has_query) {
        sl_migration_find(k->m, SL_FINDING_DROPPED, field, "a second query is not translated");
        return;
    }
    k->has_query = true;
    sl_migration_query(k->m, field, sl_migration_text(metadata, "query", ""), &k->facts);
    (void)snprintf(field, sizeof field, "%s.threshold", path);
    if (sl_migration_number(sl_json_get(metadata, "threshold"), &threshold)) {
        sl_migration_ratio(k->m, field, threshold);
    }
    take_activation(k, path, metadata);
    take_safety(k, path, metadata);
    find_answers(k, path, metadata);
    find_unknown(k, metadata, path, known, "the prometheus trigger has no such parameter");
}

/* ---- other triggers ---- */

/* Inside its hours a cron trigger asks for so many workers, outside for none: a floor. */
static void take_cron(struct keda *k, const char *path, const struct sl_json *metadata) {
    double workers = 0;
    struct sl_migrated_schedule *s = NULL;

    if (!sl_migration_number(sl_json_get(metadata, "desiredReplicas"), &workers) ||
        k->m->schedule_count == SL_MIGRATION_SCHEDULES) {
        sl_migration_find(k->m, SL_FINDING_DROPPED, path,
                          "a cron trigger that cannot be written as a <Schedule>");
        return;
    }
    s = &k->m->schedules[k->m->schedule_count++];
    (void)snprintf(s->name, sizeof s->name, "cron %zu", k->m->schedule_count);
    (void)snprintf(s->start, sizeof s->start, "%s", sl_migration_text(metadata, "start", ""));
    (void)snprintf(s->end, sizeof s->end, "%s", sl_migration_text(metadata, "end", ""));
    (void)snprintf(s->time_zone, sizeof s->time_zone, "%s",
                   sl_migration_text(metadata, "timezone", "UTC"));
    s->min_workers = (int64_t)workers;
}

static void take_trigger(struct keda *k, const char *path, const struct sl_json *trigger) {
    const char *type = sl_migration_text(trigger, "type", "");
    const char *metric_type = sl_migration_text(trigger, "metricType", "AverageValue");
    const struct sl_json *metadata = sl_json_get(trigger, "metadata");
    char inner[PATH_BYTES];

    (void)snprintf(inner, sizeof inner, "%s.metadata", path);
    if (strcmp(type, "cpu") == 0 || strcmp(type, "memory") == 0) {
        sl_migration_find(k->m, SL_FINDING_INERT, path,
                          "%s counts pods that match the selector of the WorkerPool, and that "
                          "matches none by design: it never yields a size",
                          type);
    } else if (strcmp(metric_type, "AverageValue") != 0) {
        sl_migration_find(k->m, SL_FINDING_INERT, path,
                          "metricType %.40s counts ready pods, and the selector of a WorkerPool "
                          "matches none by design: it never yields a size",
                          metric_type);
    } else if (strcmp(type, "prometheus") == 0) {
        take_prometheus(k, inner, metadata);
    } else if (strcmp(type, "cron") == 0) {
        take_cron(k, inner, metadata);
    } else {
        sl_migration_find(k->m, SL_FINDING_DROPPED, path,
                          "a trigger of type \"%.40s\" is not translated", type);
    }
    if (sl_json_get(trigger, "authenticationRef") != NULL) {
        sl_migration_find(k->m, SL_FINDING_DROPPED, path,
                          "authenticationRef: nobody asks Prometheus any more");
    }
}

/* ---- the rest of the spec ---- */

/* The minimum of a pool that sleeps is what it has when it is awake: KEDA wakes it to
 * minReplicaCount or 1, and the HPA never goes below 1. */
static void take_sizes(struct keda *k) {
    double cooldown_s = DEFAULT_COOLDOWN_S;
    double idle = k->idle_workers >= 0 ? k->idle_workers : 0;

    sl_migration_set(k->m, false, "MinWorkers", "minReplicaCount", "%.0f",
                     k->min_workers < 1 ? 1.0 : k->min_workers);
    sl_migration_set(k->m, false, "MaxWorkers",
                     sl_json_get(k->spec, "maxReplicaCount") != NULL ? "maxReplicaCount"
                                                                     : "KEDA's default",
                     "%.0f", k->max_workers);
    if (!k->can_sleep) {
        return;
    }
    (void)sl_migration_number(sl_json_get(k->spec, "cooldownPeriod"), &cooldown_s);
    sl_migration_set(k->m, false, "IdleWorkers",
                     k->idle_workers >= 0 ? "idleReplicaCount" : "minReplicaCount 0", "%.0f", idle);
    sl_migration_set(k->m, false, "Cooldown", "cooldownPeriod", "%g", cooldown_s);
    sl_migration_find(k->m, SL_FINDING_SURPRISE, "cooldownPeriod",
                      "goes from any size straight to %.0f once nothing has been waiting for %g s, "
                      "also while workers are busy. The new configuration counts busy workers as "
                      "activity",
                      idle, cooldown_s);
}

static void take_fallback(struct keda *k) {
    static const char *const names[][2] = {
        {"static", "static"},
        {"currentReplicas", "current"},
        {"currentReplicasIfHigher", "higher"},
        {"currentReplicasIfLower", "lower"},
        {NULL, NULL},
    };
    const struct sl_json *fallback = sl_json_get(k->spec, "fallback");
    const char *behavior = sl_migration_text(fallback, "behavior", "static");
    double replicas = 0, failures = 0;
    size_t i = 0;

    if (!sl_json_is_object(fallback)) {
        return;
    }
    while (names[i][0] != NULL && strcmp(behavior, names[i][0]) != 0) {
        i++;
    }
    if (names[i][0] == NULL) {
        sl_migration_find(k->m, SL_FINDING_DROPPED, "fallback.behavior",
                          "%.40s is not translated: without data the size is kept", behavior);
        return;
    }
    (void)sl_migration_number(sl_json_get(fallback, "replicas"), &replicas);
    (void)sl_migration_number(sl_json_get(fallback, "failureThreshold"), &failures);
    sl_migration_set(k->m, false, "Fallback", "fallback", "%s", names[i][1]);
    sl_migration_set(k->m, false, "FallbackWorkers", "fallback.replicas", "%.0f", replicas);
    sl_migration_set(k->m, false, "FallbackFailures", "fallback.failureThreshold", "%.0f",
                     failures);
    sl_migration_set(k->m, false, "FallbackAfter", "the failures alone decide", "0");
    sl_migration_find(k->m, SL_FINDING_SURPRISE, "fallback.failureThreshold",
                      "counts the HPA's questions as well as KEDA's: %.0f failures are over in "
                      "about %.0f s. And an empty answer is no failure: see ignoreNullValues",
                      failures, failures * 7.5);
}

static void take_advanced(struct keda *k) {
    const struct sl_json *advanced = sl_json_get(k->spec, "advanced");
    const struct sl_json *config = sl_json_get(advanced, "horizontalPodAutoscalerConfig");
    const struct sl_json *formula =
        sl_json_get(sl_json_get(advanced, "scalingModifiers"), "formula");
    bool restores = false;

    sl_migration_behavior(k->m, "advanced.horizontalPodAutoscalerConfig.behavior",
                          sl_json_get(config, "behavior"), (int64_t)k->min_workers,
                          (int64_t)k->max_workers);
    if (formula != NULL) {
        sl_migration_find(k->m, SL_FINDING_DROPPED, "advanced.scalingModifiers.formula",
                          "a formula is not translated: compare by hand what it counts");
    }
    if (sl_json_bool(sl_json_get(advanced, "restoreToOriginalReplicaCount"), &restores) &&
        restores) {
        sl_migration_find(k->m, SL_FINDING_DROPPED, "advanced.restoreToOriginalReplicaCount",
                          "the pool keeps its size when the plugin is removed");
    }
}

/* ---- annotations ---- */

/* strconv.ParseBool; what it cannot parse counts as true. */
static bool is_true(const char *text) {
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False", NULL};

    return !is_known(text, no);
}

static void take_annotations(struct keda *k, const struct sl_json *object) {
    const struct sl_json *all = sl_json_get(sl_json_get(object, "metadata"), "annotations");
    const char *workers = sl_json_string(sl_json_get(all, ANNOTATION "paused-replicas"));
    static const char *const pauses[][2] = {
        {ANNOTATION "paused-scale-in", "scale-in"},
        {ANNOTATION "paused-scale-out", "scale-out"},
        {ANNOTATION "paused", "all"},
    };

    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        const char *text = sl_json_string(sl_json_get(all, pauses[i][0]));

        if (text != NULL && is_true(text)) {
            sl_migration_set(k->m, false, "Pause", pauses[i][0], "%s", pauses[i][1]);
        }
    }
    if (workers != NULL) {
        sl_migration_set(k->m, false, "Pause", ANNOTATION "paused-replicas", "all");
        sl_migration_set(k->m, false, "PauseWorkers", "", "%s", workers);
    }
    if (is_true(sl_migration_text(all, ANNOTATION "force-activation", "false"))) {
        sl_migration_set(k->m, false, "ForceActivation", ANNOTATION "force-activation", "true");
    }
}

/* ---- all of it ---- */

static bool is_cached(const struct sl_json *triggers) {
    for (size_t i = 0; i < sl_json_size(triggers); i++) {
        bool is = false;

        if (sl_json_bool(sl_json_get(sl_json_at(triggers, i), "useCachedMetrics"), &is) && is) {
            return true;
        }
    }
    return false;
}

static void read_sizes(struct keda *k) {
    k->max_workers = DEFAULT_MAX;
    k->idle_workers = -1;
    (void)sl_migration_number(sl_json_get(k->spec, "minReplicaCount"), &k->min_workers);
    (void)sl_migration_number(sl_json_get(k->spec, "maxReplicaCount"), &k->max_workers);
    (void)sl_migration_number(sl_json_get(k->spec, "idleReplicaCount"), &k->idle_workers);
    k->can_sleep = k->min_workers <= 0 || k->idle_workers >= 0;
}

int sl_migrate_keda(const struct sl_json *object, struct sl_migration *m, struct sl_error *err) {
    static const char *const known[] = {
        "scaleTargetRef",
        "pollingInterval",
        "cooldownPeriod",
        "initialCooldownPeriod",
        "minReplicaCount",
        "maxReplicaCount",
        "idleReplicaCount",
        "advanced",
        "triggers",
        "fallback",
        NULL,
    };
    struct keda k = {.m = m, .spec = sl_json_get(object, "spec")};
    const struct sl_json *triggers = sl_json_get(k.spec, "triggers");
    const struct sl_json *target = sl_json_get(k.spec, "scaleTargetRef");
    int rc = sl_migration_target(m, object, target, err);

    if (rc != SL_OK) {
        return rc;
    }
    if (sl_json_size(triggers) == 0) {
        return sl_fail(err, SL_CONFIG, "%s has no triggers", m->source);
    }
    read_sizes(&k);
    k.is_polled = is_cached(triggers);
    take_sizes(&k);
    find_inert_rhythm(&k);
    for (size_t i = 0; i < sl_json_size(triggers); i++) {
        char path[PATH_BYTES];

        (void)snprintf(path, sizeof path, "triggers[%zu]", i);
        take_trigger(&k, path, sl_json_at(triggers, i));
    }
    sl_migration_pool(m, sl_migration_text(target, "name", ""), k.facts.pool_name, k.facts.pool_id);
    take_advanced(&k);
    take_fallback(&k);
    take_annotations(&k, object);
    find_unknown(&k, k.spec, "", known,
                 "a ScaledObject has no such field: the API server drops it without a word");
    return SL_OK;
}
