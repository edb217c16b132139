/* The thread beside the scaling. */
#include "kubernetes/attendant.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/times.h"
#include "kubernetes/access.h"
#include "kubernetes/elector.h"
#include "os/clock.h"
#include "os/thread.h"

enum {
    SIDE_TIMEOUT_MS = 2000,   /* of an event and of a check: the lease waits for them */
    RELEASE_TIMEOUT_MS = 700, /* collectd waits for us */
    QUEUE_EVENTS = 32,
    BURST_EVENTS = 25,
    EVENT_EVERY_MS = 1000, /* after the burst */
    EVENTS_PAUSE_MIN_MS = 5000,
    EVENTS_PAUSE_MAX_MS = 10 * 60 * 1000,
    CHECKED_POOLS = 32,
};

struct sl_attendant {
    struct sl_attendant_settings settings;
    char identity[SL_EVENT_NAME_BYTES];
    struct sl_wakeup stop;
    struct sl_wakeup work;
    pthread_t thread;
    bool has_thread;
    struct sl_kube_client *client;
    bool is_stopping; /* of who calls begin_stop */
    bool is_parting;  /* of the thread: nothing but the release is to come */

    pthread_mutex_t lock; /* of the next four */
    struct sl_leadership leadership;
    struct sl_event queue[QUEUE_EVENTS];
    size_t queue_first;
    size_t queue_count;

    struct sl_elector elector;
    int64_t election_due_ms;
    struct sl_complaint lease_complaint;
    char told_holder[SL_EVENT_NAME_BYTES];
    bool was_leader;

    struct sl_event_log event_log;
    int64_t events_due_ms; /* before it none is sent */
    int64_t event_credit;  /* of the burst */
    int64_t credit_ms;
    struct sl_backoff events_backoff;
    struct sl_complaint events_complaint;

    size_t next_check;
};

/* ---- the lease ---- */

static int lease_call(struct sl_attendant *a, const char *method, const struct sl_lease *lease,
                      struct sl_lease *ret, struct sl_error *err) {
    const struct sl_attendant_settings *s = &a->settings;
    struct sl_http_response response;
    struct sl_buffer body;
    int64_t timeout_ms = s->renew_deadline_ms / 2;
    struct sl_kube_call call = {
        .method = method,
        .group_version = "coordination.k8s.io/v1",
        .plural = "leases",
        .kube_namespace = s->lease_namespace,
        .name = strcmp(method, "POST") == 0 ? NULL : s->lease_name,
        .timeout_ms = timeout_ms < s->timeout_ms ? timeout_ms : s->timeout_ms,
    };
    int rc = SL_OK;

    if (a->is_parting) {
        call.timeout_ms = RELEASE_TIMEOUT_MS;
    }
    sl_http_response_init(&response);
    sl_buffer_init(&body, 4096);
    if (lease != NULL) {
        sl_lease_write(lease, s->lease_name, &body);
        call.body = body.data;
        call.body_len = body.len;
        rc = sl_buffer_check(&body, "a Lease", err);
    }
    if (rc == SL_OK) {
        rc = sl_kube_call(a->client, &call, &response, err);
    }
    if (rc == SL_OK) {
        rc = sl_lease_parse(response.body.data, response.body.len, ret, err);
    }
    sl_buffer_release(&body);
    sl_http_response_release(&response);
    return rc;
}

static int get_lease(void *self, struct sl_lease *ret, struct sl_error *err) {
    return lease_call(self, "GET", NULL, ret, err);
}

static int create_lease(void *self, const struct sl_lease *lease, struct sl_lease *ret,
                        struct sl_error *err) {
    return lease_call(self, "POST", lease, ret, err);
}

static int update_lease(void *self, const struct sl_lease *lease, struct sl_lease *ret,
                        struct sl_error *err) {
    return lease_call(self, "PUT", lease, ret, err);
}

static int64_t monotonic_ms(void *self) {
    (void)self;
    return sl_clock_monotonic_ms();
}

static int64_t realtime_us(void *self) {
    (void)self;
    return sl_clock_realtime_ms() * 1000;
}

/* True if it came or went. */
static bool publish(struct sl_attendant *a) {
    struct sl_leadership now = {
        .act_until_ms = sl_elector_act_until_ms(&a->elector),
        .lease_until_ms = sl_elector_lease_until_ms(&a->elector),
    };
    bool was_leader = a->was_leader;

    (void)snprintf(now.holder, sizeof now.holder, "%.250s",
                   a->elector.has_observed ? a->elector.observed.holder : "");
    (void)pthread_mutex_lock(&a->lock);
    a->leadership = now;
    (void)pthread_mutex_unlock(&a->lock);
    a->was_leader = a->elector.is_leader;
    return was_leader != a->was_leader;
}

static void tell_leadership(struct sl_attendant *a, bool has_changed) {
    const struct sl_attendant_settings *s = &a->settings;
    const char *holder = a->leadership.holder;

    if (a->was_leader && has_changed) {
        sl_log(s->log, SL_LOG_NOTICE,
               "cluster \"%s\": leads from now on and writes sizes: holds Lease %s as %s",
               s->cluster, s->lease_name, a->identity);
    } else if (!a->was_leader &&
               (has_changed || (holder[0] != '\0' && strcmp(holder, a->told_holder) != 0))) {
        sl_log(s->log, SL_LOG_NOTICE, "cluster \"%s\": %s: %s%s", s->cluster,
               has_changed ? "leads no longer and writes no sizes"
                           : "another one leads, no sizes are written here",
               holder[0] != '\0' ? "Lease held by " : "nobody is known to hold the Lease", holder);
    }
    (void)snprintf(a->told_holder, sizeof a->told_holder, "%s", holder);
}

static void tell_lease_trouble(struct sl_attendant *a, const struct sl_error *why) {
    int64_t now_ms = sl_clock_monotonic_ms();
    int64_t lasted_ms = 0;

    if (why->code == SL_OK) {
        if (sl_complaint_succeeded(&a->lease_complaint, now_ms, &lasted_ms, NULL)) {
            sl_log(a->settings.log, SL_LOG_INFO,
                   "cluster \"%s\": the Lease can be used again after %" PRId64 " s",
                   a->settings.cluster, lasted_ms / 1000);
        }
    } else if (why->code != SL_CANCELED &&
               sl_complaint_failed(&a->lease_complaint, sl_code_name(why->code), now_ms)) {
        sl_log(a->settings.log, SL_LOG_WARNING,
               "cluster \"%s\": cannot take part in the election: %s", a->settings.cluster,
               why->text);
    }
}

static void hold_election(struct sl_attendant *a) {
    struct sl_error why = SL_ERROR_INIT;
    bool has_changed = false;

    a->election_due_ms = sl_elector_step(&a->elector, &why);
    has_changed = publish(a);
    tell_lease_trouble(a, &why);
    tell_leadership(a, has_changed);
    if (has_changed && a->settings.on_leadership != NULL) {
        a->settings.on_leadership(a->settings.context);
    }
}

static void give_back(struct sl_attendant *a) {
    struct sl_error err = SL_ERROR_INIT;

    if (!a->settings.has_election || !a->elector.is_leader) {
        return;
    }
    /* Over the connection that is there: a new one may take longer than there is time for. */
    sl_wakeup_clear(&a->stop);
    a->is_parting = true;
    if (sl_elector_release(&a->elector, &err) != SL_OK) {
        sl_log(a->settings.log, SL_LOG_NOTICE,
               "cluster \"%s\": the Lease could not be given back, another host takes over when "
               "it ends: %s",
               a->settings.cluster, err.text);
    }
    (void)publish(a);
}

/* ---- events ---- */

void sl_attendant_record(struct sl_attendant *a, const struct sl_event *event) {
    struct sl_event *slot = NULL;

    if (!a->settings.has_events) {
        return;
    }
    (void)pthread_mutex_lock(&a->lock);
    if (a->queue_count == QUEUE_EVENTS) { /* the newest tell most */
        a->queue_first = (a->queue_first + 1) % QUEUE_EVENTS;
        a->queue_count--;
    }
    slot = &a->queue[(a->queue_first + a->queue_count++) % QUEUE_EVENTS];
    *slot = *event;
    if (slot->kube_namespace[0] == '\0') {
        (void)snprintf(slot->kube_namespace, sizeof slot->kube_namespace, "%s",
                       sl_kube_credentials_namespace(a->settings.credentials));
    }
    (void)pthread_mutex_unlock(&a->lock);
    sl_wakeup_signal(&a->work);
}

static bool take_event(struct sl_attendant *a, struct sl_event *ret) {
    bool is_there = false;

    (void)pthread_mutex_lock(&a->lock);
    if (a->queue_count > 0) {
        *ret = a->queue[a->queue_first];
        a->queue_first = (a->queue_first + 1) % QUEUE_EVENTS;
        a->queue_count--;
        is_there = true;
    }
    (void)pthread_mutex_unlock(&a->lock);
    return is_there;
}

static int send_event(struct sl_attendant *a, struct sl_event_series *series,
                      struct sl_error *err) {
    int64_t timeout_ms = a->settings.timeout_ms;
    struct sl_http_response response;
    struct sl_buffer body;
    struct sl_kube_call call = {
        .method = series->count > 1 ? "PATCH" : "POST",
        .group_version = "events.k8s.io/v1",
        .plural = "events",
        .kube_namespace = series->event.kube_namespace,
        .name = series->count > 1 ? series->name : NULL,
        .timeout_ms = timeout_ms < SIDE_TIMEOUT_MS ? timeout_ms : SIDE_TIMEOUT_MS,
    };
    int rc = SL_OK;

    sl_http_response_init(&response);
    sl_buffer_init(&body, 8192);
    if (series->count > 1) {
        sl_event_write_series(series, &body);
    } else {
        sl_event_write(series, a->identity, &body);
    }
    call.body = body.data;
    call.body_len = body.len;
    rc = sl_buffer_check(&body, "an Event", err);
    if (rc == SL_OK) {
        rc = sl_kube_call(a->client, &call, &response, err);
    }
    sl_buffer_release(&body);
    sl_http_response_release(&response);
    return rc;
}

static void tell_events_trouble(struct sl_attendant *a, int rc, const struct sl_error *why) {
    int64_t now_ms = sl_clock_monotonic_ms();

    if (rc == SL_OK) {
        sl_backoff_succeeded(&a->events_backoff);
        (void)sl_complaint_succeeded(&a->events_complaint, now_ms, NULL, NULL);
        return;
    }
    a->events_due_ms =
        now_ms + sl_backoff_failed(&a->events_backoff, why->retry_after_ms, EVENTS_PAUSE_MAX_MS);
    if (rc == SL_FORBIDDEN || rc == SL_NOTFOUND || rc == SL_REJECTED) {
        a->events_due_ms = now_ms + EVENTS_PAUSE_MAX_MS;
    }
    if (rc != SL_CANCELED &&
        sl_complaint_failed(&a->events_complaint, sl_code_name(why->code), now_ms)) {
        sl_log(a->settings.log, SL_LOG_NOTICE,
               "cluster \"%s\": events cannot be written, scaling goes on: %s; if they are not "
               "wanted: Events false",
               a->settings.cluster, why->text);
    }
}

static void send_next_event(struct sl_attendant *a) {
    int64_t now_ms = sl_clock_monotonic_ms();
    struct sl_error why = SL_ERROR_INIT;
    struct sl_event_series *series = NULL;
    struct sl_event event;
    int rc = SL_OK;

    if (!take_event(a, &event)) {
        return;
    }
    series = sl_event_log_find(&a->event_log, &event, now_ms);
    if (series != NULL) {
        rc = send_event(a, series, &why);
    }
    if (series == NULL || rc == SL_NOTFOUND) { /* a server forgets events after an hour */
        if (series != NULL) {
            sl_event_log_forget(series);
        }
        series = sl_event_log_add(&a->event_log, &event, now_ms);
        rc = send_event(a, series, &why);
    }
    if (rc != SL_OK) {
        sl_event_log_forget(series);
    }
    a->event_credit--;
    tell_events_trouble(a, rc, &why);
}

/* When the next event may go; INT64_MAX: there is none. */
static int64_t event_due_ms(struct sl_attendant *a) {
    int64_t now_ms = sl_clock_monotonic_ms();
    int64_t earned = (now_ms - a->credit_ms) / EVENT_EVERY_MS;
    size_t count = 0;

    if (earned > 0) {
        a->credit_ms += earned * EVENT_EVERY_MS;
        a->event_credit += earned;
        a->event_credit = a->event_credit > BURST_EVENTS ? BURST_EVENTS : a->event_credit;
    }
    (void)pthread_mutex_lock(&a->lock);
    count = a->queue_count;
    (void)pthread_mutex_unlock(&a->lock);
    if (count == 0) {
        return INT64_MAX;
    }
    return a->event_credit > 0 ? a->events_due_ms : a->credit_ms + EVENT_EVERY_MS;
}

/* ---- rights ---- */

/* What is read fails at once where it is not allowed; the first write may be weeks away. */
static void check_next(struct sl_attendant *a) {
    const struct sl_kube_pool_name *pool = &a->settings.pools[a->next_check++];
    const struct sl_kube_rule *rule = sl_kube_rules;
    struct sl_error why = SL_ERROR_INIT;
    int rc = SL_OK;

    while (rule->resource != NULL && rule->subresource == NULL) {
        rule++;
    }
    rc = sl_kube_access_check(a->client, rule, "patch", pool->kube_namespace, pool->worker_pool,
                              a->settings.lease_name, &why);
    if (rc == SL_FORBIDDEN && why.http_status == 0) {
        sl_log(a->settings.log, SL_LOG_WARNING, "cluster \"%s\": %s", a->settings.cluster,
               why.text);
    } else if (rc != SL_OK) {
        a->next_check = a->settings.pool_count; /* others say what is wrong with the server */
    }
}

static bool has_check(const struct sl_attendant *a) {
    return a->next_check < a->settings.pool_count && a->next_check < CHECKED_POOLS;
}

/* ---- the thread ---- */

static void *run(void *context) {
    struct sl_attendant *a = context;

    while (!sl_wakeup_is_signalled(&a->stop)) {
        int64_t election_ms = a->settings.has_election ? a->election_due_ms : INT64_MAX;
        int64_t event_ms = INT64_MAX;
        int64_t now_ms = 0;

        sl_wakeup_clear(&a->work);
        event_ms = event_due_ms(a);
        now_ms = sl_clock_monotonic_ms();
        if (now_ms >= election_ms) {
            hold_election(a);
        } else if (now_ms >= event_ms) {
            send_next_event(a);
        } else if (has_check(a)) {
            check_next(a);
        } else {
            int64_t next_ms = sl_time_earlier(election_ms, event_ms);

            sl_wakeup_wait(&a->work, &a->stop, next_ms == INT64_MAX ? -1 : next_ms - now_ms);
        }
    }
    give_back(a);
    return NULL;
}

/* ---- life ---- */

static void make_identity(char *out, size_t size) {
    char host[200] = "host";
    uint64_t number = 0;

    (void)gethostname(host, sizeof host - 1);
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number) {
        number = (uint64_t)sl_clock_monotonic_ns() ^ (uint64_t)getpid() << 32;
    }
    (void)snprintf(out, size < 128 ? size : 128, "%.100s_%016" PRIx64, host, number);
}

static void set_up_election(struct sl_attendant *a, bool is_brief) {
    struct sl_elector_settings settings = {
        .identity = a->identity,
        .lease_duration_ms = a->settings.lease_duration_ms,
        .renew_deadline_ms = a->settings.renew_deadline_ms,
        .retry_period_ms = a->settings.retry_period_ms,
        .is_brief = is_brief,
    };
    struct sl_lease_ops ops = {
        .get = get_lease,
        .create = create_lease,
        .update = update_lease,
        .clock_ms = monotonic_ms,
        .realtime_us = realtime_us,
        .self = a,
    };

    sl_elector_init(&a->elector, &settings, &ops);
    if (!a->settings.has_election) {
        a->leadership.act_until_ms = INT64_MAX;
        a->leadership.lease_until_ms = INT64_MAX;
    }
}

int sl_attendant_new(const struct sl_attendant_settings *settings, struct sl_attendant **ret,
                     struct sl_error *err) {
    struct sl_attendant *a = calloc(1, sizeof *a);
    int rc = SL_OK;

    if (a == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory for cluster \"%s\"", settings->cluster);
    }
    a->settings = *settings;
    a->stop.fd = -1;
    a->work.fd = -1;
    a->event_credit = BURST_EVENTS;
    a->credit_ms = sl_clock_monotonic_ms();
    make_identity(a->identity, sizeof a->identity);
    sl_backoff_init(&a->events_backoff, EVENTS_PAUSE_MIN_MS, EVENTS_PAUSE_MAX_MS,
                    (uint64_t)a->credit_ms);
    if (pthread_mutex_init(&a->lock, NULL) != 0) {
        free(a);
        return sl_fail(err, SL_NOMEM, "cannot make a lock");
    }
    set_up_election(a, false);
    rc = sl_wakeup_init(&a->stop, err);
    if (rc == SL_OK) {
        rc = sl_wakeup_init(&a->work, err);
    }
    if (rc == SL_OK) {
        rc = sl_kube_client_new(settings->credentials, &a->stop, &a->client, err);
    }
    if (rc != SL_OK) {
        sl_attendant_free(a);
        return rc;
    }
    *ret = a;
    return SL_OK;
}

int sl_attendant_start(struct sl_attendant *a, struct sl_error *err) {
    int rc = sl_thread_start(&a->thread, "sl-attendant", run, a, err);

    a->has_thread = rc == SL_OK;
    return rc;
}

int sl_attendant_begin_once(struct sl_attendant *a, struct sl_error *err) {
    struct sl_error why = SL_ERROR_INIT;
    char host[200] = "host";
    bool has_changed = false;

    if (!a->settings.has_election) {
        return SL_OK;
    }
    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(a->identity, sizeof a->identity, "%.100s_spacelift-pool", host);
    set_up_election(a, true);
    (void)sl_elector_step(&a->elector, &why);
    has_changed = publish(a);
    /* What the last run has said already is not said again. */
    if (!a->elector.is_leader ||
        strcmp(a->elector.observed.acquire_time, a->elector.observed.renew_time) == 0) {
        tell_leadership(a, has_changed);
    }
    if (why.code == SL_OK) {
        return SL_OK;
    }
    return sl_fail(err, why.code, "cluster \"%s\": cannot take part in the election: %s",
                   a->settings.cluster, why.text);
}

void sl_attendant_end_once(struct sl_attendant *a) {
    while (!sl_wakeup_is_signalled(&a->stop) && event_due_ms(a) <= sl_clock_monotonic_ms()) {
        send_next_event(a);
    }
}

void sl_attendant_begin_stop(struct sl_attendant *a) {
    if (a->stop.fd >= 0 && !a->is_stopping) {
        a->is_stopping = true;
        sl_wakeup_signal(&a->stop);
    }
}

void sl_attendant_stop(struct sl_attendant *a) {
    sl_attendant_begin_stop(a);
    if (a->has_thread) {
        (void)pthread_join(a->thread, NULL);
        a->has_thread = false;
    }
}

void sl_attendant_free(struct sl_attendant *a) {
    if (a == NULL) {
        return;
    }
    sl_attendant_stop(a);
    sl_kube_client_free(a->client);
    sl_wakeup_release(&a->stop);
    sl_wakeup_release(&a->work);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

struct sl_leadership sl_attendant_leadership(struct sl_attendant *a) {
    struct sl_leadership copy;

    (void)pthread_mutex_lock(&a->lock);
    copy = a->leadership;
    (void)pthread_mutex_unlock(&a->lock);
    return copy;
}
