/* A controller's operations, carried out by a Kubernetes client. */
#include "scaler/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "kubernetes/workerpools.h"

_Static_assert((int)SL_SCALE_VERSION_BYTES >= (int)SL_KUBE_VERSION_BYTES, "a version must fit");

struct sl_cluster {
    struct sl_kube_credentials *credentials;
    struct sl_kube_client *client;
};

int sl_cluster_new(const struct sl_cluster_options *options, const struct sl_wakeup *stop,
                   const struct sl_log *log, struct sl_cluster **ret, struct sl_error *err) {
    struct sl_kube_settings settings = {
        .kubeconfig_path = options->kube_config,
        .context = options->context,
        .timeout_ms = options->timeout_ms,
        .exec_timeout_ms = options->exec_timeout_ms,
    };
    struct sl_cluster *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a cluster");
    int code = sl_kube_credentials_new(&settings, stop, log, &c->credentials, err);
    if (code == SL_OK)
        code = sl_kube_client_new(c->credentials, stop, &c->client, err);
    if (code != SL_OK) {
        sl_cluster_free(c);
        return err != NULL ? sl_error_prefix(err, "cluster \"%s\"", options->name) : code;
    }
    *ret = c;
    return SL_OK;
}

void sl_cluster_free(struct sl_cluster *c) {
    if (c == NULL)
        return;
    sl_kube_client_free(c->client);
    sl_kube_credentials_free(c->credentials);
    free(c);
}

static struct sl_scale_reading reading_of(const struct sl_kube_scale *scale) {
    struct sl_scale_reading reading = {
        .size = scale->is_unset ? SL_SIZE_UNSET : scale->replicas,
        .actual = scale->actual_replicas,
    };
    memcpy(reading.version, scale->version, sizeof(scale->version));
    return reading;
}

static int read_size(void *self, const char *kube_namespace, const char *worker_pool,
                     struct sl_scale_reading *ret, struct sl_error *err) {
    struct sl_cluster *c = self;
    struct sl_kube_scale scale = {.is_unset = false};
    int code = sl_kube_scale_get(c->client, kube_namespace, worker_pool, &scale, err);
    if (code == SL_OK)
        *ret = reading_of(&scale);
    return code;
}

static int set_size(void *self, const char *kube_namespace, const char *worker_pool, int32_t size,
                    const char *version, struct sl_scale_reading *ret, struct sl_error *err) {
    struct sl_cluster *c = self;
    struct sl_kube_scale scale = {.is_unset = false};
    int code =
        sl_kube_scale_patch(c->client, kube_namespace, worker_pool, size, version, 0, &scale, err);
    if (code == SL_OK)
        *ret = reading_of(&scale);
    return code;
}

struct sl_scale_ops sl_cluster_ops(struct sl_cluster *c) {
    return (struct sl_scale_ops){.read_size = read_size, .set_size = set_size, .self = c};
}
