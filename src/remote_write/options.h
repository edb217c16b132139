/* The options of the remote writer: one table, from which configuration, examples and manual come.
 */
#ifndef SL_REMOTE_WRITE_OPTIONS_H
#define SL_REMOTE_WRITE_OPTIONS_H

#include "base/option.h"
#include "net/options.h"
#include "remote_write/relabel.h"

enum { SL_CUSTOM_HEADERS_MAX = 10 };

enum sl_protocol_choice { SL_PROTOCOL_AUTO, SL_PROTOCOL_2_0, SL_PROTOCOL_1_0 };

/* One receiver. All members belong to the option table but name and relabel. */
struct sl_node_options {
    char *name;                 /* the block's label; freed by sl_node_options_release() */
    struct sl_relabel *relabel; /* of inner blocks; NULL: none; freed likewise */
    char *url;
    struct sl_http_options http;
    char *sigv4_region;
    char *sigv4_service;
    char *sigv4_access_key_id;
    char *sigv4_secret_key_file;
    char *sigv4_session_token_file;
    struct sl_option_list headers; /* "Name: value" */
    bool http2;
    char *job;
    struct sl_option_list labels; /* "name=value" */
    int64_t max_samples_per_send;
    int64_t batch_send_deadline_ms;
    int64_t capacity;
    int64_t max_samples_per_second;
    int protocol; /* enum sl_protocol_choice */
    int64_t protocol_retry_ms;
    bool spool;
    char *spool_directory;
    int64_t spool_size_mib;
    int64_t spool_sync_ms;
    int64_t max_age_ms;
    char *rejected_file;
    int64_t min_backoff_ms;
    int64_t max_backoff_ms;
};

/* <Plugin write_prometheus_remote> with <Node "name"> inside. */
extern const struct sl_option_block sl_remote_write_plugin_block;
extern const struct sl_option_block sl_remote_write_node_block;

/* Adds a <WriteRelabelConfig> of the node. SL_CONFIG. */
int sl_node_options_add_relabel(struct sl_node_options *options,
                                const struct sl_relabel_options *rule,
                                struct sl_error *err) SL_CHECKED;

/* Options that contradict each other: SL_CONFIG names both. */
int sl_node_options_check(const struct sl_node_options *options, struct sl_error *err) SL_CHECKED;
void sl_node_options_release(struct sl_node_options *options);

#endif
