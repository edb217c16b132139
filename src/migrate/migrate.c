/* What a ScaledObject and an HPA have in common. */
#include "migrate/internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_parser.h"
#include "scaler/options.h"

/* ---- writing down ---- */

void sl_migration_find(struct sl_migration *m, enum sl_finding_kind kind, const char *field,
                       const char *format, ...) {
    struct sl_finding *f = NULL;
    va_list args;

    if (m->finding_count == SL_MIGRATION_FINDINGS) {
        m->is_cut = true;
        return;
    }
    f = &m->findings[m->finding_count++];
    f->kind = kind;
    (void)snprintf(f->field, sizeof f->field, "%s", field);
    va_start(args, format);
    (void)vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    for (char *c = f->text; *c != '\0'; c++) {
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c; /* one line, whatever it quotes */
    }
}

void sl_migration_set(struct sl_migration *m, bool is_quirk, const char *option, const char *note,
                      const char *format, ...) {
    struct sl_setting *s = NULL;
    va_list args;

    for (size_t i = 0; i < m->setting_count && s == NULL; i++) {
        s = strcmp(m->settings[i].option, option) == 0 ? &m->settings[i] : NULL;
    }
    if (s == NULL && m->setting_count == SL_MIGRATION_SETTINGS) {
        m->is_cut = true;
        return;
    }
    if (s == NULL) {
        s = &m->settings[m->setting_count++];
    }
    s->option = option;
    s->is_quirk = is_quirk;
    (void)snprintf(s->note, sizeof s->note, "%s", note);
    va_start(args, format);
    (void)vsnprintf(s->value, sizeof s->value, format, args);
    va_end(args);
}

/* ---- reading ---- */

const char *sl_migration_text(const struct sl_json *object, const char *key, const char *fallback) {
    const char *text = sl_json_string(sl_json_get(object, key));

    return text != NULL ? text : fallback;
}

/* A Kubernetes quantity without the units nobody uses for a queue: "1", "500m", "2k". */
bool sl_migration_number(const struct sl_json *value, double *ret) {
    const char *text = sl_json_string(value);
    double factor = 1;
    size_t len = 0;

    if (text == NULL) {
        return sl_json_double(value, ret);
    }
    len = strlen(text);
    if (len > 1 && (text[len - 1] == 'm' || text[len - 1] == 'k')) {
        factor = text[--len] == 'm' ? 0.001 : 1000;
    }
    if (sl_json_to_double(text, len, ret, NULL) != SL_OK) {
        return false;
    }
    *ret *= factor;
    return true;
}

/* ---- whom ---- */

int sl_migration_target(struct sl_migration *m, const struct sl_json *object,
                        const struct sl_json *target, struct sl_error *err) {
    const struct sl_json *metadata = sl_json_get(object, "metadata");
    char kind[sizeof "HorizontalPodAutoscaler"];
    const char *kube_namespace = sl_migration_text(metadata, "namespace", "");
    const char *target_kind = sl_migration_text(target, "kind", "Deployment");

    (void)snprintf(kind, sizeof kind, "%s", m->source); /* so far */
    (void)snprintf(m->source, sizeof m->source, "%s %.250s%s%.250s", kind, kube_namespace,
                   kube_namespace[0] != '\0' ? "/" : "",
                   sl_migration_text(metadata, "name", "without a name"));
    if (strcmp(target_kind, "WorkerPool") != 0) {
        return sl_fail(err, SL_CONFIG, "%s scales a %s, not a WorkerPool: there is nothing to do",
                       m->source, target_kind);
    }
    if (sl_json_string(sl_json_get(target, "name")) == NULL) {
        return sl_fail(err, SL_CONFIG, "%s has no scaleTargetRef.name", m->source);
    }
    if (kube_namespace[0] != '\0') {
        sl_migration_set(m, false, "Namespace", "", "%s", kube_namespace);
    }
    return SL_OK;
}

void sl_migration_pool(struct sl_migration *m, const char *worker_pool, const char *name,
                       const char *id) {
    (void)snprintf(m->pool, sizeof m->pool, "%s", name[0] != '\0' ? name : worker_pool);
    if (strcmp(m->pool, worker_pool) != 0) {
        sl_migration_set(m, false, "WorkerPool", "scaleTargetRef.name", "%s", worker_pool);
    }
    if (id[0] != '\0') {
        sl_migration_set(m, false, "WorkerPoolID", "of the query", "%s", id);
    }
}

/* ---- what is counted ---- */

/* A worker for each per_worker of the metric: runs_per_worker x target_utilization / 100. */
void sl_migration_ratio(struct sl_migration *m, const char *field, double per_worker) {
    int64_t runs = (int64_t)ceil(per_worker - 1e-9);
    int64_t percent = 0;

    if (!(per_worker > 0) || per_worker > 1000) {
        sl_migration_find(m, SL_FINDING_DROPPED, field,
                          "%g of the metric for each worker cannot be written as RunsPerWorker",
                          per_worker);
        return;
    }
    runs = runs < 1 ? 1 : runs;
    percent = llround(per_worker / (double)runs * 100);
    if (runs > 1) {
        sl_migration_set(m, false, "RunsPerWorker", field, "%lld", (long long)runs);
    }
    if (percent < 1) {
        percent = 1;
    }
    if (percent != 100) {
        sl_migration_set(m, false, "TargetUtilization", field, "%lld", (long long)percent);
    }
    if (fabs((double)runs * (double)percent / 100 - per_worker) > 0.0005) {
        sl_migration_find(m, SL_FINDING_DROPPED, field,
                          "%g of the metric for each worker becomes %g, the nearest there is",
                          per_worker, (double)runs * (double)percent / 100);
    }
}

static void find_pending_only(struct sl_migration *m, const char *field) {
    m->counts_pending_only = true;
    sl_migration_set(m, true, "DemandFrom", "what the query counts", "pending");
    sl_migration_find(
        m, SL_FINDING_SURPRISE, field,
        "counts pending runs only. A run leaves the queue when it starts, so a pool whose workers "
        "are all busy looks idle: one busy worker and one waiting run ask for 1 worker, not 2, and "
        "the run waits for the other to end. The better query is busy + pending "
        "(kedacore/keda issue 8185)");
}

static void find_window(struct sl_migration *m, const char *field,
                        const struct sl_query_facts *facts) {
    if (facts->over_time[0] == '\0' || facts->range_ms <= 0) {
        return;
    }
    if (strcmp(facts->over_time, "min_over_time") == 0) {
        sl_migration_set(m, false, "ScaleOutWindow", "min_over_time() of the query", "%g",
                         (double)facts->range_ms / 1000);
    } else {
        m->metric_window_ms = facts->range_ms;
    }
    if (strcmp(facts->over_time, "max_over_time") != 0 &&
        strcmp(facts->over_time, "min_over_time") != 0) {
        sl_migration_find(m, SL_FINDING_DROPPED, field,
                          "%s() smooths the queue; the new configuration looks at the queue as it "
                          "is and waits ScaleInWindow before it takes workers away",
                          facts->over_time);
    }
}

void sl_migration_query(struct sl_migration *m, const char *field, const char *query,
                        struct sl_query_facts *ret) {
    sl_query_scan(query, ret);
    if (ret->has_public) {
        sl_migration_find(m, SL_FINDING_SURPRISE, field,
                          "asks for Spacelift's public worker pool, whose queue the workers of "
                          "this pool never serve");
    }
    if (!ret->has_pending) {
        sl_migration_find(m, SL_FINDING_DROPPED, field,
                          "does not ask for spacelift_worker_pool_runs_pending; what it counts "
                          "is not translated, busy workers and pending runs are counted");
        return;
    }
    if (ret->has_pool_regex) {
        sl_migration_find(m, SL_FINDING_SURPRISE, field,
                          "takes several pools of Spacelift for one; write a <Pool> for each");
    }
    if (!ret->has_busy) {
        find_pending_only(m, field);
    }
    find_window(m, field, ret);
}

/* What is printed must be what the plugin takes. */
static int check_settings(const struct sl_migration *m, struct sl_error *err) {
    struct sl_scaler_config config = {0};
    struct sl_pool_options *pool = NULL;
    int rc = sl_scaler_config_add_pool(&config, m->pool, &pool, err);

    for (size_t i = 0; rc == SL_OK && i < m->setting_count; i++) {
        rc = sl_option_set(sl_scaler_pool_block.options, pool, m->source, m->settings[i].option,
                           m->settings[i].value, err);
    }
    for (size_t i = 0; rc == SL_OK && i < m->schedule_count; i++) {
        const struct sl_migrated_schedule *from = &m->schedules[i];
        struct sl_schedule_options *to = NULL;
        const struct sl_option *table = sl_scaler_schedule_block.options;

        rc = sl_pool_options_add_schedule(pool, from->name, &to, err);
        if (rc == SL_OK) {
            rc = sl_option_set(table, to, m->source, "Start", from->start, err);
        }
        if (rc == SL_OK) {
            rc = sl_option_set(table, to, m->source, "End", from->end, err);
        }
        if (rc == SL_OK) {
            rc = sl_option_set(table, to, m->source, "TimeZone", from->time_zone, err);
        }
        if (rc == SL_OK) {
            rc = sl_option_set_number(table, to, m->source, "MinWorkers", (double)from->min_workers,
                                      err);
        }
    }
    if (rc == SL_OK) {
        rc = sl_scaler_config_check(&config, err);
    }
    sl_scaler_config_release(&config);
    return rc;
}

/* Objects in the List of an API server do not say what they are: then by what they have. */
static const char *kind_of(const struct sl_json *object) {
    const struct sl_json *spec = sl_json_get(object, "spec");
    const char *version = sl_migration_text(object, "apiVersion", NULL);
    const char *kind = sl_migration_text(object, "kind", NULL);
    bool is_bare = version == NULL && kind == NULL && sl_json_get(spec, "scaleTargetRef") != NULL;

    if (is_bare && sl_json_get(spec, "triggers") != NULL) {
        return "ScaledObject";
    }
    if (is_bare && sl_json_get(spec, "maxReplicas") != NULL) {
        return "HorizontalPodAutoscaler";
    }
    if (version == NULL || kind == NULL) {
        return NULL;
    }
    if (strcmp(kind, "ScaledObject") == 0 && strncmp(version, "keda.sh/", 8) == 0) {
        return "ScaledObject";
    }
    return strcmp(kind, "HorizontalPodAutoscaler") == 0 && strncmp(version, "autoscaling/", 12) == 0
               ? "HorizontalPodAutoscaler"
               : NULL;
}

bool sl_migrate_knows(const struct sl_json *object) {
    return kind_of(object) != NULL;
}

bool sl_migrate_is_ours(const struct sl_json *object) {
    const struct sl_json *target = sl_json_get(sl_json_get(object, "spec"), "scaleTargetRef");

    return sl_migrate_knows(object) &&
           strcmp(sl_migration_text(target, "kind", "Deployment"), "WorkerPool") == 0 &&
           !sl_migration_is_made_by_keda(object);
}

int sl_migrate(const struct sl_json *object, struct sl_migration **ret, struct sl_error *err) {
    const char *kind = kind_of(object);
    struct sl_migration *m = NULL;
    int rc = SL_OK;

    if (kind == NULL) {
        return sl_fail(err, SL_CONFIG,
                       "kind \"%s\" of apiVersion \"%s\" is neither a ScaledObject of keda.sh nor "
                       "a HorizontalPodAutoscaler of autoscaling",
                       sl_migration_text(object, "kind", ""),
                       sl_migration_text(object, "apiVersion", ""));
    }
    m = calloc(1, sizeof *m);
    if (m == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory for a migration");
    }
    (void)snprintf(m->source, sizeof m->source, "%s", kind);
    rc = strcmp(kind, "ScaledObject") == 0 ? sl_migrate_keda(object, m, err)
                                           : sl_migrate_hpa(object, m, err);
    if (rc == SL_OK) {
        rc = check_settings(m, err);
    }
    if (rc != SL_OK) {
        free(m);
        return rc;
    }
    *ret = m;
    return SL_OK;
}
