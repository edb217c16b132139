/* A JSON Web Token (RFC 7519) that says for whom and for how long it is: an API token of Spacelift,
 * an identity provider's, a service account's. It is read, not verified: that is for the server
 * that takes it. Pure; any thread. */
#ifndef SL_BASE_TOKEN_H
#define SL_BASE_TOKEN_H

#include <stddef.h>

#include "base/error.h"
#include "base/secret.h"

struct sl_token {
    char *audience; /* the claim aud: the base URL of the account; NULL: it names no single one */
    int64_t expires_s; /* the claim exp: Unix time */
};

/* SL_CONFIG for anything that is no token with an exp; the text is not quoted. aud counts where it
 * is exactly one http or https URL (spacelift-io/spacectl client/session/api_token.go). */
int sl_token_parse(const char *text, size_t len, struct sl_token *ret,
                   struct sl_error *err) SL_CHECKED;
void sl_token_release(struct sl_token *token);

/* The claim exp alone; 0 for anything that has none. */
int64_t sl_token_expiry(const struct sl_secret *text);

#endif
