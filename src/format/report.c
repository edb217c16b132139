/* A report in one of three forms. */
#include "format/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "format/line_protocol.h"

enum { REPORT_BYTES = 64 * 1024 * 1024, LINE_HEAD_BYTES = 256 };

const char *const sl_format_names[] = {
    [SL_FORMAT_INFLUX] = "influx",
    [SL_FORMAT_PROMETHEUS] = "prometheus",
    [SL_FORMAT_JSON] = "json",
    [SL_FORMAT_JSON + 1] = NULL,
};

/* The exposition wants all samples of a name together; values come pool by pool. */
struct family {
    const struct sl_metric *metric;
    struct sl_buffer samples;
};

struct sl_report {
    enum sl_format format;
    struct sl_buffer text;
    struct family *families;
    size_t family_count;
    struct sl_json_writer json;
};

struct sl_report *sl_report_new(enum sl_format format) {
    struct sl_report *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->format = format;
    sl_buffer_init(&r->text, REPORT_BYTES);
    return r;
}

void sl_report_free(struct sl_report *r) {
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->family_count; i++)
        sl_buffer_release(&r->families[i].samples);
    free(r->families);
    sl_buffer_release(&r->text);
    free(r);
}

/* ---- exposition ---- */

static struct family *find_family(struct sl_report *r, const struct sl_metric *metric) {
    for (size_t i = 0; i < r->family_count; i++)
        if (strcmp(r->families[i].metric->prometheus, metric->prometheus) == 0)
            return &r->families[i];
    struct family *grown = realloc(r->families, (r->family_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        r->text.failed = SL_NOMEM;
        return NULL;
    }
    r->families = grown;
    grown[r->family_count] = (struct family){.metric = metric};
    sl_buffer_init(&grown[r->family_count].samples, REPORT_BYTES);
    return &grown[r->family_count++];
}

static void put_label_value(struct sl_buffer *out, const struct sl_metric_label *label) {
    char text[SL_LIMIT_LABEL_VALUE_BYTES + 1];
    struct sl_buffer clean;
    size_t len = label->len < sizeof(text) ? label->len : sizeof(text) - 1;
    memcpy(text, label->value, len);
    text[len] = '\0';
    sl_buffer_init(&clean, 3 * sizeof(text));
    sl_utf8_append(&clean, text, SL_LIMIT_LABEL_VALUE_BYTES);
    for (size_t i = 0; i < clean.len; i++) {
        char c = clean.data[i];
        if (c == '\n')
            sl_buffer_puts(out, "\\n");
        else if (c == '\\' || c == '"')
            sl_buffer_printf(out, "\\%c", c);
        else
            sl_buffer_putc(out, c);
    }
    sl_buffer_release(&clean);
}

static void add_exposition(struct sl_report *r, const struct sl_values *values,
                           int64_t realtime_ms) {
    for (size_t i = 0; i < values->type->count; i++) {
        const struct sl_metric *metric = &values->type->metrics[i];
        struct family *family = isfinite(values->values[i]) ? find_family(r, metric) : NULL;
        if (family == NULL)
            continue;
        struct sl_metric_label labels[SL_METRIC_LABELS_MAX];
        size_t count = sl_metric_labels(values->type, i, values->plugin_instance,
                                        values->type_instance, values->true_name, labels);
        struct sl_buffer *out = &family->samples;
        sl_buffer_puts(out, metric->prometheus);
        for (size_t j = 0; j < count; j++) {
            sl_buffer_printf(out, "%c%s=\"", j == 0 ? '{' : ',', labels[j].name);
            put_label_value(out, &labels[j]);
            sl_buffer_putc(out, '"');
        }
        sl_buffer_puts(out, count > 0 ? "} " : " ");
        sl_format_number(out, values->values[i]);
        sl_buffer_printf(out, " %lld\n", (long long)realtime_ms);
    }
}

static void finish_exposition(struct sl_report *r) {
    for (size_t i = 0; i < r->family_count; i++) {
        struct family *f = &r->families[i];
        const char *name = f->metric->prometheus;
        if (f->samples.failed != SL_OK)
            r->text.failed = f->samples.failed;
        if (f->samples.len > 0)
            sl_buffer_printf(&r->text, "# HELP %s %s\n# TYPE %s %s\n", name, f->metric->help, name,
                             f->metric->kind == SL_METRIC_DERIVE ? "counter" : "gauge");
        sl_buffer_append(&r->text, f->samples.data, f->samples.len);
        sl_buffer_reset(&f->samples);
    }
}

/* ---- JSON ---- */

static void put_json_measurement(struct sl_report *r, const struct sl_measurement *m,
                                 int64_t realtime_ms) {
    char text[SL_LIMIT_LABEL_VALUE_BYTES + 1];
    sl_json_object_begin(&r->json, NULL);
    snprintf(text, sizeof(text), "%.*s", (int)m->name_len, m->name);
    sl_json_put_string(&r->json, "name", text);
    sl_json_object_begin(&r->json, "tags");
    for (size_t i = 0; i < m->label_count; i++) {
        snprintf(text, sizeof(text), "%.*s", (int)m->labels[i].len, m->labels[i].value);
        sl_json_put_string(&r->json, m->labels[i].name, text);
    }
    sl_json_object_end(&r->json);
    sl_json_object_begin(&r->json, "fields");
    for (size_t i = 0; i < m->field_count; i++) {
        const struct sl_field *f = &m->fields[i];
        if (f->is_whole)
            sl_json_put_int64(&r->json, f->name, (int64_t)f->value);
        else
            sl_json_put_double(&r->json, f->name, f->value);
    }
    sl_json_object_end(&r->json);
    sl_json_put_int64(&r->json, "timestamp", realtime_ms / 1000);
    sl_json_object_end(&r->json);
}

static void begin_json(struct sl_report *r) {
    sl_json_writer_init(&r->json, &r->text);
    sl_json_object_begin(&r->json, NULL);
    sl_json_array_begin(&r->json, "metrics");
}

static void add_json(struct sl_report *r, const struct sl_values *values, int64_t realtime_ms) {
    struct sl_measurement measurements[SL_TYPE_DS_MAX];
    size_t count = sl_measurements(values, measurements);
    if (r->text.len == 0)
        begin_json(r);
    for (size_t i = 0; i < count; i++)
        put_json_measurement(r, &measurements[i], realtime_ms);
}

static void finish_json(struct sl_report *r) {
    if (r->text.len == 0)
        begin_json(r);
    sl_json_array_end(&r->json);
    sl_json_object_end(&r->json);
    sl_buffer_putc(&r->text, '\n');
}

/* ---- all of them ---- */

void sl_report_add(struct sl_report *r, const struct sl_values *values, int64_t realtime_ms) {
    if (r->format == SL_FORMAT_INFLUX)
        sl_line_put(&r->text, values, realtime_ms);
    else if (r->format == SL_FORMAT_PROMETHEUS)
        add_exposition(r, values, realtime_ms);
    else
        add_json(r, values, realtime_ms);
}

int sl_report_finish(struct sl_report *r, struct sl_buffer *out, struct sl_error *err) {
    if (r->format == SL_FORMAT_PROMETHEUS)
        finish_exposition(r);
    else if (r->format == SL_FORMAT_JSON)
        finish_json(r);
    int code = sl_buffer_check(&r->text, "the report", err);
    size_t before = out->len;
    if (code == SL_OK) {
        sl_buffer_append(out, r->text.data, r->text.len);
        code = sl_buffer_check(out, "the output", err);
    }
    if (code != SL_OK)
        out->len = before;
    sl_buffer_reset(&r->text);
    return code;
}
