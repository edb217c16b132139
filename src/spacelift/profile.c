/* A profile of spacectl. */
#include "spacelift/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_document.h"

enum { TYPE_API_KEY = 1, TYPE_GITHUB_TOKEN = 2, TYPE_API_TOKEN = 3 };

static int read_credentials(const struct sl_json *credentials, const char *alias,
                            struct sl_profile *profile, struct sl_error *err) {
    int64_t type = 0;
    (void)sl_json_int64(sl_json_get(credentials, "type"), &type);
    if (type != TYPE_API_KEY && type != TYPE_API_TOKEN)
        return sl_fail(err, SL_CONFIG,
                       "profile \"%s\" holds %s: log in with an API key: spacectl profile login",
                       alias, type == TYPE_GITHUB_TOKEN ? "a GitHub token" : "no API key");
    bool is_key = type == TYPE_API_KEY;
    const char *endpoint = sl_json_string(sl_json_get(credentials, "endpoint"));
    const char *id = sl_json_string(sl_json_get(credentials, "key_id"));
    const char *secret =
        sl_json_string(sl_json_get(credentials, is_key ? "key_secret" : "access_token"));
    if (endpoint == NULL || secret == NULL || secret[0] == '\0' || (is_key && id == NULL))
        return sl_fail(err, SL_CONFIG, "profile \"%s\" has no %s", alias,
                       endpoint == NULL       ? "endpoint"
                       : is_key && id == NULL ? "key_id"
                       : is_key               ? "key_secret"
                                              : "access_token");
    profile->endpoint = strdup(endpoint);
    profile->key_id = is_key ? strdup(id) : NULL;
    if (profile->endpoint == NULL || (is_key && profile->key_id == NULL))
        return sl_fail(err, SL_NOMEM, "out of memory for a profile");
    return sl_secret_set(&profile->secret, secret, strlen(secret), err);
}

int sl_profile_parse(const char *text, size_t len, const char *alias, struct sl_profile *ret,
                     struct sl_error *err) {
    struct sl_json *config = NULL;
    struct sl_profile profile = {.endpoint = NULL};
    int code = sl_json_parse(text, len, &config, NULL);
    if (code != SL_OK)
        return sl_fail(err, SL_CONFIG, "it is no configuration of spacectl: it is no JSON");
    if (alias == NULL)
        alias = sl_json_string(sl_json_get(config, "currentProfileAlias"));
    const struct sl_json *profiles = sl_json_get(config, "profiles");
    const struct sl_json *found = alias != NULL ? sl_json_get(profiles, alias) : NULL;
    if (sl_json_size(profiles) == 0)
        code = sl_fail(err, SL_CONFIG, "it holds no profile: make one with spacectl profile login");
    else if (alias == NULL)
        code = sl_fail(err, SL_CONFIG,
                       "none of its profiles is the current one: set "
                       "SpacectlProfile");
    else if (found == NULL)
        code = sl_fail(err, SL_CONFIG, "there is no profile \"%s\" among its %zu", alias,
                       sl_json_size(profiles));
    else
        code = read_credentials(sl_json_get(found, "credentials"), alias, &profile, err);
    if (code != SL_OK)
        sl_profile_release(&profile);
    else
        *ret = profile;
    sl_json_free(config);
    return code;
}

void sl_profile_release(struct sl_profile *profile) {
    free(profile->endpoint);
    free(profile->key_id);
    sl_secret_release(&profile->secret);
    *profile = (struct sl_profile){.endpoint = NULL};
}
