/* Certificates and keys from memory into libcurl's OpenSSL context, so that no key is ever written
 * to a temporary file. Built once, by net/http, then read by one thread at a time. */
#ifndef SL_NET_TLS_H
#define SL_NET_TLS_H

#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"

struct sl_tls;

/* Parses all of it now: bad PEM, a key that does not fit its certificate are SL_CONFIG, naming
 * which. Each text may be NULL. The texts are not kept. */
int sl_tls_new(const char *ca_pem, bool replace_system_ca, const char *client_cert_pem,
               const struct sl_secret *client_key_pem, struct sl_tls **ret,
               struct sl_error *err) SL_CHECKED;
void sl_tls_free(struct sl_tls *tls);

/* When the first certificate of a PEM text ends, Unix time; 0 where it cannot be read. */
int64_t sl_tls_expiry(const char *pem);

/* For CURLOPT_SSL_CTX_FUNCTION: ssl_ctx is an SSL_CTX *. False if OpenSSL refuses. */
bool sl_tls_apply(const struct sl_tls *tls, void *ssl_ctx);

#endif
