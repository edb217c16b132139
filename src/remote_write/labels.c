/* The labels of one series while they are made. */
#include "remote_write/labels.h"

#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

/* Far above what SL_LABELS_MAX labels of one series need; rules may set a label again and again. */
enum { TEXT_BYTES_MAX = 8 * 1024 * 1024 };

static const char metric_name[] = "__name__";
static const char exported[] = "exported_";

static const char *const kind_names[] = {
    [SL_KIND_UNKNOWN] = "unknown", [SL_KIND_COUNTER] = "counter",
    [SL_KIND_GAUGE] = "gauge",     [SL_KIND_HISTOGRAM] = "histogram",
    [SL_KIND_SUMMARY] = "summary", [SL_KIND_GAUGEHISTOGRAM] = "gaugehistogram",
    [SL_KIND_INFO] = "info",       [SL_KIND_STATESET] = "stateset",
};

enum { KIND_COUNT = sizeof(kind_names) / sizeof(kind_names[0]) };

enum sl_series_kind sl_series_kind_of(const char *word) {
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kind_names[i], word) == 0)
            return (enum sl_series_kind)i;
    return SL_KIND_UNKNOWN;
}

void sl_labels_init(struct sl_labels *l) {
    sl_buffer_init(&l->text, TEXT_BYTES_MAX);
    l->count = 0;
    l->failed = SL_OK;
}

void sl_labels_release(struct sl_labels *l) {
    sl_buffer_release(&l->text);
    l->count = 0;
}

/* ---- looking ---- */

static bool is_name(const struct sl_labels *l, const struct sl_label_place *p, const char *name,
                    size_t len) {
    return p->name_len == len && memcmp(l->text.data + p->name, name, len) == 0;
}

static size_t find(const struct sl_labels *l, const char *name, size_t len) {
    size_t i = 0;
    while (i < l->count && !is_name(l, &l->items[i], name, len))
        i++;
    return i;
}

struct sl_label sl_labels_at(const struct sl_labels *l, size_t i) {
    const struct sl_label_place *p = &l->items[i];
    return (struct sl_label){l->text.data + p->name, p->name_len, l->text.data + p->value,
                             p->value_len};
}

bool sl_labels_get(const struct sl_labels *l, const char *name, size_t name_len,
                   struct sl_label *ret) {
    size_t i = find(l, name, name_len);
    if (i == l->count)
        return false;
    *ret = sl_labels_at(l, i);
    return true;
}

void sl_labels_remove_at(struct sl_labels *l, size_t i) {
    memmove(&l->items[i], &l->items[i + 1], (l->count - i - 1) * sizeof(l->items[0]));
    l->count--;
}

/* ---- changing ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_name_byte(char c, bool may_colon) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           (c == ':' && may_colon);
}

/* What has been appended since start. */
static uint32_t length_from(const struct sl_labels *l, size_t start) {
    return (uint32_t)(l->text.len - start);
}

/* Prometheus, "Metric names and labels": [a-zA-Z_:][a-zA-Z0-9_:]*, without the colon in labels. At
 * most max bytes. */
static void put_name(struct sl_labels *l, const char *name, size_t len, bool may_colon,
                     size_t max) {
    bool needs_one = len == 0 || is_digit(name[0]);
    if (needs_one) {
        sl_buffer_putc(&l->text, '_');
        max--;
    }
    if (len > max)
        len = max;
    for (size_t i = 0; i < len; i++)
        sl_buffer_putc(&l->text, is_name_byte(name[i], may_colon) ? name[i] : '_');
}

/* Of a label that somebody else has named: what begins with "__" is Prometheus's own, also where
 * mending has made it so, and gets a single one. */
static void put_label_name(struct sl_labels *l, const char *name, size_t len,
                           struct sl_label_place *p) {
    p->name = (uint32_t)l->text.len;
    put_name(l, name, len, false, SL_LABEL_NAME_BYTES_MAX);
    while (p->name + 1 < l->text.len && l->text.data[p->name] == '_' &&
           l->text.data[p->name + 1] == '_')
        p->name++;
    p->name_len = length_from(l, p->name);
}

/* The text may move while it is copied into itself, so it is copied from a place of its own. */
static void put_value(struct sl_labels *l, struct sl_label_place *p, const char *value,
                      size_t len) {
    struct sl_buffer copy;
    sl_buffer_init(&copy, TEXT_BYTES_MAX);
    sl_buffer_append(&copy, value, len);
    if (copy.failed != SL_OK)
        l->failed = copy.failed;
    p->value = (uint32_t)l->text.len;
    sl_utf8_append(&l->text, copy.data, SL_LIMIT_LABEL_VALUE_BYTES);
    p->value_len = length_from(l, p->value);
    sl_buffer_release(&copy);
}

static void append(struct sl_labels *l, const struct sl_label_place *p) {
    if (l->text.failed != SL_OK)
        l->failed = l->text.failed;
    else if (p->value_len == 0)
        return; /* it began with a NUL */
    else if (l->count == SL_LABELS_MAX)
        l->failed = SL_TOOBIG;
    else
        l->items[l->count++] = *p;
}

void sl_labels_set(struct sl_labels *l, const char *name, size_t name_len, const char *value,
                   size_t value_len) {
    size_t i = find(l, name, name_len);
    if (value_len == 0) {
        if (i < l->count)
            sl_labels_remove_at(l, i);
        return;
    }
    if (i < l->count) {
        put_value(l, &l->items[i], value, value_len);
        if (l->items[i].value_len == 0)
            sl_labels_remove_at(l, i);
        return;
    }
    struct sl_label_place p = {.name = (uint32_t)l->text.len, .name_len = (uint32_t)name_len};
    struct sl_buffer copy;
    sl_buffer_init(&copy, TEXT_BYTES_MAX);
    sl_buffer_append(&copy, name, name_len);
    sl_buffer_append(&l->text, copy.data, copy.len);
    sl_buffer_release(&copy);
    put_value(l, &p, value, value_len);
    append(l, &p);
}

void sl_labels_set_text(struct sl_labels *l, const char *name, const char *value) {
    sl_labels_set(l, name, strlen(name), value, strlen(value));
}

/* The name stands at the end of the text, from start on; puts "exported_" before it until no other
 * label but `self` has it. */
static void give_way(struct sl_labels *l, struct sl_label_place *p, size_t self) {
    for (;;) {
        size_t i = 0;
        while (i < l->count &&
               (i == self || !is_name(l, &l->items[i], l->text.data + p->name, p->name_len)))
            i++;
        if (i == l->count || l->text.failed != SL_OK)
            return;
        char old[SL_LABEL_NAME_BYTES_MAX + 1];
        size_t len = p->name_len < sizeof(old) ? p->name_len : sizeof(old);
        memcpy(old, l->text.data + p->name, len);
        p->name = (uint32_t)l->text.len;
        sl_buffer_puts(&l->text, exported);
        put_name(l, old, len, false, SL_LABEL_NAME_BYTES_MAX - strlen(exported));
        p->name_len = length_from(l, p->name);
    }
}

void sl_labels_add(struct sl_labels *l, const char *name, const char *value) {
    if (value[0] == '\0')
        return;
    struct sl_label_place p;
    put_label_name(l, name, strlen(name), &p);
    give_way(l, &p, SL_LABELS_MAX);
    put_value(l, &p, value, strlen(value));
    append(l, &p);
}

void sl_labels_set_metric_name(struct sl_labels *l, const char *name) {
    sl_labels_set_text(l, metric_name, name);
}

/* ---- finishing ---- */

static bool is_metric_name(const struct sl_label *label) {
    return label->name_len == strlen(metric_name) &&
           memcmp(label->name, metric_name, label->name_len) == 0;
}

static bool is_good_name(const char *name, size_t len, bool may_colon) {
    if (len == 0 || len > SL_LABEL_NAME_BYTES_MAX || is_digit(name[0]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_name_byte(name[i], may_colon))
            return false;
    return true;
}

bool sl_label_name_is_good(const char *name) {
    return is_good_name(name, strlen(name), false);
}

static void mend_metric_name(struct sl_labels *l, size_t i) {
    struct sl_label label = sl_labels_at(l, i);
    if (is_good_name(label.value, label.value_len, true))
        return;
    char old[SL_LABEL_NAME_BYTES_MAX];
    size_t len = label.value_len < sizeof(old) ? label.value_len : sizeof(old);
    memcpy(old, label.value, len);
    size_t start = l->text.len;
    put_name(l, old, len, true, SL_LABEL_NAME_BYTES_MAX);
    l->items[i].value = (uint32_t)start;
    l->items[i].value_len = length_from(l, start);
}

static void mend_label_name(struct sl_labels *l, size_t i) {
    struct sl_label label = sl_labels_at(l, i);
    if (is_good_name(label.name, label.name_len, false))
        return;
    char old[SL_LABEL_NAME_BYTES_MAX];
    size_t len = label.name_len < sizeof(old) ? label.name_len : sizeof(old);
    memcpy(old, label.name, len);
    struct sl_label_place p = l->items[i];
    put_label_name(l, old, len, &p);
    give_way(l, &p, i);
    l->items[i] = p;
}

int sl_label_compare(const struct sl_label *a, const struct sl_label *b) {
    size_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
    int order = memcmp(a->name, b->name, shorter);
    return order != 0 ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static void sort(struct sl_labels *l) {
    for (size_t i = 1; i < l->count; i++) {
        struct sl_label_place moving = l->items[i];
        struct sl_label label = sl_labels_at(l, i);
        size_t at = i;
        for (; at > 0; at--) {
            struct sl_label before = sl_labels_at(l, at - 1);
            if (sl_label_compare(&label, &before) >= 0)
                break;
            l->items[at] = l->items[at - 1];
        }
        l->items[at] = moving;
    }
}

int sl_labels_finish(struct sl_labels *l, struct sl_error *err) {
    bool has_name = false;
    for (size_t i = 0; i < l->count;) {
        struct sl_label label = sl_labels_at(l, i);
        bool is_reserved = label.name_len >= 2 && label.name[0] == '_' && label.name[1] == '_';
        if (is_reserved && !is_metric_name(&label)) {
            sl_labels_remove_at(l, i);
            continue;
        }
        has_name = has_name || is_reserved;
        if (is_reserved)
            mend_metric_name(l, i);
        else
            mend_label_name(l, i);
        i++;
    }
    if (l->text.failed != SL_OK)
        l->failed = l->text.failed;
    if (l->failed != SL_OK)
        return sl_fail(err, l->failed, "a series has more than %d labels, or they are too long",
                       SL_LABELS_MAX);
    if (!has_name)
        return sl_fail(err, SL_PARSE, "a series has no name");
    sort(l);
    return SL_OK;
}
