/* One pool: read its size, decide, write it. The order of these three is what keeps two writers
 * from undoing each other. */
#include "scaler/controller_internal.h"

#include <string.h>

#include "base/times.h"

enum { MAX_TRIES = 5 };

/* Where no data tell how long an interval is. */
static const int64_t default_interval_ms = 10000;

static const int64_t watch_every_ms = 30000;

int64_t sl_controller_blocked_until(const struct sl_controller *c,
                                    const struct sl_controller_pool *p) {
    return c->trouble.blocked_until_ms > p->trouble.blocked_until_ms ? c->trouble.blocked_until_ms
                                                                     : p->trouble.blocked_until_ms;
}

static void decide(struct sl_controller *c, struct sl_controller_pool *p, int64_t now_ms,
                   struct sl_decision *ret) {
    struct sl_conditions conditions;
    struct sl_snapshot unknown = {.state = SL_DATA_UNKNOWN, .observed_ms = now_ms};
    const struct sl_snapshot *snapshot = p->has_snapshot ? &p->snapshot : NULL;
    char unused[2];

    if (snapshot == NULL && c->settings.neighbours != NULL &&
        sl_neighbours_list(c->settings.neighbours, unused, sizeof unused)) {
        snapshot = &unknown;
    }
    p->conditions_until_ms = sl_controller_conditions(c, p, now_ms, &conditions);
    sl_policy_decide(&p->policy, &conditions, &p->state, snapshot, sl_controller_size(p), now_ms,
                     ret);
    p->decision = *ret;
    p->has_decision = true;
    c->is_status_old = true;
}

/* A pool that has not what it was asked for is looked at now and then, also without data. */
static int64_t watch_again(const struct sl_controller_pool *p, int64_t now_ms) {
    int64_t due_ms = sl_watchdog_due(&p->watchdog, p->options->converge_timeout_ms);
    int64_t soon_ms = sl_time_add(now_ms, watch_every_ms);

    return due_ms == INT64_MAX || due_ms > soon_ms ? due_ms : soon_ms;
}

static int64_t interval_of(const struct sl_controller_pool *p) {
    return p->has_snapshot && p->snapshot.interval_ms > 0 ? p->snapshot.interval_ms
                                                          : default_interval_ms;
}

/* A pool that nobody watches is verified once for each snapshot, so that what people write on it is
 * known within an interval; and where none comes, as if it had. */
static int64_t read_again_ms(const struct sl_controller_pool *p) {
    int64_t interval_ms = interval_of(p);

    return sl_time_add(p->scale_ms, interval_ms + interval_ms / 2);
}

static bool is_to_be_read(const struct sl_controller_pool *p, int64_t now_ms) {
    bool is_of_before = p->has_snapshot && p->snapshot.observed_ms > p->scale_ms;

    return is_of_before || now_ms >= read_again_ms(p);
}

/* When the passing of time alone may change the decision. */
static int64_t next_look(const struct sl_controller *c, const struct sl_controller_pool *p,
                         const struct sl_decision *d, int64_t now_ms) {
    int64_t since_ms = p->has_snapshot ? p->snapshot.observed_ms : c->started_ms;
    int64_t stale_after_ms =
        sl_policy_stale_after_ms(&p->policy, p->has_snapshot ? &p->snapshot : NULL);
    int64_t stale_ms = sl_time_add(since_ms, sl_time_add(stale_after_ms, 1));
    int64_t next_ms = d->next_change_ms > now_ms ? d->next_change_ms : INT64_MAX;

    next_ms = sl_time_earlier(next_ms, p->conditions_until_ms);
    next_ms = sl_time_earlier(next_ms, watch_again(p, now_ms));
    if (p->has_scale && read_again_ms(p) > now_ms) {
        next_ms = sl_time_earlier(next_ms, read_again_ms(p));
    }
    return stale_ms > now_ms ? sl_time_earlier(next_ms, stale_ms) : next_ms;
}

static void settle(const struct sl_controller *c, struct sl_controller_pool *p,
                   const struct sl_decision *d, int64_t now_ms) {
    sl_tell_decision(c, p, d, now_ms);
    p->books.decisions[d->rule]++;
    p->due_ms = next_look(c, p, d, now_ms);
}

bool sl_controller_may_write(const struct sl_controller *c) {
    const struct sl_scale_ops *ops = &c->settings.ops;

    return ops->may_write == NULL || ops->may_write(ops->self);
}

/* Another one leads, and writes what he decides. */
static void hold_back(const struct sl_controller *c, struct sl_controller_pool *p,
                      const struct sl_decision *d, int64_t now_ms) {
    p->due_ms = next_look(c, p, d, now_ms);
}

/* Decided, and not written. */
static void cast_shadow(const struct sl_controller *c, struct sl_controller_pool *p,
                        const struct sl_decision *d, int64_t now_ms) {
    p->shadow_size = d->size;
    settle(c, p, d, now_ms);
}

bool sl_controller_consider(struct sl_controller *c, struct sl_controller_pool *p) {
    int64_t now_ms = c->settings.clock_ms();
    struct sl_decision d;

    if (!p->has_scale) {
        return true;
    }
    decide(c, p, now_ms, &d);
    if (d.size != d.current && sl_controller_may_write(c)) {
        if (!p->options->is_shadow || p->options->is_shadow_dry_run) {
            return true;
        }
        cast_shadow(c, p, &d, now_ms);
        sl_controller_publish(c, p);
        return false;
    }
    p->is_scale_wanted = is_to_be_read(p, now_ms);
    if (d.size == d.current) {
        settle(c, p, &d, now_ms);
    } else {
        hold_back(c, p, &d, now_ms);
    }
    sl_controller_publish(c, p);
    return false;
}

/* Accepted. */
static void count_change(struct sl_controller_pool *p, const struct sl_decision *d) {
    bool is_growth = d->size > d->current;

    p->books.scaled_out += is_growth ? 1 : 0;
    p->books.scaled_in += is_growth ? 0 : 1;
    if (is_growth && d->data == SL_DATA_GOOD) {
        sl_report_reaction(&p->books, sl_time_since(p->scale_ms, p->snapshot.observed_ms));
    }
}

/* A new WorkerPool of an old name has no past. */
static void start_anew(const struct sl_controller *c, struct sl_controller_pool *p) {
    sl_tell_recreated(c, p);
    p->state = (struct sl_scaler_state){0};
    p->told = (struct sl_told){0};
    p->is_write_open = false;
}

static bool is_another(const struct sl_controller_pool *p, const struct sl_scale_reading *read) {
    return p->scale.uid[0] != '\0' && read->uid[0] != '\0' && strcmp(p->scale.uid, read->uid) != 0;
}

/* The size is not what it was known to be: was that us? Where another one leads he has said so. */
static void explain_size(struct sl_controller *c, struct sl_controller_pool *p,
                         const struct sl_scale_reading *read, int64_t now_ms) {
    bool was_led_elsewhere = p->is_led_elsewhere;

    p->is_led_elsewhere = !sl_controller_may_write(c);
    if (!p->was_ever_read) {
        sl_tell_start(c, p, read);
    } else if (is_another(p, read)) {
        start_anew(c, p);
    } else if (p->is_led_elsewhere || was_led_elsewhere) {
        ; /* he has said so */
    } else if (p->is_write_open && read->size == p->open_write.size) {
        count_change(p, &p->open_write);
        sl_tell_decision(c, p, &p->open_write, now_ms);
    } else if (read->size != p->scale.size) {
        sl_tell_foreign_size(c, p, read, now_ms);
    }
    if (!p->has_shadow_size) {
        p->has_shadow_size = true;
        p->shadow_size = read->size;
    }
}

static void take_annotations(const struct sl_controller *c, struct sl_controller_pool *p) {
    bool is_new_problem =
        p->scale.has_annotations && strcmp(p->scale.annotated.problem, p->annotated.problem) != 0;

    if (p->scale.has_annotations) {
        p->annotated = p->scale.annotated;
    }
    if (is_new_problem && p->annotated.problem[0] != '\0') {
        sl_tell_bad_annotation(c, p);
    }
}

static void watch(const struct sl_controller *c, struct sl_controller_pool *p, int64_t now_ms) {
    enum sl_watch news = SL_WATCH_QUIET;

    if (sl_watchdog_look(&p->watchdog, p->scale.size, p->scale.actual,
                         p->options->converge_timeout_ms, now_ms, &news)) {
        sl_tell_watch(c, p, news, now_ms);
    }
}

/* *how is what it is to be, and then what it was. */
static int ask_scale(const struct sl_controller *c, const struct sl_controller_pool *p,
                     struct sl_scale_reading *ret, enum sl_verified *how, struct sl_error *err) {
    const struct sl_scale_ops *ops = &c->settings.ops;
    const struct sl_pool_options *o = p->options;

    if (*how == SL_VERIFIED_BY_READING || !p->has_scale || ops->verify_size == NULL) {
        *how = SL_VERIFIED_BY_READING;
        return ops->read_size(ops->self, o->kube_namespace, o->worker_pool, ret, err);
    }
    *ret = p->scale;
    return ops->verify_size(ops->self, o->kube_namespace, o->worker_pool, interval_of(p) / 4, ret,
                            how, err);
}

static int read_scale(struct sl_controller *c, struct sl_controller_pool *p, enum sl_verified *how,
                      struct sl_error *err) {
    struct sl_scale_reading read = {0};
    int rc = ask_scale(c, p, &read, how, err);

    p->has_scale = rc == SL_OK;
    if (rc != SL_OK) {
        return rc;
    }
    p->scale_ms = c->settings.clock_ms();
    explain_size(c, p, &read, p->scale_ms);
    p->scale = read;
    take_annotations(c, p);
    watch(c, p, p->scale_ms);
    p->was_ever_read = true;
    p->is_scale_wanted = false;
    p->is_write_open = false;
    return SL_OK;
}

static int write_scale(struct sl_controller *c, struct sl_controller_pool *p,
                       const struct sl_decision *d, struct sl_error *err) {
    const struct sl_scale_ops *ops = &c->settings.ops;
    struct sl_scale_reading written = {0};
    int rc = ops->set_size(ops->self, p->options->kube_namespace, p->options->worker_pool, d->size,
                           p->scale.version, &written, err);

    if (rc != SL_OK) {
        p->has_scale = false;
        /* Even after a conflict: when a kept connection dies the request is sent again, and the
         * first one may have been carried out. */
        p->is_write_open = true;
        p->open_write = *d;
        return rc;
    }
    p->scale = written;
    p->scale_ms = c->settings.clock_ms();
    if (written.size != d->size) {
        return sl_fail(err, SL_REJECTED,
                       "asked for %d workers, the API server made it %d: does an admission webhook "
                       "or a policy limit the WorkerPool?",
                       (int)d->size, (int)written.size);
    }
    count_change(p, d);
    settle(c, p, d, p->scale_ms);
    return SL_OK;
}

static int try_scale(struct sl_controller *c, struct sl_controller_pool *p,
                     const struct sl_decision *d, struct sl_error *err) {
    const struct sl_scale_ops *ops = &c->settings.ops;
    int rc = SL_OK;

    if (p->options->is_shadow_dry_run && ops->try_size != NULL) {
        rc = ops->try_size(ops->self, p->options->kube_namespace, p->options->worker_pool, d->size,
                           p->scale.version, err);
    }
    if (rc == SL_OK) {
        cast_shadow(c, p, d, c->settings.clock_ms());
    }
    return rc;
}

static int read_decide_write(struct sl_controller *c, struct sl_controller_pool *p,
                             enum sl_verified *how, struct sl_error *err) {
    int rc = SL_CONFLICT;

    for (int i = 0; i < MAX_TRIES && rc == SL_CONFLICT; i++) {
        struct sl_decision d;

        rc = read_scale(c, p, how, err);
        if (rc != SL_OK) {
            return rc;
        }
        decide(c, p, p->scale_ms, &d);
        if (d.size == d.current) {
            settle(c, p, &d, p->scale_ms);
            return SL_OK;
        }
        if (!sl_controller_may_write(c)) {
            hold_back(c, p, &d, p->scale_ms);
            return SL_OK;
        }
        if (*how != SL_VERIFIED_BY_READING) { /* nothing is written on a look */
            *how = SL_VERIFIED_BY_READING;
            rc = SL_CONFLICT;
            continue;
        }
        rc = p->options->is_shadow ? try_scale(c, p, &d, err) : write_scale(c, p, &d, err);
    }
    return rc;
}

/* Would the other pools of the cluster meet the same failure? */
static bool is_failure_of_cluster(enum sl_code code) {
    switch (code) {
    case SL_FORBIDDEN:
    case SL_NOTFOUND:
    case SL_CONFLICT:
    case SL_REJECTED:
    case SL_TOOBIG:
    case SL_PARSE:
        return false;
    case SL_OK:
    case SL_NOMEM:
    case SL_CONFIG:
    case SL_IO:
    case SL_TIMEOUT:
    case SL_TLS:
    case SL_AUTH:
    case SL_RATELIMIT:
    case SL_REMOTE:
    case SL_CANCELED:
    case SL_BUG:
        break;
    }
    return true;
}

static void block(struct sl_trouble *t, const struct sl_error *why, int64_t now_ms) {
    const int64_t retry_after_max_ms = 300000;
    int64_t wait_ms = sl_backoff_failed(&t->backoff, why->retry_after_ms, retry_after_max_ms);

    t->blocked_until_ms = sl_time_add(now_ms, wait_ms);
}

static void attend(struct sl_controller *c, struct sl_controller_pool *p, enum sl_verified *how) {
    struct sl_error why = SL_ERROR_INIT;
    int rc = read_decide_write(c, p, how, &why);
    int64_t now_ms = c->settings.clock_ms();

    c->is_status_old = true;
    if (rc != SL_OK && rc != SL_CANCELED) {
        sl_report_api_error(&p->books, &why);
    }
    if (rc == SL_OK) {
        sl_tell_success(c, p, now_ms);
    } else if (rc == SL_CANCELED) { /* stopping: nobody failed */
        p->due_ms = INT64_MAX;
    } else if (is_failure_of_cluster((enum sl_code)rc)) {
        block(&c->trouble, &why, now_ms);
        sl_tell_cluster_failure(c, p, &why, now_ms);
        p->due_ms = sl_controller_blocked_until(c, p);
    } else {
        block(&p->trouble, &why, now_ms);
        sl_tell_pool_failure(c, p, &why, now_ms);
        p->due_ms = sl_controller_blocked_until(c, p);
    }
    sl_controller_publish(c, p);
}

void sl_controller_act(struct sl_controller *c, struct sl_controller_pool *p) {
    enum sl_verified how = SL_VERIFIED_BY_READING;

    attend(c, p, &how);
}

bool sl_controller_verify(struct sl_controller *c, struct sl_controller_pool *p) {
    enum sl_verified how = SL_VERIFIED_SAME;

    attend(c, p, &how);
    return how != SL_VERIFIED_UNASKED;
}
