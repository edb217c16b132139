/* What people read at 3 a.m.: one line per change of size, one per change of reason that matters,
 * one when a trouble begins and one when it is over. Steady state is silent. */
#include "scaler/controller_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "scaler/notices.h"

enum { NAMES_BYTES = 400, SIZE_BYTES = 16 };

/* A clamp that comes and goes at one and the same size is told again only after this time. */
static const int64_t clamp_again_ms = 600000;

static const char *namespace_of(const struct sl_controller_pool *p) {
    return p->options->kube_namespace != NULL ? p->options->kube_namespace : "(default namespace)";
}

static const char *size_text(int32_t size, char *out) {
    if (size == SL_SIZE_UNSET) {
        return "unset";
    }
    (void)snprintf(out, SIZE_BYTES, "%" PRId32, size);
    return out;
}

void sl_tell_start(const struct sl_controller *c, const struct sl_controller_pool *p,
                   const struct sl_scale_reading *read) {
    char size[SIZE_BYTES];

    sl_log(c->settings.log, SL_LOG_INFO,
           "pool \"%s\": WorkerPool %s/%s has poolSize %s; MinWorkers %" PRId32
           ", MaxWorkers %" PRId32,
           p->options->name, namespace_of(p), p->options->worker_pool, size_text(read->size, size),
           p->policy.min_workers, p->policy.max_workers);
}

static bool is_hold_news(const struct sl_controller_pool *p, const struct sl_decision *d,
                         int64_t now_ms) {
    int64_t told_ms = p->told.clamp_ms[d->clamp];

    return d->clamp != SL_CLAMP_NONE && d->clamp != p->told.clamp &&
           (told_ms == 0 || now_ms - told_ms >= clamp_again_ms);
}

/* The first poll takes a while: that nothing has come yet is no news. */
static bool is_early(const struct sl_controller *c, const struct sl_controller_pool *p,
                     const struct sl_decision *d, int64_t now_ms) {
    return (d->data == SL_DATA_MISSING || d->data == SL_DATA_UNKNOWN) &&
           now_ms - c->started_ms < sl_policy_stale_after_ms(&p->policy, NULL);
}

static bool is_news(const struct sl_controller *c, const struct sl_controller_pool *p,
                    const struct sl_decision *d, int64_t now_ms) {
    if (d->size != d->current) {
        return true;
    }
    if (is_early(c, p, d, now_ms)) {
        return false;
    }
    if (!p->told.has_decision || p->told.decision.data != d->data) {
        return true;
    }
    return is_hold_news(p, d, now_ms);
}

static void note_told(struct sl_controller_pool *p, const struct sl_decision *d, int64_t now_ms) {
    if (d->size != d->current) {
        p->told = (struct sl_told){0};
    }
    p->told.clamp_ms[d->clamp] = now_ms;
    p->told.decision = *d;
    p->told.has_decision = true;
}

/* Once there is a name to tell. */
static void tell_neighbours(const struct sl_controller *c, struct sl_controller_pool *p) {
    char names[NAMES_BYTES];

    if (!p->told.has_names && c->settings.neighbours != NULL &&
        sl_neighbours_list(c->settings.neighbours, names, sizeof names)) {
        p->told.has_names = true;
        sl_log(c->settings.log, SL_LOG_WARNING,
               "pool \"%s\": check its name; pools that are reported and not configured: %s",
               p->options->name, names);
    }
}

static void note_change(struct sl_size_change *change, int32_t from, int32_t to, const char *why,
                        int64_t now_ms) {
    *change =
        (struct sl_size_change){.has_happened = true, .at_ms = now_ms, .from = from, .to = to};
    (void)snprintf(change->why, sizeof change->why, "%s", why);
}

static void put_notice(const struct sl_controller *c, const struct sl_controller_pool *p,
                       enum sl_note note, const char *text) {
    bool is_change = note == SL_NOTE_SCALED_OUT || note == SL_NOTE_SCALED_IN;
    struct sl_notice notice = {
        .note = note,
        .pool = p->options,
        .from = is_change ? p->change.from : p->scale.size,
        .to = is_change ? p->change.to : p->scale.size,
    };

    (void)snprintf(notice.text, sizeof notice.text, "%s%s", p->options->is_shadow ? "shadow: " : "",
                   text);
    sl_notices_put(c->settings.notices, &notice);
}

static void record(const struct sl_controller *c, const struct sl_controller_pool *p,
                   enum sl_note note, const char *text) {
    const struct sl_scale_ops *ops = &c->settings.ops;

    if (c->settings.notices != NULL && sl_controller_may_write(c)) {
        put_notice(c, p, note, text);
    }
    if (ops->record != NULL && sl_controller_may_write(c) && !p->options->is_shadow) {
        ops->record(ops->self, p->options->kube_namespace, p->options->worker_pool, &p->scale, note,
                    text);
    }
}

static void record_decision(const struct sl_controller *c, const struct sl_controller_pool *p,
                            const struct sl_decision *d, bool was_bad, const char *reason,
                            int64_t now_ms) {
    char text[SL_REASON_BYTES + 2 * SIZE_BYTES + sizeof " ->  workers: "];
    char from[SIZE_BYTES];
    char to[SIZE_BYTES];

    if (d->size != d->current) {
        (void)snprintf(text, sizeof text, "%s -> %s workers: %s", size_text(d->current, from),
                       size_text(d->size, to), reason);
        record(c, p, d->size > d->current ? SL_NOTE_SCALED_OUT : SL_NOTE_SCALED_IN, text);
    }
    if (d->data != SL_DATA_GOOD && !is_early(c, p, d, now_ms)) {
        record(c, p, SL_NOTE_BLIND, reason);
    } else if (was_bad) {
        record(c, p, SL_NOTE_SEES_AGAIN, reason);
    }
    if (d->clamp == SL_CLAMP_MAXIMUM) {
        record(c, p, SL_NOTE_HELD_AT_MAXIMUM, reason);
    }
}

void sl_tell_recreated(const struct sl_controller *c, const struct sl_controller_pool *p) {
    sl_log(c->settings.log, SL_LOG_NOTICE,
           "pool \"%s\": WorkerPool %s/%s was deleted and made anew: what was known of the old one "
           "is forgotten",
           p->options->name, namespace_of(p), p->options->worker_pool);
}

void sl_tell_bad_annotation(const struct sl_controller *c, const struct sl_controller_pool *p) {
    sl_log(c->settings.log, SL_LOG_WARNING, "pool \"%s\": %s", p->options->name,
           p->annotated.problem);
    record(c, p, SL_NOTE_BAD_ANNOTATION, p->annotated.problem);
}

void sl_tell_decision(const struct sl_controller *c, struct sl_controller_pool *p,
                      const struct sl_decision *d, int64_t now_ms) {
    bool is_new = is_news(c, p, d, now_ms);
    bool is_good = d->data == SL_DATA_GOOD;
    bool was_bad = p->told.has_decision && p->told.decision.data != SL_DATA_GOOD;
    bool is_calm = is_good || is_early(c, p, d, now_ms);
    enum sl_log_level level = is_calm ? SL_LOG_INFO : SL_LOG_WARNING;
    const char *again = is_good && was_bad ? "data from Spacelift again: " : "";
    char reason[SL_REASON_BYTES];
    char from[SIZE_BYTES];
    char to[SIZE_BYTES];

    (void)sl_decision_describe(&p->policy, d, now_ms, reason, sizeof reason);
    sl_log(c->settings.log, is_new ? level : SL_LOG_DEBUG, "pool \"%s\": %s%s%s%s%s workers: %s",
           p->options->name, p->options->is_shadow ? "shadow: " : "", again,
           d->size != d->current ? size_text(d->current, from) : "",
           d->size != d->current ? " -> " : "", size_text(d->size, to), reason);
    if (d->size != d->current) {
        note_change(&p->change, d->current, d->size, reason, now_ms);
    }
    if (is_new && d->data == SL_DATA_UNKNOWN) {
        tell_neighbours(c, p);
    }
    if (is_new) {
        record_decision(c, p, d, was_bad, reason, now_ms);
        note_told(p, d, now_ms);
        p->told.has_decision = is_good || !is_calm; /* what is early is not told as missing */
    }
    p->told.clamp = d->clamp;
}

/* What follows from it; nothing where decisions go on as always. */
static const char *foreign_text(enum sl_foreign_rule rule) {
    switch (rule) {
    case SL_FOREIGN_ADOPT:
        return " It is adopted (ForeignSize)";
    case SL_FOREIGN_BACK_OFF:
        return " Nothing is written for a while (ForeignSize)";
    case SL_FOREIGN_OVERRIDE:
        break;
    }
    return "";
}

void sl_tell_foreign_size(const struct sl_controller *c, struct sl_controller_pool *p,
                          const struct sl_scale_reading *read, int64_t now_ms) {
    enum sl_foreign_rule rule = (enum sl_foreign_rule)p->options->foreign_size;
    char text[SL_REASON_BYTES];
    char from[SIZE_BYTES];
    char to[SIZE_BYTES];
    bool is_fight = false;

    p->books.foreign_changes++;
    note_change(&p->foreign, p->scale.size, read->size, "", now_ms);
    if (p->options->is_shadow) { /* it is theirs */
        return;
    }
    is_fight = sl_foreign_note(&p->others, rule, read->size, p->options->foreign_hold_ms, now_ms);
    (void)snprintf(text, sizeof text,
                   "somebody else has changed its size from %s to %s: another autoscaler, GitOps, "
                   "or a person with kubectl?%s",
                   size_text(p->scale.size, from), size_text(read->size, to), foreign_text(rule));
    sl_log(c->settings.log, SL_LOG_NOTICE, "pool \"%s\": %s", p->options->name, text);
    record(c, p, SL_NOTE_FOREIGN_SIZE, text);
    if (is_fight) {
        sl_log(c->settings.log, SL_LOG_WARNING,
               "pool \"%s\": somebody else has changed its size %d times within an hour: two "
               "writers fight; remove the other one, or see ForeignSize",
               p->options->name, SL_FOREIGN_FIGHT);
    }
}

void sl_tell_watch(const struct sl_controller *c, struct sl_controller_pool *p, enum sl_watch watch,
                   int64_t now_ms) {
    bool is_over = watch == SL_WATCH_QUIET;
    char text[SL_REASON_BYTES];

    p->books.alarms += is_over ? 0 : 1;
    sl_watchdog_describe(&p->watchdog, now_ms, text, sizeof text);
    sl_log(c->settings.log, is_over ? SL_LOG_INFO : SL_LOG_WARNING, "pool \"%s\": %s",
           p->options->name, text);
    record(c, p, is_over ? SL_NOTE_CONVERGED : SL_NOTE_NOT_CONVERGED, text);
}

static int64_t seconds(int64_t ms) {
    return ms < 1000 ? 1 : (ms + 500) / 1000;
}

void sl_tell_pool_failure(const struct sl_controller *c, struct sl_controller_pool *p,
                          const struct sl_error *why, int64_t now_ms) {
    if (why->code == SL_NOTFOUND && !p->has_snapshot) {
        tell_neighbours(c, p); /* neither side knows the pool */
    }
    (void)snprintf(p->trouble.text, sizeof p->trouble.text, "%s", why->text);
    if (!sl_complaint_failed(&p->trouble.complaint, why->text, now_ms)) {
        return;
    }
    sl_log(
        c->settings.log, SL_LOG_WARNING,
        "pool \"%s\": WorkerPool %s/%s in cluster \"%s\" keeps its size: %s; next try in %" PRId64
        " s",
        p->options->name, namespace_of(p), p->options->worker_pool, c->settings.cluster, why->text,
        seconds(p->trouble.blocked_until_ms - now_ms));
}

void sl_tell_cluster_failure(struct sl_controller *c, const struct sl_controller_pool *p,
                             const struct sl_error *why, int64_t now_ms) {
    (void)snprintf(c->trouble.text, sizeof c->trouble.text, "%s", why->text);
    /* By kind, not by text: the text names the pool that happened to be asked. */
    if (!sl_complaint_failed(&c->trouble.complaint, sl_code_name(why->code), now_ms)) {
        return;
    }
    sl_log(
        c->settings.log, SL_LOG_WARNING,
        "cluster \"%s\": all its pools keep their sizes (asked for pool \"%s\"): %s; next try in "
        "%" PRId64 " s",
        c->settings.cluster, p->options->name, why->text,
        seconds(c->trouble.blocked_until_ms - now_ms));
}

void sl_tell_success(struct sl_controller *c, struct sl_controller_pool *p, int64_t now_ms) {
    int64_t lasted_ms = 0;
    uint64_t count = 0;

    sl_backoff_succeeded(&c->trouble.backoff);
    if (sl_complaint_succeeded(&c->trouble.complaint, now_ms, &lasted_ms, &count)) {
        sl_log(c->settings.log, SL_LOG_INFO,
               "cluster \"%s\": answers again after %" PRId64 " s (%" PRIu64 " failures)",
               c->settings.cluster, seconds(lasted_ms), count);
    }
    sl_backoff_succeeded(&p->trouble.backoff);
    if (sl_complaint_succeeded(&p->trouble.complaint, now_ms, &lasted_ms, &count)) {
        sl_log(c->settings.log, SL_LOG_INFO,
               "pool \"%s\": can be scaled again after %" PRId64 " s (%" PRIu64 " failures)",
               p->options->name, seconds(lasted_ms), count);
    }
}
