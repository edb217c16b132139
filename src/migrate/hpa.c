/* A HorizontalPodAutoscaler, and the rules of its controller that a ScaledObject inherits. */
#include "migrate/internal.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_STABILIZATION_S = 300, SYNC_S = 15, FIRST_STEP = 4, PATH_BYTES = 128 };

/* ---- how fast ---- */

static void set_scale_in_window(struct sl_migration *m, int64_t window_s, const char *field) {
    int64_t metric_s = m->metric_window_ms / 1000;
    char note[SL_SETTING_NOTE_BYTES];

    if (metric_s > 0) {
        (void)snprintf(note, sizeof note, "%lld s of the query's range + %lld s of stabilization",
                       (long long)metric_s, (long long)window_s);
        sl_migration_find(m, SL_FINDING_SURPRISE, field,
                          "workers leave about %lld minutes after the queue has emptied, not at "
                          "once: the query remembers its highest value for %lld s, and then the "
                          "HPA its highest wish for another %lld s",
                          (long long)(metric_s + window_s + 30) / 60, (long long)metric_s,
                          (long long)window_s);
    } else {
        (void)snprintf(note, sizeof note, "the HPA's stabilization");
    }
    sl_migration_set(m, true, "ScaleInWindow", note, "%lld", (long long)(metric_s + window_s));
}

/* behavior unset: at most max(2 x size, 4) after each sync, and no limit downwards
 * (horizontal.go, calculateScaleUpLimit). */
static void set_legacy_limits(struct sl_migration *m, int64_t min_workers, int64_t max_workers) {
    int64_t first = min_workers > 0 ? min_workers : 1;

    if (max_workers <= FIRST_STEP) {
        return;
    }
    sl_migration_set(m, true, "ScaleOutPercent",
                     "the HPA's own limit: at most max(2 x size, 4) ...", "100");
    if (first < FIRST_STEP) {
        sl_migration_set(m, true, "ScaleOutWorkers", "", "%lld", (long long)(FIRST_STEP - first));
    }
    sl_migration_set(m, true, "ScaleOutPeriod", "... every 15 s", "%d", SYNC_S);
}

struct direction {
    bool is_out;
    const char *member; /* of behavior */
    const char *window, *workers, *percent, *period, *select;
};

static const struct direction scale_out = {
    true,
    "scaleUp",
    "ScaleOutWindow",
    "ScaleOutWorkers",
    "ScaleOutPercent",
    "ScaleOutPeriod",
    "ScaleOutSelect",
};
static const struct direction scale_in = {
    false,           "scaleDown",     "ScaleInWindow", "ScaleInWorkers", "ScaleInPercent",
    "ScaleInPeriod", "ScaleInSelect",
};

static void set_policy(struct sl_migration *m, const struct direction *d, const char *path,
                       const struct sl_json *policy, double *period_s, bool seen[2]) {
    const char *type = sl_migration_text(policy, "type", "");
    bool is_percent = strcmp(type, "Percent") == 0;
    double value = 0, period = SYNC_S;

    (void)sl_migration_number(sl_json_get(policy, "periodSeconds"), &period);
    if (!sl_migration_number(sl_json_get(policy, "value"), &value) || seen[is_percent]) {
        sl_migration_find(m, SL_FINDING_DROPPED, path,
                          "there is one limit in workers and one in percent for each direction; "
                          "this is a second one");
        return;
    }
    seen[is_percent] = true;
    sl_migration_set(m, false, is_percent ? d->percent : d->workers, path, "%.0f", value);
    if (*period_s > 0 && *period_s != period) {
        sl_migration_find(m, SL_FINDING_DROPPED, path,
                          "both limits have the same period, %g s; this one had %g s", *period_s,
                          period);
    } else {
        *period_s = period;
        sl_migration_set(m, false, d->period, "", "%g", period);
    }
}

static void set_policies(struct sl_migration *m, const struct direction *d, const char *path,
                         const struct sl_json *rules) {
    const struct sl_json *policies = sl_json_get(rules, "policies");
    double period_s = 0;
    bool seen[2] = {false, false};

    for (size_t i = 0; i < sl_json_size(policies); i++) {
        char at[PATH_BYTES];

        (void)snprintf(at, sizeof at, "%s.%s.policies[%zu]", path, d->member, i);
        set_policy(m, d, at, sl_json_at(policies, i), &period_s, seen);
    }
    if (sl_json_size(policies) == 0 && d->is_out) { /* autoscaling/v2 defaults.go */
        sl_migration_set(m, false, d->workers, "the HPA's default with behavior", "4");
        sl_migration_set(m, false, d->percent, "", "100");
        sl_migration_set(m, false, d->period, "", "%d", SYNC_S);
    }
}

static void set_direction(struct sl_migration *m, const struct direction *d, const char *path,
                          const struct sl_json *rules) {
    const char *select = sl_migration_text(rules, "selectPolicy", "Max");
    double window_s = d->is_out ? 0 : DEFAULT_STABILIZATION_S;
    char at[PATH_BYTES];

    (void)sl_migration_number(sl_json_get(rules, "stabilizationWindowSeconds"), &window_s);
    (void)snprintf(at, sizeof at, "%s.%s", path, d->member);
    if (sl_json_get(rules, "tolerance") != NULL) {
        sl_migration_find(m, SL_FINDING_DROPPED, at,
                          "tolerance: the new configuration is exact, to the worker");
    }
    if (!d->is_out) {
        set_scale_in_window(m, (int64_t)window_s, at);
    } else if (window_s > 0) {
        sl_migration_set(m, false, d->window, at, "%g", window_s);
    }
    if (strcmp(select, "Disabled") == 0) {
        sl_migration_set(m, false, d->select, at, "disabled");
        return;
    }
    set_policies(m, d, path, rules);
    if (strcmp(select, "Min") == 0) {
        sl_migration_set(m, false, d->select, at, "smaller");
    }
}

void sl_migration_behavior(struct sl_migration *m, const char *path, const struct sl_json *behavior,
                           int64_t min_workers, int64_t max_workers) {
    if (behavior == NULL || !sl_json_is_object(behavior)) {
        set_scale_in_window(m, DEFAULT_STABILIZATION_S, path);
        set_legacy_limits(m, min_workers, max_workers);
    } else {
        set_direction(m, &scale_out, path, sl_json_get(behavior, scale_out.member));
        set_direction(m, &scale_in, path, sl_json_get(behavior, scale_in.member));
    }
    if (max_workers >= 10) {
        sl_migration_find(m, SL_FINDING_SURPRISE, "maxReplicas",
                          "the HPA takes a difference of up to 10 %% for none: with 20 workers a "
                          "queue that asks for 22 gets none. The new configuration is exact");
    }
}

/* ---- the metrics ---- */

static void take_external(struct sl_migration *m, const char *path, const struct sl_json *external,
                          struct sl_query_facts *facts, bool *has_one) {
    const struct sl_json *metric = sl_json_get(external, "metric");
    const struct sl_json *target = sl_json_get(external, "target");
    const struct sl_json *labels = sl_json_get(sl_json_get(metric, "selector"), "matchLabels");
    const char *type = sl_migration_text(target, "type", "");
    double per_worker = 0;

    if (strcmp(type, "AverageValue") != 0 ||
        !sl_migration_number(sl_json_get(target, "averageValue"), &per_worker)) {
        sl_migration_find(m, SL_FINDING_INERT, path,
                          "a target of type %s counts ready pods, and the selector of a WorkerPool "
                          "matches none by design: it never yields a size",
                          type[0] != '\0' ? type : "(none)");
        return;
    }
    if (*has_one) {
        sl_migration_find(m, SL_FINDING_DROPPED, path, "a second metric is not translated");
        return;
    }
    *has_one = true;
    sl_migration_query(m, path, sl_migration_text(metric, "name", ""), facts);
    (void)snprintf(facts->pool_name, sizeof facts->pool_name, "%s",
                   sl_migration_text(labels, "worker_pool_name", ""));
    (void)snprintf(facts->pool_id, sizeof facts->pool_id, "%s",
                   sl_migration_text(labels, "worker_pool_id", ""));
    sl_migration_ratio(m, path, per_worker);
}

static void take_metrics(struct sl_migration *m, const struct sl_json *spec,
                         struct sl_query_facts *facts) {
    const struct sl_json *metrics = sl_json_get(spec, "metrics");
    bool has_one = false;

    for (size_t i = 0; i < sl_json_size(metrics); i++) {
        const struct sl_json *each = sl_json_at(metrics, i);
        const char *type = sl_migration_text(each, "type", "");
        char path[PATH_BYTES];

        (void)snprintf(path, sizeof path, "metrics[%zu]", i);
        if (strcmp(type, "External") == 0) {
            take_external(m, path, sl_json_get(each, "external"), facts, &has_one);
        } else {
            sl_migration_find(m, SL_FINDING_INERT, path,
                              "type %.40s counts pods that match the selector of the WorkerPool, "
                              "and that matches none by design: it never yields a size",
                              type);
        }
    }
    if (sl_json_get(spec, "targetCPUUtilizationPercentage") != NULL) {
        sl_migration_find(m, SL_FINDING_INERT, "targetCPUUtilizationPercentage",
                          "the pods of a WorkerPool are never matched: it never yields a size");
    }
    if (!has_one) {
        sl_migration_find(m, SL_FINDING_SURPRISE, "metrics",
                          "no metric works on a WorkerPool: this HPA has never changed a size "
                          "between its minimum and its maximum");
    }
}

bool sl_migration_is_made_by_keda(const struct sl_json *object) {
    const struct sl_json *metadata = sl_json_get(object, "metadata");
    const struct sl_json *owner = sl_json_at(sl_json_get(metadata, "ownerReferences"), 0);

    return strcmp(sl_migration_text(owner, "kind", ""), "ScaledObject") == 0 ||
           strcmp(sl_migration_text(sl_json_get(metadata, "labels"), "app.kubernetes.io/managed-by",
                                    ""),
                  "keda-operator") == 0;
}

int sl_migrate_hpa(const struct sl_json *object, struct sl_migration *m, struct sl_error *err) {
    const struct sl_json *spec = sl_json_get(object, "spec");
    const struct sl_json *target = sl_json_get(spec, "scaleTargetRef");
    struct sl_query_facts facts = {.range_ms = 0};
    double min_workers = 1, max_workers = 0;
    int rc = sl_migration_target(m, object, target, err);

    if (rc != SL_OK) {
        return rc;
    }
    if (sl_migration_is_made_by_keda(object)) {
        return sl_fail(err, SL_CONFIG,
                       "%s was made by KEDA from a ScaledObject, which says more: migrate that",
                       m->source);
    }
    (void)sl_migration_number(sl_json_get(spec, "minReplicas"), &min_workers);
    if (!sl_migration_number(sl_json_get(spec, "maxReplicas"), &max_workers)) {
        return sl_fail(err, SL_CONFIG, "%s has no maxReplicas", m->source);
    }
    take_metrics(m, spec, &facts);
    sl_migration_pool(m, sl_migration_text(target, "name", ""), facts.pool_name, facts.pool_id);
    sl_migration_set(m, false, "MinWorkers", "minReplicas", "%.0f", min_workers);
    sl_migration_set(m, false, "MaxWorkers", "maxReplicas", "%.0f", max_workers);
    sl_migration_behavior(m, "behavior", sl_json_get(spec, "behavior"), (int64_t)min_workers,
                          (int64_t)max_workers);
    return SL_OK;
}
