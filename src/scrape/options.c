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
    SL_HTTP_TIMEOUT_ROW(struct sl_target_options, http, "10000", "scrape"),
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
    SL_HTTP_LOGIN_ROWS(struct sl_target_options, http, "target", "target"),
    SL_HTTP_TRUST_ROWS(struct sl_target_options, http, "target"),
    SL_HTTP_CLIENT_CERT_ROWS(struct sl_target_options, http, "target"),
    SL_HTTP_PROXY_ROW(struct sl_target_options, http, "scrape"),
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

void sl_target_options_release(struct sl_target_options *o) {
    sl_option_release(target_options, o);
    free(o->name);
    o->name = NULL;
}
