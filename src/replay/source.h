/* Recorded queues in every form people have them in, as traces for the replay. Pure.
 *
 *   - CSV with the header arrival_s,duration_s: the runs themselves (replay/trace.h)
 *   - CSV with a time and a column that ends in "pending", best with one that ends in "busy": the
 *     queue as a gauge. Names such as time,pending,busy or collectd's epoch,runs_pending,
 *     workers_busy,workers,workers_drained
 *   - JSON of a Prometheus range query over spacelift_worker_pool_runs_pending and
 *     spacelift_worker_pool_workers_busy (prometheus/prometheus docs/querying/api.md)
 *   - Spacelift's usage export, aspect run-minutes: a line for each state of each run
 *
 * From a gauge the runs are made again: each rise of busy + pending is an arrival, each fall an
 * end, first come, first served. What came and went between two samples was never seen. */
#ifndef SL_REPLAY_SOURCE_H
#define SL_REPLAY_SOURCE_H

#include "replay/trace.h"

enum sl_source_form { SL_SOURCE_RUNS, SL_SOURCE_GAUGE, SL_SOURCE_PROMETHEUS, SL_SOURCE_USAGE };

struct sl_source_settings {
    const char *pool;    /* of several in one file; NULL: there is one */
    int64_t run_time_ms; /* of a run, where only the queue was recorded */
};

struct sl_source_facts {
    enum sl_source_form form;
    bool is_run_time_assumed; /* there was nothing about busy workers */
};

/* SL_PARSE names the line; SL_CONFIG: it is none of these forms, or of several pools. */
int sl_source_parse(const char *bytes, size_t len, const struct sl_source_settings *settings,
                    struct sl_trace *ret, struct sl_source_facts *facts,
                    struct sl_error *err) SL_CHECKED;

/* A queue at one moment. */
struct sl_source_point {
    int64_t at_ms;
    int64_t pending;
    int64_t busy; /* -1: not known */
};

/* SL_PARSE: times that go back. */
int sl_source_from_points(const struct sl_source_point *points, size_t count, int64_t run_time_ms,
                          struct sl_trace *ret, struct sl_error *err) SL_CHECKED;

#endif
