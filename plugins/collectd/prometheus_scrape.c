/* collectd plugin "prometheus_scrape": reads metrics that are exposed in Prometheus's text format.
 * Glue: options in, values out; what happens in between is src/scrape.
 *
 * A value list's identifier has no room for names and labels, so they travel as meta data
 * (remote_write/series.h), from which the remote writer makes the same series again. */
#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"

#include <pthread.h>

#include "common/block.h"
#include "common/collectd_log.h"
#include "net/http.h"
#include "remote_write/series.h"
#include "scrape/options.h"
#include "scrape/scraper.h"

static const char plugin_name[] = "prometheus_scrape";

enum { START_BYTES = 24 };

/* One <Target>, and how its samples are dispatched. */
struct target {
    struct sl_scraper *scraper;
    plugin_ctx_t ctx;
    cdtime_t interval;
    struct target *next;
};

static struct target *targets;
static pthread_t main_thread;

/* ---- values out: on the scraper's thread ---- */

static meta_data_t *make_meta(const struct sl_scrape_sample *sample) {
    meta_data_t *meta = meta_data_create();
    if (meta == NULL)
        return NULL;
    meta_data_add_string(meta, SL_META_NAME, sample->name);
    meta_data_add_string(meta, SL_META_TYPE, sample->type);
    if (sample->unit[0] != '\0')
        meta_data_add_string(meta, SL_META_UNIT, sample->unit);
    if (sample->help[0] != '\0')
        meta_data_add_string(meta, SL_META_HELP, sample->help);
    if (sample->start_ms > 0) {
        char text[START_BYTES];
        ssnprintf(text, sizeof(text), "%lld", (long long)sample->start_ms);
        meta_data_add_string(meta, SL_META_START, text);
    }
    for (size_t i = 0; i < sample->label_count; i++) {
        char key[sizeof(SL_META_LABEL_PREFIX) + SL_LABEL_NAME_BYTES_MAX];
        ssnprintf(key, sizeof(key), "%s%s", SL_META_LABEL_PREFIX, sample->labels[i].name);
        meta_data_add_string(meta, key, sample->labels[i].value);
    }
    return meta;
}

/* Everything is a gauge here: samples are floating point numbers, and a counter's fraction must not
 * be lost. What it is in Prometheus stands in the meta data. */
static void on_sample(void *context, const struct sl_scrape_sample *sample) {
    const struct target *t = context;
    value_t value = {.gauge = sample->value};
    value_list_t vl = {
        .values = &value,
        .values_len = 1,
        .time = MS_TO_CDTIME_T(sample->time_ms),
        .interval = t->interval,
        .meta = make_meta(sample),
    };
    if (vl.meta == NULL)
        return; /* without its labels it would be another series */
    sstrncpy(vl.plugin, plugin_name, sizeof(vl.plugin));
    sstrncpy(vl.plugin_instance, sl_scraper_options(t->scraper)->name, sizeof(vl.plugin_instance));
    sstrncpy(vl.type, "gauge", sizeof(vl.type));
    sl_scrape_identity(sample, vl.type_instance, sizeof(vl.type_instance));
    plugin_dispatch_values(&vl);
    meta_data_destroy(vl.meta);
}

static void on_start(void *context) {
    const struct target *t = context;
    plugin_set_ctx(t->ctx);
}

/* ---- collectd's callbacks ---- */

/* collectd joins its read threads before it calls shutdown callbacks: nothing here may wait. */
static int read_target(user_data_t *ud) {
    struct target *t = ud->data;
    if (!pthread_equal(pthread_self(), main_thread)) {
        sl_scraper_request(t->scraper);
        return 0;
    }
    /* collectd -T reads on the main thread, once, and wants to know. The scraper has logged why. */
    return sl_scraper_run(t->scraper, NULL) == SL_OK ? 0 : -1;
}

static int start(void) {
    struct sl_log log = sl_collectd_log(plugin_name);
    main_thread = pthread_self();
    if (targets == NULL) {
        sl_log(&log, SL_LOG_ERROR, "no <Target> is configured: there is nothing to read");
        return -1;
    }
    for (struct target *t = targets; t != NULL; t = t->next) {
        struct sl_error err = SL_ERROR_INIT;
        if (sl_scraper_start(t->scraper, &err) != SL_OK) {
            sl_log(&log, SL_LOG_ERROR, "%s", err.text);
            return -1;
        }
    }
    return 0;
}

static int stop(void) {
    while (targets != NULL) {
        struct target *t = targets;
        targets = t->next;
        sl_scraper_free(t->scraper);
        free(t);
    }
    return 0;
}

/* ---- configuration ---- */

static int register_target(struct target *t) {
    const struct sl_target_options *o = sl_scraper_options(t->scraper);
    char callback[DATA_MAX_NAME_LEN];
    t->ctx = plugin_get_ctx();
    t->interval = o->interval_ms > 0 ? MS_TO_CDTIME_T(o->interval_ms) : plugin_get_interval();
    t->ctx.interval = t->interval;
    ssnprintf(callback, sizeof(callback), "%s/%s", plugin_name, o->name);
    user_data_t ud = {.data = t};
    return plugin_register_complex_read(NULL, callback, read_target, t->interval, &ud);
}

static int add_target(struct sl_target_options *options, struct sl_error *err) {
    struct target **last = &targets;
    for (; *last != NULL; last = &(*last)->next) {
        if (strcasecmp(sl_scraper_options((*last)->scraper)->name, options->name) == 0) {
            sl_target_options_release(options);
            return sl_fail(err, SL_CONFIG, "two targets have this name: rename one");
        }
    }
    struct target *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        sl_target_options_release(options);
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    struct sl_scraper_events events = {on_start, on_sample, t};
    int code = sl_scraper_new(options, &events, sl_collectd_log(plugin_name), &t->scraper, err);
    if (code != SL_OK) {
        free(t);
        return code;
    }
    *last = t;
    return register_target(t) == 0 ? SL_OK
                                   : sl_fail(err, SL_BUG, "collectd refuses its read callback");
}

static int config_target(void *context, const struct sl_option_block *block, const char *label,
                         const struct sl_config_item *item, struct sl_error *err) {
    (void)context;
    char where[SL_CONFIG_WHERE_BYTES];
    sl_config_where(block, label, where, sizeof(where));
    struct sl_target_options options = {.name = strdup(label)};
    int code = options.name != NULL
                   ? sl_config_read_block(block, where, item, &options, NULL, NULL, err)
                   : sl_fail(err, SL_NOMEM, "out of memory");
    if (code != SL_OK) {
        sl_target_options_release(&options);
        return code;
    }
    code = add_target(&options, err);
    return code == SL_OK ? SL_OK : sl_error_prefix(err, "%s", where);
}

static int configure_targets(const struct sl_config_item *item, struct sl_error *err) {
    int code = sl_http_global_init(err);
    if (code != SL_OK)
        return code;
    return sl_config_read_block(&sl_scrape_plugin_block, plugin_name, item, NULL, config_target,
                                NULL, err);
}

static int configure(oconfig_item_t *item) {
    return sl_block_read(plugin_name, item, configure_targets);
}

__attribute__((visibility("default"))) void module_register(void);

void module_register(void) {
    plugin_register_complex_config(plugin_name, configure);
    plugin_register_init(plugin_name, start);
    plugin_register_shutdown(plugin_name, stop);
}
