/* How to log in to one cluster, shared by its clients: a kubeconfig (or several, merged) or the pod
 * that this runs in (k8s.io/client-go rest/config.go InClusterConfig).
 *
 * Everything comes from files and can change while we run. A token file is read again every minute;
 * an exec program is run again when what it printed has expired; and when a server answers 401, or
 * its certificate is not believed, all of it is read again from the start: new tokens, certificates
 * and authorities are taken without a restart. What cannot be read leaves the old in place.
 *
 * Any thread; calls wait for one another, also while the program of an exec runs (it is killed
 * after its timeout, and at once by stop). */
#ifndef SL_KUBERNETES_CREDENTIALS_H
#define SL_KUBERNETES_CREDENTIALS_H

#include "base/log.h"
#include "base/secret.h"
#include "net/http.h"
#include "os/wakeup.h"

struct sl_kube_settings {
    const char *kubeconfig_path; /* a path, or several with ":" between; NULL: $KUBECONFIG, and
                                    where that is not set in-cluster */
    const char *context;         /* NULL: current-context */
    int64_t timeout_ms;          /* of a request */
    int64_t exec_timeout_ms;     /* of an exec program */
};

struct sl_kube_credentials;

/* Reads the files, runs nothing, opens no connection. stop ends a program that runs; log (may be
 * NULL) gets warnings about files; both must outlive the credentials. SL_CONFIG names the file and
 * what to do. */
int sl_kube_credentials_new(const struct sl_kube_settings *settings, const struct sl_wakeup *stop,
                            const struct sl_log *log, struct sl_kube_credentials **ret,
                            struct sl_error *err) SL_CHECKED;
void sl_kube_credentials_free(struct sl_kube_credentials *c);

/* Of the context or the pod; "default" where neither says. Valid as long as the credentials. */
const char *sl_kube_credentials_namespace(const struct sl_kube_credentials *c);

/* What one client holds. All zero at first; release at the end. */
struct sl_kube_login {
    uint64_t serial;        /* of what is in it; 0: nothing yet */
    uint64_t connection;    /* changes when connections must be made anew */
    char *server;           /* "https://host:port" */
    struct sl_secret token; /* unset: none */
    struct sl_http *http;
};

/* Brings login up to date; cheap when nothing has changed. stop is for the requests of its http.
 * SL_AUTH: the exec program failed; SL_CANCELED; SL_CONFIG: a certificate is unusable. */
int sl_kube_credentials_log_in(struct sl_kube_credentials *c, const struct sl_wakeup *stop,
                               struct sl_kube_login *login, struct sl_error *err) SL_CHECKED;

/* The server refused this login, or we its certificate. True if there is something new to try it
 * again with. */
bool sl_kube_credentials_renew(struct sl_kube_credentials *c, const struct sl_kube_login *login);

/* When what logs in by the files as they are now ends, Unix time; 0 where there is none or that is
 * not known. What an exec program prints is not looked at: it is run again. Does not wait for
 * other calls. */
struct sl_kube_expiry {
    int64_t client_certificate_s;
    int64_t token_s;
};
struct sl_kube_expiry sl_kube_credentials_expiry(const struct sl_kube_credentials *c);

void sl_kube_login_release(struct sl_kube_login *login);

#endif
