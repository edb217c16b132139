/* A kubeconfig file, read: where the API server is and how to log in (pure half; the files it
 * points to are read by kubernetes/client.c).
 *
 * Source of the format: k8s.io/client-go tools/clientcmd/api/v1/types.go; "-data" fields are base64
 * and win over the path, relative paths start at the file's folder (clientcmd/loader.go). */
#ifndef SL_KUBERNETES_KUBECONFIG_H
#define SL_KUBERNETES_KUBECONFIG_H

#include <stddef.h>

#include "base/error.h"
#include "base/secret.h"

/* Every text may be NULL: not given. Owned by the struct. */
struct sl_kubeconfig {
    char *server; /* "https://host:port", without a slash at the end */
    char *ca_path;
    char *ca_pem;
    char *tls_server_name;
    char *proxy_url;
    bool is_insecure; /* insecure-skip-tls-verify */
    char *client_cert_path;
    char *client_cert_pem;
    char *client_key_path;
    struct sl_secret client_key_pem;
    struct sl_secret token;
    char *token_path;
    char *user;
    struct sl_secret password;
    char *kube_namespace; /* of the context */
};

/* context NULL: current-context. folder is where relative paths start. SL_CONFIG names what is
 * missing or not supported, and the contexts there are. On failure *ret is released. */
int sl_kubeconfig_parse(const char *yaml, size_t len, const char *context, const char *folder,
                        struct sl_kubeconfig *ret, struct sl_error *err) SL_CHECKED;

void sl_kubeconfig_release(struct sl_kubeconfig *k);

#endif
