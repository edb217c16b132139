/* The options of prometheus_scrape: one table, from which configuration, examples and manual come.
 */
#ifndef SL_SCRAPE_OPTIONS_H
#define SL_SCRAPE_OPTIONS_H

#include "base/option.h"
#include "net/options.h"

/* One endpoint. All members belong to the option table but name. */
struct sl_target_options {
    char *name; /* the block's label; freed by sl_target_options_release() */
    char *url;
    int64_t interval_ms; /* 0: the host's */
    char *job;           /* NULL: name */
    char *instance;      /* NULL: host and port of the URL */
    bool honor_labels;
    bool honor_timestamps;
    int64_t max_samples;
    int64_t max_body_bytes;
    struct sl_http_options http;
};

/* <Plugin prometheus_scrape> with <Target "name"> inside. */
extern const struct sl_option_block sl_scrape_plugin_block;

void sl_target_options_release(struct sl_target_options *o);

#endif
