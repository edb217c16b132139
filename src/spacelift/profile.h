/* A profile of spacectl: ~/.spacelift/config.json (spacelift-io/spacectl client/session,
 * stored_credentials.go and profile_manager.go). Pure; any thread. */
#ifndef SL_SPACELIFT_PROFILE_H
#define SL_SPACELIFT_PROFILE_H

#include <stddef.h>

#include "base/error.h"
#include "base/secret.h"

struct sl_profile {
    char *endpoint;
    char *key_id;            /* NULL: secret is a ready token */
    struct sl_secret secret; /* of the key, or the token */
};

/* alias: NULL for the one that spacectl uses now. SL_CONFIG says what is missing, and which
 * profiles there are. */
int sl_profile_parse(const char *text, size_t len, const char *alias, struct sl_profile *ret,
                     struct sl_error *err) SL_CHECKED;
void sl_profile_release(struct sl_profile *profile);

#endif
