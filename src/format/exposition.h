/* Reads Prometheus exposition text: version 0.0.4, and of OpenMetrics 1.0 what has the same shape.
 * prometheus.io/docs/instrumenting/exposition_formats, and the OpenMetrics specification.
 *
 * As in Prometheus, a text with one mistake in it is refused whole: half a scrape would look like
 * series that have ended. Exemplars are read over; native histograms and quoted names are not part
 * of these formats. Pure; any thread. */
#ifndef SL_FORMAT_EXPOSITION_H
#define SL_FORMAT_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { SL_EXPOSITION_LABELS_MAX = 64 };

struct sl_exposition_label {
    const char *name;
    const char *value; /* unescaped; never empty: a label without a value is none */
};

/* Valid during the call. */
struct sl_exposition_sample {
    const char *name;
    const struct sl_exposition_label *labels; /* as written; no name twice */
    size_t label_count;
    double value;
    bool has_time;
    int64_t time_ms;

    /* Of the metric family that the sample belongs to; "" where nothing was said. */
    const char *type; /* "counter", "gauge", "histogram", "summary", "unknown", ... */
    const char *help;
    const char *unit;
};

/* What it returns other than SL_OK ends the reading. */
typedef int sl_exposition_fn(void *context, const struct sl_exposition_sample *sample,
                             struct sl_error *err);

enum sl_exposition_form {
    SL_EXPOSITION_TEXT,
    SL_EXPOSITION_OPENMETRICS, /* times in seconds; must end in "# EOF" */
};

/* From a Content-Type; text where it says nothing else. */
enum sl_exposition_form sl_exposition_form_of(const char *content_type);

/* Calls each (may be NULL) for every sample in its order. SL_PARSE names the line. Samples before a
 * mistake have been handed over by then: read once without each to know that all of it is good. */
int sl_exposition_read(const char *text, size_t len, enum sl_exposition_form form,
                       sl_exposition_fn *each, void *context, struct sl_error *err) SL_CHECKED;

#endif
