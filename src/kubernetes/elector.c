/* Who leads. */
#include "kubernetes/elector.h"

#include <stdio.h>
#include <string.h>

static uint64_t seed_of(const char *text) {
    uint64_t hash = 1469598103934665603u; /* FNV-1a */

    while (*text != '\0') {
        hash = (hash ^ (unsigned char)*text++) * 1099511628211u;
    }
    return hash | 1;
}

void sl_elector_init(struct sl_elector *e, const struct sl_elector_settings *settings,
                     const struct sl_lease_ops *ops) {
    *e = (struct sl_elector){
        .settings = *settings, .ops = *ops, .seed = seed_of(settings->identity)};
}

/* From 0 to below limit; xorshift. */
static int64_t jitter(struct sl_elector *e, int64_t limit) {
    e->seed ^= e->seed << 13;
    e->seed ^= e->seed >> 7;
    e->seed ^= e->seed << 17;
    return limit > 0 ? (int64_t)(e->seed % (uint64_t)limit) : 0;
}

static bool is_ours(const struct sl_elector *e, const struct sl_lease *lease) {
    return strcmp(lease->holder, e->settings.identity) == 0;
}

/* A clock that is ahead makes no record younger than new, and the part of a second that is not read
 * is the holder's. */
static int64_t age_ms(const struct sl_elector *e, const struct sl_lease *seen) {
    int64_t renewed_ms = 0;
    int64_t age = 0;

    if (e->settings.is_brief && sl_parse_rfc3339(seen->renew_time, &renewed_ms)) {
        age = e->ops.realtime_us(e->ops.self) / 1000 - renewed_ms - 999;
    }
    return age > 0 ? age : 0;
}

static void observe(struct sl_elector *e, const struct sl_lease *seen) {
    if (!e->has_observed || !sl_lease_is_same(&e->observed, seen)) {
        e->observed_ms = e->ops.clock_ms(e->ops.self) - age_ms(e, seen);
    }
    e->observed = *seen;
    e->has_observed = true;
}

static int64_t foreign_until_ms(const struct sl_elector *e) {
    return e->observed_ms + (int64_t)e->observed.duration_s * 1000;
}

static bool is_held_by_another(const struct sl_elector *e) {
    return e->observed.holder[0] != '\0' && !is_ours(e, &e->observed) &&
           e->ops.clock_ms(e->ops.self) < foreign_until_ms(e);
}

/* The record with which this process holds the lease from now on. */
static struct sl_lease claim(const struct sl_elector *e) {
    struct sl_lease lease = {.version = ""};

    if (e->has_observed) {
        lease = e->observed;
    }
    (void)snprintf(lease.holder, sizeof lease.holder, "%s", e->settings.identity);
    lease.duration_s = (int32_t)((e->settings.lease_duration_ms + 999) / 1000);
    sl_format_rfc3339(e->ops.realtime_us(e->ops.self), lease.renew_time, sizeof lease.renew_time);
    if (!e->has_observed || !is_ours(e, &e->observed)) {
        memcpy(lease.acquire_time, lease.renew_time, sizeof lease.acquire_time);
        lease.transitions += e->has_observed && lease.transitions < INT32_MAX;
    }
    return lease;
}

static int store(struct sl_elector *e, struct sl_error *err) {
    int64_t begin_ms = e->ops.clock_ms(e->ops.self);
    struct sl_lease lease = claim(e);
    struct sl_lease stored = {.version = ""};
    int rc = e->has_observed ? e->ops.update(e->ops.self, &lease, &stored, err)
                             : e->ops.create(e->ops.self, &lease, &stored, err);

    if (rc == SL_OK) {
        observe(e, &stored);
        e->is_leader = is_ours(e, &stored);
        e->renewed_ms = begin_ms;
    }
    return rc;
}

static int look(struct sl_elector *e, struct sl_error *err) {
    struct sl_lease seen = {.version = ""};
    int rc = e->ops.get(e->ops.self, &seen, err);

    if (rc == SL_OK) {
        observe(e, &seen);
    } else if (rc == SL_NOTFOUND) {
        e->has_observed = false;
        rc = SL_OK;
    }
    return rc;
}

/* SL_CONFLICT: somebody else has it. */
static int try(struct sl_elector *e, struct sl_error *err) {
    int rc = SL_OK;

    if (e->is_leader && e->has_observed && is_ours(e, &e->observed) &&
        store(e, err) == SL_OK) { /* the usual case costs one request */
        return SL_OK;
    }
    rc = look(e, err);
    if (rc == SL_OK && e->has_observed && is_held_by_another(e)) {
        return SL_CONFLICT;
    }
    return rc == SL_OK ? store(e, err) : rc;
}

static int64_t next_look_ms(struct sl_elector *e) {
    int64_t now_ms = e->ops.clock_ms(e->ops.self);
    int64_t period_ms = e->settings.retry_period_ms;
    int64_t next_ms = now_ms + period_ms;

    if (e->is_leader) {
        return next_ms;
    }
    next_ms += jitter(e, period_ms / 2);
    if (e->has_observed && is_held_by_another(e) && foreign_until_ms(e) < next_ms) {
        next_ms = foreign_until_ms(e) + jitter(e, period_ms / 10);
    }
    return next_ms;
}

int64_t sl_elector_step(struct sl_elector *e, struct sl_error *err) {
    struct sl_error why = SL_ERROR_INIT;
    int rc = try(e, &why);

    if (rc == SL_CONFLICT && e->has_observed && is_held_by_another(e)) {
        e->is_leader = false;
    }
    if (e->is_leader && e->ops.clock_ms(e->ops.self) >= sl_elector_act_until_ms(e)) {
        e->is_leader = false;
    }
    *err = (struct sl_error)SL_ERROR_INIT;
    if (rc != SL_OK && rc != SL_CONFLICT) {
        *err = why;
    }
    return next_look_ms(e);
}

int64_t sl_elector_act_until_ms(const struct sl_elector *e) {
    return e->is_leader ? e->renewed_ms + e->settings.renew_deadline_ms : 0;
}

int64_t sl_elector_lease_until_ms(const struct sl_elector *e) {
    return e->is_leader ? e->renewed_ms + e->settings.lease_duration_ms : 0;
}

int sl_elector_release(struct sl_elector *e, struct sl_error *err) {
    struct sl_lease lease = e->observed;
    struct sl_lease stored = {.version = ""};

    if (!e->is_leader) {
        return SL_OK;
    }
    e->is_leader = false;
    lease.holder[0] = '\0';
    lease.duration_s = 1;
    sl_format_rfc3339(e->ops.realtime_us(e->ops.self), lease.renew_time, sizeof lease.renew_time);
    return e->ops.update(e->ops.self, &lease, &stored, err);
}
