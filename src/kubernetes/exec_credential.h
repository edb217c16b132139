/* The ExecCredential that a kubeconfig's exec program is told and prints (pure half; it is run by
 * kubernetes/credentials.c).
 *
 * Source: k8s.io/client-go pkg/apis/clientauthentication/v1/types.go and
 * plugin/pkg/client/auth/exec/exec.go: status has a token, or a certificate with its key, or both;
 * without expirationTimestamp it is good until the server says 401. */
#ifndef SL_KUBERNETES_EXEC_CREDENTIAL_H
#define SL_KUBERNETES_EXEC_CREDENTIAL_H

#include <stdint.h>

#include "base/buffer.h"
#include "kubernetes/kubeconfig.h"

struct sl_exec_credential {
    struct sl_secret token; /* may be unset */
    char *cert_pem;         /* NULL: none */
    struct sl_secret key_pem;
    int64_t expires_ms; /* wall clock; INT64_MAX: no end */
};

/* "KUBERNETES_EXEC_INFO={...}": with the cluster if the kubeconfig wants it told. ca_pem is its
 * certificate authority as read; NULL: none. */
void sl_exec_credential_ask(const struct sl_kubeconfig *k, const char *ca_pem,
                            struct sl_buffer *out);

/* SL_PARSE: not an ExecCredential of that apiVersion, nothing to log in with, a certificate without
 * its key, a time that is none. On failure *ret is untouched. */
int sl_exec_credential_parse(const char *bytes, size_t len, const char *api_version,
                             struct sl_exec_credential *ret, struct sl_error *err) SL_CHECKED;
void sl_exec_credential_release(struct sl_exec_credential *c);

#endif
