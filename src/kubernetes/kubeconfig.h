/* Kubeconfig files, read: where the API server is and how to log in (pure half; the files they
 * point to are read by kubernetes/credentials.c).
 *
 * Source of the format: k8s.io/client-go tools/clientcmd/api/v1/types.go. Of several files the
 * first that has an entry of a name, or a current-context, wins; "-data" fields are base64 and win
 * over the path; relative paths start at the file's own folder (clientcmd/loader.go). A program is
 * run only where the user has no token and no certificate (plugin/pkg/client/auth/exec). */
#ifndef SL_KUBERNETES_KUBECONFIG_H
#define SL_KUBERNETES_KUBECONFIG_H

#include <stddef.h>

#include "base/error.h"
#include "base/secret.h"

/* The user's "exec": a program that prints an ExecCredential. */
struct sl_kube_exec {
    char **argv;          /* NULL-terminated; NULL: there is none */
    char **environment;   /* "NAME=value", NULL-terminated */
    char *api_version;    /* client.authentication.k8s.io/v1 or /v1beta1 */
    char *install_hint;   /* may be NULL */
    bool is_told_cluster; /* provideClusterInfo */
    char *cluster_config; /* JSON of the cluster's extension for it; NULL: none */
};

/* Every text may be NULL: not given. Owned by the struct. */
struct sl_kubeconfig {
    char *server; /* "https://host:port", without a slash at the end */
    char *ca_path;
    char *ca_pem;
    char *tls_server_name;
    char *proxy_url;  /* http, https, socks5 */
    bool is_insecure; /* insecure-skip-tls-verify */
    char *client_cert_path;
    char *client_cert_pem;
    char *client_key_path;
    struct sl_secret client_key_pem;
    struct sl_secret token;
    char *token_path; /* wins over token */
    struct sl_kube_exec exec;
    char *kube_namespace; /* of the context */
};

struct sl_kubeconfig_file {
    const char *path; /* for messages, and its folder for relative paths */
    const char *yaml;
    size_t len;
};

/* context NULL: current-context. SL_CONFIG names the file, what is missing or not supported, and
 * the contexts there are. On failure *ret is released. */
int sl_kubeconfig_parse(const struct sl_kubeconfig_file *files, size_t count, const char *context,
                        struct sl_kubeconfig *ret, struct sl_error *err) SL_CHECKED;

void sl_kubeconfig_release(struct sl_kubeconfig *k);

#endif
