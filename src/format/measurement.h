/* A value list as Telegraf sees it: measurements with tags and fields, named so that Telegraf's own
 * rule (measurement + "_" + field: plugins/serializers/prometheus/convert.go) gives back exactly
 * the Prometheus names of the catalogue. Pure; any thread. */
#ifndef SL_FORMAT_MEASUREMENT_H
#define SL_FORMAT_MEASUREMENT_H

#include <stdint.h>

#include "spacelift/values.h"

struct sl_field {
    const char *name;
    double value;  /* finite */
    bool is_whole; /* always written as an integer: a field's type never changes */
};

/* Everything points into the catalogue or into the value list. */
struct sl_measurement {
    const char *name; /* not terminated */
    size_t name_len;
    struct sl_metric_label labels[SL_METRIC_LABELS_MAX];
    size_t label_count;
    struct sl_field fields[SL_TYPE_DS_MAX];
    size_t field_count; /* never 0 */
};

/* The measurements of a value list, fields that are not known (NaN) left out. Returns how many. */
size_t sl_measurements(const struct sl_values *values, struct sl_measurement ret[SL_TYPE_DS_MAX]);

/* Is this metric counted in whole things? */
bool sl_metric_is_whole(const struct sl_metric *metric);

/* Appends a value as short as it can be read back: 3, 0.25, 1e+21. Not NaN. */
void sl_format_number(struct sl_buffer *out, double value);

#endif
