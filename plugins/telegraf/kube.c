/* A cluster for the subcommands that look into one. */
#include "kube.h"

int sl_kube_link_open(const struct sl_cluster_options *options, const struct sl_log *log,
                      struct sl_kube_link *ret, struct sl_error *err) {
    struct sl_kube_settings settings = {
        .kubeconfig_path = options->kube_config,
        .context = options->context,
        .timeout_ms = options->timeout_ms,
        .exec_timeout_ms = options->exec_timeout_ms,
    };
    *ret = (struct sl_kube_link){.client = NULL};
    int code = sl_http_global_init(err);
    if (code == SL_OK)
        code = sl_kube_credentials_new(&settings, NULL, log, &ret->credentials, err);
    if (code == SL_OK)
        code = sl_kube_client_new(ret->credentials, NULL, &ret->client, err);
    if (code != SL_OK)
        sl_kube_link_close(ret);
    return code;
}

void sl_kube_link_close(struct sl_kube_link *link) {
    sl_kube_client_free(link->client);
    sl_kube_credentials_free(link->credentials);
    *link = (struct sl_kube_link){.client = NULL};
}

int sl_kube_link_list(struct sl_kube_link *link, const char *group_version, const char *plural,
                      const char *kube_namespace, struct sl_json **ret, struct sl_error *err) {
    struct sl_kube_call call = {
        .method = "GET",
        .group_version = group_version,
        .plural = plural,
        .kube_namespace = kube_namespace,
    };
    struct sl_http_response answer;
    sl_http_response_init(&answer);
    int code = sl_kube_call(link->client, &call, &answer, err);
    *ret = NULL;
    if (code == SL_OK)
        code = sl_json_parse(answer.body.data, answer.body.len, ret, err);
    sl_http_response_release(&answer);
    return code == SL_NOTFOUND ? SL_OK : code;
}
