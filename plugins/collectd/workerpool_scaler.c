/* collectd plugin "workerpool_scaler": hands the spacelift plugin's values to the scaler, which
 * resizes Kubernetes WorkerPools. Glue: options and values in; the rest is src/scaler.
 *
 * The write callback runs in up to five threads at once, and as long as it takes no other writer
 * gets the value: it copies two numbers and returns. */
#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"

#include <pthread.h>

#include "common/block.h"
#include "common/collectd_log.h"
#include "common/test_run.h"
#include "common/types.h"
#include "publisher.h"
#include "net/http.h"
#include "os/clock.h"
#include "scaler/scaler.h"
#include "spacelift/catalogue.h"

static const char plugin_name[] = "workerpool_scaler";

/* Made while the configuration is read, by the main thread; the write threads only look at it; gone
 * after they have ended. Notifications come from other plugins' own threads as well, and collectd
 * waits for none of those: they look under a lock. */
static struct sl_scaler_config config;
static struct sl_scaler *scaler;
static pthread_mutex_t hearing = PTHREAD_MUTEX_INITIALIZER;
static struct sl_publisher *publisher;
static struct sl_log plugin_log_sink;

static int fail(const struct sl_error *err) {
    sl_log(&plugin_log_sink, SL_LOG_ERROR, "%s", err->text);
    return -1;
}

/* ---- options in ---- */

static void end_scaler(void) {
    struct sl_scaler *last = scaler;

    pthread_mutex_lock(&hearing);
    scaler = NULL;
    pthread_mutex_unlock(&hearing);
    sl_scaler_free(last);
}

static void release(void) {
    sl_publisher_stop(publisher);
    publisher = NULL;
    end_scaler();
    sl_scaler_config_release(&config);
}

/* Init runs in BaseDir and the threads after it, configuration does not: the path is absolute. */
static int default_state_directory(struct sl_error *err) {
    const char *base = global_option_get("BaseDir");
    char path[PATH_MAX];

    if (config.state_directory != NULL || base == NULL) {
        return SL_OK;
    }
    ssnprintf(path, sizeof(path), "%s/%s", base, plugin_name);
    config.state_directory = strdup(path);
    return config.state_directory != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory");
}

/* Once per <Plugin> block; what was read before is kept. */
static int configure_scaler(const struct sl_config_item *item, struct sl_error *err) {
    int rc = SL_OK;

    end_scaler();
    rc = sl_scaler_config_read(&config, item, err);
    if (rc == SL_OK) {
        rc = default_state_directory(err);
    }
    if (rc == SL_OK && sl_is_test_run()) {
        rc = sl_scaler_config_check(&config, err); /* as it is written */
        sl_scaler_config_rehearse(&config);
    }
    if (rc == SL_OK) {
        rc = sl_http_global_init(err);
    }
    if (rc == SL_OK) {
        rc = sl_scaler_new(&config, &plugin_log_sink, &scaler, err);
    }
    return rc;
}

static int configure(oconfig_item_t *item) {
    if (sl_block_read(plugin_name, item, configure_scaler) != 0) {
        release();
        return -1;
    }
    return 0;
}

/* ---- values in ---- */

/* Types can be redefined by a types.db of the host. */
static bool are_gauges(const data_set_t *ds, const value_list_t *vl, size_t count) {
    if (vl->values_len < count || ds->ds_num != vl->values_len) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (ds->ds[i].type != DS_TYPE_GAUGE) {
            return false;
        }
    }
    return true;
}

static bool read_values(const data_set_t *ds, const value_list_t *vl, struct sl_pool_values *ret) {
    if (strcmp(vl->plugin, SL_SPACELIFT_PLUGIN) != 0) {
        return false;
    }
    if (strcmp(vl->type, SL_TYPE_WORKER_POOL) == 0 && are_gauges(ds, vl, SL_POOL_WORKERS + 1)) {
        ret->kind = SL_VALUES_POOL;
        ret->runs_pending = vl->values[SL_POOL_RUNS_PENDING].gauge;
        ret->workers_busy = vl->values[SL_POOL_WORKERS_BUSY].gauge;
        ret->workers = vl->values[SL_POOL_WORKERS].gauge;
        return true;
    }
    if (strcmp(vl->type, SL_TYPE_WORKER_POOL_QUEUE) == 0 &&
        are_gauges(ds, vl, SL_QUEUE_DRIFT_DETECTION + 1)) {
        ret->kind = SL_VALUES_QUEUE;
        ret->runs_drift = vl->values[SL_QUEUE_DRIFT_DETECTION].gauge;
        ret->runs_blocked = vl->values[SL_QUEUE_BLOCKED].gauge;
        return true;
    }
    return false;
}

static int take(const data_set_t *ds, const value_list_t *vl, user_data_t *unused) {
    struct sl_pool_values values = {.name = vl->plugin_instance, .id = vl->type_instance};
    char *true_name = NULL;

    (void)unused;
    if (scaler == NULL || !read_values(ds, vl, &values)) {
        return 0;
    }
    if (vl->meta != NULL) { /* not after the network plugin */
        (void)meta_data_get_string(vl->meta, SL_META_WORKER_POOL_NAME, &true_name);
    }
    values.true_name = true_name;
    values.time_ms = (int64_t)CDTIME_T_TO_MS(vl->time);
    values.interval_ms = (int64_t)CDTIME_T_TO_MS(vl->interval);
    sl_scaler_take(scaler, &values, sl_clock_monotonic_ms(), sl_clock_realtime_ms());
    free(true_name);
    return 0;
}

/* ---- notifications in ---- */

static enum sl_severity severity_of(int severity) {
    if (severity == NOTIF_FAILURE) {
        return SL_SEVERITY_FAILURE;
    }
    return severity == NOTIF_WARNING ? SL_SEVERITY_WARNING : SL_SEVERITY_OKAY;
}

static int hear(const notification_t *n, user_data_t *unused) {
    struct sl_notification notification = {
        .severity = severity_of(n->severity),
        .host = n->host,
        .plugin = n->plugin,
        .plugin_instance = n->plugin_instance,
        .type = n->type,
        .type_instance = n->type_instance,
    };

    (void)unused;
    if (strcmp(n->plugin, plugin_name) == 0) { /* our own */
        return 0;
    }
    pthread_mutex_lock(&hearing);
    if (scaler != NULL) {
        sl_scaler_hear(scaler, &notification);
    }
    pthread_mutex_unlock(&hearing);
    return 0;
}

/* ---- life cycle ---- */

static int start(void) {
    struct sl_error err = SL_ERROR_INIT;

    if (scaler == NULL) {
        sl_log(&plugin_log_sink, SL_LOG_ERROR,
               "there is no <Plugin workerpool_scaler> block: nothing is scaled");
        return -1;
    }
    if (sl_types_register_missing() != 0) {
        return -1;
    }
    if (sl_is_test_run()) {
        sl_log(&plugin_log_sink, SL_LOG_NOTICE,
               "this is collectd -T: sizes are decided, and none is written");
    }
    if (sl_scaler_start(scaler, &err) != SL_OK ||
        sl_publisher_start(scaler, config.pool_count, config.publish_interval_ms, &publisher,
                           &err) != SL_OK) {
        return fail(&err);
    }
    return 0;
}

/* The write threads have ended. */
static int stop(void) {
    release();
    return 0;
}

__attribute__((visibility("default"))) void module_register(void);

void module_register(void) {
    plugin_log_sink = sl_collectd_log(plugin_name);
    plugin_register_complex_config(plugin_name, configure);
    plugin_register_init(plugin_name, start);
    plugin_register_write(plugin_name, take, NULL);
    plugin_register_notification(plugin_name, hear, NULL);
    plugin_register_shutdown(plugin_name, stop);
}
