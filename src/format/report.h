/* Everything one gather brought, in the form somebody asked for. Pure; one thread at a time. */
#ifndef SL_FORMAT_REPORT_H
#define SL_FORMAT_REPORT_H

#include "base/buffer.h"
#include "spacelift/values.h"

enum sl_format {
    SL_FORMAT_INFLUX,     /* Telegraf's line protocol */
    SL_FORMAT_PROMETHEUS, /* text exposition (prometheus.io/docs/instrumenting/exposition_formats)
                           */
    SL_FORMAT_JSON,       /* one document, as Telegraf's own JSON serializer writes metrics */
};

extern const char *const sl_format_names[]; /* "influx", ...; NULL-terminated */

struct sl_report;

/* NULL when memory is out. */
struct sl_report *sl_report_new(enum sl_format format);
void sl_report_free(struct sl_report *r);

void sl_report_add(struct sl_report *r, const struct sl_values *values, int64_t realtime_ms);

/* Appends what was added to out, whole, and empties the report. SL_NOMEM, SL_TOOBIG: nothing was
 * appended, and the report is empty, too. */
int sl_report_finish(struct sl_report *r, struct sl_buffer *out, struct sl_error *err) SL_CHECKED;

#endif
