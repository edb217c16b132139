/* A key pair and a certificate signing request, as `openssl req -new -newkey rsa:4096 -nodes` makes
 * them: the first step of every Spacelift worker pool. Blocks for as long as the search for two
 * primes takes, a second or so for 4096 bits. Any thread. */
#ifndef SL_NET_CSR_H
#define SL_NET_CSR_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"

/* Texts in UTF-8; NULL is left out. Spacelift does not look at them. */
struct sl_csr_subject {
    const char *common_name;  /* at most 64 characters */
    const char *organization; /* likewise */
    const char *country;      /* two letters, ISO 3166 */
};

enum { SL_CSR_BITS = 4096 };

/* The key as PKCS #8 and the request, signed with SHA-256, both in PEM. SL_CONFIG: a subject that
 * X.509 does not allow. */
int sl_csr_make(int rsa_bits, const struct sl_csr_subject *subject, struct sl_secret *ret_key_pem,
                struct sl_buffer *ret_request_pem, struct sl_error *err) SL_CHECKED;

#endif
