/* One pool's letter box: from the values collectd hands over to the snapshot decide() reads.
 *
 * Values come from any write thread, in any order, sometimes twice, sometimes from two hosts, and
 * through collectd's network plugin sometimes late or from a host whose clock is wrong. Here is
 * decided which of them count. Pure; the caller keeps the time and the lock. */
#ifndef SL_SCALER_INBOX_H
#define SL_SCALER_INBOX_H

#include <stdint.h>

#include "scaler/policy.h"

enum { SL_INBOX_ID_BYTES = 128, SL_INBOX_SOURCES = 2 };

enum sl_values_kind { SL_VALUES_POOL, SL_VALUES_QUEUE };

/* One value list of type worker_pool, or of worker_pool_queue. */
struct sl_pool_values {
    enum sl_values_kind kind;
    const char *name;      /* of the pool, as collectd's plugin instance has it */
    const char *true_name; /* as Spacelift spells it; NULL: not known */
    const char *id;
    double runs_pending; /* these three of a POOL */
    double workers_busy;
    double workers;    /* NaN: not known */
    double runs_drift; /* these two of a QUEUE; NaN likewise */
    double runs_blocked;
    int64_t time_ms;     /* wall clock of the host that read it */
    int64_t interval_ms; /* 0: not known */
};

/* Which pools of this name are alive: two at once are one too many. */
struct sl_inbox_source {
    char id[SL_INBOX_ID_BYTES];
    int64_t seen_ms;
    bool is_used;
};

/* All zero is an empty box. */
struct sl_inbox {
    struct sl_snapshot newest;
    bool has_newest;
    int64_t newest_time_ms; /* wall clock of the newest value that counted */
    struct sl_inbox_source sources[SL_INBOX_SOURCES];
    int64_t runs_drift; /* of the newest QUEUE */
    int64_t runs_blocked;
    bool has_queue;
    int64_t queue_time_ms;  /* wall clock of the host that read it */
    int64_t queue_ms;       /* monotonic: when it was true */
    int64_t queue_lasts_ms; /* so much older than a snapshot it may be to count for it */
};

/* A QUEUE completes the newest of a POOL and those that follow. It may be read less often, and is
 * then older than the snapshot it is used for: as much as two of its own intervals. In that time
 * runs that were drift detection may have become others, so the demand may be too small for so
 * long, and the decision says how old the queue is. After that what is not known counts as it costs
 * most: a drift-detection run in full, blocked runs as they were last seen.
 *
 * Returns true if newest has changed. False for a value that is no newer than the newest. Values
 * stamped later than now by more than the time after which data is stale make newest FUTURE; ones
 * stamped longer ago than that make it LATE. */
bool sl_inbox_take(struct sl_inbox *box, const struct sl_policy *policy,
                   const struct sl_pool_values *values, int64_t now_ms, int64_t realtime_ms);

#endif
