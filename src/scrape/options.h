/* The options of prometheus_scrape: one table, from which configuration, examples and manual come.
 */
#ifndef SL_SCRAPE_OPTIONS_H
#define SL_SCRAPE_OPTIONS_H

#include "base/option.h"
#include "base/secret.h"

/* One endpoint. All members belong to the option table but name. */
struct sl_target_options {
    char *name; /* the block's label; freed by sl_target_options_release() */
    char *url;
    int64_t interval_ms; /* 0: the host's */
    int64_t timeout_ms;
    char *job;      /* NULL: name */
    char *instance; /* NULL: host and port of the URL */
    bool honor_labels;
    bool honor_timestamps;
    int64_t max_samples;
    int64_t max_body_bytes;
    char *user;
    struct sl_secret password;
    char *password_file;
    char *bearer_token_file;
    char *ca_cert;
    char *client_cert;
    char *client_key;
    bool verify_peer;
    bool verify_host;
    char *proxy;
};

/* <Plugin prometheus_scrape> with <Target "name"> inside. */
extern const struct sl_option_block sl_scrape_plugin_block;

/* Options that contradict each other: SL_CONFIG names both. */
int sl_target_options_check(const struct sl_target_options *o, struct sl_error *err) SL_CHECKED;
void sl_target_options_release(struct sl_target_options *o);

#endif
