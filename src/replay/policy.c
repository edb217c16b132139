/* What other projects do, written from their sources as the names say, and ours.
 *
 * HPA: kubernetes/kubernetes pkg/controller/podautoscaler/{horizontal,replica_calculator}.go with
 * behavior unset, which is what KEDA leaves: external metric, AverageValue 1, tolerance 0.1 against
 * the status replicas, sync every 15 s, downscale stabilization 300 s, at most max(2 x current, 4)
 * per sync. Prometheus scrapes every 30 s. */
#include "replay/policy.h"

static const int64_t scrape_ms = 30000;
static const int64_t sync_ms = 15000;
static const int64_t stabilization_ms = 300000;

static int32_t clamp(int64_t value, int32_t min, int32_t max) {
    if (value < min) {
        return min;
    }
    return value > max ? max : (int32_t)value;
}

/* ---- the chain ---- */

static void scrape(struct sl_contender *c, const struct sl_replay_pool *pool, int64_t now_ms) {
    size_t at = c->chain.samples++ % CHAIN_SAMPLES;

    c->chain.sample_ms[at] = now_ms;
    c->chain.sample[at] = sl_replay_pool_pending(pool) + (c->counts_busy ? (int64_t)pool->busy : 0);
}

static int64_t query(const struct sl_contender *c, int64_t now_ms) {
    size_t n = c->chain.samples < CHAIN_SAMPLES ? c->chain.samples : CHAIN_SAMPLES;
    int64_t highest = 0;

    if (c->metric_window_ms == 0) {
        return c->chain.samples > 0 ? c->chain.sample[(c->chain.samples - 1) % CHAIN_SAMPLES] : 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (now_ms - c->chain.sample_ms[i] < c->metric_window_ms && c->chain.sample[i] > highest) {
            highest = c->chain.sample[i];
        }
    }
    return highest;
}

static int32_t stabilized(struct sl_contender *c, int32_t want, int64_t now_ms) {
    struct sl_chain_state *s = &c->chain;
    size_t at = s->recommendations % CHAIN_RECOMMENDATIONS;
    size_t n =
        s->recommendations < CHAIN_RECOMMENDATIONS ? s->recommendations : CHAIN_RECOMMENDATIONS;
    int32_t highest = want;

    for (size_t i = 0; i < n; i++) {
        if (now_ms - s->recommended_ms[i] <= stabilization_ms && s->recommended[i] > highest) {
            highest = s->recommended[i];
        }
    }
    s->recommended_ms[at] = now_ms;
    s->recommended[at] = want;
    s->recommendations++;
    return highest;
}

static int32_t horizontal_pod_autoscaler(struct sl_contender *c, const struct sl_replay_pool *pool,
                                         int64_t now_ms) {
    int64_t usage = query(c, now_ms);
    int64_t replicas = sl_replay_pool_workers(pool);
    bool is_within_tolerance = usage * 10 >= replicas * 9 && usage * 10 <= replicas * 11;
    int32_t limit = pool->size * 2 > 4 ? pool->size * 2 : 4;
    int32_t want = clamp(is_within_tolerance ? replicas : usage, 0, INT32_MAX);

    want = stabilized(c, want, now_ms);
    return clamp(want, c->min_workers, limit < c->max_workers ? limit : c->max_workers);
}

static int32_t decide_chain(struct sl_contender *c, const struct sl_replay_pool *pool,
                            int64_t now_ms) {
    if (now_ms % scrape_ms == scrape_ms / 2) {
        scrape(c, pool, now_ms);
    }
    if (now_ms % sync_ms == sync_ms / 2) {
        return horizontal_pod_autoscaler(c, pool, now_ms);
    }
    return pool->size;
}

struct sl_contender sl_contender_tutorial(int32_t min_workers, int32_t max_workers) {
    return (struct sl_contender){
        .name = "tutorial: pending, 5 min max, HPA",
        .decide = decide_chain,
        .tick_ms = 7500,
        .min_workers = min_workers,
        .max_workers = max_workers,
        .metric_window_ms = 300000,
        .chain = {.recommended = {min_workers}, .recommendations = 1},
    };
}

struct sl_contender sl_contender_repaired_chain(int32_t min_workers, int32_t max_workers) {
    struct sl_contender c = sl_contender_tutorial(min_workers, max_workers);

    c.name = "chain repaired: busy + pending";
    c.metric_window_ms = 0;
    c.counts_busy = true;
    return c;
}

/* ---- the EC2 autoscaler ---- */

/* AUTOSCALING_MAX_CREATE and _MAX_KILL 1, SCALE_DOWN_DELAY 0: one step a minute, and none while the
 * registered workers are not as many as were asked for. */
static int32_t decide_ec2(struct sl_contender *c, const struct sl_replay_pool *pool,
                          int64_t now_ms) {
    int64_t registered = (int64_t)(pool->busy + pool->idle);
    int64_t want = (int64_t)pool->busy + sl_replay_pool_pending(pool);

    (void)now_ms;
    if (registered != pool->size) {
        return pool->size;
    }
    if (want > registered) {
        return clamp(registered + 1, c->min_workers, c->max_workers);
    }
    if (want < registered && pool->idle > 0) {
        return clamp(registered - 1, c->min_workers, c->max_workers);
    }
    return pool->size;
}

struct sl_contender sl_contender_ec2(int32_t min_workers, int32_t max_workers) {
    return (struct sl_contender){
        .name = "EC2 autoscaler: 1 step per minute",
        .decide = decide_ec2,
        .tick_ms = 60000,
        .phase_ms = 30000,
        .min_workers = min_workers,
        .max_workers = max_workers,
    };
}

/* ---- ours ---- */

static int32_t decide_ours(struct sl_contender *c, const struct sl_replay_pool *pool,
                           int64_t now_ms) {
    struct sl_snapshot snapshot = {
        .runs_pending = sl_replay_pool_pending(pool),
        .workers_busy = (int64_t)pool->busy,
        .workers = (int64_t)(pool->busy + pool->idle),
        .observed_ms = now_ms,
        .interval_ms = c->tick_ms,
    };
    struct sl_decision d;

    sl_policy_decide(&c->policy, NULL, &c->state, &snapshot, pool->size, now_ms, &d);
    return d.size;
}

struct sl_contender sl_contender_ours(const char *name, const struct sl_policy *policy,
                                      int64_t interval_ms) {
    return (struct sl_contender){
        .name = name,
        .decide = decide_ours,
        .tick_ms = interval_ms,
        .phase_ms = interval_ms / 2,
        .min_workers = policy->min_workers,
        .max_workers = policy->max_workers,
        .policy = *policy,
    };
}
