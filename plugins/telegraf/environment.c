/* The account, where no file says it: spacectl's environment variables (spacelift-io/spacectl
 * client/session/from_environment.go) and systemd's credentials. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "configuration.h"

/* What an operator is told who gave nothing. */
static const char how_to[] =
    "give --url, --api-key-id and --api-key-secret-file, or a --config file with an <Account>, or "
    "set SPACELIFT_API_KEY_ENDPOINT, SPACELIFT_API_KEY_ID and SPACELIFT_API_KEY_SECRET";

static const char *environment(const char *name, const char *older_name) {
    const char *value = getenv(name);
    if ((value == NULL || value[0] == '\0') && older_name != NULL)
        value = getenv(older_name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int read_environment(struct sl_account *account, struct sl_error *err) {
    static const struct {
        const char *name, *older_name, *option;
    } variables[] = {
        {"SPACELIFT_API_KEY_ENDPOINT", "SPACELIFT_API_ENDPOINT", "URL"},
        {"SPACELIFT_API_KEY_ID", NULL, "APIKeyID"},
        {"SPACELIFT_API_TLS_CA", NULL, "CACert"},
    };
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = environment(variables[i].name, variables[i].older_name);
        bool is_of_token = environment("SPACELIFT_API_TOKEN", NULL) != NULL &&
                           strcmp(variables[i].option, "APIKeyID") == 0;
        if (value == NULL || is_of_token)
            continue;
        int code = sl_option_set(sl_account_block.options, account, variables[i].name,
                                 variables[i].option, value, err);
        if (code != SL_OK)
            return code;
    }
    return SL_OK;
}

/* systemd puts credentials into files of one folder; Telegraf's unit imports telegraf.*, and its
 * children inherit the variable. */
static const char *find_credential(void) {
    static const char *const names[] = {"spacelift-api-key-secret",
                                        "telegraf.spacelift-api-key-secret"};
    const char *folder = environment("CREDENTIALS_DIRECTORY", NULL);
    for (size_t i = 0; folder != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        if (access(path, R_OK) == 0)
            return names[i];
    }
    return NULL;
}

static bool has_way_in(const struct sl_account *account) {
    return account->api_key_secret_file != NULL || account->api_key_secret_credential != NULL ||
           account->api_token_file != NULL || account->spacectl_config != NULL ||
           account->spacectl_profile != NULL;
}

/* The secret, where no option says where it is; in the order of spacectl a token comes first. */
static int find_way_in(struct sl_account *account, struct sl_error *err) {
    const char *token = environment("SPACELIFT_API_TOKEN", NULL);
    const char *secret = environment("SPACELIFT_API_KEY_SECRET", NULL);
    const char *credential = find_credential();
    if (token != NULL)
        return sl_secret_set_trimmed(&account->api_token, token, strlen(token), err);
    if (secret != NULL)
        return sl_secret_set_trimmed(&account->api_key_secret, secret, strlen(secret), err);
    if (credential != NULL)
        return sl_option_set(sl_account_block.options, account, "CREDENTIALS_DIRECTORY",
                             "APIKeySecretCredential", credential, err);
    if (account->url == NULL)
        return sl_fail(err, SL_CONFIG, "no Spacelift account: %s", how_to);
    return sl_fail(err, SL_CONFIG,
                   "no secret for %s: give --api-key-secret-file, a systemd credential named "
                   "spacelift-api-key-secret, or set SPACELIFT_API_KEY_SECRET",
                   account->url);
}

/* "acme" of https://acme.app.spacelift.io: what messages call it. */
static int name_account(struct sl_account *account, struct sl_error *err) {
    const char *host = account->url != NULL ? strstr(account->url, "://") : NULL;
    host = host != NULL ? host + 3 : "spacelift";
    bool is_address = strspn(host, "0123456789.[") > 0;
    account->name = strndup(host, strcspn(host, is_address ? "/" : ".:/"));
    return account->name != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory");
}

/* One account that no file describes. */
static int make_account(struct sl_configuration *c, const struct sl_arguments *arguments,
                        struct sl_error *err) {
    const struct sl_option *table = sl_account_block.options;
    c->accounts = calloc(1, sizeof(*c->accounts));
    if (c->accounts == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory");
    struct sl_account *account = c->accounts;
    c->account_count = 1;
    int code = sl_option_defaults(table, account, err);
    if (code == SL_OK)
        code = read_environment(account, err);
    if (code == SL_OK)
        code = sl_arguments_apply(arguments, table, account, err);
    if (code == SL_OK && !has_way_in(account))
        code = find_way_in(account, err);
    if (code == SL_OK)
        code = name_account(account, err);
    return code == SL_OK ? sl_account_check(account, err) : code;
}

/* Keeps the account that --account names. */
static int choose_account(struct sl_configuration *c, struct sl_error *err) {
    for (size_t i = 0; i < c->account_count; i++) {
        struct sl_account chosen = c->accounts[i];
        if (strcmp(chosen.name, c->general.account) != 0)
            continue;
        c->accounts[i] = c->accounts[0];
        c->accounts[0] = chosen;
        while (c->account_count > 1)
            sl_account_release(&c->accounts[--c->account_count]);
        return SL_OK;
    }
    return sl_fail(err, SL_CONFIG, "%s has no <Account \"%s\">",
                   c->general.config != NULL ? c->general.config : "the configuration",
                   c->general.account);
}

int sl_configuration_accounts(struct sl_configuration *c, const struct sl_arguments *arguments,
                              struct sl_error *err) {
    const struct sl_option *table = sl_account_block.options;
    int code = SL_OK;
    if (c->general.account != NULL)
        code = choose_account(c, err);
    if (code != SL_OK || c->account_count == 0)
        return code != SL_OK ? code : make_account(c, arguments, err);
    if (!sl_arguments_has(arguments, table))
        return SL_OK;
    if (c->account_count > 1)
        return sl_fail(err, SL_CONFIG,
                       "%s has %zu accounts: --account must say which one the options on the "
                       "command line are for",
                       c->general.config, c->account_count);
    return sl_arguments_apply(arguments, table, &c->accounts[0], err);
}
