/* By what an account is entered. */
#include "spacelift/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "spacelift/document.h"
#include "spacelift/key_file.h"
#include "spacelift/profile.h"
#include "base/token.h"

void sl_credentials_release(struct sl_credentials *c) {
    free(c->endpoint);
    free(c->key_id);
    free(c->source);
    sl_secret_release(&c->secret);
    *c = (struct sl_credentials){.endpoint = NULL};
}

static int copy(char **ret, const char *text, struct sl_error *err) {
    *ret = strdup(text);
    return *ret != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory for credentials");
}

/* "DIRECTORY/NAME", where systemd puts what LoadCredential= names (systemd.exec(5)). */
static int credential_path(const char *name, char **ret, struct sl_error *err) {
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (directory == NULL || directory[0] == '\0')
        return sl_fail(err, SL_CONFIG,
                       "systemd has passed no credentials: the unit needs LoadCredential=%s:FILE",
                       name);
    struct sl_buffer path;
    sl_buffer_init(&path, 4096);
    sl_buffer_printf(&path, "%s/%s", directory, name);
    *ret = sl_buffer_steal(&path);
    return *ret != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory for a path");
}

static int use_key(struct sl_credentials *c, const struct sl_account *account,
                   const struct sl_secret *text, struct sl_error *err) {
    char said[SL_KEY_ID_BYTES];
    int code = sl_key_file_parse(text->text, text->len, &c->secret, said, err);
    if (code != SL_OK)
        return code;
    const char *id = account->api_key_id != NULL ? account->api_key_id : said;
    if (id[0] == '\0')
        return sl_fail(err, SL_CONFIG, "it does not say the ID of the key: set APIKeyID");
    if (said[0] != '\0' && strcmp(said, id) != 0)
        return sl_fail(err, SL_CONFIG, "it belongs to API key %s, but APIKeyID is %s", said, id);
    c->expires_s = sl_token_expiry(&c->secret); /* of an OIDC key it is a token */
    return copy(&c->key_id, id, err);
}

static int use_token(struct sl_credentials *c, const struct sl_account *account,
                     struct sl_secret *token, struct sl_error *err) {
    struct sl_token claims = {.audience = NULL};
    int code = sl_token_parse(token->text, token->len, &claims, err);
    if (code == SL_OK && c->endpoint == NULL && account->url == NULL)
        code = claims.audience != NULL
                   ? sl_endpoint(claims.audience, &c->endpoint, err)
                   : sl_fail(err, SL_CONFIG,
                             "the token does not say which account it is for (its aud is not one "
                             "URL): set URL");
    c->expires_s = claims.expires_s;
    c->secret = *token;
    *token = (struct sl_secret)SL_SECRET_INIT;
    sl_token_release(&claims);
    return code;
}

static int use_profile(struct sl_credentials *c, const struct sl_account *account,
                       const struct sl_secret *text, struct sl_error *err) {
    struct sl_profile profile = {.endpoint = NULL};
    int code = sl_profile_parse(text->text, text->len, account->spacectl_profile, &profile, err);
    if (code == SL_OK && account->url == NULL)
        code = sl_endpoint(profile.endpoint, &c->endpoint, err);
    if (code == SL_OK && profile.key_id == NULL) {
        code = use_token(c, account, &profile.secret, err);
    } else if (code == SL_OK) {
        c->key_id = profile.key_id;
        c->secret = profile.secret;
        profile.key_id = NULL;
        profile.secret = (struct sl_secret)SL_SECRET_INIT;
    }
    sl_profile_release(&profile);
    return code;
}

/* Which of them is set: sl_account_check() has seen that it is one. */
static int find_source(const struct sl_account *account, struct sl_credentials *c,
                       struct sl_error *err) {
    const struct {
        const char *option;
        const char *path;
    } files[] = {
        {"APIKeySecretFile", account->api_key_secret_file},
        {"APITokenFile", account->api_token_file},
        {"SpacectlConfig", account->spacectl_config},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i].path != NULL) {
            c->option = files[i].option;
            return copy(&c->source, files[i].path, err);
        }
    }
    c->option = "APIKeySecretCredential";
    return credential_path(account->api_key_secret_credential, &c->source, err);
}

/* The programs that take a secret from their environment put it into the account. */
static int read_text(const struct sl_account *account, const struct sl_log *log,
                     struct sl_credentials *c, struct sl_secret *ret, struct sl_error *err) {
    const struct sl_secret *given =
        sl_secret_is_set(&account->api_token) ? &account->api_token : &account->api_key_secret;
    if (sl_secret_is_set(given)) {
        c->option = given == &account->api_token ? "APIToken" : "APIKeySecret";
        int code = sl_secret_set_trimmed(ret, given->text, given->len, err);
        return code == SL_OK ? copy(&c->source, "the environment", err) : code;
    }
    int code = find_source(account, c, err);
    if (code != SL_OK)
        return code;
    /* systemd sees to the permissions of a credential. */
    bool is_ours = account->api_key_secret_credential == NULL;
    return sl_file_read_secret(c->source, ret, is_ours ? log : NULL, err);
}

static int use(struct sl_credentials *c, const struct sl_account *account, struct sl_secret *text,
               struct sl_error *err) {
    if (account->api_token_file != NULL || sl_secret_is_set(&account->api_token))
        return use_token(c, account, text, err);
    if (account->spacectl_config != NULL)
        return use_profile(c, account, text, err);
    return use_key(c, account, text, err);
}

int sl_credentials_load(const struct sl_account *account, const struct sl_log *log,
                        struct sl_credentials *ret, struct sl_error *err) {
    struct sl_credentials c = {.endpoint = NULL};
    struct sl_secret text = SL_SECRET_INIT;
    int code = read_text(account, log, &c, &text, err);
    if (code == SL_OK) {
        code = account->url != NULL ? sl_endpoint(account->url, &c.endpoint, err) : SL_OK;
        if (code == SL_OK)
            code = use(&c, account, &text, err);
        if (code != SL_OK && err != NULL)
            sl_error_prefix(err, "%s", c.source);
    }
    if (code != SL_OK && err != NULL)
        sl_error_prefix(err, "option %s", c.option);
    sl_secret_release(&text);
    if (code != SL_OK)
        sl_credentials_release(&c);
    else
        *ret = c;
    return code;
}
