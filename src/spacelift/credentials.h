/* By what an account is entered: read anew whenever it is needed, so that a rotated secret needs no
 * restart. Reads files; any thread. */
#ifndef SL_SPACELIFT_CREDENTIALS_H
#define SL_SPACELIFT_CREDENTIALS_H

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "spacelift/options.h"

struct sl_credentials {
    char *endpoint;          /* https://HOST/graphql */
    char *key_id;            /* NULL: secret is a token that is used as it is */
    struct sl_secret secret; /* of the key, or the token */
    int64_t expires_s;       /* of the secret: Unix time; 0: it does not say */
    const char *option;      /* where it was read, for messages: "APIKeySecretFile"; a literal */
    char *source;            /* "/etc/..." */
};

/* SL_CONFIG and SL_IO name the option and the file. log (may be NULL) gets a warning for a file
 * that others can read. On success *ret is the caller's. */
int sl_credentials_load(const struct sl_account *account, const struct sl_log *log,
                        struct sl_credentials *ret, struct sl_error *err) SL_CHECKED;
void sl_credentials_release(struct sl_credentials *c);

#endif
