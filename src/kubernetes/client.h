/* Talks to one API server: a verb on a group, version and kind, with the errors of a server in
 * words for people. What is asked is in workerpools.c, attendant.c and access.c;
 * nothing else is, and conf/kubernetes/rbac.yaml grants nothing more.
 *
 * One thread at a time; several clients may share the credentials. A 401, or a certificate that is
 * not believed, makes the credentials read everything again, and the request is tried once more if
 * that brought something new. Nothing else is tried again here: that is for who knows why he asks.
 */
#ifndef SL_KUBERNETES_CLIENT_H
#define SL_KUBERNETES_CLIENT_H

#include "kubernetes/credentials.h"

struct sl_kube_client;

/* Opens no connection. credentials and stop, which ends requests at once, outlive the client. stop
 * NULL: only timeouts end them. */
int sl_kube_client_new(struct sl_kube_credentials *credentials, const struct sl_wakeup *stop,
                       struct sl_kube_client **ret, struct sl_error *err) SL_CHECKED;
void sl_kube_client_free(struct sl_kube_client *c);

/* The namespace that is meant: given, or where that is NULL the one of the credentials. */
const char *sl_kube_client_namespace(const struct sl_kube_client *c, const char *given);

struct sl_kube_call {
    const char *method;         /* "GET", "POST", "PUT", "PATCH" (a merge patch) */
    const char *group_version;  /* "workers.spacelift.io/v1beta1" */
    const char *plural;         /* "workerpools" */
    bool is_cluster_scoped;     /* of no namespace */
    const char *kube_namespace; /* NULL: that of the credentials */
    const char *name;           /* NULL: the collection */
    const char *subresource;    /* NULL: the object itself */
    const char *query;          /* "resourceVersion=0"; NULL: none; not with a body */
    const char *accept;         /* NULL: "application/json" */
    const char *body;           /* JSON; NULL: none */
    size_t body_len;
    int64_t timeout_ms; /* 0: that of the settings */
    bool is_dry_run;    /* all is checked, nothing is kept */

    /* Where a 2xx answer goes while it arrives, up to SL_LIMIT_HTTP_BODY_BYTES of it, and not
     * compressed: that would cost the server more than the answer. NULL: into the response. */
    int (*sink)(void *context, const char *bytes, size_t len, struct sl_error *err);
    void *sink_context;
};

/* SL_OK: a 2xx answer, whole, in ret (made and released by the caller). Errors name method and URL
 * and what the server said: SL_NOTFOUND (404, 410), SL_FORBIDDEN, SL_AUTH, SL_CONFLICT (409),
 * SL_RATELIMIT, SL_REJECTED, SL_REMOTE (5xx), SL_TOOBIG and what net/http fails with; status and
 * retry-after are in err. ret then has the body of the refusal, if one came.
 *
 * After SL_CONFLICT, SL_FORBIDDEN, SL_NOTFOUND, SL_AUTH, SL_RATELIMIT and SL_REJECTED nothing was
 * written. After any other failure of a write nobody knows, which the message says where the
 * request has left: read before deciding again. */
int sl_kube_call(struct sl_kube_client *c, const struct sl_kube_call *call,
                 struct sl_http_response *ret, struct sl_error *err) SL_CHECKED;

#endif
