/* Telegraf's line protocol, out and in. What may be written and how it is escaped follows
 * Telegraf's own parser (influxdata/telegraf plugins/parsers/influx/machine.go.rl), not InfluxDB's
 * manual: in a tag a backslash is literal and is not doubled, one at the end cannot be written and
 * is left out; control characters are forbidden even escaped and become blanks; an empty tag is
 * left out; bytes that are no UTF-8 become U+FFFD, because Prometheus takes no label with them.
 * Pure. */
#ifndef SL_FORMAT_LINE_PROTOCOL_H
#define SL_FORMAT_LINE_PROTOCOL_H

#include "format/measurement.h"

/* Appends a line for each measurement of the value list. */
void sl_line_put(struct sl_buffer *out, const struct sl_values *values, int64_t realtime_ms);

/* Appends a tag's key or value, or a field's key, escaped; returns false, with nothing appended, if
 * nothing is left of it. */
bool sl_line_put_word(struct sl_buffer *out, const char *text, size_t len);

/* ---- in ---- */

enum { SL_LINE_ITEMS = 64, SL_LINE_MAX_BYTES = 64 * 1024 };

/* A tag, or a field: a number (integers, unsigned ones, floats; booleans are 1 and 0), or a string
 * (number is NaN). Names and texts are unescaped, and lie in the line that was parsed. */
struct sl_line_item {
    const char *name;
    const char *text;
    double number;
};

struct sl_line {
    const char *measurement;
    struct sl_line_item tags[SL_LINE_ITEMS];
    size_t tag_count;
    struct sl_line_item fields[SL_LINE_ITEMS];
    size_t field_count;
    bool has_time;
    int64_t time_ns;
};

/* Reads one line, without its newline, in place: line is written to, and must be NUL-terminated.
 * *ret_is_empty: a comment or nothing but blanks; *ret is then not set. SL_PARSE says what is
 * wrong and where; SL_TOOBIG: more than SL_LINE_ITEMS tags or fields. */
int sl_line_parse(char *line, struct sl_line *ret, bool *ret_is_empty,
                  struct sl_error *err) SL_CHECKED;

/* The tag's text; NULL where there is none. */
const char *sl_line_tag(const struct sl_line *line, const char *name);
/* The field's number; NaN where there is none. */
double sl_line_field(const struct sl_line *line, const char *name);

/* Where the first line ends: at a newline that stands in no string field. Returns the length with
 * the newline, or 0 where it has not come yet. */
size_t sl_line_length(const char *bytes, size_t len);

#endif
