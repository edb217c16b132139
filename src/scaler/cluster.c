/* A controller's operations, carried out by a Kubernetes client and its attendant. */
#include "scaler/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubernetes/access.h"
#include "kubernetes/attendant.h"
#include "kubernetes/lookout.h"
#include "kubernetes/workerpools.h"
#include "os/clock.h"

_Static_assert((int)SL_SCALE_VERSION_BYTES >= (int)SL_KUBE_VERSION_BYTES, "a version must fit");
_Static_assert((int)SL_SCALE_UID_BYTES >= (int)SL_KUBE_UID_BYTES, "a uid must fit");

/* A role that may read the scale only, as older ones could: it is asked less for a while. */
static const int64_t without_annotations_ms = 10 * 60 * 1000;

struct sl_cluster {
    const struct sl_cluster_options *options;
    const struct sl_pool_options *const *pools;
    size_t pool_count;
    const struct sl_log *log;
    struct sl_kube_credentials *credentials;
    struct sl_kube_client *client;
    struct sl_kube_pool_name *names; /* of the pools */
    struct sl_attendant *attendant;
    struct sl_lookout *lookout;
    int64_t no_annotations_until_ms;
    struct sl_complaint annotations_complaint;
    void (*on_leadership)(void *context);
    void *context;
    bool is_once;
};

/* ---- life ---- */

static void leadership_changed(void *context) {
    struct sl_cluster *c = context;

    if (c->on_leadership != NULL) {
        c->on_leadership(c->context);
    }
}

static int copy_names(struct sl_cluster *c, struct sl_error *err) {
    c->names = calloc(c->pool_count + 1, sizeof *c->names);
    if (c->names == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory for a cluster");
    }
    for (size_t i = 0; i < c->pool_count; i++) {
        c->names[i] = (struct sl_kube_pool_name){
            sl_kube_client_namespace(c->client, c->pools[i]->kube_namespace),
            c->pools[i]->worker_pool};
    }
    return SL_OK;
}

static int may_list(void *self, const char *kube_namespace, struct sl_error *err) {
    struct sl_cluster *c = self;

    return sl_kube_access_check(c->client, &sl_kube_rule_list, "list", kube_namespace, "", "", err);
}

static int list_versions(void *self, const char *kube_namespace,
                         void (*take)(void *context, const struct sl_kube_version *item),
                         void *context, size_t *ret_count, struct sl_error *err) {
    struct sl_cluster *c = self;

    return sl_kube_pool_list_versions(c->client, kube_namespace, take, context, ret_count, err);
}

static int get_version(void *self, const char *kube_namespace, const char *worker_pool,
                       struct sl_kube_scale *ret, struct sl_error *err) {
    struct sl_cluster *c = self;

    return sl_kube_pool_get_version(c->client, kube_namespace, worker_pool, ret, err);
}

static int64_t clock_ms(void *self) {
    (void)self;
    return sl_clock_monotonic_ms();
}

static int make_lookout(struct sl_cluster *c, struct sl_error *err) {
    struct sl_lookout_settings settings = {
        .cluster = c->options->name,
        .log = c->log,
        .pools = c->names,
        .pool_count = c->pool_count,
        .ops = {.may_list = may_list,
                .list_versions = list_versions,
                .get_version = get_version,
                .clock_ms = clock_ms,
                .self = c},
    };

    return sl_lookout_new(&settings, &c->lookout, err);
}

static int make_attendant(struct sl_cluster *c, struct sl_error *err) {
    const struct sl_cluster_options *o = c->options;
    struct sl_attendant_settings settings = {
        .cluster = o->name,
        .credentials = c->credentials,
        .log = c->log,
        .timeout_ms = o->timeout_ms,
        .has_events = o->has_events,
        .has_election = o->has_election,
        .lease_name = o->lease_name,
        .lease_namespace = o->lease_namespace,
        .lease_duration_ms = o->lease_duration_ms,
        .renew_deadline_ms = o->renew_deadline_ms,
        .retry_period_ms = o->retry_period_ms,
        .pools = c->names,
        .pool_count = c->pool_count,
        .on_leadership = leadership_changed,
        .context = c,
    };

    if (settings.lease_namespace == NULL && c->pool_count > 0) {
        settings.lease_namespace = c->pools[0]->kube_namespace;
    }
    return sl_attendant_new(&settings, &c->attendant, err);
}

int sl_cluster_new(const struct sl_cluster_options *options,
                   const struct sl_pool_options *const *pools, size_t pool_count,
                   const struct sl_wakeup *stop, const struct sl_log *log, struct sl_cluster **ret,
                   struct sl_error *err) {
    struct sl_kube_settings settings = {
        .kubeconfig_path = options->kube_config,
        .context = options->context,
        .timeout_ms = options->timeout_ms,
        .exec_timeout_ms = options->exec_timeout_ms,
    };
    struct sl_cluster *c = calloc(1, sizeof *c);
    int rc = SL_OK;

    if (c == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory for a cluster");
    }
    c->options = options;
    c->pools = pools;
    c->pool_count = pool_count;
    c->log = log;
    rc = sl_kube_credentials_new(&settings, stop, log, &c->credentials, err);
    if (rc == SL_OK) {
        rc = sl_kube_client_new(c->credentials, stop, &c->client, err);
    }
    if (rc == SL_OK) {
        rc = copy_names(c, err);
    }
    if (rc == SL_OK) {
        rc = make_lookout(c, err);
    }
    if (rc == SL_OK) {
        rc = make_attendant(c, err);
    }
    if (rc != SL_OK) {
        sl_cluster_free(c);
        return err != NULL ? sl_error_prefix(err, "cluster \"%s\"", options->name) : rc;
    }
    *ret = c;
    return SL_OK;
}

int sl_cluster_start(struct sl_cluster *c, void (*on_leadership)(void *context), void *context,
                     struct sl_error *err) {
    c->on_leadership = on_leadership;
    c->context = context;
    return sl_attendant_start(c->attendant, err);
}

int sl_cluster_begin_once(struct sl_cluster *c, struct sl_error *err) {
    c->is_once = true;
    return sl_attendant_begin_once(c->attendant, err);
}

void sl_cluster_end_once(struct sl_cluster *c) {
    sl_attendant_end_once(c->attendant);
}

void sl_cluster_begin_stop(struct sl_cluster *c) {
    sl_attendant_begin_stop(c->attendant);
}

void sl_cluster_stop(struct sl_cluster *c) {
    sl_attendant_stop(c->attendant);
}

void sl_cluster_free(struct sl_cluster *c) {
    if (c == NULL) {
        return;
    }
    sl_attendant_free(c->attendant);
    sl_lookout_free(c->lookout);
    sl_kube_client_free(c->client);
    sl_kube_credentials_free(c->credentials);
    free(c->names);
    free(c);
}

/* ---- credentials ---- */

static void put_expiry(const struct sl_cluster *c, const char *credential, int64_t ends_s,
                       const struct sl_values_out *out) {
    double value = (double)ends_s;
    struct sl_values list = {
        .type = sl_catalogue_find(SL_SCALER_PLUGIN, SL_TYPE_CLUSTER_CREDENTIAL_EXPIRY),
        .plugin_instance = c->options->name,
        .type_instance = credential,
        .values = &value,
        .interval_ms = out->interval_ms,
    };

    if (ends_s > 0) {
        out->put(out->context, &list);
    }
}

void sl_cluster_put_expiry(const struct sl_cluster *c, const struct sl_values_out *out) {
    struct sl_kube_expiry expiry = sl_kube_credentials_expiry(c->credentials);

    put_expiry(c, "client_certificate", expiry.client_certificate_s, out);
    put_expiry(c, "token", expiry.token_s, out);
}

/* ---- sizes ---- */

static struct sl_scale_reading reading_of(const struct sl_kube_scale *scale) {
    struct sl_scale_reading reading = {
        .size = scale->is_unset ? SL_SIZE_UNSET : scale->replicas,
        .actual = scale->actual_replicas,
    };

    memcpy(reading.version, scale->version, sizeof scale->version);
    memcpy(reading.uid, scale->uid, sizeof scale->uid);
    return reading;
}

static void take_annotation(void *context, const char *key, const char *value) {
    sl_orders_add_annotation(context, key, value);
}

static int read_with_annotations(struct sl_cluster *c, const char *kube_namespace,
                                 const char *worker_pool, struct sl_scale_reading *ret,
                                 struct sl_error *err) {
    struct sl_kube_scale scale = {.is_unset = false};
    struct sl_orders orders;
    struct sl_kube_annotations annotations = {take_annotation, &orders};
    int rc = SL_OK;

    sl_orders_init(&orders);
    rc = sl_kube_pool_get(c->client, kube_namespace, worker_pool, &annotations, &scale, err);
    if (rc == SL_OK) {
        *ret = reading_of(&scale);
        ret->has_annotations = true;
        ret->annotated = orders;
        (void)sl_complaint_succeeded(&c->annotations_complaint, sl_clock_monotonic_ms(), NULL,
                                     NULL);
    }
    return rc;
}

static int read_without(struct sl_cluster *c, const char *kube_namespace, const char *worker_pool,
                        struct sl_scale_reading *ret, struct sl_error *err) {
    struct sl_kube_scale scale = {.is_unset = false};
    int rc = sl_kube_scale_get(c->client, kube_namespace, worker_pool, &scale, err);

    if (rc == SL_OK) {
        *ret = reading_of(&scale);
    }
    return rc;
}

/* One GET. Only where the role does not allow it, and the next ten minutes, another. */
static int read_size(void *self, const char *kube_namespace, const char *worker_pool,
                     struct sl_scale_reading *ret, struct sl_error *err) {
    struct sl_cluster *c = self;
    struct sl_error why = SL_ERROR_INIT;
    int64_t now_ms = sl_clock_monotonic_ms();
    int rc = SL_OK;

    if (now_ms < c->no_annotations_until_ms &&
        read_without(c, kube_namespace, worker_pool, ret, NULL) == SL_OK) {
        return SL_OK;
    }
    rc = read_with_annotations(c, kube_namespace, worker_pool, ret, &why);
    if (rc == SL_FORBIDDEN && read_without(c, kube_namespace, worker_pool, ret, NULL) == SL_OK) {
        c->no_annotations_until_ms = now_ms + without_annotations_ms;
        if (sl_complaint_failed(&c->annotations_complaint, "", now_ms)) {
            sl_log(c->log, SL_LOG_NOTICE,
                   "cluster \"%s\": the size is read without the annotations on the pool: %s",
                   c->options->name, why.text);
        }
        return SL_OK;
    }
    if (rc != SL_OK && err != NULL) {
        *err = why;
    }
    return rc;
}

/* What the lookout is not sure of is read. */
static int verify_size(void *self, const char *kube_namespace, const char *worker_pool,
                       int64_t max_age_ms, struct sl_scale_reading *ret, enum sl_verified *ret_how,
                       struct sl_error *err) {
    struct sl_cluster *c = self;
    enum sl_lookout_answer answer = SL_LOOKOUT_READ;
    int rc = SL_OK;

    if (sl_clock_monotonic_ms() >= c->no_annotations_until_ms) {
        rc = sl_lookout_ask(c->lookout, sl_kube_client_namespace(c->client, kube_namespace),
                            worker_pool, ret->uid, ret->version, max_age_ms, &answer, err);
    }
    if (rc == SL_OK && answer == SL_LOOKOUT_READ) {
        *ret = (struct sl_scale_reading){0};
        rc = read_size(c, kube_namespace, worker_pool, ret, err);
    }
    *ret_how = answer == SL_LOOKOUT_KNOWN_SAME ? SL_VERIFIED_UNASKED
               : answer == SL_LOOKOUT_SAME     ? SL_VERIFIED_SAME
                                               : SL_VERIFIED_BY_READING;
    return rc;
}

/* A write must be over before another process may begin to lead. */
static int set_size(void *self, const char *kube_namespace, const char *worker_pool, int32_t size,
                    const char *version, struct sl_scale_reading *ret, struct sl_error *err) {
    struct sl_cluster *c = self;
    struct sl_leadership lead = sl_attendant_leadership(c->attendant);
    struct sl_kube_scale scale = {.is_unset = false};
    int64_t now_ms = sl_clock_monotonic_ms();
    int64_t timeout_ms = c->options->timeout_ms;
    int rc = SL_OK;

    if (now_ms >= lead.act_until_ms) {
        return sl_fail(err, SL_CONFLICT, "another host leads now");
    }
    if (lead.lease_until_ms - now_ms < timeout_ms) {
        timeout_ms = lead.lease_until_ms - now_ms;
    }
    rc = sl_kube_scale_patch(c->client, kube_namespace, worker_pool, size, version, timeout_ms,
                             false, &scale, err);
    if (rc == SL_OK) {
        *ret = reading_of(&scale);
    }
    return rc;
}

static int try_size(void *self, const char *kube_namespace, const char *worker_pool, int32_t size,
                    const char *version, struct sl_error *err) {
    struct sl_cluster *c = self;
    struct sl_kube_scale scale = {.is_unset = false};

    return sl_kube_scale_patch(c->client, kube_namespace, worker_pool, size, version, 0, true,
                               &scale, err);
}

static bool may_write(void *self) {
    struct sl_cluster *c = self;

    return sl_clock_monotonic_ms() < sl_attendant_leadership(c->attendant).act_until_ms;
}

static void leader(void *self, char *out, size_t size) {
    struct sl_cluster *c = self;
    struct sl_leadership lead = sl_attendant_leadership(c->attendant);

    (void)snprintf(out, size, "%s", lead.holder);
}

/* ---- events ---- */

static const struct {
    bool is_warning;
    const char *reason;
    const char *action;
} notes[] = {
    [SL_NOTE_SCALED_OUT] = {false, "ScaledOut", "ScaleOut"},
    [SL_NOTE_SCALED_IN] = {false, "ScaledIn", "ScaleIn"},
    [SL_NOTE_HELD_AT_MAXIMUM] = {true, "HeldAtMaximum", "ScaleOut"},
    [SL_NOTE_BLIND] = {true, "NoData", "Hold"},
    [SL_NOTE_SEES_AGAIN] = {false, "DataAgain", "Resume"},
    [SL_NOTE_FOREIGN_SIZE] = {true, "ExternalChange", "ReadScale"},
    [SL_NOTE_NOT_CONVERGED] = {true, "NotConverged", "ReadScale"},
    [SL_NOTE_CONVERGED] = {false, "Converged", "ReadScale"},
    [SL_NOTE_BAD_ANNOTATION] = {true, "BadAnnotation", "ReadAnnotations"},
};

static void record(void *self, const char *kube_namespace, const char *worker_pool,
                   const struct sl_scale_reading *about, enum sl_note note, const char *text) {
    struct sl_cluster *c = self;
    struct sl_event event = {
        .is_warning = notes[note].is_warning,
        .reason = notes[note].reason,
        .action = notes[note].action,
        .realtime_us = sl_clock_realtime_ms() * 1000,
    };

    if (c->is_once && note != SL_NOTE_SCALED_OUT && note != SL_NOTE_SCALED_IN) {
        return;
    }
    (void)snprintf(event.note, sizeof event.note, "%s", text);
    (void)snprintf(event.kube_namespace, sizeof event.kube_namespace, "%s",
                   kube_namespace != NULL ? kube_namespace : "");
    (void)snprintf(event.worker_pool, sizeof event.worker_pool, "%s", worker_pool);
    (void)snprintf(event.uid, sizeof event.uid, "%s", about->uid);
    (void)snprintf(event.version, sizeof event.version, "%s", about->version);
    sl_attendant_record(c->attendant, &event);
}

struct sl_scale_ops sl_cluster_ops(struct sl_cluster *c) {
    return (struct sl_scale_ops){
        .read_size = read_size,
        .verify_size = verify_size,
        .set_size = set_size,
        .try_size = try_size,
        .may_write = may_write,
        .leader = c->options->has_election ? leader : NULL,
        .record = c->options->has_events ? record : NULL,
        .self = c,
    };
}
