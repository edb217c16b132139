/* From a collectd value to a Prometheus series. */
#include "remote_write/series.h"

#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "remote_write/encode.h"
#include "spacelift/catalogue.h"

enum { LABELS_MAX = 8, NAME_BYTES_MAX = 1024 };

/* Names and values are offsets into one text, which moves while it grows. */
struct label {
    size_t name, name_len;
    size_t value, value_len;
};

struct labels {
    struct sl_buffer text;
    struct label items[LABELS_MAX];
    size_t count;
};

static bool is_name_byte(char c, bool may_colon) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c == ':' && may_colon);
}

/* Prometheus, "Metric names and labels": [a-zA-Z_:][a-zA-Z0-9_:]*, without the colon in labels. */
static void put_name(struct sl_buffer *out, const char *name, bool may_colon) {
    if (name[0] >= '0' && name[0] <= '9')
        sl_buffer_putc(out, '_');
    for (const char *c = name; *c != '\0'; c++)
        sl_buffer_putc(out, is_name_byte(*c, may_colon) ? *c : '_');
}

static bool is_taken(const struct labels *l, const struct label *label) {
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].name_len == label->name_len &&
            memcmp(l->text.data + l->items[i].name, l->text.data + label->name, label->name_len) ==
                0)
            return true;
    return false;
}

/* A name that is there already gets "exported_" in front, as Prometheus does when it scrapes. */
static void add(struct labels *l, const char *name, const char *value) {
    if (value[0] == '\0' || l->count == LABELS_MAX)
        return;
    struct label label;
    size_t clashes = 0;
    do {
        label.name = l->text.len;
        for (size_t i = 0; i < clashes; i++)
            sl_buffer_puts(&l->text, "exported_");
        put_name(&l->text, name, false);
        label.name_len = l->text.len - label.name;
        clashes++;
    } while (is_taken(l, &label));
    label.value = l->text.len;
    sl_utf8_append(&l->text, value, SL_LIMIT_LABEL_VALUE_BYTES);
    label.value_len = l->text.len - label.value;
    l->items[l->count++] = label;
}

static int compare(const struct labels *l, const struct label *a, const struct label *b) {
    size_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
    int order = memcmp(l->text.data + a->name, l->text.data + b->name, shorter);
    return order != 0 ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static void sort(struct labels *l) {
    for (size_t i = 1; i < l->count; i++) {
        struct label moving = l->items[i];
        size_t at = i;
        for (; at > 0 && compare(l, &moving, &l->items[at - 1]) < 0; at--)
            l->items[at] = l->items[at - 1];
        l->items[at] = moving;
    }
}

/* ---- names ---- */

static void set_metric_name(struct labels *l, const char *name) {
    struct label label = {.name = l->text.len, .name_len = strlen("__name__")};
    sl_buffer_puts(&l->text, "__name__");
    label.value = l->text.len;
    put_name(&l->text, name, true);
    label.value_len = l->text.len - label.value;
    l->items[l->count++] = label;
}

/* The entry that describes exactly this data source, or NULL. */
static const struct sl_metric_type *find_own(const struct sl_value_id *id, size_t source) {
    const struct sl_metric_type *type = sl_catalogue_find(id->plugin, id->type);
    if (type == NULL || type->count != id->source_count ||
        strcmp(type->metrics[source].ds, id->sources[source].name) != 0)
        return NULL;
    return type;
}

static void add_own(struct labels *l, const struct sl_value_id *id,
                    const struct sl_metric_type *type, size_t source) {
    struct sl_metric_label own[SL_METRIC_LABELS_MAX];
    size_t count = sl_metric_labels(type, source, id->plugin_instance, id->type_instance,
                                    id->worker_pool_name, own);
    set_metric_name(l, type->metrics[source].prometheus);
    for (size_t i = 0; i < count; i++) {
        struct sl_buffer value;
        sl_buffer_init(&value, l->text.max);
        sl_buffer_append(&value, own[i].value, own[i].len);
        add(l, own[i].name, value.data);
        if (value.failed != SL_OK)
            l->text.failed = value.failed;
        sl_buffer_release(&value);
    }
}

static void add_foreign(struct labels *l, const struct sl_value_id *id, size_t source) {
    const struct sl_value_source *s = &id->sources[source];
    struct sl_buffer name;
    sl_buffer_init(&name, NAME_BYTES_MAX);
    sl_buffer_puts(&name, "collectd");
    if (strcmp(id->plugin, id->type) != 0)
        sl_buffer_printf(&name, "_%s", id->plugin);
    sl_buffer_printf(&name, "_%s", id->type);
    if (strcmp(s->name, "value") != 0)
        sl_buffer_printf(&name, "_%s", s->name);
    if (s->kind == SL_VALUE_COUNTER || s->kind == SL_VALUE_DERIVE)
        sl_buffer_puts(&name, "_total");
    set_metric_name(l, name.data);
    sl_buffer_release(&name);
    add(l, id->plugin, id->plugin_instance);
    add(l, id->plugin_instance[0] != '\0' ? "type" : id->plugin, id->type_instance);
}

void sl_series_labels(const struct sl_value_id *id, size_t source, const char *job,
                      struct sl_buffer *out) {
    struct labels l = {.count = 0};
    sl_buffer_init(&l.text, out->max);
    /* First, so that it is a plugin of the same name that gives way. */
    add(&l, "instance", id->host);
    if (job != NULL)
        add(&l, "job", job);
    const struct sl_metric_type *own = find_own(id, source);
    if (own != NULL)
        add_own(&l, id, own, source);
    else
        add_foreign(&l, id, source);
    if (l.text.failed != SL_OK && out->failed == SL_OK)
        out->failed = l.text.failed;
    if (l.text.failed == SL_OK) {
        sort(&l);
        for (size_t i = 0; i < l.count; i++)
            sl_encode_label(out, l.text.data + l.items[i].name, l.items[i].name_len,
                            l.text.data + l.items[i].value, l.items[i].value_len);
    }
    sl_buffer_release(&l.text);
}
