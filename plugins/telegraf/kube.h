/* A cluster for the subcommands that look into one. One thread. */
#ifndef SL_PLUGINS_TELEGRAF_KUBE_H
#define SL_PLUGINS_TELEGRAF_KUBE_H

#include "base/json_document.h"
#include "kubernetes/client.h"
#include "scaler/options.h"

struct sl_kube_link {
    struct sl_kube_credentials *credentials;
    struct sl_kube_client *client;
};

/* Reads the credentials, connects to nothing yet. options outlive the link; log may be NULL. */
int sl_kube_link_open(const struct sl_cluster_options *options, const struct sl_log *log,
                      struct sl_kube_link *ret, struct sl_error *err) SL_CHECKED;
void sl_kube_link_close(struct sl_kube_link *link);

/* GET of a collection: the List, which the caller frees with sl_json_free(). NULL where the server
 * does not know the kind at all. */
int sl_kube_link_list(struct sl_kube_link *link, const char *group_version, const char *plural,
                      const char *kube_namespace, struct sl_json **ret,
                      struct sl_error *err) SL_CHECKED;

#endif
