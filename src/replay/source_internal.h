/* Shared by the readers of recorded queues. */
#ifndef SL_REPLAY_SOURCE_INTERNAL_H
#define SL_REPLAY_SOURCE_INTERNAL_H

#include "replay/source.h"

struct sl_points {
    struct sl_source_point *each;
    size_t count;
    size_t capacity;
};

/* False: out of memory, or more than SL_SOURCE_MAX_POINTS. */
enum { SL_SOURCE_MAX_POINTS = 2000000 };
bool sl_points_add(struct sl_points *points, int64_t at_ms, int64_t pending, int64_t busy);
int sl_points_failed(struct sl_error *err);

int sl_source_prometheus(const char *bytes, size_t len, const char *pool, struct sl_points *ret,
                         struct sl_error *err);
int sl_source_gauge_csv(const char *bytes, size_t len, struct sl_points *ret, struct sl_error *err);
int sl_source_usage_csv(const char *bytes, size_t len, const char *pool, struct sl_trace *ret,
                        struct sl_error *err);

/* The column of a CSV header whose name is or ends in `name`; -1: none. */
int sl_csv_column(const char *header, size_t len, const char *name);

#endif
