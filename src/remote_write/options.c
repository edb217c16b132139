/* The options of the remote writer. Names are collectd's (write_http) and, where it has none,
 * those of Prometheus's remote_write.queue_config in collectd's spelling. */
#include "remote_write/options.h"

#include <stdlib.h>

#include "remote_write/header.h"

#define AT(member) offsetof(struct sl_node_options, member)

static const char *const protocols[] = {"auto", "2.0", "1.0", NULL}; /* enum sl_protocol_choice */

static const struct sl_option node_options[] = {
    {.name = "URL",
     .type = SL_OPTION_URL,
     .offset = AT(url),
     .flags = SL_OPTION_REQUIRED | SL_OPTION_EXAMPLE,
     .example = "http://prometheus.example:9090/api/v1/write",
     .help = "Where remote write requests go. Prometheus itself accepts them at /api/v1/write when "
             "it runs with --web.enable-remote-write-receiver."},
    SL_HTTP_LOGIN_ROWS(struct sl_node_options, http, "receiver", "prometheus"),
    {.name = "SigV4Region",
     .type = SL_OPTION_STRING,
     .offset = AT(sigv4_region),
     .example = "eu-central-1",
     .help = "Sign requests with AWS Signature Version 4, for this region. Needs "
             "SigV4AccessKeyID and SigV4SecretKeyFile, and libcurl 7.75 or newer."},
    {.name = "SigV4Service",
     .type = SL_OPTION_STRING,
     .offset = AT(sigv4_service),
     .fallback = "aps",
     .help = "The service that requests are signed for; aps is Amazon Managed Service for "
             "Prometheus."},
    {.name = "SigV4AccessKeyID",
     .type = SL_OPTION_STRING,
     .offset = AT(sigv4_access_key_id),
     .example = "AKIAIOSFODNN7EXAMPLE",
     .help = "Name of the access key that requests are signed with."},
    {.name = "SigV4SecretKeyFile",
     .type = SL_OPTION_PATH,
     .offset = AT(sigv4_secret_key_file),
     .example = "/etc/collectd/aws.secret",
     .help = "File that holds the secret of the access key and nothing else. It is read again as "
             "BearerTokenFile is."},
    {.name = "SigV4SessionTokenFile",
     .type = SL_OPTION_PATH,
     .offset = AT(sigv4_session_token_file),
     .example = "/run/aws/session.token",
     .help = "File that holds the session token of a temporary access key. It is read again as "
             "BearerTokenFile is."},
    {.name = "Header",
     .type = SL_OPTION_LIST,
     .offset = AT(headers),
     .example = "X-Scope-OrgID: my-team",
     .help = "A header to send with every request, such as the tenant of a receiver that has "
             "several; up to ten. Headers of the protocol and of authentication cannot be set."},
    SL_HTTP_PROXY_ROW(struct sl_node_options, http, "request"),
    {.name = "HTTP2",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(http2),
     .fallback = "false",
     .help = "Whether to offer HTTP/2 to a receiver whose URL begins with https."},
    SL_HTTP_TRUST_ROWS(struct sl_node_options, http, "receiver"),
    SL_HTTP_CLIENT_CERT_ROWS(struct sl_node_options, http, "receiver"),
    SL_HTTP_TIMEOUT_ROW(struct sl_node_options, http, "30000", "request"),
    {.name = "Job",
     .type = SL_OPTION_STRING,
     .offset = AT(job),
     .example = "collectd",
     .help = "Value of the label job in every series. Left out: there is no such label."},
    {.name = "Label",
     .type = SL_OPTION_LIST,
     .offset = AT(labels),
     .example = "region=eu",
     .help = "A label for every series, as \"name=value\". It replaces one of that name."},
    {.name = "Protocol",
     .type = SL_OPTION_CHOICE,
     .offset = AT(protocol),
     .fallback = "auto",
     .choices = protocols,
     .help = "Version of remote write. auto: 2.0, and 1.0 for a receiver that turns out not to "
             "know it."},
    {.name = "ProtocolRetry",
     .type = SL_OPTION_SECONDS,
     .offset = AT(protocol_retry_ms),
     .fallback = "600",
     .min = 1,
     .max = 31536000,
     .unit = "s",
     .help = "After how long 2.0 is tried again with a receiver that did not know it, in seconds. "
             "Until then it gets 1.0, also when collectd is started again. Nothing is lost by a "
             "try."},
    {.name = "MaxSamplesPerSend",
     .type = SL_OPTION_INTEGER,
     .offset = AT(max_samples_per_send),
     .fallback = "10000",
     .min = 1,
     .max = 50000,
     .unit = "samples",
     .help = "Most samples in one request. Of one series there is never more than one."},
    {.name = "BatchSendDeadline",
     .type = SL_OPTION_SECONDS,
     .offset = AT(batch_send_deadline_ms),
     .fallback = "5",
     .min = 0,
     .max = 600,
     .unit = "s",
     .help = "Longest time a sample waits for its request to fill up, in seconds."},
    {.name = "MaxSamplesPerSecond",
     .type = SL_OPTION_INTEGER,
     .offset = AT(max_samples_per_second),
     .fallback = "200000",
     .min = 1,
     .max = 1000000000,
     .unit = "samples/s",
     .help = "How fast a backlog is delivered when a receiver has come back."},
    {.name = "Spool",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(spool),
     .fallback = "true",
     .help = "Whether what waits is kept in files, so that it outlives collectd. If not, or where "
             "the files cannot be written, it is kept in memory."},
    {.name = "SpoolDirectory",
     .type = SL_OPTION_PATH,
     .offset = AT(spool_directory),
     .example = "/var/lib/collectd/write_prometheus_remote",
     .help = "Where a directory for this node is made. Left out: write_prometheus_remote below "
             "collectd's BaseDir, where SELinux lets collectd write."},
    {.name = "SpoolSize",
     .type = SL_OPTION_INTEGER,
     .offset = AT(spool_size_mib),
     .fallback = "512",
     .min = 1,
     .max = 1048576,
     .unit = "MiB",
     .help = "Most disk space for what waits, in MiB; up to 24 bytes a sample. When it is reached "
             "the oldest sixteenth is dropped and counted."},
    {.name = "SpoolSync",
     .type = SL_OPTION_SECONDS,
     .offset = AT(spool_sync_ms),
     .fallback = "1",
     .min = 0,
     .max = 3600,
     .unit = "s",
     .help = "How often what waits is forced to the disk, in seconds: what a power cut may cost. "
             "The end of collectd, even by SIGKILL, costs nothing. 0: as the system likes."},
    {.name = "MaxAge",
     .type = SL_OPTION_SECONDS,
     .offset = AT(max_age_ms),
     .fallback = "0",
     .min = 0,
     .max = 31536000,
     .unit = "s",
     .help = "Samples that have become older than this are dropped and counted, in seconds. 0: "
             "never. Prometheus refuses what is more than an hour older than its newest sample, "
             "unless out_of_order_time_window is set."},
    {.name = "Capacity",
     .type = SL_OPTION_INTEGER,
     .offset = AT(capacity),
     .fallback = "100000",
     .min = 1,
     .max = 100000000,
     .unit = "samples",
     .help = "Most samples that wait in memory where there is no spool; 24 bytes each. When it is "
             "reached the oldest are dropped and counted."},
    {.name = "RejectedFile",
     .type = SL_OPTION_PATH,
     .offset = AT(rejected_file),
     .example = "/var/lib/collectd/rejected.prom",
     .help = "File to which samples are appended, as text, that the receiver refuses for good. "
             "Past 64 MiB it is renamed to FILE.old. Left out: they are only counted."},
    {.name = "MinBackoff",
     .type = SL_OPTION_SECONDS,
     .offset = AT(min_backoff_ms),
     .fallback = "0.03",
     .min = 0.001,
     .max = 3600,
     .unit = "s",
     .help = "Pause after the first failure, in seconds; it doubles with each further one."},
    {.name = "MaxBackoff",
     .type = SL_OPTION_SECONDS,
     .offset = AT(max_backoff_ms),
     .fallback = "5",
     .min = 0.001,
     .max = 3600,
     .unit = "s",
     .help = "Longest pause between two tries, in seconds, unless the receiver asks for more by "
             "Retry-After, which is obeyed up to five minutes."},
    {.name = NULL},
};

static const struct sl_option_block *const node_blocks[] = {&sl_relabel_block, NULL};

const struct sl_option_block sl_remote_write_node_block = {
    .name = "Node",
    .blocks = node_blocks,
    .label = "a name of your choice",
    .example = "prometheus",
    .options = node_options,
    .help = "One receiver with a queue and a thread of its own. The block may be repeated.",
};

static const struct sl_option_block *const plugin_blocks[] = {&sl_remote_write_node_block, NULL};

const struct sl_option_block sl_remote_write_plugin_block = {
    .name = "write_prometheus_remote",
    .blocks = plugin_blocks,
    .help = "Sends every value of this collectd to Prometheus remote write receivers.",
};

int sl_node_options_add_relabel(struct sl_node_options *o, const struct sl_relabel_options *rule,
                                struct sl_error *err) {
    int code = o->relabel == NULL ? sl_relabel_new(&o->relabel, err) : SL_OK;
    return code == SL_OK ? sl_relabel_add(o->relabel, rule, err) : code;
}

static int check_sigv4(const struct sl_node_options *o, struct sl_error *err) {
    if (o->sigv4_region == NULL && o->sigv4_access_key_id == NULL &&
        o->sigv4_secret_key_file == NULL && o->sigv4_session_token_file == NULL)
        return SL_OK;
    if (o->sigv4_region == NULL || o->sigv4_access_key_id == NULL ||
        o->sigv4_secret_key_file == NULL)
        return sl_fail(err, SL_CONFIG,
                       "SigV4Region, SigV4AccessKeyID and SigV4SecretKeyFile belong together: set "
                       "all three or none");
    if (o->http.user != NULL || o->http.bearer_token_file != NULL)
        return sl_fail(err, SL_CONFIG, "SigV4Region and %s are both set: remove one",
                       o->http.user != NULL ? "User" : "BearerTokenFile");
    return SL_OK;
}

static int check_headers(const struct sl_node_options *o, struct sl_error *err) {
    if (o->headers.count > SL_CUSTOM_HEADERS_MAX)
        return sl_fail(err, SL_CONFIG, "option Header is given %zu times: at most %d are sent",
                       o->headers.count, SL_CUSTOM_HEADERS_MAX);
    int code = SL_OK;
    for (size_t i = 0; i < o->headers.count && code == SL_OK; i++)
        code = sl_header_check(o->headers.items[i], err);
    return code;
}

int sl_node_options_check(const struct sl_node_options *o, struct sl_error *err) {
    int code = check_sigv4(o, err);
    if (code == SL_OK)
        code = check_headers(o, err);
    if (code == SL_OK)
        code = sl_http_options_check(&o->http, err);
    if (code != SL_OK)
        return code;
    if (o->min_backoff_ms > o->max_backoff_ms)
        return sl_fail(err, SL_CONFIG, "MinBackoff is longer than MaxBackoff: lower it");
    return SL_OK;
}

void sl_node_options_release(struct sl_node_options *options) {
    sl_option_release(node_options, options);
    sl_relabel_free(options->relabel);
    options->relabel = NULL;
    free(options->name);
    options->name = NULL;
}
