/* From a value list to measurements. */
#include "format/measurement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_parser.h"

/* What measurements are about, the longest name first: the rest of a metric's name is the field. */
static const char *const subjects[] = {
    "spacelift_current_billing_period",
    "spacelift_public_worker_pool",
    "spacelift_scrape_collector",
    "spacelift_worker_pool",
    "spacelift_current",
    "spacelift_scrape",
};

/* Where the field's name begins. */
static size_t measurement_len(const char *name) {
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        size_t len = strlen(subjects[i]);
        if (strncmp(name, subjects[i], len) == 0 && name[len] == '_')
            return len;
    }
    return strcspn(name, "_"); /* spacelift, or whoever else measures */
}

bool sl_metric_is_whole(const struct sl_metric *metric) {
    static const char *const units[] = {"runs", "workers", "seats", "stacks", "boolean"};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(metric->unit, units[i]) == 0)
            return true;
    return metric->kind == SL_METRIC_DERIVE;
}

static bool same_label(const struct sl_metric *a, const struct sl_metric *b) {
    if (a->label == NULL || b->label == NULL)
        return a->label == b->label;
    return strcmp(a->label, b->label) == 0 && strcmp(a->label_value, b->label_value) == 0;
}

static bool belongs(const struct sl_measurement *m, const struct sl_metric *first,
                    const struct sl_metric *metric) {
    size_t len = measurement_len(metric->prometheus);
    return len == m->name_len && strncmp(metric->prometheus, m->name, len) == 0 &&
           same_label(first, metric);
}

static void put_field(struct sl_measurement *m, const struct sl_metric *metric, double value) {
    m->fields[m->field_count++] = (struct sl_field){
        .name = metric->prometheus + m->name_len + 1,
        .value = value,
        .is_whole = sl_metric_is_whole(metric),
    };
}

/* Telegraf keeps tags sorted by their keys. */
static int compare_labels(const void *a, const void *b) {
    const struct sl_metric_label *left = a, *right = b;
    return strcmp(left->name, right->name);
}

size_t sl_measurements(const struct sl_values *values, struct sl_measurement ret[SL_TYPE_DS_MAX]) {
    const struct sl_metric_type *type = values->type;
    bool is_done[SL_TYPE_DS_MAX] = {false};
    size_t count = 0;
    for (size_t i = 0; i < type->count; i++) {
        struct sl_measurement *m = &ret[count];
        const struct sl_metric *first = &type->metrics[i];
        m->name = first->prometheus;
        m->name_len = measurement_len(first->prometheus);
        m->field_count = 0;
        for (size_t j = i; j < type->count; j++) {
            if (is_done[j] || !belongs(m, first, &type->metrics[j]))
                continue;
            is_done[j] = true;
            if (isfinite(values->values[j]))
                put_field(m, &type->metrics[j], values->values[j]);
        }
        if (m->field_count == 0)
            continue;
        m->label_count = sl_metric_labels(type, i, values->plugin_instance, values->type_instance,
                                          values->true_name, m->labels);
        qsort(m->labels, m->label_count, sizeof(m->labels[0]), compare_labels);
        count++;
    }
    return count;
}

void sl_format_number(struct sl_buffer *out, double value) {
    if (value == trunc(value) && fabs(value) < 1e15) {
        sl_buffer_printf(out, "%.0f", value);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        size_t len = out->len;
        double back = NAN;
        sl_buffer_printf(out, "%.*g", digits, value);
        if (out->failed != SL_OK || digits == 17 ||
            (sl_json_to_double(out->data + len, out->len - len, &back, NULL) == SL_OK &&
             back == value))
            return;
        out->len = len;
    }
}
