/* The thread of a cluster, the letter boxes of its pools, and whose turn it is. */
#include "scaler/controller_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/times.h"
#include "os/clock.h"
#include "os/thread.h"

/* A server that is down is asked every half minute, a pool that is missing or forbidden every two
 * minutes: what mends those is a person. */
enum {
    CLUSTER_RETRY_MIN_MS = 1000,
    CLUSTER_RETRY_MAX_MS = 30000,
    POOL_RETRY_MIN_MS = 5000,
    POOL_RETRY_MAX_MS = 120000,
    SAVE_EVERY_MS = 10000,
    VERIFY_EVERY_MS = 20, /* 50 requests a second cost a server 2 percent of a core */
};

static uint64_t seed_of(const char *text) {
    uint64_t hash = 1469598103934665603u; /* FNV-1a */

    while (*text != '\0') {
        hash = (hash ^ (unsigned char)*text++) * 1099511628211u;
    }
    return hash;
}

static int make_pools(struct sl_controller *c, struct sl_error *err) {
    size_t n = c->settings.pool_count;

    c->pools = calloc(n > 0 ? n : 1, sizeof *c->pools);
    c->queue = calloc(n > 0 ? n : 1, sizeof *c->queue);
    if (c->pools == NULL || c->queue == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory for %zu pools", n);
    }
    for (size_t i = 0; i < n; i++) {
        struct sl_controller_pool *p = &c->pools[i];
        int rc = sl_controller_set_up_pool(p, c->settings.pools[i], err);

        if (rc != SL_OK) {
            return rc;
        }
        sl_backoff_init(&p->trouble.backoff, POOL_RETRY_MIN_MS, POOL_RETRY_MAX_MS,
                        seed_of(p->options->name));
    }
    return SL_OK;
}

int sl_controller_new(const struct sl_controller_settings *settings, struct sl_controller **ret,
                      struct sl_error *err) {
    struct sl_controller *c = calloc(1, sizeof *c);
    int rc = SL_OK;

    if (c == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory for cluster \"%s\"", settings->cluster);
    }
    c->settings = *settings;
    if (c->settings.clock_ms == NULL) {
        c->settings.clock_ms = sl_clock_monotonic_ms;
    }
    if (c->settings.realtime_ms == NULL) {
        c->settings.realtime_ms = sl_clock_realtime_ms;
    }
    sl_backoff_init(&c->trouble.backoff, CLUSTER_RETRY_MIN_MS, CLUSTER_RETRY_MAX_MS,
                    seed_of(settings->cluster));
    rc = sl_wakeup_init(&c->work, err);
    if (rc != SL_OK) {
        free(c);
        return rc;
    }
    if (pthread_mutex_init(&c->lock, NULL) != 0) {
        sl_wakeup_release(&c->work);
        free(c);
        return sl_fail(err, SL_NOMEM, "cannot make a lock");
    }
    rc = make_pools(c, err);
    if (rc != SL_OK) {
        sl_controller_free(c);
        return rc;
    }
    *ret = c;
    return SL_OK;
}

void sl_controller_free(struct sl_controller *c) {
    if (c == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&c->lock);
    sl_wakeup_release(&c->work);
    for (size_t i = 0; c->pools != NULL && i < c->settings.pool_count; i++) {
        sl_controller_release_pool(&c->pools[i]);
    }
    free(c->queue);
    free(c->pools);
    free(c);
}

void sl_controller_submit(struct sl_controller *c, size_t index,
                          const struct sl_pool_values *values, int64_t now_ms,
                          int64_t realtime_ms) {
    struct sl_controller_pool *p = &c->pools[index];
    bool is_new = false;

    (void)pthread_mutex_lock(&c->lock);
    if (sl_inbox_take(&p->inbox, &p->policy, values, now_ms, realtime_ms) && !p->is_queued) {
        p->is_queued = true;
        c->queue[c->queue_count++] = index;
        is_new = true;
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (is_new) {
        sl_wakeup_signal(&c->work);
    }
}

static bool post_alarms(struct sl_controller_pool *p, const struct sl_notification *n) {
    bool is_for_it = false;

    for (size_t i = 0; i < p->options->notification_count; i++) {
        if (sl_alarm_is_for(p->options->notifications[i], n)) {
            p->alarm_letters[i] = (struct sl_alarm_letter){true, n->severity};
            is_for_it = true;
        }
    }
    return is_for_it;
}

void sl_controller_hear(struct sl_controller *c, size_t index, const struct sl_notification *n) {
    struct sl_controller_pool *p = &c->pools[index];
    bool is_new = false;

    (void)pthread_mutex_lock(&c->lock);
    if (post_alarms(p, n)) {
        is_new = true;
        if (!p->is_queued) {
            p->is_queued = true;
            c->queue[c->queue_count++] = index;
        }
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (is_new) {
        sl_wakeup_signal(&c->work);
    }
}

void sl_controller_wake(struct sl_controller *c) {
    (void)pthread_mutex_lock(&c->lock);
    c->is_woken = true;
    (void)pthread_mutex_unlock(&c->lock);
    sl_wakeup_signal(&c->work);
}

static void hear_alarms(struct sl_controller_pool *p, int64_t now_ms) {
    for (size_t i = 0; i < p->options->notification_count; i++) {
        if (p->alarm_letters[i].is_new) {
            p->alarm_letters[i].is_new = false;
            sl_alarm_hear(&p->alarms[i], p->alarm_letters[i].severity, sl_controller_size(p),
                          now_ms);
        }
    }
}

static void collect_letters(struct sl_controller *c, int64_t now_ms) {
    (void)pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->queue_count; i++) {
        struct sl_controller_pool *p = &c->pools[c->queue[i]];

        p->is_queued = false;
        if (p->inbox.has_newest) {
            p->snapshot = p->inbox.newest;
            p->has_snapshot = true;
        }
        hear_alarms(p, now_ms);
        p->due_ms = now_ms;
    }
    c->queue_count = 0;
    for (size_t i = 0; c->is_woken && i < c->settings.pool_count; i++) {
        c->pools[i].due_ms = now_ms;
    }
    c->is_status_old = c->is_status_old || c->is_woken;
    c->is_woken = false;
    (void)pthread_mutex_unlock(&c->lock);
}

/* Decisions that change something come first: a size that is only to be verified can wait. */
static void attend_due(struct sl_controller *c) {
    for (size_t i = 0; i < c->settings.pool_count; i++) {
        struct sl_controller_pool *p = &c->pools[i];
        int64_t blocked_until_ms = sl_controller_blocked_until(c, p);
        int64_t now_ms = c->settings.clock_ms();

        if (p->due_ms > now_ms) {
            continue;
        }
        if (now_ms < blocked_until_ms) {
            p->due_ms = blocked_until_ms;
        } else if (sl_controller_consider(c, p)) {
            sl_controller_act(c, p);
        }
    }
}

/* The next pool whose size is to be verified, in turn; NULL if there is none. */
static struct sl_controller_pool *next_to_verify(struct sl_controller *c) {
    int64_t now_ms = c->settings.clock_ms();
    size_t n = c->settings.pool_count;

    for (size_t i = 0; i < n; i++) {
        size_t index = (c->next_read + i) % n;
        struct sl_controller_pool *p = &c->pools[index];

        if (p->is_scale_wanted && now_ms >= sl_controller_blocked_until(c, p)) {
            c->next_read = index;
            return p;
        }
    }
    return NULL;
}

static int64_t next_due(const struct sl_controller *c) {
    int64_t due_ms = INT64_MAX;

    for (size_t i = 0; i < c->settings.pool_count; i++) {
        if (c->pools[i].due_ms < due_ms) {
            due_ms = c->pools[i].due_ms;
        }
    }
    return due_ms;
}

static void start(struct sl_controller *c) {
    c->has_started = true;
    c->started_ms = c->settings.clock_ms();
    for (size_t i = 0; i < c->settings.pool_count; i++) {
        c->pools[i].due_ms = c->started_ms;
    }
}

int64_t sl_controller_step(struct sl_controller *c) {
    struct sl_controller_pool *p = NULL;

    if (!c->has_started) {
        start(c);
    }
    sl_wakeup_clear(&c->work);
    collect_letters(c, c->settings.clock_ms());
    attend_due(c);
    /* One request, so that another pool's snapshot never waits for more. */
    p = next_to_verify(c);
    while (p != NULL && c->settings.clock_ms() >= c->verify_ms) {
        p->is_scale_wanted = false;
        if (sl_controller_verify(c, p)) {
            c->verify_ms = c->settings.clock_ms() + VERIFY_EVERY_MS;
        }
        p = next_to_verify(c);
    }
    return p != NULL ? sl_time_earlier(c->verify_ms, next_due(c)) : next_due(c);
}

static void *run(void *context) {
    struct sl_controller *c = context;
    struct sl_wakeup *stop = c->settings.stop;

    while (!sl_wakeup_is_signalled(stop)) {
        int64_t next_ms = sl_controller_step(c);
        int64_t now_ms = c->settings.clock_ms();

        if (now_ms - c->saved_ms >= SAVE_EVERY_MS) {
            sl_controller_save_state(c);
        }
        if (now_ms >= sl_controller_status_due(c)) {
            sl_controller_save_status(c);
        }
        next_ms = sl_time_earlier(next_ms, sl_controller_status_due(c));
        if (next_ms > now_ms) {
            sl_wakeup_wait(&c->work, stop, next_ms == INT64_MAX ? -1 : next_ms - now_ms);
        }
    }
    return NULL;
}

int sl_controller_start(struct sl_controller *c, struct sl_scribe *scribe, struct sl_error *err) {
    int rc = SL_OK;

    sl_controller_load_state(c);
    c->scribe = scribe;
    rc = sl_thread_start(&c->thread, "sl-scaler", run, c, err);
    c->has_thread = rc == SL_OK;
    return rc;
}

void sl_controller_stop(struct sl_controller *c) {
    sl_wakeup_signal(c->settings.stop);
    if (c->has_thread) {
        (void)pthread_join(c->thread, NULL);
        c->has_thread = false;
        sl_controller_save_state(c);
        sl_controller_save_status(c);
        c->scribe = NULL;
    }
}
