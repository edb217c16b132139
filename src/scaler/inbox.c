/* Which values count. The rules are few, but each comes from a way in which two clocks, two hosts
 * or two pools of one name can mislead a scaler. */
#include "scaler/inbox.h"

#include <stdio.h>
#include <string.h>

#include "base/times.h"

/* Remembers that a pool with this id is alive. False if another one is, too. */
static bool is_only_source(struct sl_inbox *box, const char *id, int64_t now_ms, int64_t alive_ms) {
    struct sl_inbox_source *mine = NULL;
    struct sl_inbox_source *oldest = &box->sources[0];
    size_t alive = 0;

    for (size_t i = 0; i < SL_INBOX_SOURCES; i++) {
        struct sl_inbox_source *s = &box->sources[i];

        if (s->is_used && strncmp(s->id, id, sizeof s->id - 1) == 0) {
            mine = s;
        } else if (s->is_used && sl_time_since(now_ms, s->seen_ms) <= alive_ms) {
            alive++;
        }
        if (!s->is_used || (oldest->is_used && s->seen_ms < oldest->seen_ms)) {
            oldest = s;
        }
    }
    if (mine == NULL) {
        mine = oldest;
        (void)snprintf(mine->id, sizeof mine->id, "%s", id);
        mine->is_used = true;
    }
    mine->seen_ms = now_ms;
    return alive == 0;
}

static struct sl_snapshot snapshot_of(enum sl_data_state state, const struct sl_pool_values *values,
                                      int64_t now_ms) {
    return (struct sl_snapshot){
        .state = state,
        .observed_ms = now_ms,
        .interval_ms = values->interval_ms,
    };
}

static bool put(struct sl_inbox *box, struct sl_snapshot snapshot) {
    box->newest = snapshot;
    box->has_newest = true;
    return true;
}

/* 0 for what is not known, or not possible. */
static int64_t count_of(double value) {
    return value >= 0 && value <= 1e9 ? (int64_t)value : 0; /* false for NaN */
}

/* Adds what is known of the queue. True if that makes a difference. */
static bool complete(const struct sl_inbox *box, struct sl_snapshot *snapshot) {
    struct sl_snapshot before = *snapshot;

    if (!box->has_queue) {
        return false;
    }
    snapshot->queue_age_ms = sl_time_since(snapshot->observed_ms, box->queue_ms);
    snapshot->queue = snapshot->queue_age_ms <= box->queue_lasts_ms ? SL_QUEUE_KNOWN : SL_QUEUE_OLD;
    snapshot->runs_drift = snapshot->queue == SL_QUEUE_KNOWN ? box->runs_drift : 0;
    snapshot->runs_blocked = box->runs_blocked;
    return before.queue != snapshot->queue || before.runs_drift != snapshot->runs_drift ||
           before.runs_blocked != snapshot->runs_blocked;
}

static bool take_queue(struct sl_inbox *box, const struct sl_pool_values *values,
                       int64_t tolerance_ms, int64_t now_ms, int64_t realtime_ms) {
    int64_t age_ms = sl_time_since(realtime_ms, values->time_ms);
    bool is_newer = values->time_ms > box->queue_time_ms ||
                    sl_time_since(box->queue_time_ms, realtime_ms) > tolerance_ms;

    if (age_ms > tolerance_ms || age_ms < -tolerance_ms || !is_newer) {
        return false;
    }
    box->runs_drift = count_of(values->runs_drift);
    box->runs_blocked = count_of(values->runs_blocked);
    box->has_queue = true;
    box->queue_time_ms = values->time_ms;
    box->queue_ms = age_ms > 0 ? sl_time_since(now_ms, age_ms) : now_ms;
    box->queue_lasts_ms = values->interval_ms > 0 && values->interval_ms < INT64_MAX / 2
                              ? 2 * values->interval_ms
                              : tolerance_ms;
    return box->has_newest && box->newest.state == SL_DATA_GOOD && complete(box, &box->newest);
}

bool sl_inbox_take(struct sl_inbox *box, const struct sl_policy *policy,
                   const struct sl_pool_values *values, int64_t now_ms, int64_t realtime_ms) {
    struct sl_snapshot probe = {.interval_ms = values->interval_ms};
    int64_t tolerance_ms = sl_policy_stale_after_ms(policy, &probe);
    int64_t age_ms = sl_time_since(realtime_ms, values->time_ms);
    struct sl_snapshot snapshot;

    if (values->kind == SL_VALUES_QUEUE) {
        return take_queue(box, values, tolerance_ms, now_ms, realtime_ms);
    }
    if (!is_only_source(box, values->id, now_ms, tolerance_ms)) {
        return put(box, snapshot_of(SL_DATA_AMBIGUOUS, values, now_ms));
    }
    if (age_ms < -tolerance_ms) {
        return put(box, snapshot_of(SL_DATA_FUTURE, values, now_ms));
    }
    /* This host's clock may have been set back: a newest time that is impossible now is no
     * measure. */
    if (values->time_ms <= box->newest_time_ms &&
        sl_time_since(box->newest_time_ms, realtime_ms) <= tolerance_ms) {
        return false;
    }
    box->newest_time_ms = values->time_ms;
    if (age_ms > tolerance_ms) {
        return put(box, snapshot_of(SL_DATA_LATE, values, now_ms));
    }
    snapshot =
        sl_snapshot_of(values->runs_pending, values->workers_busy,
                       age_ms > 0 ? sl_time_since(now_ms, age_ms) : now_ms, values->interval_ms);
    snapshot.workers = count_of(values->workers);
    (void)complete(box, &snapshot);
    return put(box, snapshot);
}
