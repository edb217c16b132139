/* The options of the remote writer: one table, from which configuration, examples and manual come.
 */
#ifndef SL_REMOTE_WRITE_OPTIONS_H
#define SL_REMOTE_WRITE_OPTIONS_H

#include "base/option.h"
#include "base/secret.h"

/* One receiver. All members belong to the option table but name. */
struct sl_node_options {
    char *name; /* the block's label; freed by sl_node_options_release() */
    char *url;
    char *user;
    struct sl_secret password;
    char *password_file;
    char *bearer_token_file;
    char *ca_cert;
    char *client_cert;
    char *client_key;
    bool verify_peer;
    bool verify_host;
    int64_t timeout_ms;
    char *job;
    int64_t max_samples_per_send;
    int64_t batch_send_deadline_ms;
    int64_t capacity;
    int64_t min_backoff_ms;
    int64_t max_backoff_ms;
};

/* <Plugin write_prometheus_remote> with <Node "name"> inside. */
extern const struct sl_option_block sl_remote_write_plugin_block;
extern const struct sl_option_block sl_remote_write_node_block;

/* Options that contradict each other: SL_CONFIG names both. */
int sl_node_options_check(const struct sl_node_options *options, struct sl_error *err) SL_CHECKED;
void sl_node_options_release(struct sl_node_options *options);

#endif
