/* Every sentence of the scaling policy as a named case, and its invariants over millions of random
 * steps. Time is an argument; nothing here waits. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "scaler/options.h"
#include "scaler/policy.h"

enum { MAX_STEPS = 10, MAX_WORD_BYTES = 100, KEEP = -2, NO_DATA = -3 };

/* The tutorial's pool; a case says what differs, in the words of the configuration file. */
static const char usual[] = "MaxWorkers 5, ScaleInWindow 60, StaleAfter 60";

/* "Name value, Name value" */
static void set_options(struct sl_pool_options *pool, const char *text) {
    while (*text != '\0') {
        struct sl_error err = SL_ERROR_INIT;
        char name[MAX_WORD_BYTES] = "";
        char value[MAX_WORD_BYTES] = "";
        size_t name_len = strcspn(text, " ");
        size_t value_len = strcspn(text + name_len + 1, ",");

        assert_true(name_len < sizeof name && value_len < sizeof value);
        memcpy(name, text, name_len);
        memcpy(value, text + name_len + 1, value_len);
        if (sl_option_set(sl_scaler_pool_block.options, pool, "Pool", name, value, &err) != SL_OK) {
            fail_msg("%s", err.text);
        }
        text += name_len + 1 + value_len;
        text += strspn(text, ", ");
    }
}

/* The policy that these options make. */
static struct sl_policy policy_of(const char *changes) {
    struct sl_pool_options pool = {0};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_policy policy;

    assert_int_equal(sl_option_defaults(sl_scaler_pool_block.options, &pool, &err), SL_OK);
    set_options(&pool, usual);
    set_options(&pool, changes);
    policy = sl_pool_policy(&pool);
    if (sl_policy_check(&policy, &err) != SL_OK) {
        fail_msg("%s", err.text);
    }
    sl_option_release(sl_scaler_pool_block.options, &pool);
    return policy;
}

static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int64_t below(uint64_t *seed, int64_t limit) {
    return (int64_t)(next_random(seed) % (uint64_t)limit);
}

static int32_t smaller(int32_t a, int64_t b) {
    return b < a ? (int32_t)b : a;
}

/* One look at the pool. current KEEP: what the step before has set. pending NO_DATA: no new
 * snapshot, the last one is looked at again. */
struct step {
    int64_t at_s;
    int64_t busy;
    int64_t pending;
    int32_t current;
    int32_t size;
    enum sl_rule rule;
    enum sl_clamp clamp;
};

struct policy_case {
    const char *name;
    const char *options;
    struct step steps[MAX_STEPS];
};

static void run_case(const struct policy_case *c) {
    struct sl_policy policy = policy_of(c->options);
    struct sl_scaler_state state = {0};
    struct sl_snapshot snapshot = {0};
    bool has_snapshot = false;
    int32_t current = 0;

    for (size_t i = 0; i < MAX_STEPS && (i == 0 || c->steps[i].at_s > 0); i++) {
        const struct step *s = &c->steps[i];
        struct sl_decision d;
        int64_t now_ms = s->at_s * 1000;

        if (s->pending != NO_DATA) {
            snapshot = sl_snapshot_of((double)s->pending, (double)s->busy, now_ms, 0);
            has_snapshot = true;
        }
        current = s->current == KEEP ? current : s->current;
        sl_policy_decide(&policy, NULL, &state, has_snapshot ? &snapshot : NULL, current, now_ms,
                         &d);
        if (d.size != s->size || d.rule != s->rule || d.clamp != s->clamp) {
            char text[256];

            (void)sl_decision_describe(&policy, &d, now_ms, text, sizeof text);
            fail_msg("%s: at %" PRId64
                     " s: %d -> %d (rule %d, clamp %d; %s), expected %d (rule %d, "
                     "clamp %d)",
                     c->name, s->at_s, (int)current, (int)d.size, (int)d.rule, (int)d.clamp, text,
                     (int)s->size, (int)s->rule, (int)s->clamp);
        }
        current = d.size;
    }
}

#define DEMAND     SL_RULE_DEMAND
#define MINIMUM    SL_RULE_MINIMUM
#define AWAKE      SL_RULE_AWAKE
#define ASLEEP     SL_RULE_ASLEEP
#define HOLD       SL_RULE_HOLD
#define NONE       SL_CLAMP_NONE
#define MAXIMUM    SL_CLAMP_MAXIMUM
#define WINDOW     SL_CLAMP_WINDOW
#define WATCHING   SL_CLAMP_WATCHING
#define KEEPING    SL_CLAMP_DEMAND
#define FALLBACK   SL_RULE_FALLBACK
#define OUT_WINDOW SL_CLAMP_OUT_WINDOW
#define OUT_STEP   SL_CLAMP_OUT_STEP
#define NO_OUT     SL_CLAMP_NO_OUT
#define IN_STEP    SL_CLAMP_IN_STEP
#define NO_IN      SL_CLAMP_NO_IN
#define GRACE      SL_CLAMP_GRACE
#define OUT_JUMP   SL_CLAMP_OUT_JUMP
#define IN_JUMP    SL_CLAMP_IN_JUMP

static const struct policy_case cases[] = {
    {"a run that waits behind a busy worker gets a worker", "", {{1, 1, 1, 1, 2, DEMAND, NONE}}},
    {"busy workers count as much as waiting runs", "", {{1, 2, 1, 2, 3, DEMAND, NONE}}},
    {"an exact fit changes nothing", "", {{1, 3, 0, 3, 3, DEMAND, NONE}}},
    {"a deficit of ten percent is not ignored",
     "MaxWorkers 20",
     {{1, 10, 1, 10, 11, DEMAND, NONE}}},
    {"a burst goes to the maximum in one step and says that more would be used",
     "",
     {{1, 1, 8, 1, 5, DEMAND, MAXIMUM}}},
    {"an empty queue keeps the minimum", "", {{1, 0, 0, 1, 1, MINIMUM, NONE}}},
    {"a pool below the minimum is raised", "MinWorkers 3", {{1, 1, 0, 1, 3, MINIMUM, NONE}}},
    {"min 0 lets an idle pool go to nothing once the window has been watched",
     "MinWorkers 0",
     {{1, 0, 0, 1, 1, ASLEEP, WATCHING}, {61, 0, 0, KEEP, 0, ASLEEP, NONE}}},
    {"from nothing to work without delay", "MinWorkers 0", {{1, 0, 2, 0, 2, DEMAND, NONE}}},
    {"the size falls to what the window has seen and no further",
     "",
     {{1, 4, 0, 4, 4, DEMAND, NONE},
      {40, 3, 0, KEEP, 4, DEMAND, WATCHING},
      {61, 1, 0, KEEP, 3, DEMAND, WINDOW},
      {99, 1, 0, KEEP, 3, DEMAND, WINDOW},
      {100, 1, 0, KEEP, 1, DEMAND, NONE}}},
    {"a new peak within the window starts it again",
     "",
     {{1, 3, 0, 3, 3, DEMAND, NONE},
      {50, 1, 0, KEEP, 3, DEMAND, WATCHING},
      {55, 3, 0, KEEP, 3, DEMAND, NONE},
      {70, 1, 0, KEEP, 3, DEMAND, WINDOW},
      {114, 1, 0, KEEP, 3, DEMAND, WINDOW},
      {115, 1, 0, KEEP, 1, DEMAND, NONE}}},
    {"time alone ends the window: the same snapshot looked at again",
     "",
     {{1, 3, 0, 3, 3, DEMAND, NONE},
      {60, 1, 0, KEEP, 3, DEMAND, WATCHING},
      {61, 1, NO_DATA, KEEP, 1, DEMAND, NONE}}},
    {"after a restart nothing shrinks until a whole window has been watched",
     "",
     {{1, 1, 0, 5, 5, DEMAND, WATCHING},
      {31, 1, 0, KEEP, 5, DEMAND, WATCHING},
      {60, 1, 0, KEEP, 5, DEMAND, WATCHING},
      {61, 1, 0, KEEP, 1, DEMAND, NONE}}},
    {"after a restart growth is not delayed", "", {{1, 3, 1, 3, 4, DEMAND, NONE}}},
    {"after a gap in the data the window is watched anew",
     "",
     {{1, 3, 0, 3, 3, DEMAND, NONE},
      {60, 3, 0, KEEP, 3, DEMAND, NONE},
      {121, 1, 0, KEEP, 3, DEMAND, WATCHING},
      {180, 1, 0, KEEP, 3, DEMAND, WATCHING},
      {181, 1, 0, KEEP, 1, DEMAND, NONE}}},
    {"a window of nothing shrinks at once",
     "ScaleInWindow 0",
     {{1, 1, 0, 5, 1, DEMAND, NONE}, {2, 0, 0, KEEP, 1, MINIMUM, NONE}}},
    {"never below the demand, even far above the maximum",
     "ScaleInWindow 0",
     {{1, 7, 0, 8, 7, DEMAND, KEEPING}, {2, 4, 2, KEEP, 6, DEMAND, KEEPING}}},
    {"a pool above the maximum is not made larger",
     "ScaleInWindow 0",
     {{1, 7, 3, 8, 8, DEMAND, KEEPING}}},
    {"a pool above the maximum shrinks to it when the demand allows",
     "",
     {{1, 5, 0, 8, 8, DEMAND, WATCHING}, {61, 5, 0, KEEP, 5, DEMAND, NONE}}},
    {"a size lowered by hand is not raised by the window",
     "",
     {{1, 5, 0, 5, 5, DEMAND, NONE}, {30, 2, 0, 3, 3, DEMAND, WATCHING}}},
    {"a target utilization of 50 percent doubles the pool",
     "TargetUtilization 50, MaxWorkers 20",
     {{1, 2, 1, 3, 6, DEMAND, NONE}}},
    {"utilization rounds up",
     "TargetUtilization 80, MaxWorkers 20",
     {{1, 4, 0, 4, 5, DEMAND, NONE}, {2, 9, 0, KEEP, 12, DEMAND, NONE}}},
    {"a pool size that nobody has set is taken for one worker and written",
     "",
     {{1, 0, 0, SL_SIZE_UNSET, 1, MINIMUM, NONE}}},
    {"a pool size that nobody has set grows with the demand",
     "",
     {{1, 0, 3, SL_SIZE_UNSET, 3, DEMAND, NONE}}},
    {"demand from waiting runs alone, as in the tutorial, but never below the busy workers",
     "DemandFrom pending, ScaleInWindow 0",
     {{1, 1, 1, 1, 1, DEMAND, NONE}, {2, 3, 1, 4, 4, DEMAND, KEEPING}}},
    {"two runs per worker",
     "RunsPerWorker 2, MaxWorkers 20",
     {{1, 1, 4, 1, 3, DEMAND, NONE}, {2, 3, 7, KEEP, 5, DEMAND, NONE}}},
    {"two runs per worker, but no busy worker is taken away",
     "RunsPerWorker 2, ScaleInWindow 0",
     {{1, 4, 0, 5, 4, DEMAND, KEEPING}}},
    {"a spare worker is kept beside the busy ones",
     "SpareWorkers 1",
     {{1, 1, 0, 1, 2, DEMAND, NONE}, {2, 2, 0, KEEP, 3, DEMAND, NONE}}},
    {"a spare worker is kept for an empty queue",
     "SpareWorkers 2",
     {{1, 0, 0, 1, 2, DEMAND, NONE}}},
    {"spare workers end at the maximum", "SpareWorkers 3", {{1, 4, 0, 4, 5, DEMAND, MAXIMUM}}},
    {"square-root staffing: 16 busy, 4 to spare",
     "SpareWorkers 1, SpareRule square-root, MaxWorkers 100",
     {{1, 16, 0, 16, 20, DEMAND, NONE}, {2, 17, 0, KEEP, 22, DEMAND, NONE}}},
    {"a pool of at least nothing stays awake for the cooldown",
     "MinWorkers 0, Cooldown 120",
     {{1, 1, 0, 1, 1, DEMAND, NONE},
      {61, 0, 0, KEEP, 1, AWAKE, NONE},
      {120, 0, 0, KEEP, 1, AWAKE, NONE},
      {121, 0, 0, KEEP, 0, ASLEEP, NONE}}},
    {"a cooldown shorter than the window does not shorten it",
     "MinWorkers 0, Cooldown 20",
     {{1, 0, 0, 1, 1, AWAKE, NONE},
      {41, 1, 0, KEEP, 1, DEMAND, NONE},
      {61, 0, 0, KEEP, 1, ASLEEP, WINDOW},
      {101, 0, 0, KEEP, 0, ASLEEP, NONE}}},
    {"a sleeping pool wakes up with more runs than the threshold, not with as many",
     "MinWorkers 0, ActivationThreshold 2",
     {{1, 0, 2, 0, 0, ASLEEP, NONE}, {2, 0, 3, KEEP, 3, DEMAND, NONE}}},
    {"a pool that is awake does not look at the threshold",
     "MinWorkers 0, ActivationThreshold 2",
     {{1, 1, 1, 1, 2, DEMAND, NONE}}},
    {"a sleeping pool is smaller than MinWorkers and wakes up to it",
     "MinWorkers 2, IdleWorkers 1, ScaleInWindow 0",
     {{1, 1, 0, 2, 2, MINIMUM, NONE},
      {2, 0, 0, KEEP, 1, ASLEEP, NONE},
      {3, 0, 0, KEEP, 1, ASLEEP, NONE},
      {4, 0, 1, KEEP, 2, MINIMUM, NONE}}},
    {"a pool found asleep is not woken up by its minimum",
     "MinWorkers 2, IdleWorkers 0",
     {{1, 0, 0, 0, 0, ASLEEP, NONE}}},
    {"a short rush is waited out",
     "ScaleOutWindow 30",
     {{1, 1, 0, 1, 1, DEMAND, NONE},
      {11, 1, 3, KEEP, 1, DEMAND, OUT_WINDOW},
      {21, 1, 0, KEEP, 1, DEMAND, NONE},
      {41, 1, 3, KEEP, 1, DEMAND, OUT_WINDOW},
      {50, 1, 2, KEEP, 1, DEMAND, OUT_WINDOW},
      {52, 1, 2, KEEP, 3, DEMAND, NONE}}},
    {"at most 4 workers more in 15 s, as the HPA's default",
     "ScaleOutWorkers 4, ScaleOutPeriod 15, MaxWorkers 20",
     {{1, 1, 19, 1, 5, DEMAND, OUT_STEP},
      {2, 5, 15, KEEP, 5, DEMAND, OUT_STEP},
      {15, 5, 15, KEEP, 5, DEMAND, OUT_STEP},
      {16, 5, 15, KEEP, 9, DEMAND, OUT_STEP}}},
    {"double or 4 more, whichever is more: double",
     "ScaleOutWorkers 4, ScaleOutPercent 100, ScaleOutPeriod 15, MaxWorkers 100",
     {{1, 10, 90, 10, 20, DEMAND, OUT_STEP}}},
    {"double or 4 more, whichever is more: 4",
     "ScaleOutWorkers 4, ScaleOutPercent 100, ScaleOutPeriod 15, MaxWorkers 100",
     {{1, 2, 90, 2, 6, DEMAND, OUT_STEP}}},
    {"double or 4 more, whichever is less",
     "ScaleOutWorkers 4, ScaleOutPercent 100, ScaleOutPeriod 15, ScaleOutSelect smaller, "
     "MaxWorkers "
     "100",
     {{1, 10, 90, 10, 14, DEMAND, OUT_STEP}, {17, 14, 86, KEEP, 18, DEMAND, OUT_STEP}}},
    {"what was taken away meanwhile may be added again",
     "ScaleOutWorkers 1, ScaleOutPeriod 60",
     {{1, 1, 1, 1, 2, DEMAND, NONE}, {2, 1, 3, 1, 2, DEMAND, OUT_STEP}}},
    {"a percentage of nothing is one worker",
     "MinWorkers 0, ScaleOutPercent 50",
     {{1, 0, 5, 0, 1, DEMAND, OUT_STEP}}},
    {"the minimum is reached at once, whatever the limit",
     "MinWorkers 5, ScaleOutWorkers 1",
     {{1, 0, 0, 1, 5, MINIMUM, NONE}}},
    {"one worker less in a minute",
     "ScaleInWorkers 1, ScaleInPeriod 60, ScaleInWindow 0",
     {{1, 1, 0, 5, 4, DEMAND, IN_STEP},
      {2, 1, 0, KEEP, 4, DEMAND, IN_STEP},
      {60, 1, 0, KEEP, 4, DEMAND, IN_STEP},
      {61, 1, 0, KEEP, 3, DEMAND, IN_STEP}}},
    {"half of the pool less in a minute",
     "ScaleInPercent 50, ScaleInWindow 0, MaxWorkers 20",
     {{1, 1, 0, 9, 4, DEMAND, IN_STEP}}},
    {"never smaller, by option",
     "ScaleInSelect disabled, ScaleInWindow 0",
     {{1, 1, 0, 4, 4, DEMAND, NO_IN}}},
    {"never larger, by option", "ScaleOutSelect disabled", {{1, 1, 3, 1, 1, DEMAND, NO_OUT}}},
    {"a worker that has just come is not taken away",
     "NewWorkerGrace 180, ScaleInWindow 0",
     {{1, 1, 2, 1, 3, DEMAND, NONE},
      {2, 1, 0, KEEP, 3, DEMAND, GRACE},
      {180, 1, 0, KEEP, 3, DEMAND, GRACE},
      {181, 1, 0, KEEP, 1, DEMAND, NONE}}},
    {"fallback: a static size after three missed polls and five minutes",
     "Fallback static, FallbackWorkers 4, FallbackFailures 3, FallbackAfter 300",
     {{1, 1, 0, 1, 1, DEMAND, NONE},
      {300, 0, NO_DATA, KEEP, 1, HOLD, NONE},
      {301, 0, NO_DATA, KEEP, 4, FALLBACK, NONE},
      {400, 1, 0, KEEP, 4, DEMAND, WATCHING}}},
    {"fallback: smaller, but not below the last known demand",
     "Fallback static, FallbackWorkers 1, FallbackAfter 300",
     {{1, 3, 0, 5, 5, DEMAND, WATCHING}, {301, 0, NO_DATA, KEEP, 3, FALLBACK, NONE}}},
    {"fallback: no smaller where no demand was ever known",
     "Fallback static, FallbackWorkers 1, FallbackAfter 300",
     {{1, 0, NO_DATA, 5, 5, HOLD, NONE}, {301, 0, NO_DATA, KEEP, 5, FALLBACK, NONE}}},
    {"fallback: the higher of the two",
     "Fallback higher, FallbackWorkers 3, FallbackAfter 300",
     {{1, 1, 0, 1, 1, DEMAND, NONE},
      {301, 0, NO_DATA, 1, 3, FALLBACK, NONE},
      {302, 0, NO_DATA, 4, 4, FALLBACK, NONE}}},
    {"fallback: the lower of the two",
     "Fallback lower, FallbackWorkers 3, FallbackAfter 300",
     {{1, 1, 0, 1, 1, DEMAND, NONE},
      {301, 0, NO_DATA, 2, 2, FALLBACK, NONE},
      {302, 0, NO_DATA, 4, 3, FALLBACK, NONE}}},
    {"fallback: the size it has",
     "Fallback current, FallbackWorkers 3, FallbackAfter 300",
     {{1, 1, 0, 2, 2, DEMAND, WATCHING}, {999, 0, NO_DATA, KEEP, 2, HOLD, NONE}}},
    {"fallback ends at the maximum",
     "Fallback static, FallbackWorkers 50, FallbackAfter 300",
     {{1, 1, 0, 1, 1, DEMAND, NONE}, {301, 0, NO_DATA, KEEP, 5, FALLBACK, NONE}}},
    {"one reading adds no more than MaxJump, the next one as many again",
     "MaxJump 3, MaxWorkers 20",
     {{1, 1, 9, 1, 4, DEMAND, OUT_JUMP},
      {2, 1, NO_DATA, KEEP, 4, DEMAND, OUT_JUMP},
      {11, 4, 6, KEEP, 7, DEMAND, OUT_JUMP},
      {21, 7, 3, KEEP, 10, DEMAND, NONE}}},
    {"one reading takes away no more than MaxJump",
     "MaxJump 3, MaxWorkers 20, ScaleInWindow 0",
     {{1, 1, 0, 9, 6, DEMAND, IN_JUMP}, {11, 1, 0, KEEP, 3, DEMAND, IN_JUMP}}},
    {"no data from the start: the size stays", "", {{1, 0, NO_DATA, 3, 3, HOLD, NONE}}},
    {"no data from the start: the minimum is kept all the same",
     "MinWorkers 2",
     {{1, 0, NO_DATA, 0, 2, MINIMUM, NONE}}},
    {"no data from the start: an unset size stays unset",
     "",
     {{1, 0, NO_DATA, SL_SIZE_UNSET, SL_SIZE_UNSET, HOLD, NONE}}},
    {"no data: not even a size above the maximum is lowered",
     "",
     {{1, 0, NO_DATA, 9, 9, HOLD, NONE}}},
    {"an old snapshot is no empty queue: the size stays",
     "",
     {{1, 3, 0, 3, 3, DEMAND, NONE},
      {61, 3, NO_DATA, KEEP, 3, DEMAND, NONE},
      {62, 3, NO_DATA, KEEP, 3, HOLD, NONE},
      {999999, 3, NO_DATA, KEEP, 3, HOLD, NONE}}},
};

static void test_sentences(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run_case(&cases[i]);
    }
}

/* ---- data that is none ---- */

struct data_case {
    const char *name;
    struct sl_snapshot snapshot;
    enum sl_data_state state;
    const char *text;
};

static const struct data_case data_cases[] = {
    {"unknown pool",
     {.state = SL_DATA_UNKNOWN},
     SL_DATA_UNKNOWN,
     "Spacelift reports other pools, but none of this name: holding at 4 workers"},
    {"ambiguous name",
     {.state = SL_DATA_AMBIGUOUS},
     SL_DATA_AMBIGUOUS,
     "Spacelift reports two pools of this name: set WorkerPoolID: holding at 4 workers"},
    {"future",
     {.state = SL_DATA_FUTURE},
     SL_DATA_FUTURE,
     "data from the future: compare the clocks: holding at 4 workers"},
    {"late",
     {.state = SL_DATA_LATE},
     SL_DATA_LATE,
     "data arrives too late: compare the clocks, or look for a jam on the way: holding at 4 "
     "workers"},
    {"invalid",
     {.state = SL_DATA_INVALID},
     SL_DATA_INVALID,
     "numbers that cannot be: negative, not whole or too large: holding at 4 workers"},
    {"negative pending", {.runs_pending = -1}, SL_DATA_INVALID, NULL},
    {"negative busy", {.workers_busy = INT64_MIN}, SL_DATA_INVALID, NULL},
    {"stale",
     {.observed_ms = -75000},
     SL_DATA_STALE,
     "no data from Spacelift for 75 s: holding at 4 workers"},
};

/* ---- what holds besides the policy ---- */

struct condition_case {
    const char *name;
    const char *options;
    struct sl_conditions conditions; /* a cap of 0 is written as none */
    struct step step;
};

#define SCHEDULE SL_RULE_SCHEDULE
#define ORDER    SL_RULE_ORDER
#define PAUSED   SL_RULE_PAUSED
#define ADOPTED  SL_RULE_ADOPTED

static const struct condition_case condition_cases[] = {
    {"a schedule's floor keeps workers for nobody",
     "",
     {.floor = 3},
     {1, 0, 0, 1, 3, SCHEDULE, NONE}},
    {"more than the floor is wanted", "", {.floor = 3}, {1, 3, 1, 3, 4, DEMAND, NONE}},
    {"MaxWorkers is more than a schedule's floor may be",
     "",
     {.floor = 9},
     {1, 0, 0, 1, 5, SCHEDULE, NONE}},
    {"a schedule's cap holds growth", "", {.cap = 2}, {1, 1, 3, 1, 2, DEMAND, SL_CLAMP_SCHEDULE}},
    {"a schedule's cap takes no worker from a run",
     "ScaleInWindow 0",
     {.cap = 2},
     {1, 4, 0, 5, 4, DEMAND, KEEPING}},
    {"a spent budget holds growth",
     "",
     {.cap = 2, .is_cap_budget = true},
     {1, 2, 3, 2, 2, DEMAND, SL_CLAMP_BUDGET}},
    {"a spent budget cuts no run off",
     "ScaleInWindow 0",
     {.cap = 1, .is_cap_budget = true},
     {1, 3, 0, 3, 3, DEMAND, KEEPING}},
    {"a boost is a floor by order",
     "",
     {.floor = 4, .is_floor_ordered = true},
     {1, 1, 0, 1, 4, ORDER, NONE}},
    {"paused: nothing changes, whatever waits",
     "",
     {.is_paused = true, .paused_size = SL_SIZE_UNSET},
     {1, 1, 9, 2, 2, PAUSED, NONE}},
    {"a paused size is obeyed to the letter, even below the busy workers",
     "",
     {.is_paused = true, .paused_size = 0},
     {1, 3, 0, 3, 0, PAUSED, NONE}},
    {"no scale-in by order",
     "ScaleInWindow 0",
     {.is_scale_in_forbidden = true},
     {1, 1, 0, 4, 4, DEMAND, NO_IN}},
    {"no scale-in by order: larger all the same",
     "",
     {.is_scale_in_forbidden = true},
     {1, 1, 2, 1, 3, DEMAND, NONE}},
    {"no scale-out by order",
     "",
     {.is_scale_out_forbidden = true},
     {1, 1, 2, 1, 1, DEMAND, NO_OUT}},
    {"forced activation wakes a pool that sleeps",
     "MinWorkers 2, IdleWorkers 0",
     {.is_forced_active = true},
     {1, 0, 0, 0, 2, AWAKE, NONE}},
    {"a smaller size that somebody wrote is adopted below MinWorkers",
     "MinWorkers 3",
     {.has_adopted = true, .adopted_size = 1},
     {1, 0, 0, 1, 1, ADOPTED, NONE}},
    {"a larger size that somebody wrote is adopted above the demand",
     "ScaleInWindow 0",
     {.has_adopted = true, .adopted_size = 4},
     {1, 1, 0, 4, 4, ADOPTED, NONE}},
    {"an adopted size is left for a higher demand",
     "",
     {.has_adopted = true, .adopted_size = 1},
     {1, 1, 2, 1, 3, DEMAND, NONE}},
    {"an adopted size is no reason to be above MaxWorkers",
     "ScaleInWindow 0",
     {.has_adopted = true, .adopted_size = 9},
     {1, 0, 0, 9, 5, ADOPTED, NONE}},
    {"an order is more than what was adopted",
     "",
     {.has_adopted = true, .adopted_size = 1, .floor = 3, .is_floor_ordered = true},
     {1, 0, 0, 1, 3, ORDER, NONE}},
};

static void test_sentences_with_conditions(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof condition_cases / sizeof condition_cases[0]; i++) {
        const struct condition_case *k = &condition_cases[i];
        struct sl_policy policy = policy_of(k->options);
        struct sl_conditions c = k->conditions;
        struct sl_scaler_state state = {0};
        struct sl_snapshot s = {.runs_pending = k->step.pending,
                                .workers_busy = k->step.busy,
                                .observed_ms = 1000,
                                .interval_ms = 10000};
        struct sl_decision d;

        c.cap = c.cap == 0 ? SL_NO_CAP : c.cap;
        sl_policy_decide(&policy, &c, &state, &s, k->step.current, 1000, &d);
        if (d.size != k->step.size || d.rule != k->step.rule || d.clamp != k->step.clamp) {
            fail_msg("%s: %d -> %d (%s, %s), expected %d (%s, %s)", k->name, (int)d.current,
                     (int)d.size, sl_rule_name(d.rule), sl_clamp_name(d.clamp), (int)k->step.size,
                     sl_rule_name(k->step.rule), sl_clamp_name(k->step.clamp));
        }
    }
}

/* ---- weights ---- */

static int32_t weighted(const char *options, struct sl_snapshot s) {
    struct sl_policy policy = policy_of(options);
    struct sl_scaler_state state = {0};
    struct sl_decision d;

    s.observed_ms = 1000;
    sl_policy_decide(&policy, NULL, &state, &s, 1, 1000, &d);
    return d.size;
}

static void test_drift_detection_may_count_less_and_blocked_runs_may_count(void **unused) {
    struct sl_snapshot s = {
        .runs_pending = 5, .workers_busy = 1, .runs_drift = 3, .runs_blocked = 4};
    struct sl_snapshot impossible = {.runs_pending = 1, .runs_drift = 9};

    (void)unused;
    assert_int_equal(weighted("MaxWorkers 50", s), 6);
    assert_int_equal(weighted("MaxWorkers 50, DriftDetectionWeight 0", s), 3);
    assert_int_equal(weighted("MaxWorkers 50, DriftDetectionWeight 50", s), 5); /* 1 + 2 + 1.5 */
    assert_int_equal(weighted("MaxWorkers 50, BlockedWeight 25", s), 7);
    assert_int_equal(weighted("MaxWorkers 50, BlockedWeight 10", s), 7); /* 6.4, rounded up */
    assert_int_equal(weighted("MaxWorkers 50, DriftDetectionWeight 0, TargetUtilization 50", s), 6);
    assert_int_equal(weighted("MinWorkers 0, DriftDetectionWeight 0", impossible), 1);
}

static void test_a_run_of_no_weight_does_not_wake_a_pool(void **unused) {
    struct sl_policy policy = policy_of("MinWorkers 0, DriftDetectionWeight 0");
    struct sl_snapshot s = {.runs_pending = 2, .runs_drift = 2, .observed_ms = 1000};
    struct sl_scaler_state state = {0};
    struct sl_decision d;

    (void)unused;
    sl_policy_decide(&policy, NULL, &state, &s, 0, 1000, &d);
    assert_int_equal(d.size, 0);
    s.observed_ms = 2000;
    s.runs_pending = 3;
    sl_policy_decide(&policy, NULL, &state, &s, 0, 2000, &d);
    assert_int_equal(d.size, 1);
}

/* ---- spare workers for the start-up time ---- */

/* A run a minute for three hours; then the spare workers that are wanted with nothing running. */
static int32_t spare_after_a_while(const char *options) {
    struct sl_policy policy = policy_of(options);
    struct sl_scaler_state state = {0};
    struct sl_decision d = {0};
    int32_t current = 1;

    for (int64_t s = 1; s < 3600 * 3; s += 10) {
        struct sl_snapshot snapshot = {
            .workers_busy = s % 60 == 1 ? 1 : 0, /* one comes each minute, and ends */
            .observed_ms = s * 1000,
            .interval_ms = 10000,
        };

        sl_policy_decide(&policy, NULL, &state, &snapshot, current, s * 1000, &d);
        current = d.size;
    }
    return d.spare;
}

static void test_spare_workers_are_the_quantile_of_arrivals_while_one_starts(void **unused) {
    const char *slow = "SpareRule arrivals, StartupTime 180, MaxWorkers 50";
    const char *fast = "SpareRule arrivals, StartupTime 5, MaxWorkers 50";
    const char *surer = "SpareRule arrivals, StartupTime 180, SpareQuantile 99, MaxWorkers 50";

    (void)unused;
    assert_int_equal(spare_after_a_while(slow), 5); /* Poisson of 1 a minute in 190 s: 3.2 */
    assert_int_equal(spare_after_a_while(fast), 1);
    assert_int_equal(spare_after_a_while(surer), 8);
    assert_int_equal(spare_after_a_while("SpareRule arrivals, MaxWorkers 50"), 1); /* 15 s */
}

/* From the growth that decide() asked for to the reading in which so many are registered. */
static void test_the_startup_time_is_measured(void **unused) {
    struct sl_policy policy = policy_of("MaxWorkers 50");
    struct sl_scaler_state state = {0};
    int32_t current = 1;

    (void)unused;
    assert_int_equal(sl_policy_startup_ms(&policy, &state), 15000);
    for (int64_t s = 0; s <= 60; s += 10) {
        struct sl_snapshot snapshot = {
            .runs_pending = 2,
            .workers_busy = 1,
            .workers = s >= 40 ? 3 : 1, /* asked for at 0, there at 40 */
            .observed_ms = s * 1000,
            .interval_ms = 10000,
        };
        struct sl_decision d;

        sl_policy_decide(&policy, NULL, &state, &snapshot, current, s * 1000, &d);
        current = d.size;
    }
    assert_int_equal(sl_policy_startup_ms(&policy, &state), 40000);
    policy.startup_ms = 7000; /* by option */
    assert_int_equal(sl_policy_startup_ms(&policy, &state), 7000);
}

/* The size after two runs have come and gone and `rest_s` of quiet, in a pool whose workers take
 * startup_s. */
static int32_t size_after_rest(int64_t startup_s, int64_t rest_s) {
    struct sl_policy policy = policy_of("MaxWorkers 50, ScaleInWindow -1");
    struct sl_scaler_state state = {0};
    int64_t quiet_s = 600 + startup_s;
    int32_t current = 1;

    for (int64_t s = 0; s <= quiet_s + rest_s; s += 5) {
        struct sl_snapshot snapshot = {
            .workers_busy = s >= 600 && s < quiet_s ? 3 : 1,
            .workers = s >= quiet_s ? 3 : 1,
            .observed_ms = s * 1000,
            .interval_ms = 5000,
        };
        struct sl_decision d;

        sl_policy_decide(&policy, NULL, &state, &snapshot, current, s * 1000, &d);
        current = d.size;
    }
    return current;
}

/* Nobody has to know how long a worker takes: a pool whose workers come slowly keeps them longer.
 */
static void test_idle_workers_are_kept_as_long_as_they_are_worth(void **unused) {
    static const struct {
        int64_t startup_s;
        int64_t window_s;
    } rows[] = {{5, 60}, {30, 150}, {50, 250}, {180, 270}, {900, 270}};

    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        /* The last snapshot that wanted three is 5 s before the rest begins. */
        assert_int_equal(size_after_rest(rows[i].startup_s, rows[i].window_s - 10), 3);
        assert_int_equal(size_after_rest(rows[i].startup_s, rows[i].window_s), 1);
    }
}

static void test_a_window_by_option_is_kept_to_the_letter(void **unused) {
    struct sl_policy policy = policy_of("ScaleInWindow 20, StartupTime 180");
    struct sl_scaler_state state = {.has_startup = true, .startup_ms = 40000};

    (void)unused;
    assert_int_equal(sl_policy_scale_in_window_ms(&policy, &state), 20000);
    policy = policy_of("StartupTime 30, ScaleInWindow -1");
    assert_int_equal(sl_policy_scale_in_window_ms(&policy, &state), 150000);
}

/* Asked for at 1 s, registered at 100 s: the grace is 180 s from then. */
static void test_a_worker_that_has_just_registered_is_not_taken_away(void **unused) {
    struct sl_policy policy = policy_of("NewWorkerGrace 180, ScaleInWindow 0");
    struct sl_scaler_state state = {0};
    int32_t current = 1;

    (void)unused;
    for (int64_t s = 1; s <= 280; s++) {
        struct sl_snapshot snapshot = {
            .workers_busy = 1,
            .runs_pending = s < 100 ? 1 : 0,
            .workers = s < 100 ? 1 : 2,
            .observed_ms = s * 1000,
        };
        struct sl_decision d;

        sl_policy_decide(&policy, NULL, &state, &snapshot, current, s * 1000, &d);
        current = d.size;
        assert_int_equal(current, s < 280 ? 2 : 1);
    }
}

/* ---- idle workers, one by one ---- */

struct worker {
    bool is_busy;
    int64_t since_ms; /* it is idle, or busy */
};

enum { CREW_POLL_MS = 5000 };

struct crew {
    struct worker workers[64];
    int32_t count;
    bool is_newest_first; /* Spacelift gives a run to the worker that became free last; else any */
    uint64_t *seed;
};

static int32_t pick(struct crew *c, bool is_busy, bool is_newest) {
    int32_t best = -1;

    for (int32_t i = 0; i < c->count; i++) {
        const struct worker *w = &c->workers[i];

        if (w->is_busy == is_busy &&
            (best < 0 || (w->since_ms > c->workers[best].since_ms) == is_newest)) {
            best = i;
        }
    }
    return best;
}

static int32_t pick_any(struct crew *c, bool is_busy) {
    int32_t start = (int32_t)below(c->seed, c->count);

    for (int32_t i = 0; i < c->count; i++) {
        int32_t at = (start + i) % c->count;

        if (c->workers[at].is_busy == is_busy) {
            return at;
        }
    }
    return -1;
}

static int32_t count_busy(const struct crew *c) {
    int32_t busy = 0;

    for (int32_t i = 0; i < c->count; i++) {
        busy += c->workers[i].is_busy ? 1 : 0;
    }
    return busy;
}

static void employ(struct crew *c, int32_t busy, int64_t now_ms) {
    int32_t now_busy = count_busy(c);

    for (; now_busy < busy; now_busy++) {
        int32_t i = c->is_newest_first ? pick(c, false, true) : pick_any(c, false);

        c->workers[i] = (struct worker){true, now_ms};
    }
    for (; now_busy > busy; now_busy--) {
        /* A moment after the snapshot before. */
        c->workers[pick_any(c, true)] = (struct worker){false, now_ms - CREW_POLL_MS};
    }
}

/* Takes the longest idle ones away. Returns how long the last of them had been idle. */
static int64_t dismiss(struct crew *c, int32_t size, int64_t now_ms) {
    int64_t idle_ms = INT64_MAX;

    while (c->count > size) {
        int32_t i = pick(c, false, false);

        assert_true(i >= 0); /* never a busy one */
        idle_ms = now_ms - c->workers[i].since_ms;
        c->workers[i] = c->workers[--c->count];
    }
    return idle_ms;
}

static void walk_with_a_crew(uint64_t *seed, bool is_newest_first) {
    struct sl_policy policy = policy_of("MaxWorkers 50, ScaleInWindow 60");
    struct sl_scaler_state state = {0};
    struct crew crew = {.count = 1, .is_newest_first = is_newest_first, .seed = seed};
    int32_t idle[600]; /* at each snapshot */
    int32_t demand = 0;

    for (int32_t step = 0; step < 600; step++) {
        int64_t now_ms = step * CREW_POLL_MS;
        struct sl_snapshot snapshot;
        struct sl_decision d;

        demand = smaller((int32_t)below(seed, 4) == 0 ? (int32_t)below(seed, 20) : demand, 50);
        employ(&crew, smaller(crew.count, demand), now_ms);
        snapshot =
            sl_snapshot_of(demand - count_busy(&crew), count_busy(&crew), now_ms, CREW_POLL_MS);
        idle[step] = crew.count - count_busy(&crew);
        sl_policy_decide(&policy, NULL, &state, &snapshot, crew.count, now_ms, &d);
        if (d.size < crew.count) {
            int32_t all_through = idle[step];

            for (int32_t back = step; back >= 0 && back > step - 12; back--) {
                all_through = smaller(all_through, idle[back]);
            }
            assert_true(crew.count - d.size <= all_through);
            if (dismiss(&crew, d.size, now_ms) < 60000) {
                assert_false(is_newest_first);
            }
        }
        while (crew.count < d.size) {
            crew.workers[crew.count++] = (struct worker){false, now_ms};
        }
    }
}

/* The rule counts workers and knows none by name. It takes away no more than were idle all through
 * ScaleInWindow, and as Spacelift gives runs to the worker that became free last, each of those it
 * takes has been idle that long itself. */
static void test_no_worker_leaves_that_was_not_idle_all_through_the_window(void **unused) {
    uint64_t seed = 7;

    (void)unused;
    for (int i = 0; i < 200; i++) {
        walk_with_a_crew(&seed, true);
        walk_with_a_crew(&seed, false);
    }
}

static void test_no_data_never_shrinks(void **unused) {
    struct sl_policy policy = policy_of("ScaleInWindow 0");

    (void)unused;
    for (size_t i = 0; i < sizeof data_cases / sizeof data_cases[0]; i++) {
        const struct data_case *c = &data_cases[i];
        struct sl_scaler_state state = {0};
        struct sl_decision d;
        char text[256];

        sl_policy_decide(&policy, NULL, &state, &c->snapshot, 4, 0, &d);
        (void)sl_decision_describe(&policy, &d, 0, text, sizeof text);
        if (d.size != 4 || d.data != c->state || d.rule != SL_RULE_HOLD) {
            fail_msg("%s: size %d, state %d", c->name, (int)d.size, (int)d.data);
        }
        if (c->text != NULL) {
            assert_string_equal(text, c->text);
        }
    }
}

struct value_case {
    const char *name;
    double pending;
    double busy;
    enum sl_data_state state;
};

static void test_values_of_a_data_source(void **unused) {
    static const struct value_case values[] = {
        {"whole", 3, 4, SL_DATA_GOOD},
        {"nothing at all", 0, 0, SL_DATA_GOOD},
        {"minus zero", -0.0, 0, SL_DATA_GOOD},
        {"NaN pending", __builtin_nan(""), 1, SL_DATA_INVALID},
        {"NaN busy", 1, __builtin_nan(""), SL_DATA_INVALID},
        {"infinite", __builtin_inf(), 1, SL_DATA_INVALID},
        {"minus infinite", 1, -__builtin_inf(), SL_DATA_INVALID},
        {"negative", -1, 1, SL_DATA_INVALID},
        {"a fraction", 1.5, 1, SL_DATA_INVALID},
        {"more runs than there can be", 1e18, 1, SL_DATA_INVALID},
        {"the most that is believed", 1e9, 1, SL_DATA_GOOD},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct sl_snapshot s = sl_snapshot_of(values[i].pending, values[i].busy, 7, 10000);

        if (s.state != values[i].state || s.observed_ms != 7 || s.interval_ms != 10000) {
            fail_msg("%s: state %d", values[i].name, (int)s.state);
        }
    }
}

static void test_stale_after(void **unused) {
    struct sl_policy policy = policy_of("");
    struct sl_snapshot s = {.interval_ms = 10000};

    (void)unused;
    assert_int_equal(sl_policy_stale_after_ms(&policy, &s), 60000);
    policy.stale_after_ms = 0;
    assert_int_equal(sl_policy_stale_after_ms(&policy, NULL), 60000);
    assert_int_equal(sl_policy_stale_after_ms(&policy, &s), 60000);
    s.interval_ms = 300000;
    assert_int_equal(sl_policy_stale_after_ms(&policy, &s), 900000);
    s.interval_ms = INT64_MAX;
    assert_int_equal(sl_policy_stale_after_ms(&policy, &s), INT64_MAX);
}

/* ---- what people read ---- */

struct text_case {
    const char *options;
    int64_t pending;
    int64_t busy;
    int32_t current;
    const char *text;
};

static void test_words(void **unused) {
    static const struct text_case texts[] = {
        {"", 1, 1, 1, "busy 1 + pending 1 = 2"},
        {"", 8, 1, 1, "busy 1 + pending 8 = 9, held at MaxWorkers 5 (4 more would be used)"},
        {"", 0, 0, 1, "busy 0 + pending 0 = 0, MinWorkers 1"},
        {"TargetUtilization 80, MaxWorkers 20", 0, 9, 9,
         "busy 9 + pending 0 = 9, 12 workers at 80 % utilization"},
        {"", 0, 1, 4,
         "busy 1 + pending 0 = 1, not smaller for 60 s: ScaleInWindow (60 s) has not been watched "
         "in full"},
        {"ScaleInWindow 0", 0, 7, 8,
         "busy 7 + pending 0 = 7, above the limit of 5, but not below the demand"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sl_policy policy = policy_of(texts[i].options);
        struct sl_scaler_state state = {0};
        struct sl_snapshot s = {.runs_pending = texts[i].pending, .workers_busy = texts[i].busy};
        struct sl_decision d;
        char text[256];

        sl_policy_decide(&policy, NULL, &state, &s, texts[i].current, 0, &d);
        (void)sl_decision_describe(&policy, &d, 0, text, sizeof text);
        assert_string_equal(text, texts[i].text);
        assert_int_equal(sl_decision_describe(&policy, &d, 0, text, 8), strlen(texts[i].text));
    }
}

static void test_words_of_the_window(void **unused) {
    struct sl_policy policy = policy_of("");
    struct sl_scaler_state state = {0};
    struct sl_snapshot s = {.workers_busy = 4};
    struct sl_decision d;
    char text[256];

    (void)unused;
    sl_policy_decide(&policy, NULL, &state, &s, 4, 0, &d);
    s = (struct sl_snapshot){.workers_busy = 3, .observed_ms = 30000};
    sl_policy_decide(&policy, NULL, &state, &s, 4, 30000, &d);
    s = (struct sl_snapshot){.workers_busy = 1, .observed_ms = 60000};
    sl_policy_decide(&policy, NULL, &state, &s, 4, 60001, &d);
    (void)sl_decision_describe(&policy, &d, 60001, text, sizeof text);
    assert_string_equal(text,
                        "busy 1 + pending 0 = 1, not below 3 for 30 s: that was wanted within "
                        "ScaleInWindow (60 s)");
    assert_int_equal(d.next_change_ms, 90000);
}

/* ---- contradictions ---- */

static void test_check_refuses(void **unused) {
    struct sl_policy good = policy_of("");
    struct sl_policy bad[] = {good, good, good, good, good, good};
    struct sl_error err = SL_ERROR_INIT;

    (void)unused;
    bad[0].min_workers = 6;
    bad[1].min_workers = -1;
    bad[2].max_workers = SL_LIMIT_WORKERS + 1;
    bad[3].target_utilization_percent = 0;
    bad[4].scale_out_window_ms = -1;
    bad[5].stale_after_ms = -1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(sl_policy_check(&bad[i], &err), SL_CONFIG);
    }
    assert_int_equal(sl_policy_check(&bad[0], &err), SL_CONFIG);
    assert_string_equal(err.text, "MinWorkers 6 is more than MaxWorkers 5: lower the one or raise "
                                  "the other");
}

/* ---- invariants ---- */

/* Mostly small numbers, sometimes absurd ones. */
static int64_t some_count(uint64_t *seed) {
    static const int64_t extremes[] = {0, 1, INT32_MAX, INT64_MAX, INT64_MAX - 1, 1000000000};

    if (below(seed, 50) == 0) {
        return extremes[below(seed, (int64_t)(sizeof extremes / sizeof extremes[0]))];
    }
    return below(seed, 30);
}

static struct sl_step_limit some_limit(uint64_t *seed) {
    struct sl_step_limit limit = {
        .workers = (int32_t)below(seed, 5),
        .percent = (int32_t)below(seed, 3) * 50,
        .period_ms = 1 + below(seed, 100000),
        .select = (enum sl_step_select)below(seed, 3),
    };

    return limit;
}

/* Every knob there is, in some position. */
static void turn_knobs(struct sl_policy *p, uint64_t *seed) {
    p->demand_rule = (enum sl_demand_rule)below(seed, 2);
    p->runs_per_worker = (int32_t)below(seed, 4);
    p->spare_rule = (enum sl_spare_rule)below(seed, 3);
    p->spare_workers = (int32_t)below(seed, 3);
    p->spare_quantile_percent = (int32_t)below(seed, 100);
    p->startup_ms = below(seed, 200000);
    p->has_idle_workers = below(seed, 2) == 0;
    p->idle_workers = p->has_idle_workers ? (int32_t)below(seed, p->min_workers + 1) : 0;
    p->activation_threshold = (int32_t)below(seed, 3);
    p->cooldown_ms = below(seed, 100000);
    p->scale_out_window_ms = below(seed, 2) == 0 ? 0 : below(seed, 60000);
    if (below(seed, 2) == 0) {
        p->scale_out = some_limit(seed);
        p->scale_in = some_limit(seed);
    }
    p->new_worker_grace_ms = below(seed, 100000);
    p->drift_discount_percent = below(seed, 2) == 0 ? (int32_t)below(seed, 101) : 0;
    p->blocked_weight_percent = below(seed, 2) == 0 ? (int32_t)below(seed, 101) : 0;
    p->max_jump = below(seed, 2) == 0 ? (int32_t)below(seed, 10) : 0;
    p->fallback = (struct sl_fallback){
        .mode = (enum sl_fallback_mode)below(seed, 5),
        .workers = (int32_t)below(seed, 20),
        .failures = (int32_t)below(seed, 4),
        .after_ms = below(seed, 100000),
    };
}

static struct sl_policy some_policy(uint64_t *seed) {
    struct sl_policy p = {
        .min_workers = (int32_t)below(seed, 4),
        .target_utilization_percent = (int32_t)(1 + below(seed, 100)),
        .scale_in_window_ms = below(seed, 3) == 0 ? below(seed, 2) - 1 : below(seed, 300000),
        .stale_after_ms = below(seed, 2) == 0 ? 0 : 1 + below(seed, 100000),
    };

    p.max_workers = p.min_workers + 1 + (int32_t)below(seed, 40);
    if (below(seed, 20) == 0) {
        p.max_workers = SL_LIMIT_WORKERS;
    }
    if (below(seed, 2) == 0) {
        turn_knobs(&p, seed);
    }
    assert_int_equal(sl_policy_check(&p, NULL), SL_OK);
    return p;
}

static struct sl_conditions some_conditions(uint64_t *seed) {
    struct sl_conditions c = {.cap = SL_NO_CAP, .paused_size = SL_SIZE_UNSET};

    if (below(seed, 4) != 0) {
        return c;
    }
    c.floor = (int32_t)below(seed, 10);
    c.is_floor_ordered = below(seed, 2) == 0;
    c.cap = below(seed, 2) == 0 ? SL_NO_CAP : (int32_t)below(seed, 30);
    c.is_cap_budget = below(seed, 2) == 0;
    c.is_paused = below(seed, 4) == 0;
    c.paused_size = below(seed, 2) == 0 ? SL_SIZE_UNSET : (int32_t)below(seed, 10);
    c.is_scale_in_forbidden = below(seed, 4) == 0;
    c.is_scale_out_forbidden = below(seed, 4) == 0;
    c.is_forced_active = below(seed, 4) == 0;
    c.has_adopted = below(seed, 4) == 0;
    c.adopted_size = (int32_t)below(seed, 20);
    return c;
}

static bool is_limited(const struct sl_policy *p) {
    return p->demand_rule != SL_DEMAND_BUSY_AND_PENDING || p->runs_per_worker > 1 ||
           p->activation_threshold > 0 || p->scale_out_window_ms > 0 || p->scale_out.workers > 0 ||
           p->scale_out.percent > 0 || p->scale_out.select == SL_STEP_DISABLED || p->max_jump > 0;
}

/* A fault never makes a pool smaller, except by a fallback that is asked for. */
static void check_fault(const struct sl_policy *p, const struct sl_scaler_state *before,
                        const struct sl_decision *d) {
    int64_t known = before->has_good ? before->known_demand : INT32_MAX;

    assert_true(d->size >= d->current || d->rule == SL_RULE_FALLBACK);
    assert_true(d->size >= smaller(d->current, known));
    assert_true(d->size <= d->cap || d->size <= d->current);
    assert_true(d->size == d->current || d->rule != SL_RULE_HOLD);
    assert_true(p->fallback.mode != SL_FALLBACK_HOLD || d->size >= d->current);
}

static void check_invariants(const struct sl_policy *p, const struct sl_conditions *c,
                             const struct sl_scaler_state *state, const struct sl_decision *d) {
    int32_t before = d->current == SL_SIZE_UNSET ? 1 : d->current;

    if (c->is_paused) {
        assert_int_equal(d->size, c->paused_size == SL_SIZE_UNSET ? d->current : c->paused_size);
        return;
    }
    if (d->data != SL_DATA_GOOD) {
        check_fault(p, state, d);
        return;
    }
    if (d->size == SL_SIZE_UNSET) {
        assert_true(d->current == SL_SIZE_UNSET && c->is_scale_out_forbidden);
        return;
    }
    assert_true(d->size >= smaller(before, d->demand));  /* never below the demand */
    assert_true(d->size <= d->cap || d->size <= before); /* growth ends at the cap */
    assert_true(d->cap <= p->max_workers && d->floor <= d->cap);
    assert_true(d->size >= d->floor || (d->clamp == SL_CLAMP_NO_OUT && d->size == before));
    assert_true(d->size <= d->cap || d->clamp >= SL_CLAMP_WATCHING);
    assert_true(d->size == d->wanted || d->clamp != SL_CLAMP_NONE);
    assert_true(!c->is_scale_in_forbidden || d->size >= d->current);
    assert_true(!c->is_scale_out_forbidden || d->size <= before);
    if (!is_limited(p) && !c->is_scale_out_forbidden) {
        assert_true(d->size >= smaller(d->cap, d->demand)); /* all the workers that may be had */
    }
    assert_int_equal(d->unmet, d->demand > d->size ? d->demand - d->size : 0);
}

/* The same question again gets the same answer; the answer, once carried out, is final. */
static void check_idempotent(const struct sl_policy *p, const struct sl_conditions *c,
                             const struct sl_scaler_state *state, const struct sl_snapshot *s,
                             int64_t now_ms, const struct sl_decision *d) {
    struct sl_scaler_state copy = *state;
    struct sl_decision again;

    sl_policy_decide(p, c, &copy, s, d->current, now_ms, &again);
    assert_int_equal(again.size, d->size);
    sl_policy_decide(p, c, &copy, s, d->size, now_ms, &again);
    assert_int_equal(again.size, d->size);
}

/* Whoever sleeps until next_change_ms, or until the data is stale, misses nothing. */
static void check_next_change(const struct sl_policy *p, const struct sl_conditions *c,
                              const struct sl_scaler_state *state, const struct sl_snapshot *s,
                              int64_t now_ms, const struct sl_decision *d, uint64_t *seed) {
    struct sl_scaler_state copy = *state;
    int64_t stale_ms = s->observed_ms + sl_policy_stale_after_ms(p, s) + 1;
    int64_t until_ms = d->next_change_ms;
    struct sl_decision again;

    if (d->data != SL_DATA_STALE && stale_ms < until_ms) {
        until_ms = stale_ms;
    }
    if (until_ms > now_ms + 4000000) {
        until_ms = now_ms + 4000000;
    }
    if (until_ms > now_ms) {
        now_ms = below(seed, 4) == 0 ? until_ms - 1 : now_ms + below(seed, until_ms - now_ms);
        sl_policy_decide(p, c, &copy, s, d->size, now_ms, &again);
        assert_int_equal(again.size, d->size);
    }
}

/* One more run never makes the pool smaller. */
static void check_monotone(const struct sl_policy *p, const struct sl_conditions *c,
                           const struct sl_scaler_state *before, const struct sl_snapshot *s,
                           int64_t now_ms, const struct sl_decision *d) {
    struct sl_scaler_state copy = *before;
    struct sl_snapshot more = *s;
    struct sl_decision other;

    if (d->data != SL_DATA_GOOD || s->runs_pending == INT64_MAX) {
        return;
    }
    more.runs_pending++;
    sl_policy_decide(p, c, &copy, &more, d->current, now_ms, &other);
    assert_true(other.size >= d->size);
}

/* Every decision has words, and they fit. */
static void check_words(const struct sl_policy *p, const struct sl_decision *d, int64_t now_ms) {
    char text[400];
    int len = sl_decision_describe(p, d, now_ms, text, sizeof text);

    assert_in_range(len, 10, sizeof text - 1);
    assert_null(strstr(text, "(null)"));
    assert_non_null(sl_rule_name(d->rule));
    assert_non_null(sl_clamp_name(d->clamp));
    assert_non_null(sl_data_state_name(d->data));
}

static struct sl_snapshot some_snapshot(uint64_t *seed, int64_t now_ms) {
    struct sl_snapshot s = {
        .state =
            below(seed, 20) == 0 ? (enum sl_data_state)below(seed, SL_DATA_STALE) : SL_DATA_GOOD,
        .runs_pending = some_count(seed),
        .workers_busy = some_count(seed),
        .runs_drift = some_count(seed),
        .runs_blocked = some_count(seed),
        .workers = some_count(seed),
        .observed_ms = now_ms - below(seed, 2000),
        .interval_ms = 10000,
    };

    if (below(seed, 100) == 0) {
        s.runs_pending = -s.runs_pending - 1;
    }
    return s;
}

static void walk(uint64_t *seed) {
    struct sl_policy p = some_policy(seed);
    struct sl_conditions c = some_conditions(seed);
    struct sl_scaler_state state = {0};
    int64_t now_ms = below(seed, 1000000);
    int32_t current = (int32_t)below(seed, 20) - 1;

    for (int step = 0; step < 100; step++) {
        struct sl_scaler_state before = state;
        struct sl_snapshot s = some_snapshot(seed, now_ms);
        struct sl_decision d;

        sl_policy_decide(&p, &c, &state, &s, current, now_ms, &d);
        check_invariants(&p, &c, &before, &d);
        if (step % 8 == 0) {
            check_idempotent(&p, &c, &state, &s, now_ms, &d);
            check_next_change(&p, &c, &state, &s, now_ms, &d, seed);
            check_monotone(&p, &c, &before, &s, now_ms, &d);
            check_words(&p, &d, now_ms);
        }
        current = below(seed, 30) == 0 ? (int32_t)below(seed, 60) : d.size;
        now_ms += below(seed, below(seed, 20) == 0 ? 400000 : 15000);
        if (below(seed, 20) == 0) {
            c = some_conditions(seed);
        }
    }
}

/* SL_POLICY_WALKS=100000 makes it ten million steps. */
static void test_invariants(void **unused) {
    const char *walks_text = getenv("SL_POLICY_WALKS");
    long walks = walks_text != NULL ? strtol(walks_text, NULL, 10) : 20000;
    uint64_t seed = 0x5eed;

    (void)unused;
    for (long i = 0; i < walks; i++) {
        walk(&seed);
    }
}

static void test_extreme_clocks(void **unused) {
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    struct sl_policy policy = policy_of("");
    size_t n = sizeof times / sizeof times[0];

    (void)unused;
    for (size_t i = 0; i < n * n; i++) {
        struct sl_scaler_state state = {0};
        struct sl_snapshot s = {.workers_busy = 1, .observed_ms = times[i / n]};
        struct sl_decision d;

        sl_policy_decide(&policy, NULL, &state, &s, 3, times[i % n], &d);
        assert_true(d.size == 3 || d.size == 1);
        sl_policy_decide(&policy, NULL, &state, &s, 3, times[i % n], &d);
        assert_true(d.size == 3 || d.size == 1);
    }
}

/* ---- the history alone, against one that keeps everything ---- */

enum { ALL_PEAKS = 2000 };

static int32_t true_peak(const struct sl_peak *all, size_t n, int64_t now_ms, int64_t window_ms) {
    int32_t peak = -1;

    for (size_t i = 0; i < n; i++) {
        if (now_ms - all[i].at_ms < window_ms && all[i].wanted > peak) {
            peak = all[i].wanted;
        }
    }
    return peak;
}

/* range: of the values. Up to SL_HISTORY_PEAKS different ones the answer is exact. */
static void compare_histories(uint64_t seed, int64_t range) {
    struct sl_history h = {0};
    static struct sl_peak all[ALL_PEAKS];
    const int64_t window_ms = 50000;
    int64_t now_ms = 0;

    for (size_t i = 0; i < ALL_PEAKS; i++) {
        int64_t until_ms = 0;
        int32_t expected = 0;
        int32_t peak = 0;

        now_ms += below(&seed, 1000);
        all[i] = (struct sl_peak){now_ms, (int32_t)below(&seed, range)};
        sl_history_add(&h, now_ms, all[i].wanted, window_ms);
        assert_true(h.count <= SL_HISTORY_PEAKS);
        peak = sl_history_peak(&h, now_ms + 20, window_ms, &until_ms);
        expected = true_peak(all, i + 1, now_ms + 20, window_ms);
        assert_true(peak >= expected);
        if (range <= SL_HISTORY_PEAKS) {
            assert_int_equal(peak, expected);
        }
        assert_true(until_ms > now_ms);
    }
}

static void test_history(void **unused) {
    (void)unused;
    for (uint64_t seed = 1; seed < 40; seed++) {
        compare_histories(seed * 77, 5);
        compare_histories(seed * 77, SL_HISTORY_PEAKS);
        compare_histories(seed * 77, 100000);
    }
}

/* A slow fall over more values than the history has room for: never too low. */
static void test_history_overflow_is_cautious(void **unused) {
    struct sl_history h = {0};
    int64_t until_ms = 0;

    (void)unused;
    for (int32_t i = 0; i < 500; i++) {
        sl_history_add(&h, i * 10, 1000 - i, 100000);
    }
    assert_int_equal(sl_history_peak(&h, 5000, 100000, &until_ms), 1000);
    for (int64_t now_ms = 100000; now_ms < 104990; now_ms += 10) {
        int32_t at_least = 1000 - (int32_t)((now_ms - 100000) / 10) - 1;

        assert_true(sl_history_peak(&h, now_ms, 100000, &until_ms) >= at_least);
    }
    assert_int_equal(sl_history_peak(&h, 104990, 100000, &until_ms), -1);
    sl_history_add(&h, 0, 3, 100000);
    assert_int_equal(sl_history_peak(&h, 5000, 100000, &until_ms), 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_sentences_with_conditions),
        cmocka_unit_test(test_drift_detection_may_count_less_and_blocked_runs_may_count),
        cmocka_unit_test(test_a_run_of_no_weight_does_not_wake_a_pool),
        cmocka_unit_test(test_spare_workers_are_the_quantile_of_arrivals_while_one_starts),
        cmocka_unit_test(test_the_startup_time_is_measured),
        cmocka_unit_test(test_idle_workers_are_kept_as_long_as_they_are_worth),
        cmocka_unit_test(test_a_window_by_option_is_kept_to_the_letter),
        cmocka_unit_test(test_a_worker_that_has_just_registered_is_not_taken_away),
        cmocka_unit_test(test_no_worker_leaves_that_was_not_idle_all_through_the_window),
        cmocka_unit_test(test_no_data_never_shrinks),
        cmocka_unit_test(test_values_of_a_data_source),
        cmocka_unit_test(test_stale_after),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_words_of_the_window),
        cmocka_unit_test(test_check_refuses),
        cmocka_unit_test(test_invariants),
        cmocka_unit_test(test_extreme_clocks),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_history_overflow_is_cautious),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
