/* The options of prometheus_scrape. Names are collectd's (curl, write_http) and, where it has none,
 * those of Prometheus's scrape_config in collectd's spelling. */
#include "scrape/options.h"

#include <stdlib.h>

#define AT(member) offsetof(struct sl_target_options, member)

static const struct sl_option target_options[] = {
    {.name = "URL",
     .type = SL_OPTION_URL,
     .offset = AT(url),
     .flags = SL_OPTION_REQUIRED | SL_OPTION_EXAMPLE,
     .example = "http://127.0.0.1:9100/metrics",
     .help = "Where the metrics are exposed."},
    {.name = "Interval",
     .type = SL_OPTION_SECONDS,
     .offset = AT(interval_ms),
     .example = "15",
     .min = 0.1,
     .max = 86400,
     .unit = "s",
     .help = "Time between two scrapes, in seconds. Left out: collectd's Interval."},
    {.name = "Timeout",
     .type = SL_OPTION_INTEGER,
     .offset = AT(timeout_ms),
     .fallback = "10000",
     .min = 1,
     .max = 600000,
     .unit = "ms",
     .help = "Longest time one scrape may take, in milliseconds."},
    {.name = "Job",
     .type = SL_OPTION_STRING,
     .offset = AT(job),
     .example = "node",
     .help = "Value of the label job. Left out: the name of the target."},
    {.name = "Instance",
     .type = SL_OPTION_STRING,
     .offset = AT(instance),
     .example = "web-1:9100",
     .help = "Value of the label instance. Left out: host and port of URL."},
    {.name = "HonorLabels",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(honor_labels),
     .fallback = "false",
     .help = "Whether labels job and instance that the target exposes replace those above. If not, "
             "they become exported_job and exported_instance."},
    {.name = "HonorTimestamps",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(honor_timestamps),
     .fallback = "true",
     .help = "Whether times that the target exposes are taken. If not, or where it exposes none, a "
             "sample has the time at which its scrape began."},
    {.name = "MaxSamples",
     .type = SL_OPTION_INTEGER,
     .offset = AT(max_samples),
     .fallback = "50000",
     .min = 1,
     .max = 10000000,
     .unit = "samples",
     .help = "A scrape with more samples than this fails as a whole."},
    {.name = "MaxBodyBytes",
     .type = SL_OPTION_INTEGER,
     .offset = AT(max_body_bytes),
     .fallback = "10485760",
     .min = 1,
     .max = 1073741824,
     .unit = "bytes",
     .help = "A scrape with a longer answer than this, after decompression, fails as a whole."},
    {.name = "User",
     .type = SL_OPTION_STRING,
     .offset = AT(user),
     .example = "collectd",
     .help = "User name for HTTP basic authentication."},
    {.name = "Password",
     .type = SL_OPTION_SECRET,
     .offset = AT(password),
     .example = "secret",
     .help = "Password for HTTP basic authentication. PasswordFile keeps it out of the "
             "configuration."},
    {.name = "PasswordFile",
     .type = SL_OPTION_PATH,
     .offset = AT(password_file),
     .example = "/etc/collectd/target.password",
     .help = "File that holds the password and nothing else."},
    {.name = "BearerTokenFile",
     .type = SL_OPTION_PATH,
     .offset = AT(bearer_token_file),
     .example = "/etc/collectd/target.token",
     .help = "File that holds a token, sent as \"Authorization: Bearer TOKEN\". It is read again "
             "every minute and when the target answers 401 or 403, as PasswordFile is."},
    {.name = "CACert",
     .type = SL_OPTION_PATH,
     .offset = AT(ca_cert),
     .example = "/etc/ssl/private-ca.pem",
     .help = "File with CA certificates in PEM form, trusted in addition to the system's."},
    {.name = "ClientCert",
     .type = SL_OPTION_PATH,
     .offset = AT(client_cert),
     .example = "/etc/collectd/client.pem",
     .help = "File with the certificate to show to the target, in PEM form. Needs ClientKey."},
    {.name = "ClientKey",
     .type = SL_OPTION_PATH,
     .offset = AT(client_key),
     .example = "/etc/collectd/client.key",
     .help = "File with the key of ClientCert, in PEM form and without a passphrase."},
    {.name = "VerifyPeer",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(verify_peer),
     .fallback = "true",
     .help = "Whether the target's certificate is verified."},
    {.name = "VerifyHost",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(verify_host),
     .fallback = "true",
     .help = "Whether the target's name is compared with its certificate."},
    {.name = "Proxy",
     .type = SL_OPTION_URL,
     .offset = AT(proxy),
     .example = "http://proxy.example:3128",
     .help =
         "Proxy for scrapes. Left out: as the environment variables http_proxy, https_proxy and "
         "no_proxy say."},
    {.name = NULL},
};

static const struct sl_option_block target_block = {
    .name = "Target",
    .label = "a name of your choice",
    .example = "node",
    .options = target_options,
    .help = "One endpoint, read by a thread of its own. The block may be repeated.",
};

static const struct sl_option_block *const plugin_blocks[] = {&target_block, NULL};

const struct sl_option_block sl_scrape_plugin_block = {
    .name = "prometheus_scrape",
    .blocks = plugin_blocks,
    .help = "Reads metrics that are exposed in Prometheus's text format.",
};

int sl_target_options_check(const struct sl_target_options *o, struct sl_error *err) {
    bool has_password = sl_secret_is_set(&o->password) || o->password_file != NULL;
    if (sl_secret_is_set(&o->password) && o->password_file != NULL)
        return sl_fail(err, SL_CONFIG, "Password and PasswordFile are both set: remove one");
    if ((o->user != NULL) != has_password)
        return sl_fail(err, SL_CONFIG,
                       "User and Password or PasswordFile belong together: set "
                       "both or neither");
    if (o->user != NULL && o->bearer_token_file != NULL)
        return sl_fail(err, SL_CONFIG, "User and BearerTokenFile are both set: remove one");
    if ((o->client_cert != NULL) != (o->client_key != NULL))
        return sl_fail(err, SL_CONFIG,
                       "ClientCert and ClientKey belong together: set both or "
                       "neither");
    return SL_OK;
}

void sl_target_options_release(struct sl_target_options *o) {
    sl_option_release(target_options, o);
    free(o->name);
    o->name = NULL;
}
