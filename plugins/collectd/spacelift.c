/* collectd plugin "spacelift": reads Spacelift accounts and dispatches their pools. Glue: options
 * in, values out; what happens in between is src/spacelift.
 *
 * collectd joins its read threads before it calls shutdown callbacks, so a read callback must not
 * wait for a server: it wakes the account's own thread, which dispatches. */
#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"

#include <pthread.h>

#include "common/block.h"
#include "common/collectd_log.h"
#include "common/dispatch.h"
#include "common/types.h"
#include "net/http.h"
#include "spacelift/catalogue.h"
#include "spacelift/options.h"
#include "spacelift/poller.h"

static const char plugin_name[] = SL_SPACELIFT_PLUGIN;

/* One <Account>, and how its values are dispatched. */
struct reader {
    struct sl_poller *poller;
    plugin_ctx_t ctx;
    cdtime_t interval;
    /* The account's name in the identifiers of account-wide values; "" for the first account, so
     * that adding a second one renames nothing. */
    char account[DATA_MAX_NAME_LEN];
    struct reader *next;
};

static struct reader *readers;
static pthread_t main_thread;

/* ---- values out: on the poller's thread ---- */

static void on_values(void *context, const struct sl_values *from, int64_t realtime_ms) {
    const struct reader *r = context;
    sl_dispatch_values(from, realtime_ms, r->interval);
}

static void on_start(void *context) {
    const struct reader *r = context;
    plugin_set_ctx(r->ctx);
}

/* ---- collectd's callbacks ---- */

static int read_account(user_data_t *ud) {
    struct reader *r = ud->data;
    if (!pthread_equal(pthread_self(), main_thread)) {
        sl_poller_request(r->poller);
        return 0;
    }
    /* collectd -T reads on the main thread, once, and wants to know. The poller has logged why. */
    return sl_poller_run(r->poller, NULL) == SL_OK ? 0 : -1;
}

static int start(void) {
    main_thread = pthread_self();
    struct sl_log log = sl_collectd_log(plugin_name);
    if (readers == NULL) {
        sl_log(&log, SL_LOG_ERROR, "no <Account> is configured: there is nothing to read");
        return -1;
    }
    for (struct reader *r = readers; r != NULL; r = r->next) {
        struct sl_error err = SL_ERROR_INIT;
        if (sl_poller_start(r->poller, &err) != SL_OK) {
            sl_log(&log, SL_LOG_ERROR, "%s", err.text);
            return -1;
        }
    }
    return 0;
}

static int stop(void) {
    while (readers != NULL) {
        struct reader *r = readers;
        readers = r->next;
        sl_poller_free(r->poller);
        free(r);
    }
    return 0;
}

/* ---- configuration ---- */

static int register_reader(struct reader *r) {
    const struct sl_account *account = sl_poller_account(r->poller);
    r->ctx = plugin_get_ctx();
    r->interval =
        account->interval_ms > 0 ? MS_TO_CDTIME_T(account->interval_ms) : plugin_get_interval();
    r->ctx.interval = r->interval;
    char callback[DATA_MAX_NAME_LEN];
    ssnprintf(callback, sizeof(callback), "%s/%s", plugin_name, account->name);
    user_data_t ud = {.data = r};
    return plugin_register_complex_read(NULL, callback, read_account, r->interval, &ud);
}

static int add_reader(struct sl_account *account, struct sl_error *err) {
    struct reader **last = &readers;
    for (; *last != NULL; last = &(*last)->next) {
        if (strcasecmp(sl_poller_account((*last)->poller)->name, account->name) == 0) {
            sl_fail(err, SL_CONFIG, "two accounts have this name: rename one");
            sl_account_release(account);
            return SL_CONFIG;
        }
    }
    struct reader *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        sl_account_release(account);
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    if (last != &readers)
        sl_dispatch_part(r->account, account->name);
    struct sl_poller_events events = {
        .on_start = on_start, .on_values = on_values, .account = r->account, .context = r};
    int code = sl_poller_new(account, &events, sl_collectd_log(plugin_name), &r->poller, err);
    if (code != SL_OK) {
        free(r);
        return code;
    }
    *last = r;
    return register_reader(r) == 0 ? SL_OK
                                   : sl_fail(err, SL_BUG, "collectd refuses its read callback");
}

static int config_account(void *context, const struct sl_option_block *block, const char *label,
                          const struct sl_config_item *item, struct sl_error *err) {
    (void)context;
    (void)block;
    struct sl_account account = {.name = NULL};
    int code = sl_account_read(label, item, &account, err);
    if (code != SL_OK)
        return code;
    if (add_reader(&account, err) == SL_OK)
        return SL_OK;
    return sl_error_prefix(err, "Account \"%s\"", label);
}

static int configure_accounts(const struct sl_config_item *item, struct sl_error *err) {
    int code = sl_http_global_init(err);
    if (code != SL_OK)
        return code;
    return sl_config_read_block(&sl_spacelift_plugin_block, plugin_name, item, NULL, config_account,
                                NULL, err);
}

static int configure(oconfig_item_t *item) {
    return sl_block_read(plugin_name, item, configure_accounts);
}

__attribute__((visibility("default"))) void module_register(void);

void module_register(void) {
    sl_types_register();
    plugin_register_complex_config(plugin_name, configure);
    plugin_register_init(plugin_name, start);
    plugin_register_shutdown(plugin_name, stop);
}
