/* The series that a sender knows, each once: two identifiers of collectd that end in the same
 * labels (by mending or by relabelling) are one series for a receiver, and share one clock here.
 *
 * Pure. One thread at a time, but for what is marked as the sender's own. */
#ifndef SL_REMOTE_WRITE_SERIES_SET_H
#define SL_REMOTE_WRITE_SERIES_SET_H

#include "remote_write/labels.h"
#include "remote_write/symbols.h"

enum { SL_ORDER_BITS = 22 };

struct sl_series {
    struct sl_series *next; /* in its bucket */
    uint64_t hash;
    uint32_t order; /* alike in series that differ in label instance only (batch_order.h) */
    uint32_t host;  /* alike in series of one host (snappy.h) */
    uint32_t users;
    uint16_t label_count;
    uint8_t kind;    /* enum sl_series_kind */
    void *owner;     /* the first of its users; roster.c */
    int64_t last_ms; /* of the newest sample, where it has more than one user */

    /* The sender's own. */
    uint64_t batch;     /* the last batch that has a sample of it */
    uint64_t sent_bits; /* the last value encoded, and its time */
    int64_t sent_ms;
    int64_t start_ms; /* of a counter: since when it counts; 0: not known */

    struct sl_symbol *unit; /* "" where there is none */
    struct sl_symbol *help;
    struct sl_symbol *labels[]; /* name, value, name, value, ...: sorted */
};

struct sl_series_set;

int sl_series_set_new(struct sl_series_set **ret, struct sl_error *err) SL_CHECKED;
void sl_series_set_free(struct sl_series_set *set);

/* The one series of these labels, which has a user more; kind, unit and help are those that came
 * first. NULL: out of memory. */
struct sl_series *sl_series_take(struct sl_series_set *set, const struct sl_packed *packed);
void sl_series_drop(struct sl_series_set *set, struct sl_series *series);

/* The packed form again (labels.h). */
size_t sl_series_packed_length(const struct sl_series *series);
char *sl_series_put_packed(const struct sl_series *series, char *out);

#endif
