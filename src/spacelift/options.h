/* The options of the reader: one table, from which configuration, examples and manual come. */
#ifndef SL_SPACELIFT_OPTIONS_H
#define SL_SPACELIFT_OPTIONS_H

#include "base/config_item.h"
#include "base/option.h"

/* One Spacelift account, as configured. All members belong to the option table but name. */
struct sl_account {
    char *name; /* the block's label; freed by sl_account_release() */
    char *url;
    char *api_key_id;
    char *api_key_secret_file;
    char *ca_cert;
    bool verify_peer;
    bool verify_host;
    int64_t timeout_ms;
    int64_t interval_ms; /* 0: the plugin's */
};

extern const struct sl_option_block sl_spacelift_plugin_block;
extern const struct sl_option_block sl_account_block;

/* One <Account>. SL_CONFIG names the account and the option; *ret is then empty, otherwise the
 * caller's to release. */
int sl_account_read(const char *name, const struct sl_config_item *item, struct sl_account *ret,
                    struct sl_error *err) SL_CHECKED;

void sl_account_release(struct sl_account *account);

#endif
