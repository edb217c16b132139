/* The options of the reader. */
#include "spacelift/options.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct sl_account, member)

static const struct sl_option account_options[] = {
    {.name = "URL",
     .type = SL_OPTION_URL,
     .offset = AT(url),
     .flags = SL_OPTION_EXAMPLE,
     .example = "https://acme.app.spacelift.io",
     .help = "Address of the account, with or without /graphql: https://ACCOUNT.app.spacelift.io, "
             "https://ACCOUNT.app.us.spacelift.io, or that of a self-hosted Spacelift. Required, "
             "unless a token or a profile of spacectl says it."},
    {.name = "APIKeyID",
     .type = SL_OPTION_STRING,
     .offset = AT(api_key_id),
     .flags = SL_OPTION_EXAMPLE,
     .example = "01HQZX9K7P2M3N4Q5R6S7T8U9V",
     .help = "ID of the API key; of an OIDC key oidc::ISSUER::ID. It needs read access to the "
             "spaces of the worker pools. May be left out where the file with the secret is one "
             "that Spacelift offers for download and that holds the ID."},
    {.name = "APIKeySecretFile",
     .type = SL_OPTION_PATH,
     .offset = AT(api_key_secret_file),
     .flags = SL_OPTION_EXAMPLE,
     .example = "/etc/collectd/spacelift.secret",
     .help = "File with the secret of the API key: the secret alone (of an OIDC key the token of "
             "the identity provider), or the file that Spacelift offers for download when the key "
             "is made. It is read again at every exchange of the key for a token; only its owner "
             "should be able to read it."},
    {.name = "APIKeySecretCredential",
     .type = SL_OPTION_STRING,
     .offset = AT(api_key_secret_credential),
     .example = "spacelift-secret",
     .help = "Name of a systemd credential that holds what APIKeySecretFile would: the unit of the "
             "daemon has LoadCredential=NAME:FILE."},
    {.name = "APITokenFile",
     .type = SL_OPTION_PATH,
     .offset = AT(api_token_file),
     .example = "/run/spacelift/token",
     .help = "File with a ready API token, in place of a key. The token says which account it is "
             "for and when it expires; something else must put a new one there in time."},
    {.name = "SpacectlConfig",
     .type = SL_OPTION_PATH,
     .offset = AT(spacectl_config),
     .example = "/etc/collectd/spacectl.json",
     .help = "File with profiles of spacectl (~/.spacelift/config.json), in place of a key."},
    {.name = "SpacectlProfile",
     .type = SL_OPTION_STRING,
     .offset = AT(spacectl_profile),
     .example = "acme",
     .help = "Which profile of SpacectlConfig is used. Left out: the one that spacectl uses."},
    SL_HTTP_TRUST_ROWS(struct sl_account, http, "server"),
    SL_HTTP_TIMEOUT_ROW(struct sl_account, http, "10000", "request"),
    {.name = "Interval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(interval_ms),
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .example = "10",
     .help = "Time between two polls, in seconds. Left out: the Interval of the LoadPlugin block, "
             "or else collectd's own."},
    {.name = "PoolName",
     .type = SL_OPTION_LIST,
     .offset = AT(filter.include.names),
     .example = "prod-*",
     .help = "Only pools whose name matches this shell glob are read. Pools must match each of "
             "PoolName, PoolID, PoolLabel and PoolSpace that is given."},
    {.name = "PoolID",
     .type = SL_OPTION_LIST,
     .offset = AT(filter.include.ids),
     .example = "01HQZX9K7P2M3N4Q5R6S7T8U9V",
     .help = "Only pools whose ID matches this shell glob are read."},
    {.name = "PoolLabel",
     .type = SL_OPTION_LIST,
     .offset = AT(filter.include.labels),
     .example = "team:platform",
     .help = "Only pools with a label that matches this shell glob are read."},
    {.name = "PoolSpace",
     .type = SL_OPTION_LIST,
     .offset = AT(filter.include.spaces),
     .example = "root",
     .help = "Only pools whose space (its ID) matches this shell glob are read."},
    {.name = "ExcludePoolName",
     .type = SL_OPTION_LIST,
     .offset = AT(filter.exclude.names),
     .example = "test-*",
     .help = "Pools whose name matches this shell glob are left out."},
    {.name = "ExcludePoolID",
     .type = SL_OPTION_LIST,
     .offset = AT(filter.exclude.ids),
     .example = "01HQZX9K7P2M3N4Q5R6S7T8U9V",
     .help = "Pools whose ID matches this shell glob are left out."},
    {.name = "ExcludePoolLabel",
     .type = SL_OPTION_LIST,
     .offset = AT(filter.exclude.labels),
     .example = "ignore",
     .help = "Pools with a label that matches this shell glob are left out."},
    {.name = "ExcludePoolSpace",
     .type = SL_OPTION_LIST,
     .offset = AT(filter.exclude.spaces),
     .example = "sandbox-*",
     .help = "Pools whose space (its ID) matches this shell glob are left out."},
    {.name = "PublicWorkerPool",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(public_worker_pool),
     .fallback = "true",
     .help = "Whether the public worker pool is read."},
    {.name = "Usage",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(usage),
     .fallback = "true",
     .help = "Whether the usage of the billing period is read. The key needs read access to the "
             "root space; self-hosted releases before August 2026 refuse it to API keys."},
    {.name = "UsageInterval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(usage_interval_ms),
     .fallback = "60",
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .help = "Shortest time between two reads of Usage, in seconds."},
    {.name = "Aggregates",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(aggregates),
     .fallback = "true",
     .help = "Whether Spacelift's own statistics are read: stacks by state, resources by drift, "
             "sizes of stacks, durations of runs. Self-hosted releases before August 2026 refuse "
             "them to API keys."},
    {.name = "AggregatesInterval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(aggregates_interval_ms),
     .fallback = "60",
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .help = "Shortest time between two reads of Aggregates, in seconds."},
    {.name = "Workers",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(workers),
     .fallback = "false",
     .help = "Whether workers are looked at one by one: idle and draining ones, and their ages."},
    {.name = "WorkersInterval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(workers_interval_ms),
     .fallback = "60",
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .help = "Shortest time between two reads of Workers, in seconds."},
    {.name = "WorkerMetadataKey",
     .type = SL_OPTION_STRING,
     .offset = AT(worker_metadata_key),
     .example = "asg_id",
     .help = "Key of the workers' metadata by whose values Workers counts them as well."},
    {.name = "Schedulable",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(schedulable),
     .fallback = "false",
     .help = "Whether the number of schedulable runs of each pool is read. Old self-hosted "
             "releases do not have it."},
    {.name = "SchedulableInterval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(schedulable_interval_ms),
     .fallback = "60",
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .help = "Shortest time between two reads of Schedulable, in seconds."},
    {.name = "Queue",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(queue),
     .fallback = "false",
     .help = "Whether the queue of each pool is read run by run: how long runs have waited, runs "
             "by type and state, drift detection, prioritized and blocked ones. One request for "
             "each pool and 100 runs."},
    {.name = "QueueInterval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(queue_interval_ms),
     .fallback = "60",
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .help = "Shortest time between two reads of Queue, in seconds."},
    {.name = "Blocked",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(blocked),
     .fallback = "false",
     .help = "Whether it is found out what holds the runs that are not ready: an approval, a lock, "
             "another run, a dependency. One request for each pool and 100 such runs, and one for "
             "each of their stacks, which the key must be able to read."},
    {.name = "BlockedInterval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(blocked_interval_ms),
     .fallback = "60",
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .help = "Shortest time between two reads of Blocked, in seconds."},
    {.name = "BillingDetails",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(billing_details),
     .fallback = "false",
     .help =
         "Whether prices, allowances and the number of workers that count for the bill are read."},
    {.name = "BillingDetailsInterval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(billing_details_interval_ms),
     .fallback = "60",
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .help = "Shortest time between two reads of BillingDetails, in seconds."},
    {.name = "Seats",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(seats),
     .fallback = "false",
     .help = "Whether the seats of users and API keys are read."},
    {.name = "SeatsInterval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(seats_interval_ms),
     .fallback = "60",
     .min = 0.001,
     .max = 86400,
     .unit = "s",
     .help = "Shortest time between two reads of Seats, in seconds."},
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

int sl_account_check(const struct sl_account *account, struct sl_error *err) {
    bool has_key = account->api_key_secret_file != NULL ||
                   account->api_key_secret_credential != NULL ||
                   sl_secret_is_set(&account->api_key_secret);
    bool has_token = account->api_token_file != NULL || sl_secret_is_set(&account->api_token);
    bool has_profile = account->spacectl_config != NULL;
    if (account->url == NULL && !has_token && !has_profile)
        return sl_fail(err, SL_CONFIG,
                       "option URL is missing: https://ACCOUNT.app.spacelift.io or your own");
    if (!has_key && !has_token && !has_profile)
        return sl_fail(err, SL_CONFIG,
                       "option APIKeySecretFile is missing (or APIKeySecretCredential, "
                       "APITokenFile or SpacectlConfig)");
    if (has_key + has_token + has_profile > 1 ||
        (account->api_key_secret_file != NULL && account->api_key_secret_credential != NULL))
        return sl_fail(err, SL_CONFIG,
                       "only one of the options APIKeySecretFile, APIKeySecretCredential, "
                       "APITokenFile and SpacectlConfig can be set");
    if (account->api_key_id != NULL && !has_key)
        return sl_fail(err, SL_CONFIG,
                       "option APIKeyID goes with APIKeySecretFile or APIKeySecretCredential");
    if (account->spacectl_profile != NULL && !has_profile)
        return sl_fail(err, SL_CONFIG, "option SpacectlProfile needs SpacectlConfig");
    if (account->worker_metadata_key != NULL && !account->workers)
        return sl_fail(err, SL_CONFIG, "option WorkerMetadataKey needs Workers true");
    return SL_OK;
}

void sl_account_release(struct sl_account *account) {
    sl_secret_release(&account->api_key_secret);
    sl_secret_release(&account->api_token);
    sl_option_release(account_options, account);
    free(account->name);
    account->name = NULL;
}
