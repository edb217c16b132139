/* What the controller knows of itself, as a file for people and programs (scaler/status.h). */
#include "scaler/controller_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/times.h"
#include "scaler/state.h"
#include "scaler/status.h"

enum { FILE_BYTES = 64 * 1024 * 1024 };

/* Written no more often than this, and never more than a fiftieth of the time. */
static const int64_t pause_ms = 1000;
static const int64_t pause_factor = 50;
static const int64_t heartbeat_ms = 10000;

static int64_t to_realtime(const struct sl_clocks *clocks, int64_t at_ms) {
    return sl_time_add(clocks->realtime_ms, sl_time_since(at_ms, clocks->now_ms));
}

static void put_text(char *to, size_t size, const char *text) {
    (void)snprintf(to, size, "%s", text != NULL ? text : "");
}

static void fill_trouble(const struct sl_trouble *trouble, const struct sl_clocks *clocks,
                         char *error, size_t size, int64_t *error_ms, int64_t *retry_ms) {
    if (trouble->complaint.active) {
        put_text(error, size, trouble->text);
        *error_ms = to_realtime(clocks, trouble->complaint.since_ms);
        *retry_ms = to_realtime(clocks, trouble->blocked_until_ms);
    }
}

/* When the size may change without new data; 0: not before there is some. */
static int64_t next_change(const struct sl_controller_pool *p, const struct sl_clocks *clocks) {
    int64_t by_itself_ms = p->decision.next_change_ms != INT64_MAX
                               ? to_realtime(clocks, p->decision.next_change_ms)
                               : INT64_MAX;
    int64_t next_ms = by_itself_ms < p->conditions_end_ms ? by_itself_ms : p->conditions_end_ms;

    return next_ms != INT64_MAX ? next_ms : 0;
}

static void fill_decision(const struct sl_controller_pool *p, const struct sl_clocks *clocks,
                          struct sl_pool_status *s) {
    struct sl_decision now = p->decision;
    const struct sl_decision *d = &now;

    if (!p->has_decision) {
        return;
    }
    if (now.data == SL_DATA_STALE && p->has_snapshot) { /* it has become older since */
        now.data_age_ms = sl_time_since(clocks->now_ms, p->snapshot.observed_ms);
    }
    s->desired = d->size;
    s->wanted = d->wanted;
    s->data_age_ms = p->has_snapshot ? sl_time_since(clocks->now_ms, p->snapshot.observed_ms) : 0;
    s->pending = d->runs_pending;
    s->busy = d->workers_busy;
    s->demand = d->demand;
    s->spare = d->spare;
    s->floor = d->floor;
    s->cap = d->cap;
    s->unmet = d->unmet;
    s->is_paused = d->rule == SL_RULE_PAUSED;
    put_text(s->data, sizeof s->data, sl_data_state_name(d->data));
    put_text(s->rule, sizeof s->rule, sl_rule_name(d->rule));
    put_text(s->clamp, sizeof s->clamp, sl_clamp_name(d->clamp));
    (void)sl_decision_describe(&p->policy, d, clocks->now_ms, s->why, sizeof s->why);
    s->next_change_ms = next_change(p, clocks);
}

static void fill_pool(const struct sl_controller_pool *p, const struct sl_clocks *clocks,
                      struct sl_pool_status *s) {
    const struct sl_size_change *ours = &p->change;

    *s = (struct sl_pool_status){
        .size = p->was_ever_read ? p->scale.size : SL_SIZE_UNSET,
        .actual = p->scale.actual,
        .desired = SL_SIZE_UNSET,
        .is_shadow = p->options->is_shadow,
    };
    put_text(s->pool, sizeof s->pool, p->options->name);
    put_text(s->kube_namespace, sizeof s->kube_namespace, p->options->kube_namespace);
    put_text(s->worker_pool, sizeof s->worker_pool, p->options->worker_pool);
    fill_decision(p, clocks, s);
    if (ours->has_happened) {
        s->change_ms = to_realtime(clocks, ours->at_ms);
        s->change_from = ours->from;
        s->change_to = ours->to;
        put_text(s->change_why, sizeof s->change_why, ours->why);
    }
    if (p->foreign.has_happened) {
        s->foreign_ms = to_realtime(clocks, p->foreign.at_ms);
        s->foreign_from = p->foreign.from;
        s->foreign_to = p->foreign.to;
    }
    if (p->watchdog.watch != SL_WATCH_QUIET) {
        sl_watchdog_describe(&p->watchdog, clocks->now_ms, s->alarm, sizeof s->alarm);
    }
    s->budget_day_minutes = p->state.budget.day_spent_ms / 60000;
    s->budget_day_limit = p->budget.day_minutes;
    s->budget_month_minutes = p->state.budget.month_spent_ms / 60000;
    s->budget_month_limit = p->budget.month_minutes;
    put_text(s->problem, sizeof s->problem, p->annotated.problem);
    fill_trouble(&p->trouble, clocks, s->error, sizeof s->error, &s->error_ms, &s->retry_ms);
}

static void put_pools(const struct sl_controller *c, const struct sl_clocks *clocks,
                      struct sl_buffer *out) {
    const struct sl_scale_ops *ops = &c->settings.ops;
    struct sl_cluster_status cluster = {
        .written_ms = clocks->realtime_ms,
        .started_ms = to_realtime(clocks, c->started_ms),
        .is_leader = sl_controller_may_write(c),
        .pools = (int64_t)c->settings.pool_count,
    };

    put_text(cluster.cluster, sizeof cluster.cluster, c->settings.cluster);
    if (ops->leader != NULL) {
        ops->leader(ops->self, cluster.leader, sizeof cluster.leader);
    }
    fill_trouble(&c->trouble, clocks, cluster.error, sizeof cluster.error, &cluster.error_ms,
                 &cluster.retry_ms);
    sl_status_put_cluster(&cluster, out);
    for (size_t i = 0; i < c->settings.pool_count; i++) {
        struct sl_pool_status pool;

        fill_pool(&c->pools[i], clocks, &pool);
        sl_status_put_pool(&pool, out);
    }
}

/* ---- for other threads ---- */

void sl_controller_publish(struct sl_controller *c, struct sl_controller_pool *p) {
    struct sl_pool_report *b = &p->books;

    sl_report_pass(b, c->settings.clock_ms());
    b->options = p->options;
    b->has_decision = p->has_decision;
    b->decision = p->decision;
    b->decision.why = NULL; /* it may be gone when somebody looks */
    b->was_ever_read = p->was_ever_read;
    b->size = p->scale.size;
    b->actual = p->scale.actual;
    b->is_leader = sl_controller_may_write(c);
    b->has_alarm = p->watchdog.watch != SL_WATCH_QUIET;
    b->has_startup = p->state.has_startup;
    b->startup_ms = p->state.startup_ms;
    (void)pthread_mutex_lock(&c->lock);
    p->report = *b;
    (void)pthread_mutex_unlock(&c->lock);
}

void sl_controller_report(struct sl_controller *c, size_t index, struct sl_pool_report *ret) {
    (void)pthread_mutex_lock(&c->lock);
    *ret = c->pools[index].report;
    (void)pthread_mutex_unlock(&c->lock);
    ret->options = c->pools[index].options;
    sl_report_pass(ret, c->settings.clock_ms());
}

/* ---- the file ---- */

void sl_controller_save_status(struct sl_controller *c) {
    struct sl_clocks clocks = {c->settings.clock_ms(), c->settings.realtime_ms()};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer lines;
    int64_t took_ms = 0;

    if (c->settings.status_path == NULL) {
        return;
    }
    sl_buffer_init(&lines, FILE_BYTES);
    put_pools(c, &clocks, &lines);
    if (sl_controller_replace(c, c->settings.status_path, &lines, &err) == SL_OK) {
        if (sl_complaint_succeeded(&c->status_complaint, clocks.now_ms, NULL, NULL)) {
            sl_log(c->settings.log, SL_LOG_NOTICE, "%s is written again", c->settings.status_path);
        }
    } else if (sl_complaint_failed(&c->status_complaint, err.text, clocks.now_ms)) {
        sl_log(c->settings.log, SL_LOG_WARNING, "%s: spacelift-pool status shows nothing new",
               err.text);
    }
    sl_buffer_release(&lines);
    took_ms = sl_time_since(c->settings.clock_ms(), clocks.now_ms);
    c->is_status_old = false;
    c->status_ms = clocks.now_ms;
    c->status_pause_ms = took_ms * pause_factor > pause_ms ? took_ms * pause_factor : pause_ms;
}

int64_t sl_controller_status_due(const struct sl_controller *c) {
    if (c->settings.status_path == NULL) {
        return INT64_MAX;
    }
    if (c->is_status_old) {
        return sl_time_add(c->status_ms, c->status_pause_ms);
    }
    return sl_time_add(c->status_ms,
                       c->status_pause_ms > heartbeat_ms ? c->status_pause_ms : heartbeat_ms);
}
