/* Reads one account on a thread of its own. */
#include "spacelift/poller.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/limits.h"
#include "net/identity.h"
#include "os/clock.h"
#include "os/errand.h"
#include "os/memory.h"
#include "spacelift/blocked.h"
#include "spacelift/session.h"

enum {
    /* A key that may not read something is seldom given the right within seconds. */
    FORBIDDEN_PAUSE_MIN_MS = 10 * 1000,
    FORBIDDEN_PAUSE_MAX_MS = 5 * 60 * 1000,
    RATE_PAUSE_MIN_MS = 10 * 1000,
    RATE_PAUSE_MAX_MS = 5 * 60 * 1000,
    RETRY_AFTER_MAX_MS = 60 * 60 * 1000,
    EXPIRY_INTERVAL_MS = 60 * 1000,
    /* Afterwards every library has done what it does once. */
    POLLS_OF_START = 3,
};

/* One document, and how the reading of it goes. */
struct collector {
    bool is_on;
    int64_t interval_ms; /* 0: at every poll */
    int64_t begun_ms;    /* the last read */
    bool has_begun;
    int64_t again_ms; /* not before: after a refusal */
    struct sl_backoff pause;
    struct sl_complaint complaint;
    bool is_lacking; /* this Spacelift does not have it, as was found after that many logins */
    uint64_t lacking_since;
    struct sl_collector_result last;
    struct sl_complaint truncation;
};

/* A document that takes requests for each pool: where it is. */
struct round {
    size_t next; /* in pools */
    bool is_open;
    bool has_any; /* a pool was read */
    struct sl_collector_result result;
    struct sl_error failure; /* the first one */
};

struct sl_poller {
    struct sl_account account;
    struct sl_poller_events events;
    struct sl_log log;
    struct sl_errand *errand;
    struct sl_http *http;
    struct sl_session *session;
    struct collector collectors[SL_DOCUMENTS_READ];
    struct sl_backoff rate;
    int64_t rate_again_ms;
    int64_t expiry_again_ms;
    struct sl_known_pools pools;
    struct round rounds[SL_DOCUMENTS_READ]; /* of those that are read pool by pool */
    int polls;                              /* so far, up to POLLS_OF_START */
};

static void choose_documents(struct sl_poller *p) {
    const struct sl_account *a = &p->account;
    const struct {
        bool is_on;
        int64_t interval_ms;
    } choice[SL_DOCUMENTS_READ] = {
        [SL_DOCUMENT_WORKER_POOLS] = {true, 0},
        [SL_DOCUMENT_PUBLIC_WORKER_POOL] = {a->public_worker_pool, 0},
        [SL_DOCUMENT_USAGE] = {a->usage, a->usage_interval_ms},
        [SL_DOCUMENT_AGGREGATES] = {a->aggregates, a->aggregates_interval_ms},
        [SL_DOCUMENT_WORKERS] = {a->workers, a->workers_interval_ms},
        [SL_DOCUMENT_SCHEDULABLE] = {a->schedulable, a->schedulable_interval_ms},
        [SL_DOCUMENT_QUEUE] = {a->queue, a->queue_interval_ms},
        [SL_DOCUMENT_BILLING_DETAILS] = {a->billing_details, a->billing_details_interval_ms},
        [SL_DOCUMENT_SEATS] = {a->seats, a->seats_interval_ms},
        [SL_DOCUMENT_BLOCKED] = {a->blocked, a->blocked_interval_ms},
    };
    uint64_t seed = (uint64_t)sl_clock_monotonic_ns();
    for (int d = 0; d < SL_DOCUMENTS_READ; d++) {
        p->collectors[d].is_on = choice[d].is_on;
        p->collectors[d].interval_ms = choice[d].interval_ms;
        sl_backoff_init(&p->collectors[d].pause, FORBIDDEN_PAUSE_MIN_MS, FORBIDDEN_PAUSE_MAX_MS,
                        seed + (uint64_t)d);
    }
    sl_backoff_init(&p->rate, RATE_PAUSE_MIN_MS, RATE_PAUSE_MAX_MS, seed);
}

/* ---- what is said about it ---- */

static void report_failure(struct sl_poller *p, enum sl_document document,
                           const struct sl_error *failure) {
    /* Retries may differ in a port or a byte count: the code is what makes a trouble new. */
    if (sl_complaint_failed(&p->collectors[document].complaint, sl_code_name(failure->code),
                            sl_clock_monotonic_ms()))
        sl_log(
            &p->log, SL_LOG_WARNING,
            "account \"%s\": cannot read %s (%s): %s. Its values stay away until it works again.",
            p->account.name, sl_document_name(document), sl_document_collector(document),
            failure->text);
}

static void report_success(struct sl_poller *p, enum sl_document document) {
    int64_t lasted_ms;
    uint64_t count;
    struct collector *c = &p->collectors[document];
    sl_backoff_succeeded(&c->pause);
    if (sl_complaint_succeeded(&c->complaint, sl_clock_monotonic_ms(), &lasted_ms, &count))
        sl_log(&p->log, SL_LOG_NOTICE,
               "account \"%s\": %s (%s) is read again, after %lld s and %llu failures",
               p->account.name, sl_document_name(document), sl_document_collector(document),
               (long long)(lasted_ms / 1000), (unsigned long long)count);
}

static void report_lacking(struct sl_poller *p, enum sl_document document,
                           const struct sl_error *failure) {
    struct collector *c = &p->collectors[document];
    if (!c->is_lacking)
        sl_log(
            &p->log, SL_LOG_NOTICE,
            "account \"%s\": %s (%s) is not to be had of this Spacelift: %s. Its values are left "
            "out.",
            p->account.name, sl_document_name(document), sl_document_collector(document),
            failure->text);
    c->is_lacking = true;
    c->lacking_since = sl_session_logins(p->session);
}

/* "... has more than LIMIT WHAT" */
static void report_truncation(struct sl_poller *p, enum sl_document document, const char *pool,
                              const char *what, unsigned limit) {
    if (sl_complaint_failed(&p->collectors[document].truncation, pool, sl_clock_monotonic_ms()))
        sl_log(&p->log, SL_LOG_WARNING, "account \"%s\": pool \"%s\" has more than %u %s",
               p->account.name, pool, limit, what);
}

/* ---- reading ---- */

/* Value lists that are stamped alike, on their way to the host. */
struct delivery {
    const struct sl_poller *poller;
    struct sl_values_out out;
};

static void deliver(void *context, const struct sl_values *values) {
    const struct delivery *d = context;
    d->poller->events.on_values(d->poller->events.context, values, d->out.realtime_ms);
}

static const struct sl_values_out *deliver_now(struct delivery *d, const struct sl_poller *p,
                                               enum sl_document document) {
    *d = (struct delivery){
        .poller = p,
        .out = {.put = deliver,
                .context = d,
                .account = p->events.account != NULL ? p->events.account : "",
                .realtime_ms = sl_clock_realtime_ms(),
                .interval_ms = p->collectors[document].interval_ms},
    };
    return &d->out;
}

static void hand_over(struct sl_poller *p, enum sl_document document,
                      const struct sl_collector_result *result) {
    struct delivery d;
    p->collectors[document].last = *result;
    sl_collector_values(document, result, deliver_now(&d, p, document));
}

/* Will every other request fail as well? */
static bool is_about_server(enum sl_code code) {
    return code == SL_IO || code == SL_TIMEOUT || code == SL_TLS || code == SL_CANCELED ||
           code == SL_RATELIMIT || code == SL_AUTH || code == SL_CONFIG;
}

/* A field that the schema lacks, or that no key may read in this release. Without the pools there
 * is nothing to do: theirs is a failure. */
static bool is_lacking(enum sl_document document, const struct sl_error *failure) {
    return document != SL_DOCUMENT_WORKER_POOLS && failure->code == SL_REJECTED &&
           failure->http_status == 0;
}

/* The server's word, where it gives one. */
static int64_t rate_pause(struct sl_poller *p, int64_t retry_after_ms) {
    int64_t own_ms = sl_backoff_failed(&p->rate, -1, 0);
    if (retry_after_ms < 0)
        return own_ms;
    return retry_after_ms < RETRY_AFTER_MAX_MS ? retry_after_ms : RETRY_AFTER_MAX_MS;
}

static void take_failure(struct sl_poller *p, enum sl_document document,
                         struct sl_collector_result *result, struct sl_error *failure) {
    struct collector *c = &p->collectors[document];
    int64_t now_ms = sl_clock_monotonic_ms();
    result->supported = !is_lacking(document, failure);
    if (!result->supported) {
        result->success = true; /* as the exporter: nothing has failed */
        report_lacking(p, document, failure);
        return;
    }
    if (failure->code == SL_FORBIDDEN)
        c->again_ms = now_ms + sl_backoff_failed(&c->pause, -1, 0);
    if (failure->code == SL_RATELIMIT)
        p->rate_again_ms = now_ms + rate_pause(p, failure->retry_after_ms);
    if (failure->code != SL_CANCELED)
        report_failure(p, document, failure);
}

/* Is there a document that says only the ids of pools? */
static bool needs_names(const struct sl_poller *p) {
    return p->collectors[SL_DOCUMENT_WORKERS].is_on ||
           p->collectors[SL_DOCUMENT_SCHEDULABLE].is_on || p->collectors[SL_DOCUMENT_QUEUE].is_on ||
           p->collectors[SL_DOCUMENT_BLOCKED].is_on;
}

/* One document that one request reads. */
static int read_document(struct sl_poller *p, enum sl_document document,
                         struct sl_collector_result *result, struct sl_error *failure) {
    struct sl_document_arguments arguments = {
        .with_labels = sl_pool_filter_needs_labels(&p->account.filter),
        .with_metadata = p->account.worker_metadata_key != NULL,
    };
    struct sl_answer_settings settings = {
        .filter = &p->account.filter,
        .metadata_key = p->account.worker_metadata_key,
    };
    struct sl_answer answer = {.pools = NULL};
    int code = sl_session_read(p->session, document, &arguments, &settings, &answer, failure);
    if (code == SL_OK && document == SL_DOCUMENT_WORKER_POOLS && needs_names(p))
        code = sl_known_pools_set(&p->pools, &answer, failure);
    if (code == SL_OK) {
        struct delivery d;
        sl_answer_values(document, &answer, &p->pools, deliver_now(&d, p, document));
        result->truncated = answer.is_truncated;
    }
    sl_answer_release(&answer);
    return code;
}

/* All pages of a pool, or as many as the cap allows: then there is an end_cursor left. held (NULL:
 * not asked for) gets the runs of BLOCKED. */
static int read_pages(struct sl_poller *p, enum sl_document document, const char *pool_id,
                      struct sl_queue *queue, struct sl_blocked *held, struct sl_error *err) {
    struct sl_document_arguments arguments = {.pool_id = pool_id};
    int code = SL_OK;
    unsigned pages = 0;
    do {
        struct sl_answer answer = {.pools = NULL};
        struct sl_answer_settings settings = {.now_s = sl_clock_realtime_ms() / 1000};
        code = sl_session_read(p->session, document, &arguments, &settings, &answer, err);
        if (code == SL_OK && held != NULL)
            code = sl_blocked_add(held, &answer, err);
        if (code == SL_OK)
            sl_queue_add(queue, &answer.queue);
        sl_answer_release(&answer);
        arguments.cursor = queue->end_cursor;
        pages++;
    } while (code == SL_OK && queue->end_cursor != NULL && pages < SL_LIMIT_QUEUE_PAGES);
    return code;
}

static const unsigned most_runs = SL_LIMIT_QUEUE_PAGES * SL_QUEUE_PAGE_RUNS;

/* A queue is handed over only if all of it was read, or the cap. */
static int read_queue(struct sl_poller *p, const struct sl_known_pool *pool, bool *ret_truncated,
                      struct sl_error *err) {
    struct sl_queue queue = {.end_cursor = NULL};
    int code = read_pages(p, SL_DOCUMENT_QUEUE, pool->id, &queue, NULL, err);
    if (code == SL_OK && queue.has_pool) {
        struct delivery d;
        sl_queue_values(pool, &queue, deliver_now(&d, p, SL_DOCUMENT_QUEUE));
    }
    if (code == SL_OK && queue.end_cursor != NULL) {
        *ret_truncated = true;
        report_truncation(p, SL_DOCUMENT_QUEUE, pool->name,
                          "runs in its queue: only the first ones are counted", most_runs);
    }
    sl_queue_release(&queue);
    return code;
}

/* A stack that the key may not read leaves its runs unknown; if it may read none, the document is
 * refused. */
static int judge_stacks(struct sl_poller *p, struct sl_blocked *b, struct sl_error *err) {
    struct sl_document_arguments arguments = {.stack_id = NULL};
    struct sl_answer_settings settings = {.filter = NULL};
    bool has_any = false;
    while ((arguments.stack_id = sl_blocked_next_stack(b)) != NULL) {
        struct sl_answer answer = {.pools = NULL};
        int code =
            sl_session_read(p->session, SL_DOCUMENT_STACK, &arguments, &settings, &answer, err);
        has_any |= code == SL_OK;
        if (code == SL_OK || (code == SL_FORBIDDEN && has_any))
            sl_blocked_judge(b, &answer);
        sl_answer_release(&answer);
        if (code != SL_OK && !(code == SL_FORBIDDEN && has_any))
            return code;
    }
    return SL_OK;
}

static int read_blocked(struct sl_poller *p, const struct sl_known_pool *pool, bool *ret_truncated,
                        struct sl_error *err) {
    struct sl_blocked blocked = {.runs = NULL};
    struct sl_queue queue = {.end_cursor = NULL};
    int code = read_pages(p, SL_DOCUMENT_BLOCKED, pool->id, &queue, &blocked, err);
    if (code == SL_OK)
        code = judge_stacks(p, &blocked, err);
    if (code == SL_OK && queue.has_pool) {
        struct delivery d;
        sl_blocked_values(pool, &blocked, deliver_now(&d, p, SL_DOCUMENT_BLOCKED));
    }
    *ret_truncated |= blocked.is_truncated || queue.end_cursor != NULL;
    if (queue.end_cursor != NULL)
        report_truncation(p, SL_DOCUMENT_BLOCKED, pool->name,
                          "runs that are not ready: only the first ones are counted", most_runs);
    else if (blocked.is_truncated)
        report_truncation(p, SL_DOCUMENT_BLOCKED, pool->name,
                          "stacks with blocked runs: what holds those of the rest is not known",
                          SL_LIMIT_BLOCKED_STACKS);
    sl_queue_release(&queue);
    sl_blocked_release(&blocked);
    return code;
}

/* Will the next pool fail as well? */
static bool is_hopeless(enum sl_document document, const struct round *r,
                        const struct sl_error *failure) {
    return is_about_server(failure->code) || is_lacking(document, failure) ||
           (failure->code == SL_FORBIDDEN && !r->has_any);
}

/* Goes on with the pools until all are read or the host wants the next poll: that must not wait for
 * a thousand requests. True when it is through. */
static bool read_pools_in_turn(struct sl_poller *p, enum sl_document document,
                               struct sl_error *failure) {
    struct round *r = &p->rounds[document];
    if (!r->is_open)
        *r = (struct round){.is_open = true, .failure = SL_ERROR_INIT};
    while (r->next < p->pools.count) {
        struct sl_error err = SL_ERROR_INIT;
        const struct sl_known_pool *pool = &p->pools.items[r->next];
        int code = document == SL_DOCUMENT_QUEUE
                       ? read_queue(p, pool, &r->result.truncated, &err)
                       : read_blocked(p, pool, &r->result.truncated, &err);
        r->has_any |= code == SL_OK;
        r->next++;
        if (code != SL_OK && (r->failure.code == SL_OK || is_hopeless(document, r, &err)))
            r->failure = err;
        if (code != SL_OK && is_hopeless(document, r, &err))
            break;
        if (r->next < p->pools.count && sl_errand_is_asked_again(p->errand))
            return false;
    }
    r->is_open = false;
    *failure = r->failure;
    return true;
}

static bool is_by_pool(enum sl_document document) {
    return document == SL_DOCUMENT_QUEUE || document == SL_DOCUMENT_BLOCKED;
}

/* Reads one document and hands over its values and how it went. */
static int collect(struct sl_poller *p, enum sl_document document, int64_t *total_ms,
                   struct sl_error *failure) {
    struct sl_collector_result here = {.supported = true};
    struct sl_collector_result *result = is_by_pool(document) ? &p->rounds[document].result : &here;
    int64_t begin_ms = sl_clock_monotonic_ms();
    bool is_through = true;
    if (is_by_pool(document))
        is_through = read_pools_in_turn(p, document, failure);
    else
        (void)read_document(p, document, result, failure);
    int64_t lasted_ms = sl_clock_monotonic_ms() - begin_ms;
    result->duration_ms += lasted_ms;
    *total_ms += lasted_ms;
    if (!is_through)
        return SL_OK;
    result->supported = true;
    result->success = failure->code == SL_OK;
    if (result->success) {
        p->collectors[document].is_lacking = false;
        report_success(p, document);
    } else {
        take_failure(p, document, result, failure);
    }
    hand_over(p, document, result);
    return failure->code;
}

/* Not asked for now, because of what was found before. */
static bool is_put_off(const struct sl_poller *p, enum sl_document document, int64_t now_ms) {
    const struct collector *c = &p->collectors[document];
    return now_ms < c->again_ms || now_ms < p->rate_again_ms ||
           (c->is_lacking && c->lacking_since == sl_session_logins(p->session));
}

/* What was found still holds: an alert on it must not lose sight of it. */
static void repeat_trouble(struct sl_poller *p, enum sl_document document) {
    const struct collector *c = &p->collectors[document];
    if (c->has_begun && (!c->last.success || !c->last.supported))
        hand_over(p, document, &p->collectors[document].last);
}

/* Polls come a little early or late; what is due within a tenth of its interval is due. */
static bool is_due(const struct sl_poller *p, enum sl_document document, int64_t now_ms) {
    const struct collector *c = &p->collectors[document];
    if (p->rounds[document].is_open)
        return true;
    return !c->has_begun || now_ms - c->begun_ms >= c->interval_ms - c->interval_ms / 10;
}

static void poll_once(struct sl_poller *p, struct sl_error *result) {
    int64_t total_ms = 0;
    if (sl_clock_monotonic_ms() < p->rate_again_ms)
        sl_fail(result, SL_RATELIMIT, "the server asked for a pause");
    for (enum sl_document d = 0; d < SL_DOCUMENTS_READ; d++) {
        int64_t now_ms = sl_clock_monotonic_ms();
        if (is_put_off(p, d, now_ms)) {
            repeat_trouble(p, d);
            continue;
        }
        if (!p->collectors[d].is_on || !is_due(p, d, now_ms))
            continue;
        if (!p->rounds[d].is_open)
            p->collectors[d].begun_ms = now_ms;
        p->collectors[d].has_begun = true;
        struct sl_error failure = SL_ERROR_INIT;
        int code = collect(p, d, &total_ms, &failure);
        bool is_fatal =
            d == SL_DOCUMENT_WORKER_POOLS || (code != SL_FORBIDDEN && !p->collectors[d].is_lacking);
        if (code != SL_OK && is_fatal && result->code == SL_OK)
            *result = failure;
        if (is_about_server((enum sl_code)code))
            break;
        if (code == SL_OK)
            sl_backoff_succeeded(&p->rate);
    }
    struct delivery d;
    sl_scrape_values(total_ms, deliver_now(&d, p, SL_DOCUMENT_WORKER_POOLS));
}

/* Whatever the server does: that a credential has ended may be why. */
static void tell_expiry(struct sl_poller *p) {
    int64_t now_ms = sl_clock_monotonic_ms();
    const char *credential;
    if (now_ms < p->expiry_again_ms)
        return;
    p->expiry_again_ms = now_ms + EXPIRY_INTERVAL_MS - EXPIRY_INTERVAL_MS / 10;
    int64_t expires_s = sl_session_expiry(p->session, &credential);
    if (expires_s > 0) {
        struct delivery d;
        deliver_now(&d, p, SL_DOCUMENT_WORKER_POOLS);
        d.out.interval_ms = EXPIRY_INTERVAL_MS;
        sl_expiry_values(credential, expires_s, &d.out);
    }
}

/* ---- the thread ---- */

static void on_start(void *context) {
    const struct sl_poller *p = context;
    if (p->events.on_start != NULL)
        p->events.on_start(p->events.context);
}

static int read_account(void *context, struct sl_error *result) {
    struct sl_poller *p = context;
    tell_expiry(p);
    poll_once(p, result);
    if (p->events.on_done != NULL)
        p->events.on_done(p->events.context, result);
    if (p->polls < POLLS_OF_START && ++p->polls == POLLS_OF_START)
        sl_memory_trim_code();
    return (int)result->code;
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
    choose_documents(p);
    struct sl_errand_work work = {
        .name = "sl-poller", .on_start = on_start, .run = read_account, .context = p};
    int code = sl_errand_new(&work, &p->errand, err);
    if (code == SL_OK)
        code = sl_identity_open(&p->account.http, false, NULL, sl_errand_stop_signal(p->errand),
                                &p->http, err);
    if (code == SL_OK)
        code = sl_session_new(&p->account, sl_http_transport(p->http), &p->log, &p->session, err);
    if (code != SL_OK) {
        sl_poller_free(p);
        return code;
    }
    sl_identity_warn(&p->account.http, &p->log, "account", p->account.name);
    *ret = p;
    return SL_OK;
}

const struct sl_account *sl_poller_account(const struct sl_poller *p) {
    return &p->account;
}

int sl_poller_start(struct sl_poller *p, struct sl_error *err) {
    return sl_errand_start(p->errand, err);
}

void sl_poller_request(struct sl_poller *p) {
    sl_errand_request(p->errand);
}

int sl_poller_run(struct sl_poller *p, struct sl_error *err) {
    return sl_errand_run(p->errand, err);
}

void sl_poller_free(struct sl_poller *p) {
    if (p == NULL)
        return;
    if (p->errand != NULL)
        sl_errand_end(p->errand);
    sl_session_free(p->session);
    sl_http_free(p->http);
    sl_errand_free(p->errand); /* the client obeys its stop signal */
    sl_known_pools_release(&p->pools);
    sl_account_release(&p->account);
    free(p);
}
