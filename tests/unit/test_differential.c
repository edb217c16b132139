/* decide() set up as an HPA and as a ScaledObject, beside the algorithms themselves, written here
 * from their sources and by nobody who reads src/scaler: kubernetes/kubernetes
 * pkg/controller/podautoscaler/horizontal.go (stabilization and rates, with and without behavior)
 * and kedacore/keda pkg/scaling/executor/scale_scaledobjects.go, pkg/fallback/fallback.go.
 *
 * Where the two are meant to differ the walks stay out of the way: tolerance is 0 (ours has none),
 * no worker is busy (ours never goes below busy + pending), and what an HPA makes up at its start
 * (its size as a first recommendation) has left its windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scaler/policy.h"

enum { MAX_RECORDS = 4000, WALKS = 400, STEPS = 300 };

static uint64_t seed = 0xd1ff;

static int64_t below(int64_t limit) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int64_t)(seed % (uint64_t)limit);
}

static int64_t max_of(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t min_of(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- the Horizontal Pod Autoscaler ---- */

struct record {
    int64_t at_s;
    int64_t value;
};

struct records {
    struct record items[MAX_RECORDS];
    size_t count;
};

enum select { SELECT_MAX, SELECT_MIN, SELECT_DISABLED };

struct rules { /* HPAScalingRules with one policy of each type; 0: there is none of it */
    int64_t window_s;
    int64_t pods;
    int64_t percent;
    int64_t period_s;
    enum select select;
};

struct hpa {
    bool has_behavior;
    int64_t min;
    int64_t max;
    struct rules up;
    struct rules down;
    struct records recommendations;
    struct records up_events;
    struct records down_events;
};

static void add(struct records *r, int64_t at_s, int64_t value) {
    assert_true(r->count < MAX_RECORDS);
    r->items[r->count++] = (struct record){at_s, value};
}

static int64_t change_in_period(const struct records *events, int64_t period_s, int64_t now_s) {
    int64_t sum = 0;

    for (size_t i = 0; i < events->count; i++) {
        if (events->items[i].at_s > now_s - period_s) { /* timestamp.After(cutoff) */
            sum += events->items[i].value;
        }
    }
    return sum;
}

static int64_t up_limit(const struct hpa *h, int64_t current, int64_t now_s) {
    int64_t start = current - change_in_period(&h->up_events, h->up.period_s, now_s) +
                    change_in_period(&h->down_events, h->up.period_s, now_s);
    int64_t by_pods = start + h->up.pods;
    int64_t by_percent = (start * (100 + h->up.percent) + 99) / 100; /* math.Ceil */

    if (h->up.select == SELECT_DISABLED) {
        return current;
    }
    if (h->up.pods == 0 && h->up.percent == 0) {
        return INT32_MAX;
    }
    if (h->up.pods == 0 || h->up.percent == 0) {
        return h->up.pods == 0 ? by_percent : by_pods;
    }
    return h->up.select == SELECT_MAX ? max_of(by_pods, by_percent) : min_of(by_pods, by_percent);
}

static int64_t down_limit(const struct hpa *h, int64_t current, int64_t now_s) {
    int64_t start = current - change_in_period(&h->up_events, h->down.period_s, now_s) +
                    change_in_period(&h->down_events, h->down.period_s, now_s);
    int64_t by_pods = start - h->down.pods;
    int64_t by_percent = start * (100 - h->down.percent) / 100; /* int32(): truncated */

    if (h->down.select == SELECT_DISABLED) {
        return current;
    }
    if (h->down.pods == 0 && h->down.percent == 0) {
        return INT32_MIN;
    }
    if (h->down.pods == 0 || h->down.percent == 0) {
        return h->down.pods == 0 ? by_percent : by_pods;
    }
    return h->down.select == SELECT_MAX ? min_of(by_pods, by_percent) : max_of(by_pods, by_percent);
}

/* stabilizeRecommendationWithBehaviors, convertDesiredReplicasWithBehaviorRate */
static int64_t with_behavior(struct hpa *h, int64_t current, int64_t want, int64_t now_s) {
    int64_t up = want;
    int64_t down = want;
    int64_t desired = current;

    for (size_t i = 0; i < h->recommendations.count; i++) {
        const struct record *r = &h->recommendations.items[i];

        up = r->at_s > now_s - h->up.window_s ? min_of(up, r->value) : up;
        down = r->at_s > now_s - h->down.window_s ? max_of(down, r->value) : down;
    }
    desired = max_of(desired, up);
    desired = min_of(desired, down);
    add(&h->recommendations, now_s, want);
    if (desired > current) {
        int64_t limit = max_of(up_limit(h, current, now_s), current);

        return min_of(desired, min_of(h->max, limit));
    }
    if (desired < current) {
        int64_t limit = min_of(down_limit(h, current, now_s), current);

        return max_of(desired, max_of(h->min, limit));
    }
    return max_of(min_of(desired, h->max), h->min);
}

/* stabilizeRecommendation, convertDesiredReplicasWithRules */
static int64_t without_behavior(struct hpa *h, int64_t current, int64_t want, int64_t now_s) {
    int64_t highest = want;

    for (size_t i = 0; i < h->recommendations.count; i++) {
        if (h->recommendations.items[i].at_s >= now_s - 300) { /* not Before(cutoff) */
            highest = max_of(highest, h->recommendations.items[i].value);
        }
    }
    add(&h->recommendations, now_s, want);
    return max_of(min_of(highest, min_of(h->max, max_of(2 * current, 4))), h->min);
}

static int64_t sync_hpa(struct hpa *h, int64_t current, int64_t usage, int64_t now_s) {
    int64_t desired = 0;

    if (current > h->max || current < h->min) {
        desired = current > h->max ? h->max : h->min;
    } else {
        desired = h->has_behavior ? with_behavior(h, current, usage, now_s)
                                  : without_behavior(h, current, usage, now_s);
    }
    if (desired > current) {
        add(&h->up_events, now_s, desired - current);
    } else if (desired < current) {
        add(&h->down_events, now_s, current - desired);
    }
    return desired;
}

/* ---- ours, set up like it ---- */

static struct sl_step_limit limit_of(const struct rules *r) {
    static const enum sl_step_select selects[] = {
        [SELECT_MAX] = SL_STEP_LARGER,
        [SELECT_MIN] = SL_STEP_SMALLER,
        [SELECT_DISABLED] = SL_STEP_DISABLED,
    };

    return (struct sl_step_limit){
        .workers = (int32_t)r->pods,
        .percent = (int32_t)r->percent,
        .period_ms = r->period_s * 1000,
        .select = selects[r->select],
    };
}

static struct sl_policy policy_of(const struct hpa *h) {
    struct sl_policy p = {
        .min_workers = (int32_t)h->min,
        .max_workers = (int32_t)h->max,
        .demand_rule = SL_DEMAND_PENDING,
        .target_utilization_percent = 100,
        .scale_in_window_ms = h->down.window_s * 1000,
        .scale_out_window_ms = h->up.window_s * 1000,
        .scale_out = limit_of(&h->up),
        .scale_in = limit_of(&h->down),
        .stale_after_ms = 3600000,
    };

    if (!h->has_behavior) { /* twice its size in one sync; one of exactly 300 s counts */
        p.scale_in_window_ms = 300001;
        p.scale_out = (struct sl_step_limit){.percent = 100, .period_ms = 1};
    }
    return p;
}

static int32_t ask(const struct sl_policy *p, struct sl_scaler_state *state, int64_t pending,
                   int32_t current, int64_t now_s) {
    struct sl_snapshot s = {
        .runs_pending = pending, .observed_ms = now_s * 1000, .interval_ms = 15000};
    struct sl_decision d;

    sl_policy_decide(p, NULL, state, &s, current, now_s * 1000, &d);
    return d.size;
}

static struct rules some_rules(void) {
    return (struct rules){
        .window_s = below(3) == 0 ? 0 : below(400),
        .pods = below(2) == 0 ? 0 : 1 + below(6),
        .percent = below(2) == 0 ? 0 : 10 * (1 + below(10)),
        .period_s = 15 * (1 + below(20)),
        .select = below(12) == 0 ? SELECT_DISABLED : (enum select)below(2),
    };
}

/* Without behavior an HPA that may not grow as far as it wants goes on growing later, to its
 * highest recommendation, even if nobody wants that any more. Ours does not: the walks grow in one
 * step. */
static int64_t most_of(const struct hpa *h, int64_t current) {
    return h->has_behavior ? INT32_MAX : 2 * current;
}

/* Both see the same queue; sizes must be the same at every sync. */
static void walk(struct hpa *h) {
    struct sl_policy p = policy_of(h);
    struct sl_scaler_state state = {0};
    int32_t ours = (int32_t)h->min;
    int64_t theirs = h->min;
    int64_t pending = h->min;

    assert_int_equal(sl_policy_check(&p, NULL), SL_OK);
    for (int64_t step = 0; step < STEPS; step++) {
        int64_t now_s = 1000 + step * 15;

        if (step > 30 && below(4) == 0) { /* the longest window has been watched */
            pending = below(min_of(h->max * 3 / 2, most_of(h, theirs)) + 1);
        }
        ours = ask(&p, &state, pending, ours, now_s);
        theirs = sync_hpa(h, theirs, pending, now_s);
        if (ours != theirs) {
            fail_msg("step %d, pending %d: ours %d, the HPA %d", (int)step, (int)pending, (int)ours,
                     (int)theirs);
        }
    }
}

static void test_as_an_hpa_with_behavior(void **unused) {
    static struct hpa h;

    (void)unused;
    for (int i = 0; i < WALKS; i++) {
        memset(&h, 0, sizeof h);
        h.has_behavior = true;
        h.min = 1 + below(3);
        h.max = h.min + below(30);
        h.up = some_rules();
        h.down = some_rules();
        walk(&h);
    }
}

/* The tutorial's: KEDA leaves behavior unset. From one worker the HPA may go to 4, which is twice
 * of 2: the walks begin there. */
static void test_as_the_hpa_of_the_tutorial(void **unused) {
    static struct hpa h;

    (void)unused;
    for (int i = 0; i < WALKS; i++) {
        memset(&h, 0, sizeof h);
        h.min = 2;
        h.max = 2 + below(30);
        walk(&h);
    }
}

/* ---- KEDA ---- */

struct scaled_object {
    int64_t min;
    int64_t idle; /* -1: not set */
    int64_t activation_threshold;
    int64_t cooldown_s;
    int64_t last_active_s;
};

/* RequestScale, as far as zero and idle go: 1..N is the HPA's. */
static int64_t request_scale(struct scaled_object *o, int64_t current, int64_t value,
                             int64_t now_s) {
    int64_t lowest = o->idle >= 0 ? o->idle : o->min;

    if (value > o->activation_threshold) {
        o->last_active_s = now_s;
        if (current == 0 || (o->idle >= 0 && current < o->min)) {
            return max_of(o->min, 1);
        }
        return current;
    }
    if ((o->idle >= 0 || o->min == 0) && current > lowest &&
        o->last_active_s + o->cooldown_s < now_s) {
        return lowest;
    }
    return current;
}

/* KEDA goes to 0 with runs waiting, as long as they are no more than the threshold; ours stays
 * while there is work, so the walks have none of that. */
static int64_t some_pending(const struct scaled_object *o, int64_t current) {
    return current == 0 ? below(8) : o->activation_threshold + 1 + below(5);
}

static void test_as_a_scaled_object_that_sleeps(void **unused) {
    (void)unused;
    for (int i = 0; i < WALKS; i++) {
        struct scaled_object o = {
            .min = below(2) * 2,
            .activation_threshold = below(4),
            .cooldown_s = below(10) * 30,
            .last_active_s = 1000,
        };
        struct sl_scaler_state state = {0};
        struct sl_policy p = {0};
        int64_t theirs = 3;
        int32_t ours = 3;

        o.idle = o.min > 0 ? 0 : -1;
        p = (struct sl_policy){
            .min_workers = (int32_t)o.min,
            .max_workers = 50,
            .demand_rule = SL_DEMAND_PENDING,
            .target_utilization_percent = 100,
            .has_idle_workers = o.idle >= 0,
            .activation_threshold = (int32_t)o.activation_threshold,
            .cooldown_ms = o.cooldown_s * 1000 + 1, /* KEDA: less than, not as much as */
            .stale_after_ms = 3600000,
        };
        for (int64_t step = 0; step < STEPS; step++) {
            int64_t now_s = 1000 + step * 30;
            int64_t pending = below(3) != 0 ? 0 : some_pending(&o, theirs);

            ours = ask(&p, &state, pending, ours, now_s);
            theirs = request_scale(&o, theirs, pending, now_s);
            if ((ours == 0) != (theirs == 0)) {
                fail_msg("step %d, pending %d: ours %d, KEDA %d", (int)step, (int)pending,
                         (int)ours, (int)theirs);
            }
            assert_true(theirs == 0 || ours >= o.min);
        }
    }
}

/* fallback.go: the value that is made up is target x replicas, and the HPA makes of it: */
static int64_t fallback(enum sl_fallback_mode mode, int64_t current, int64_t replicas) {
    switch (mode) {
    case SL_FALLBACK_STATIC:
        return replicas;
    case SL_FALLBACK_CURRENT:
        return current;
    case SL_FALLBACK_HIGHER:
        return max_of(current, replicas);
    case SL_FALLBACK_LOWER:
        return min_of(current, replicas);
    case SL_FALLBACK_HOLD:
        break;
    }
    return current;
}

/* Where no work is known; where some is, ours stays at it, which KEDA does not. */
static void test_as_a_scaled_object_without_its_metric(void **unused) {
    (void)unused;
    for (int i = 0; i < 20000; i++) {
        int32_t current = (int32_t)(1 + below(10));
        struct sl_policy p = {
            .min_workers = 1,
            .max_workers = 10,
            .target_utilization_percent = 100,
            .scale_in_window_ms = 3600000,
            .fallback = {.mode = (enum sl_fallback_mode)below(5), .workers = (int32_t)below(20)},
        };
        struct sl_scaler_state state = {0};
        struct sl_decision d;
        int64_t theirs = fallback(p.fallback.mode, current, p.fallback.workers);

        (void)ask(&p, &state, 0, current, 1);
        sl_policy_decide(&p, NULL, &state, NULL, current, 2000, &d);
        assert_int_equal(d.size, max_of(min_of(theirs, 10), 1));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_an_hpa_with_behavior),
        cmocka_unit_test(test_as_the_hpa_of_the_tutorial),
        cmocka_unit_test(test_as_a_scaled_object_that_sleeps),
        cmocka_unit_test(test_as_a_scaled_object_without_its_metric),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
