/* The options of the reader. */
#include "spacelift/options.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct sl_account, member)

static const struct sl_option account_options[] = {
    {.name = "URL",
     .type = SL_OPTION_URL,
     .offset = AT(url),
     .flags = SL_OPTION_REQUIRED | SL_OPTION_EXAMPLE,
     .example = "https://acme.app.spacelift.io",
     .help = "Address of the account, with or without /graphql: https://ACCOUNT.app.spacelift.io, "
             "https://ACCOUNT.app.us.spacelift.io, or that of a self-hosted Spacelift."},
    {.name = "APIKeyID",
     .type = SL_OPTION_STRING,
     .offset = AT(api_key_id),
     .flags = SL_OPTION_REQUIRED | SL_OPTION_EXAMPLE,
     .example = "01HQZX9K7P2M3N4Q5R6S7T8U9V",
     .help = "ID of the API key. It needs read access to the spaces of the worker pools."},
    {.name = "APIKeySecretFile",
     .type = SL_OPTION_PATH,
     .offset = AT(api_key_secret_file),
     .flags = SL_OPTION_REQUIRED | SL_OPTION_EXAMPLE,
     .example = "/etc/collectd/spacelift.secret",
     .help = "File that holds the secret of the API key and nothing else. It is read again at "
             "every exchange of the key for a token; only its owner should be able to read it."},
    {.name = "CACert",
     .type = SL_OPTION_PATH,
     .offset = AT(ca_cert),
     .example = "/etc/ssl/private-ca.pem",
     .help = "File with CA certificates in PEM form, trusted in addition to the system's."},
    {.name = "VerifyPeer",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(verify_peer),
     .fallback = "true",
     .help = "Whether the server's certificate is verified."},
    {.name = "VerifyHost",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(verify_host),
     .fallback = "true",
     .help = "Whether the server's name is compared with its certificate."},
    {.name = "Timeout",
     .type = SL_OPTION_INTEGER,
     .offset = AT(timeout_ms),
     .fallback = "10000",
     .min = 1,
     .max = 600000,
     .unit = "ms",
     .help = "Longest time one request may take, in milliseconds."},
    {.name = "Interval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(interval_ms),
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .example = "10",
     .help = "Time between two polls, in seconds. Left out: the Interval of the LoadPlugin block, "
             "or else collectd's own."},
    {.name = NULL},
};

const struct sl_option_block sl_account_block = {
    .name = "Account",
    .label = "a name of your choice",
    .example = "acme",
    .options = account_options,
    .help = "One Spacelift account. The block may be repeated.",
};

static const struct sl_option_block *const plugin_blocks[] = {&sl_account_block, NULL};

const struct sl_option_block sl_spacelift_plugin_block = {
    .name = "spacelift",
    .blocks = plugin_blocks,
    .help = "Reads the worker pools of Spacelift accounts.",
};

int sl_account_read(const char *name, const struct sl_config_item *item, struct sl_account *ret,
                    struct sl_error *err) {
    char where[SL_CONFIG_WHERE_BYTES];
    sl_config_where(&sl_account_block, name, where, sizeof(where));
    *ret = (struct sl_account){.name = strdup(name)};
    int code = ret->name != NULL
                   ? sl_config_read_block(&sl_account_block, where, item, ret, NULL, NULL, err)
                   : sl_fail(err, SL_NOMEM, "out of memory");
    if (code != SL_OK)
        sl_account_release(ret);
    return code;
}

void sl_account_release(struct sl_account *account) {
    sl_option_release(account_options, account);
    free(account->name);
    account->name = NULL;
}
