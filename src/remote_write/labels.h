/* The labels of one series while they are made, and the packed form that is kept of them.
 *
 * A set is built in any order and finished once; what sl_labels_finish() has let through obeys the
 * remote write specifications (1.0 "Labels", 2.0 "Labels"): names sorted by their bytes and none
 * twice, names of the form [a-zA-Z_][a-zA-Z0-9_]* (metric names may hold ':'), well-formed UTF-8,
 * no empty value, __name__ present, no other name that begins with "__".
 *
 * Pure; one thread at a time. */
#ifndef SL_REMOTE_WRITE_LABELS_H
#define SL_REMOTE_WRITE_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* What a metric is; the numbers are those of both protocols: MetricMetadata.MetricType
 * (prometheus/prometheus prompb/types.proto) and Metadata.MetricType
 * (prompb/io/prometheus/write/v2/types.proto). */
enum sl_series_kind {
    SL_KIND_UNKNOWN,
    SL_KIND_COUNTER,
    SL_KIND_GAUGE,
    SL_KIND_HISTOGRAM,
    SL_KIND_GAUGEHISTOGRAM,
    SL_KIND_SUMMARY,
    SL_KIND_INFO,
    SL_KIND_STATESET,
};

/* "counter" etc., as in exposition text; anything else: SL_KIND_UNKNOWN. */
enum sl_series_kind sl_series_kind_of(const char *word);

/* Not NUL-terminated. */
struct sl_label {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

/* ---- a set that is being made ---- */

enum { SL_LABELS_MAX = 64, SL_LABEL_NAME_BYTES_MAX = 1024 };

/* Offsets into text, which moves while it grows. */
struct sl_label_place {
    uint32_t name, name_len;
    uint32_t value, value_len;
};

struct sl_labels {
    struct sl_buffer text;
    struct sl_label_place items[SL_LABELS_MAX];
    size_t count;
    enum sl_code failed; /* sticky: SL_TOOBIG for one label too many */
};

void sl_labels_init(struct sl_labels *l);
void sl_labels_release(struct sl_labels *l);

/* Sets a label; an empty value removes it (Prometheus treats both as the same). name and value may
 * point into l's own text. The value is mended to UTF-8 and cut at SL_LIMIT_LABEL_VALUE_BYTES. The
 * name is taken as it is; a forbidden character is mended by sl_labels_finish(). */
void sl_labels_set(struct sl_labels *l, const char *name, size_t name_len, const char *value,
                   size_t value_len);
void sl_labels_set_text(struct sl_labels *l, const char *name, const char *value);

/* The same for a name that must give way: characters are mended at once, leading "__" becomes "_",
 * and where the name is there already "exported_" is put in front, as Prometheus does when it
 * scrapes. An empty value adds nothing. */
void sl_labels_add(struct sl_labels *l, const char *name, const char *value);

/* The metric's name: mended to [a-zA-Z_:][a-zA-Z0-9_:]*. */
void sl_labels_set_metric_name(struct sl_labels *l, const char *name);

/* False: there is no such label. *ret is valid until the next change. */
bool sl_labels_get(const struct sl_labels *l, const char *name, size_t name_len,
                   struct sl_label *ret);
struct sl_label sl_labels_at(const struct sl_labels *l, size_t i);
void sl_labels_remove_at(struct sl_labels *l, size_t i);

/* [a-zA-Z_][a-zA-Z0-9_]* */
bool sl_label_name_is_good(const char *name);

int sl_label_compare(const struct sl_label *a, const struct sl_label *b); /* by name, bytewise */

/* Mends names (a clash goes the way of sl_labels_add()), drops names that begin with "__" but for
 * __name__, and sorts. SL_PARSE: no __name__; SL_TOOBIG, SL_NOMEM. */
int sl_labels_finish(struct sl_labels *l, struct sl_error *err) SL_CHECKED;

/* ---- the packed form ----
 *
 * What the queue keeps of a series and what the spool writes; both protocols are made from it:
 *
 *   byte kind (enum sl_series_kind), text unit, text help, varint count, count x (text name, text
 *   value); text is a varint length and that many bytes; varints as in protobuf.
 *
 * Two series are the same for a receiver if their labels part is the same. */

struct sl_packed {
    enum sl_series_kind kind;
    const char *unit;
    size_t unit_len;
    const char *help;
    size_t help_len;
    size_t label_count;
    const char *labels; /* the label part without its count, for sl_packed_next() */
    size_t labels_len;
};

/* Appends a finished set. unit and help may be NULL; they are mended to UTF-8 and cut at
 * SL_LIMIT_LABEL_VALUE_BYTES. */
void sl_labels_pack(const struct sl_labels *l, enum sl_series_kind kind, const char *unit,
                    const char *help, struct sl_buffer *out);

/* Reads it back; bytes from a disk are not trusted: SL_PARSE unless every length fits, the kind is
 * known, names are sorted and distinct, and nothing is left over. *ret points into bytes. */
int sl_packed_read(const char *bytes, size_t len, struct sl_packed *ret,
                   struct sl_error *err) SL_CHECKED;

/* for (const char *at = p.labels; sl_packed_next(&p, &at, &label);) ... Only after sl_packed_read()
 * has found the form right. */
bool sl_packed_next(const struct sl_packed *p, const char **at, struct sl_label *ret);

#endif
