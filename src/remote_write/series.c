/* From a collectd value to a Prometheus series. */
#include "remote_write/series.h"

#include <stdio.h>
#include <string.h>

#include "base/json_parser.h"
#include "remote_write/relabel.h"
#include "remote_write/stock_types.h"
#include "spacelift/catalogue.h"

enum { TEXT_BYTES_MAX = 1024 };

static bool begins_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool sl_series_wants_meta(const char *key) {
    return begins_with(key, SL_META_PREFIX) || strcmp(key, SL_META_WORKER_POOL_NAME) == 0;
}

/* NULL where there is none. */
static const char *meta_of(const struct sl_value_id *id, const char *key) {
    for (size_t i = 0; i < id->meta_count; i++)
        if (strcmp(id->meta[i].key, key) == 0)
            return id->meta[i].value;
    return NULL;
}

int64_t sl_series_start_ms(const struct sl_value_id *id) {
    const char *text = meta_of(id, SL_META_START);
    int64_t start_ms;
    if (text == NULL || sl_json_to_int64(text, strlen(text), &start_ms, NULL) != SL_OK)
        return 0;
    return start_ms > 0 ? start_ms : 0;
}

/* What is known about a series before meta data, the node and its rules have had their say. */
struct draft {
    struct sl_labels labels;
    enum sl_series_kind kind;
    const char *unit;
    char help[TEXT_BYTES_MAX];
};

/* ---- values of the catalogue ---- */

/* The entry that describes exactly this data source, or NULL. */
static const struct sl_metric_type *find_own(const struct sl_value_id *id, size_t source) {
    const struct sl_metric_type *type = sl_catalogue_find(id->plugin, id->type);
    if (type == NULL || type->count != id->source_count ||
        strcmp(type->metrics[source].ds, id->sources[source].name) != 0)
        return NULL;
    return type;
}

bool sl_series_omits_nan(const struct sl_value_id *id, size_t source) {
    return find_own(id, source) != NULL;
}

static void draft_own(struct draft *d, const struct sl_value_id *id,
                      const struct sl_metric_type *type, size_t source) {
    const struct sl_metric *metric = &type->metrics[source];
    sl_labels_set_metric_name(&d->labels, metric->prometheus);
    struct sl_metric_label own[SL_METRIC_LABELS_MAX];
    size_t count = sl_metric_labels(type, source, id->plugin_instance, id->type_instance,
                                    meta_of(id, SL_META_WORKER_POOL_NAME), own);
    for (size_t i = 0; i < count; i++)
        sl_labels_set(&d->labels, own[i].name, strlen(own[i].name), own[i].value, own[i].len);
    d->kind = metric->kind == SL_METRIC_DERIVE ? SL_KIND_COUNTER : SL_KIND_GAUGE;
    d->unit = metric->unit;
    snprintf(d->help, sizeof(d->help), "%s", metric->help);
}

/* ---- everybody else's values ---- */

/* ABSOLUTE is set back whenever it is read, so it is no counter, whatever write_prometheus says. */
static enum sl_series_kind kind_of(enum sl_value_kind kind) {
    return kind == SL_VALUE_COUNTER || kind == SL_VALUE_DERIVE ? SL_KIND_COUNTER : SL_KIND_GAUGE;
}

static void append_source(struct sl_buffer *name, const struct sl_value_source *source) {
    if (strcmp(source->name, "value") != 0)
        sl_buffer_printf(name, "_%s", source->name);
}

static void draft_foreign(struct draft *d, const struct sl_value_id *id, size_t source) {
    const struct sl_value_source *s = &id->sources[source];
    struct sl_buffer name;
    sl_buffer_init(&name, TEXT_BYTES_MAX);
    sl_buffer_puts(&name, "collectd");
    if (strcmp(id->plugin, id->type) != 0)
        sl_buffer_printf(&name, "_%s", id->plugin);
    sl_buffer_printf(&name, "_%s", id->type);
    append_source(&name, s);
    if (kind_of(s->kind) == SL_KIND_COUNTER)
        sl_buffer_puts(&name, "_total");
    sl_labels_set_metric_name(&d->labels, name.data);
    sl_buffer_release(&name);
    sl_labels_add(&d->labels, id->plugin, id->plugin_instance);
    sl_labels_add(&d->labels, id->plugin_instance[0] != '\0' ? "type" : id->plugin,
                  id->type_instance);
}

static void describe_foreign(struct draft *d, const struct sl_value_id *id, size_t source) {
    const struct sl_value_source *s = &id->sources[source];
    const struct sl_stock_type *stock = sl_stock_type_find(id->type);
    d->kind = kind_of(s->kind);
    d->unit = stock != NULL ? stock->unit : NULL;
    if (stock != NULL)
        snprintf(d->help, sizeof(d->help), "%s", stock->help);
    else
        snprintf(d->help, sizeof(d->help), "collectd plugin %s, type %s, data source %s.",
                 id->plugin, id->type, s->name);
}

/* ---- meta data and the node ---- */

static void draft_named(struct draft *d, const struct sl_value_id *id, size_t source,
                        const char *given) {
    struct sl_buffer name;
    sl_buffer_init(&name, 2 * SL_LABEL_NAME_BYTES_MAX);
    sl_buffer_puts(&name, given);
    append_source(&name, &id->sources[source]);
    sl_labels_set_metric_name(&d->labels, name.data);
    sl_buffer_release(&name);
    d->kind = kind_of(id->sources[source].kind);
}

static void apply_meta(struct draft *d, const struct sl_value_id *id) {
    const char *type = meta_of(id, SL_META_TYPE);
    const char *unit = meta_of(id, SL_META_UNIT);
    const char *help = meta_of(id, SL_META_HELP);
    if (type != NULL)
        d->kind = sl_series_kind_of(type);
    if (unit != NULL)
        d->unit = unit;
    if (help != NULL)
        snprintf(d->help, sizeof(d->help), "%s", help);
    for (size_t i = 0; i < id->meta_count; i++)
        if (begins_with(id->meta[i].key, SL_META_LABEL_PREFIX))
            sl_labels_set_text(&d->labels, id->meta[i].key + strlen(SL_META_LABEL_PREFIX),
                               id->meta[i].value);
}

static void make_draft(struct draft *d, const struct sl_value_id *id, size_t source,
                       const struct sl_series_rules *rules) {
    /* First, so that it is a plugin of the same name that gives way. */
    sl_labels_add(&d->labels, "instance", id->host);
    if (rules->job != NULL)
        sl_labels_add(&d->labels, "job", rules->job);
    const char *name = meta_of(id, SL_META_NAME);
    const struct sl_metric_type *own = find_own(id, source);
    if (name != NULL) {
        draft_named(d, id, source, name);
    } else if (own != NULL) {
        draft_own(d, id, own, source);
    } else {
        draft_foreign(d, id, source);
        describe_foreign(d, id, source);
    }
    apply_meta(d, id);
    for (size_t i = 0; i < rules->extra_count; i++)
        sl_labels_set_text(&d->labels, rules->extra[i].key, rules->extra[i].value);
}

enum sl_series_fate sl_series_pack(const struct sl_value_id *id, size_t source,
                                   const struct sl_series_rules *rules, struct sl_buffer *out) {
    struct draft d = {.kind = SL_KIND_UNKNOWN};
    enum sl_series_fate fate = SL_SERIES_KEPT;
    sl_labels_init(&d.labels);
    make_draft(&d, id, source, rules);
    if (rules->relabel != NULL && !sl_relabel_apply(rules->relabel, &d.labels))
        fate = SL_SERIES_DROPPED;
    else if (sl_labels_finish(&d.labels, NULL) != SL_OK)
        fate = SL_SERIES_INVALID;
    else
        sl_labels_pack(&d.labels, d.kind, d.unit, d.help, out);
    sl_labels_release(&d.labels);
    return out->failed == SL_OK ? fate : SL_SERIES_INVALID;
}
