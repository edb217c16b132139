/* What people see of the status files: a table, the story of one pool, JSON. Pure; any thread. */
#ifndef SL_SCALER_STATUS_VIEW_H
#define SL_SCALER_STATUS_VIEW_H

#include "base/colours.h"
#include "scaler/status.h"

/* One status file, read. */
struct sl_status_cluster {
    struct sl_cluster_status cluster;
    struct sl_pool_status *pools;
    size_t pool_count;
};

/* The last demands of a pool, for the picture of `watch`. All zero is empty. */
enum { SL_STATUS_MARKS = 60 };
struct sl_status_marks {
    int64_t demand[SL_STATUS_MARKS]; /* -1: nobody knew */
    size_t count;                    /* ever */
};

void sl_status_mark(struct sl_status_marks *marks, const struct sl_pool_status *pool);

enum sl_status_health {
    SL_STATUS_FINE,
    SL_STATUS_TROUBLED, /* an error, an alarm, no good data */
    SL_STATUS_DEAD,     /* nobody has written the file for half a minute */
};

enum { SL_STATUS_DEAD_AFTER_MS = 30000 };

/* The worst of the cluster and its pools. */
enum sl_status_health sl_status_health(const struct sl_status_cluster *c, int64_t now_ms);

/* A line about the cluster, a head and a line for each pool. marks: NULL, or one for each pool.
 * Lines are cut to width columns (0: not at all); where it is narrow the reason has a line of its
 * own, and where it is very narrow some numbers go. */
void sl_status_print_table(const struct sl_status_cluster *c, const struct sl_status_marks *marks,
                           const struct sl_colours *colours, size_t width, int64_t now_ms,
                           struct sl_buffer *out);

/* Everything about one pool, in sentences. utc_offset_s: of the clock that times are shown in. */
void sl_status_print_why(const struct sl_status_cluster *c, const struct sl_pool_status *p,
                         const struct sl_colours *colours, int64_t now_ms, int64_t utc_offset_s,
                         struct sl_buffer *out);

/* One object, as the file has it, with the pools inside as "each_pool" and a word for the health.
 */
void sl_status_print_json(const struct sl_status_cluster *c, int64_t now_ms,
                          struct sl_json_writer *w);

#endif
