/* The scaling policies that the replay compares. */
#ifndef SL_REPLAY_POLICY_H
#define SL_REPLAY_POLICY_H

#include "replay/pool.h"
#include "scaler/policy.h"

enum { CHAIN_SAMPLES = 16, CHAIN_RECOMMENDATIONS = 32 };

/* Prometheus' samples and the Horizontal Pod Autoscaler's recommendations. */
struct sl_chain_state {
    int64_t sample_ms[CHAIN_SAMPLES];
    int64_t sample[CHAIN_SAMPLES];
    size_t samples; /* ever */
    int64_t recommended_ms[CHAIN_RECOMMENDATIONS];
    int32_t recommended[CHAIN_RECOMMENDATIONS];
    size_t recommendations; /* ever */
};

struct sl_contender {
    const char *name;
    /* The size that is wanted now; called every tick_ms with the phase that makes a run wait half a
     * period on average, even if all runs of a trace arrive on the minute. */
    int32_t (*decide)(struct sl_contender *c, const struct sl_replay_pool *pool, int64_t now_ms);
    int64_t tick_ms;
    int64_t phase_ms;
    int32_t min_workers;
    int32_t max_workers;
    int64_t metric_window_ms; /* of a chain's max_over_time; 0: the newest sample */
    bool counts_busy;         /* a chain's metric is busy + pending */
    struct sl_chain_state chain;
    struct sl_policy policy;
    struct sl_scaler_state state;
};

/* The tutorial: max_over_time(pending[5m]), KEDA, HPA with its defaults. */
struct sl_contender sl_contender_tutorial(int32_t min_workers, int32_t max_workers);
/* The same chain with busy + pending and without max_over_time. */
struct sl_contender sl_contender_repaired_chain(int32_t min_workers, int32_t max_workers);
/* spacelift-io/ec2-workerpool-autoscaler, once a minute, with its defaults. */
struct sl_contender sl_contender_ec2(int32_t min_workers, int32_t max_workers);
/* sl_policy_decide(), once an interval. */
struct sl_contender sl_contender_ours(const char *name, const struct sl_policy *policy,
                                      int64_t interval_ms);

#endif
