/* Reads one account on a thread of its own. */
#include "spacelift/poller.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "net/http.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/thread.h"
#include "os/wakeup.h"
#include "spacelift/session.h"

/* The documents of one poll, in this order: queues first, they are waited for. */
static const enum sl_document polled[] = {SL_DOCUMENT_WORKER_POOLS, SL_DOCUMENT_PUBLIC_WORKER_POOL};
enum { POLLED = sizeof(polled) / sizeof(polled[0]) };

struct sl_poller {
    struct sl_account account;
    struct sl_poller_events events;
    struct sl_log log;
    struct sl_wakeup work;
    struct sl_wakeup stop;
    struct sl_http *http;
    struct sl_session *session;
    struct sl_complaint complaints[POLLED];
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t done;
    uint64_t asked;
    uint64_t finished;
    struct sl_error result; /* of the newest poll */
};

static int open_http(struct sl_poller *p, struct sl_error *err) {
    struct sl_buffer ca;
    sl_buffer_init(&ca, SL_LIMIT_CA_FILE_BYTES);
    int code = SL_OK;
    if (p->account.ca_cert != NULL)
        code = sl_file_read(p->account.ca_cert, &ca, err);
    if (code == SL_OK) {
        struct sl_http_settings settings = {
            .timeout_ms = p->account.timeout_ms,
            .insecure_peer = !p->account.verify_peer,
            .insecure_host = !p->account.verify_host,
            .ca_pem = p->account.ca_cert != NULL ? ca.data : NULL,
        };
        code = sl_http_new(&settings, &p->stop, &p->http, err);
        if (code == SL_CONFIG && err != NULL && p->account.ca_cert != NULL)
            sl_error_prefix(err, "%s", p->account.ca_cert);
    }
    if (code != SL_OK && err != NULL && p->account.ca_cert != NULL)
        sl_error_prefix(err, "option CACert");
    sl_buffer_release(&ca);
    return code;
}

int sl_poller_new(struct sl_account *account, const struct sl_poller_events *events,
                  struct sl_log log, struct sl_poller **ret, struct sl_error *err) {
    struct sl_poller *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        sl_account_release(account);
        return sl_fail(err, SL_NOMEM, "out of memory for an account");
    }
    p->account = *account;
    *account = (struct sl_account){.name = NULL};
    p->events = *events;
    p->log = log;
    p->work.fd = p->stop.fd = -1;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->done, NULL);
    int code = sl_wakeup_init(&p->work, err);
    if (code == SL_OK)
        code = sl_wakeup_init(&p->stop, err);
    if (code == SL_OK)
        code = open_http(p, err);
    if (code == SL_OK)
        code = sl_session_new(&p->account, sl_http_transport(p->http), &p->log, &p->session, err);
    if (code != SL_OK)
        sl_poller_free(p);
    else
        *ret = p;
    return code;
}

const struct sl_account *sl_poller_account(const struct sl_poller *p) {
    return &p->account;
}

/* One document's value lists, stamped alike, on their way to the host. */
struct delivery {
    const struct sl_poller *poller;
    int64_t realtime_ms;
};

static void deliver(void *context, const struct sl_values *values) {
    const struct delivery *d = context;
    d->poller->events.on_values(d->poller->events.context, values, d->realtime_ms);
}

static void hand_over(const struct sl_poller *p, enum sl_document document,
                      const struct sl_answer *answer) {
    struct delivery delivery = {.poller = p, .realtime_ms = sl_clock_realtime_ms()};
    sl_answer_values(document, answer, p->events.account != NULL ? p->events.account : "", deliver,
                     &delivery);
}

static void report_failure(struct sl_poller *p, size_t i, const struct sl_error *failure) {
    /* Retries may differ in a port or a byte count: the code is what makes a trouble new. */
    if (sl_complaint_failed(&p->complaints[i], sl_code_name(failure->code),
                            sl_clock_monotonic_ms()))
        sl_log(&p->log, SL_LOG_WARNING,
               "account \"%s\": cannot read %s: %s. Its values stay away until it works again.",
               p->account.name, sl_document_name(polled[i]), failure->text);
}

static void report_success(struct sl_poller *p, size_t i) {
    int64_t lasted_ms;
    uint64_t count;
    if (sl_complaint_succeeded(&p->complaints[i], sl_clock_monotonic_ms(), &lasted_ms, &count))
        sl_log(&p->log, SL_LOG_NOTICE,
               "account \"%s\": %s is read again, after %lld s and %llu failures", p->account.name,
               sl_document_name(polled[i]), (long long)(lasted_ms / 1000),
               (unsigned long long)count);
}

static void poll_once(struct sl_poller *p, struct sl_error *result) {
    for (size_t i = 0; i < POLLED; i++) {
        struct sl_answer answer = {.pools = NULL};
        struct sl_error failure = SL_ERROR_INIT;
        int code = sl_session_read(p->session, polled[i], &answer, &failure);
        if (code == SL_CANCELED) {
            *result = failure;
            return;
        }
        if (code == SL_OK) {
            report_success(p, i);
            hand_over(p, polled[i], &answer);
        } else {
            report_failure(p, i, &failure);
            if (result->code == SL_OK)
                *result = failure;
        }
        sl_answer_release(&answer);
    }
}

static void finish_poll(struct sl_poller *p, uint64_t number, const struct sl_error *result) {
    pthread_mutex_lock(&p->lock);
    p->finished = number;
    p->result = *result;
    pthread_cond_broadcast(&p->done);
    pthread_mutex_unlock(&p->lock);
}

static void *run(void *context) {
    struct sl_poller *p = context;
    if (p->events.on_start != NULL)
        p->events.on_start(p->events.context);
    while (!sl_wakeup_is_signalled(&p->stop)) {
        sl_wakeup_wait(&p->work, &p->stop, -1);
        sl_wakeup_clear(&p->work);
        pthread_mutex_lock(&p->lock);
        uint64_t number = p->asked;
        bool is_due = number != p->finished;
        pthread_mutex_unlock(&p->lock);
        if (!is_due || sl_wakeup_is_signalled(&p->stop))
            continue;
        struct sl_error result = SL_ERROR_INIT;
        poll_once(p, &result);
        if (p->events.on_done != NULL)
            p->events.on_done(p->events.context, &result);
        finish_poll(p, number, &result);
    }
    struct sl_error stopped = SL_ERROR_INIT;
    sl_fail(&stopped, SL_CANCELED, "stopped");
    finish_poll(p, UINT64_MAX, &stopped);
    return NULL;
}

int sl_poller_start(struct sl_poller *p, struct sl_error *err) {
    int code = sl_thread_start(&p->thread, "sl-poller", run, p, err);
    p->has_thread = code == SL_OK;
    return code;
}

static uint64_t ask(struct sl_poller *p) {
    pthread_mutex_lock(&p->lock);
    uint64_t number = ++p->asked;
    pthread_mutex_unlock(&p->lock);
    sl_wakeup_signal(&p->work);
    return number;
}

void sl_poller_request(struct sl_poller *p) {
    ask(p);
}

int sl_poller_run(struct sl_poller *p, struct sl_error *err) {
    uint64_t number = ask(p);
    pthread_mutex_lock(&p->lock);
    while (p->finished < number)
        pthread_cond_wait(&p->done, &p->lock);
    struct sl_error result = p->result;
    pthread_mutex_unlock(&p->lock);
    if (result.code != SL_OK && err != NULL)
        *err = result;
    return result.code;
}

void sl_poller_free(struct sl_poller *p) {
    if (p == NULL)
        return;
    if (p->has_thread) {
        sl_wakeup_signal(&p->stop);
        pthread_join(p->thread, NULL);
    }
    sl_session_free(p->session);
    sl_http_free(p->http);
    sl_wakeup_release(&p->work);
    sl_wakeup_release(&p->stop);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    sl_account_release(&p->account);
    free(p);
}
