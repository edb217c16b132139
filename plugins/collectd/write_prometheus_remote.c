/* collectd plugin "write_prometheus_remote": sends all values to Prometheus remote write receivers.
 * Glue: options and values in; the rest is src/remote_write.
 *
 * The write callback runs in up to five threads at once, and as long as it takes no other writer
 * gets the value: it puts samples into the journal of each <Node> and returns. */
#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"

#include "common/block.h"
#include "common/collectd_log.h"
#include "common/meta.h"
#include "common/test_run.h"
#include "common/types.h"
#include "net/http.h"
#include "os/clock.h"
#include "remote_write/sender.h"
#include "remote_write/value.h"
#include "spacelift/catalogue.h"

static const char plugin_name[] = "write_prometheus_remote";

/* What the last requests may take when collectd ends, all nodes together. */
enum { LAST_FLUSH_MS = 500 };

struct node {
    struct sl_sender *sender;
    struct node *next;
};

/* Made while the configuration is read; the write threads only look at it; gone after they have
 * ended. */
static struct node *nodes;
static bool has_started; /* set before any other thread runs */
static struct sl_log plugin_log_sink;

static int fail(const struct sl_error *err) {
    sl_log(&plugin_log_sink, SL_LOG_ERROR, "%s", err->text);
    return -1;
}

/* ---- values in ---- */

static enum sl_value_kind kind_of(int ds_type) {
    switch (ds_type) {
    case DS_TYPE_COUNTER:
        return SL_VALUE_COUNTER;
    case DS_TYPE_DERIVE:
        return SL_VALUE_DERIVE;
    case DS_TYPE_ABSOLUTE:
        return SL_VALUE_ABSOLUTE;
    default:
        return SL_VALUE_GAUGE;
    }
}

static uint64_t bits_of(value_t value, int ds_type) {
    switch (ds_type) {
    case DS_TYPE_COUNTER:
        return sl_value_bits_of_unsigned(value.counter);
    case DS_TYPE_DERIVE:
        return sl_value_bits_of_signed(value.derive);
    case DS_TYPE_ABSOLUTE:
        return sl_value_bits_of_unsigned(value.absolute);
    default:
        return sl_value_bits_of_gauge(value.gauge);
    }
}

static void put_slice(const data_set_t *ds, const value_list_t *vl, size_t first, size_t count,
                      struct sl_value_id *id) {
    struct sl_value_source sources[SL_LIST_SOURCES_MAX];
    uint64_t bits[SL_LIST_SOURCES_MAX];
    for (size_t i = 0; i < count; i++) {
        const data_source_t *source = &ds->ds[first + i];
        sources[i] = (struct sl_value_source){source->name, kind_of(source->type)};
        bits[i] = bits_of(vl->values[first + i], source->type);
    }
    id->sources = sources;
    id->source_count = count;
    for (struct node *n = nodes; n != NULL; n = n->next)
        sl_sender_put(n->sender, id, first, bits, (int64_t)CDTIME_T_TO_MS(vl->time));
}

static struct sl_value_id identity_of(const value_list_t *vl) {
    return (struct sl_value_id){
        .host = vl->host,
        .plugin = vl->plugin,
        .plugin_instance = vl->plugin_instance,
        .type = vl->type,
        .type_instance = vl->type_instance,
    };
}

/* 0 means: what was given is where even a killed process does not lose it, or is counted. */
static int write_values(const data_set_t *ds, const value_list_t *vl, user_data_t *unused) {
    (void)unused;
    if (!has_started)
        return -1;
    struct sl_value_id id = identity_of(vl);
    struct sl_meta meta;
    sl_meta_read(vl->meta, &meta);
    id.meta = meta.entries;
    id.meta_count = meta.count;
    size_t total = ds->ds_num < vl->values_len ? ds->ds_num : vl->values_len;
    for (size_t first = 0; first < total; first += SL_LIST_SOURCES_MAX) {
        size_t left = total - first;
        put_slice(ds, vl, first, left < SL_LIST_SOURCES_MAX ? left : SL_LIST_SOURCES_MAX, &id);
    }
    sl_meta_release(&meta);
    return 0;
}

/* The main thread: nobody has written this value for two intervals. The host itself forgets it. */
static int end_values(const value_list_t *vl, user_data_t *unused) {
    (void)unused;
    struct sl_value_id id = identity_of(vl);
    for (struct node *n = nodes; has_started && n != NULL; n = n->next)
        sl_sender_end_series(n->sender, &id, sl_clock_realtime_ms());
    return 0;
}

/* ---- the books, as values of their own ---- */

static void dispatch(const struct node *n, const char *type, value_t *values, size_t count) {
    value_list_t vl = VALUE_LIST_INIT;
    vl.values = values;
    vl.values_len = count;
    sstrncpy(vl.plugin, SL_REMOTE_WRITE_PLUGIN, sizeof(vl.plugin));
    sstrncpy(vl.plugin_instance, sl_sender_name(n->sender), sizeof(vl.plugin_instance));
    sstrncpy(vl.type, type, sizeof(vl.type));
    plugin_dispatch_values(&vl);
}

static int read_books(void) {
    for (const struct node *n = nodes; has_started && n != NULL; n = n->next) {
        struct sl_sender_status status;
        sl_sender_status(n->sender, &status);
        const struct sl_books *b = &status.queue.books;
        value_t books[SL_BOOKS_COUNT] = {
            [SL_BOOKS_ACCEPTED] = {.derive = (derive_t)b->accepted},
            [SL_BOOKS_ACKED] = {.derive = (derive_t)b->acked},
            [SL_BOOKS_REJECTED] = {.derive = (derive_t)b->rejected},
            [SL_BOOKS_DROPPED_FULL] = {.derive = (derive_t)b->dropped_full},
            [SL_BOOKS_DROPPED_AGE] = {.derive = (derive_t)b->dropped_age},
            [SL_BOOKS_DROPPED_INVALID] = {.derive = (derive_t)b->dropped_invalid},
            [SL_BOOKS_PENDING] = {.gauge = (gauge_t)b->pending},
        };
        value_t state[SL_NODE_COUNT] = {
            [SL_NODE_REQUESTS] = {.derive = (derive_t)status.requests},
            [SL_NODE_RETRIES] = {.derive = (derive_t)status.retries},
            [SL_NODE_BYTES] = {.derive = (derive_t)status.bytes},
            [SL_NODE_REJECTED_AMBIGUOUS] = {.derive = (derive_t)status.rejected_ambiguous},
            [SL_NODE_PROTOCOL] = {.gauge = status.protocol == SL_WRITE_2_0 ? 2 : 1},
            [SL_NODE_SPOOL_BYTES] = {.gauge = (gauge_t)status.queue.disk_bytes},
            [SL_NODE_MEMORY_BYTES] = {.gauge = (gauge_t)status.queue.memory_bytes},
            [SL_NODE_VALUE_LISTS] = {.gauge = (gauge_t)status.queue.lists},
            [SL_NODE_BAD_RECORDS] = {.gauge = (gauge_t)status.queue.bad_records},
        };
        dispatch(n, SL_TYPE_REMOTE_WRITE_SAMPLES, books, SL_BOOKS_COUNT);
        dispatch(n, SL_TYPE_REMOTE_WRITE_NODE, state, SL_NODE_COUNT);
    }
    return 0;
}

/* ---- life cycle ---- */

static int start(void) {
    if (nodes == NULL) {
        sl_log(&plugin_log_sink, SL_LOG_ERROR,
               "no <Node> is configured: there is nowhere to send values to");
        return -1;
    }
    if (sl_types_register_missing() != 0)
        return -1;
    /* The spool is the daemon's, and samples that are newer than those that wait there would make a
     * receiver refuse them. */
    if (sl_is_test_run()) {
        sl_log(&plugin_log_sink, SL_LOG_NOTICE,
               "this is collectd -T: nothing is sent, and no spool opened");
        return 0;
    }
    const char *base_directory = global_option_get("BaseDir");
    for (struct node *n = nodes; n != NULL; n = n->next) {
        struct sl_error err = SL_ERROR_INIT;
        if (sl_sender_start(n->sender, base_directory != NULL ? base_directory : ".", &err) !=
            SL_OK)
            return fail(&err);
    }
    has_started = true;
    return 0;
}

/* The write threads have ended. Nodes end side by side, however many there are. */
static int stop(void) {
    has_started = false;
    int64_t deadline_ms = sl_clock_monotonic_ms() + LAST_FLUSH_MS;
    for (struct node *n = nodes; n != NULL; n = n->next)
        sl_sender_ask_stop(n->sender);
    for (struct node *n = nodes; n != NULL; n = n->next)
        sl_sender_await(n->sender, deadline_ms);
    while (nodes != NULL) {
        struct node *n = nodes;
        nodes = n->next;
        sl_sender_free(n->sender);
        free(n);
    }
    return 0;
}

/* ---- configuration ---- */

static int add_node(struct sl_node_options *options, struct sl_error *err) {
    struct node **last = &nodes;
    struct node *node = calloc(1, sizeof(*node));
    for (; *last != NULL; last = &(*last)->next) {
        if (strcasecmp(sl_sender_name((*last)->sender), options->name) == 0) {
            free(node);
            sl_node_options_release(options);
            return sl_fail(err, SL_CONFIG, "two nodes have this name: rename one");
        }
    }
    int code = node != NULL ? sl_sender_new(options, plugin_log_sink, &node->sender, err)
                            : sl_fail(err, SL_NOMEM, "out of memory");
    if (code != SL_OK) {
        sl_node_options_release(options);
        free(node);
        return code;
    }
    *last = node;
    return SL_OK;
}

static int config_relabel(void *context, const struct sl_option_block *block, const char *label,
                          const struct sl_config_item *item, struct sl_error *err) {
    (void)label;
    struct sl_node_options *node = context;
    char where[SL_CONFIG_WHERE_BYTES];
    struct sl_relabel_options rule = {.action = 0};
    snprintf(where, sizeof(where), "Node \"%.64s\": %s", node->name, block->name);
    int code = sl_config_read_block(block, where, item, &rule, NULL, NULL, err);
    if (code == SL_OK) {
        code = sl_node_options_add_relabel(node, &rule, err);
        if (code != SL_OK)
            sl_error_prefix(err, "%s", where);
    }
    sl_relabel_options_release(&rule);
    return code;
}

static int config_node(void *context, const struct sl_option_block *block, const char *label,
                       const struct sl_config_item *item, struct sl_error *err) {
    (void)context;
    char where[SL_CONFIG_WHERE_BYTES];
    sl_config_where(block, label, where, sizeof(where));
    struct sl_node_options options = {.name = strdup(label)};
    int code = options.name != NULL ? sl_config_read_block(block, where, item, &options,
                                                           config_relabel, &options, err)
                                    : sl_fail(err, SL_NOMEM, "out of memory");
    if (code != SL_OK) {
        sl_node_options_release(&options);
        return code;
    }
    if (add_node(&options, err) == SL_OK)
        return SL_OK;
    return sl_error_prefix(err, "%s", where);
}

static int configure_nodes(const struct sl_config_item *item, struct sl_error *err) {
    int code = sl_http_global_init(err);
    if (code != SL_OK)
        return code;
    return sl_config_read_block(&sl_remote_write_plugin_block, plugin_name, item, NULL, config_node,
                                NULL, err);
}

static int configure(oconfig_item_t *item) {
    return sl_block_read(plugin_name, item, configure_nodes);
}

__attribute__((visibility("default"))) void module_register(void);

void module_register(void) {
    plugin_log_sink = sl_collectd_log(plugin_name);
    plugin_register_complex_config(plugin_name, configure);
    plugin_register_init(plugin_name, start);
    plugin_register_write(plugin_name, write_values, NULL);
    plugin_register_read(plugin_name, read_books);
    plugin_register_missing(plugin_name, end_values, NULL);
    plugin_register_shutdown(plugin_name, stop);
}
