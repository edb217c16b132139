/* Leader election over a Lease: of several scalers with one LeaseName one writes sizes.
 *
 * The rules are client-go's (k8s.io/client-go tools/leaderelection/leaderelection.go): a foreign
 * record counts as alive for its duration from the moment *we* first saw it, on a monotonic clock;
 * the times in it are never compared with ours; who could not renew for renew_deadline_ms stops
 * acting, long before another may start. A Lease is no fence, so a write carries a resourceVersion
 * as well, and must be over by lease_until_ms.
 *
 * One thing differs: a candidate looks again when the record that it waits for ends, and its pauses
 * vary by half a period, not by 1.2, so that a crash is taken over within the duration plus two
 * periods.
 *
 * Pure: how leases are read and written is in ops, the time is an argument. One thread at a time.
 */
#ifndef SL_KUBERNETES_ELECTOR_H
#define SL_KUBERNETES_ELECTOR_H

#include "kubernetes/lease.h"

struct sl_elector_settings {
    const char *identity; /* unique per process */
    int64_t lease_duration_ms;
    int64_t renew_deadline_ms;
    int64_t retry_period_ms;
    /* A process that runs for a moment has no time to watch a foreign record: the age that a record
     * has when it is first seen is then what the two hosts' clocks say of it. */
    bool is_brief;
};

/* get: SL_NOTFOUND where there is none. create, update: SL_CONFLICT where somebody was faster; on
 * success *ret is what is stored. */
struct sl_lease_ops {
    int (*get)(void *self, struct sl_lease *ret, struct sl_error *err);
    int (*create)(void *self, const struct sl_lease *lease, struct sl_lease *ret,
                  struct sl_error *err);
    int (*update)(void *self, const struct sl_lease *lease, struct sl_lease *ret,
                  struct sl_error *err);
    int64_t (*clock_ms)(void *self);    /* monotonic */
    int64_t (*realtime_us)(void *self); /* for what people read in the Lease */
    void *self;
};

struct sl_elector {
    struct sl_elector_settings settings;
    struct sl_lease_ops ops;
    struct sl_lease observed;
    bool has_observed;
    int64_t observed_ms; /* when it was first seen to be so */
    bool is_leader;
    int64_t renewed_ms; /* when the request left that made or kept us leader */
    uint64_t seed;
};

void sl_elector_init(struct sl_elector *e, const struct sl_elector_settings *settings,
                     const struct sl_lease_ops *ops);

/* Tries once to become or to stay leader; e->is_leader says what came of it. Returns when to be
 * called again. A failure of the server is told in *err (whose code is SL_OK otherwise). */
int64_t sl_elector_step(struct sl_elector *e, struct sl_error *err);

/* Until when the leader may begin a write, and until when a write of his must be over. 0: no
 * leader. */
int64_t sl_elector_act_until_ms(const struct sl_elector *e);
int64_t sl_elector_lease_until_ms(const struct sl_elector *e);

/* Gives the lease back, if it is held, so that another need not wait for its end. */
int sl_elector_release(struct sl_elector *e, struct sl_error *err) SL_CHECKED;

#endif
