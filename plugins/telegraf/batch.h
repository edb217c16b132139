/* The pools in lines of Telegraf's line protocol, the newest value of each. Lines come in any
 * order, several times, after an outage by the thousand; only the newest of a pool counts. No I/O.
 */
#ifndef SL_PLUGINS_TELEGRAF_BATCH_H
#define SL_PLUGINS_TELEGRAF_BATCH_H

#include "scaler/inbox.h"

enum { SL_BATCH_VALUES = 3 };

struct sl_batch_entry {
    enum sl_values_kind kind;
    char *id;
    char *name;
    double values[SL_BATCH_VALUES]; /* in the order of the table in batch.c */
    int64_t time_ns;                /* wall clock */
};

/* All zero is an empty batch. */
struct sl_batch {
    struct sl_batch_entry *entries;
    size_t count;
    size_t lines;     /* of pools */
    size_t bad_lines; /* that are no line protocol */
};

/* Takes one line in place (it is written to); text is NUL-terminated, without its newline. Lines of
 * other measurements are passed over. now_ms, wall clock, is for a line without a timestamp.
 * SL_PARSE: not line protocol; SL_NOMEM, SL_TOOBIG. */
int sl_batch_take(struct sl_batch *batch, char *text, int64_t now_ms,
                  struct sl_error *err) SL_CHECKED;

/* Hands every entry to put, the queues before the pools they belong to, and empties the batch;
 * bad_lines and lines stay. */
void sl_batch_flush(struct sl_batch *batch,
                    void (*put)(void *context, const struct sl_pool_values *values), void *context);
void sl_batch_release(struct sl_batch *batch);

#endif
