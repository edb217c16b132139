/* The options of the reader: one table, from which configuration, examples and manual come. */
#ifndef SL_SPACELIFT_OPTIONS_H
#define SL_SPACELIFT_OPTIONS_H

#include "base/config_item.h"
#include "base/option.h"
#include "base/secret.h"
#include "net/options.h"
#include "spacelift/filter.h"

/* One Spacelift account, as configured. All members belong to the option table but those that say
 * otherwise. */
struct sl_account {
    char *name; /* the block's label; freed by sl_account_release() */
    char *url;

    char *api_key_id;
    char *api_key_secret_file;
    char *api_key_secret_credential;
    char *api_token_file;
    char *spacectl_config;
    char *spacectl_profile;
    /* For programs that take them from their environment; no options, wiped by
     * sl_account_release(). */
    struct sl_secret api_key_secret;
    struct sl_secret api_token;

    struct sl_http_options http; /* trust and timeout */
    int64_t interval_ms;         /* 0: the plugin's */

    struct sl_pool_filter filter;

    /* Which documents are read, and how seldom at most. */
    bool public_worker_pool;
    bool usage;
    int64_t usage_interval_ms;
    bool aggregates;
    int64_t aggregates_interval_ms;
    bool workers;
    int64_t workers_interval_ms;
    char *worker_metadata_key;
    bool schedulable;
    int64_t schedulable_interval_ms;
    bool queue;
    int64_t queue_interval_ms;
    bool blocked;
    int64_t blocked_interval_ms;
    bool billing_details;
    int64_t billing_details_interval_ms;
    bool seats;
    int64_t seats_interval_ms;
};

extern const struct sl_option_block sl_spacelift_plugin_block;
extern const struct sl_option_block sl_account_block;

/* One <Account>. SL_CONFIG names the account and the option; *ret is then empty, otherwise the
 * caller's to release. */
int sl_account_read(const char *name, const struct sl_config_item *item, struct sl_account *ret,
                    struct sl_error *err) SL_CHECKED;

/* Whether the options go together: SL_CONFIG where there is no way in, or more than one, or no
 * address. The table's own checks come first. */
int sl_account_check(const struct sl_account *account, struct sl_error *err) SL_CHECKED;

void sl_account_release(struct sl_account *account);

#endif
