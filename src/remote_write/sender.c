/* One remote write receiver: a queue, and a thread that empties it. */
#include "remote_write/sender.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/limits.h"
#include "os/clock.h"
#include "os/thread.h"
#include "remote_write/encode.h"
#include "remote_write/endpoint.h"
#include "remote_write/rules.h"

enum {
    RETRY_AFTER_MAX_MS = 5 * 60 * 1000,
    REQUEST_BYTES_MAX = 64 * 1024 * 1024,
};

struct sl_sender {
    struct sl_node_options options;
    struct sl_log log;
    struct sl_queue *queue;
    struct sl_rules rules;
    struct sl_endpoint *endpoint;

    struct sl_wakeup work;   /* something waits, or enough for a full request */
    struct sl_wakeup stop;   /* send what there is, then end */
    struct sl_wakeup cancel; /* end now */
    struct sl_wakeup done;   /* the thread has ended */
    bool has_wakeups;
    pthread_t thread;
    bool is_running;

    /* The thread's own. */
    struct sl_sample *staged; /* taken from the queue, not yet settled */
    size_t staged_first;
    size_t staged_count;
    uint64_t batch; /* running number */
    struct sl_buffer message;
    struct sl_buffer body;
    struct sl_backoff backoff;
    struct sl_complaint trouble;   /* the receiver cannot be reached or is ill */
    struct sl_complaint rejection; /* it refuses what we send */
};

/* ---- setting up ---- */

static int init_wakeups(struct sl_sender *s, struct sl_error *err) {
    struct sl_wakeup *all[] = {&s->work, &s->stop, &s->cancel, &s->done};
    for (size_t i = 0; i < 4; i++) {
        int code = sl_wakeup_init(all[i], err);
        if (code != SL_OK) {
            while (i > 0)
                sl_wakeup_release(all[--i]);
            return code;
        }
    }
    s->has_wakeups = true;
    return SL_OK;
}

static int build(struct sl_sender *s, struct sl_error *err) {
    struct sl_node_options *o = &s->options;
    int code = sl_node_options_check(o, err);
    if (code == SL_OK)
        code = init_wakeups(s, err);
    if (code == SL_OK)
        code = sl_endpoint_new(o, s->log, &s->cancel, &s->endpoint, err);
    if (code == SL_OK) {
        code = sl_rules_init(&s->rules, o->job, &o->labels, o->relabel, err);
        o->relabel = NULL;
    }
    if (code == SL_OK)
        code = sl_queue_new((size_t)o->capacity, &s->rules.series, &s->queue, err);
    if (code != SL_OK)
        return code;
    s->staged = calloc((size_t)o->max_samples_per_send, sizeof(*s->staged));
    return s->staged != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory for a batch");
}

int sl_sender_new(struct sl_node_options *options, struct sl_log log, struct sl_sender **ret,
                  struct sl_error *err) {
    struct sl_sender *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        sl_node_options_release(options);
        return sl_fail(err, SL_NOMEM, "out of memory for a sender");
    }
    s->options = *options;
    *options = (struct sl_node_options){.name = NULL};
    s->log = log;
    sl_buffer_init(&s->message, REQUEST_BYTES_MAX);
    sl_buffer_init(&s->body, REQUEST_BYTES_MAX * 2);
    uint64_t seed = (uint64_t)sl_clock_realtime_ms() ^ (uint64_t)getpid() << 40;
    sl_backoff_init(&s->backoff, s->options.min_backoff_ms, s->options.max_backoff_ms, seed);
    int code = build(s, err);
    if (code != SL_OK)
        sl_sender_free(s, 0);
    else
        *ret = s;
    return code;
}

const char *sl_sender_name(const struct sl_sender *s) {
    return s->options.name;
}

void sl_sender_count(struct sl_sender *s, struct sl_queue_counts *ret) {
    sl_queue_count(s->queue, ret);
}

void sl_sender_put(struct sl_sender *s, const struct sl_value_id *id, size_t first,
                   const double *values, int64_t timestamp_ms) {
    size_t waiting = sl_queue_put(s->queue, id, first, values, timestamp_ms);
    size_t full = (size_t)s->options.max_samples_per_send;
    /* Only when the thread may be asleep: at the first samples, and when they fill a request. */
    if (waiting > 0 &&
        (waiting <= id->source_count || (waiting >= full && waiting < full + id->source_count)))
        sl_wakeup_signal(&s->work);
}

/* ---- a request ---- */

/* Puts staged samples into a message until one comes whose series is in it already. Returns how
 * many. */
static size_t fill_message(struct sl_sender *s) {
    s->batch++;
    sl_buffer_reset(&s->message);
    size_t count = 0;
    for (; count < s->staged_count; count++) {
        const struct sl_sample *sample = &s->staged[s->staged_first + count];
        uint64_t *batch;
        size_t len;
        const char *labels = sl_series_block(sample->series, sample->source, &len, &batch);
        if (*batch == s->batch)
            break;
        *batch = s->batch;
        sl_encode_sample(&s->message, labels, len, sample->value, sample->timestamp_ms);
    }
    return count;
}

static int post(struct sl_sender *s, int64_t timeout_ms, struct sl_error *err) {
    struct sl_http_response response;
    struct sl_endpoint_request request = {.protocol = SL_WRITE_1_0,
                                          .body = s->body.data,
                                          .body_len = s->body.len,
                                          .timeout_ms = timeout_ms};
    sl_http_response_init(&response);
    int code = sl_endpoint_post(s->endpoint, &request, &response, NULL, err);
    if (code == SL_OK)
        code = sl_http_check_status(&response, err);
    sl_http_response_release(&response);
    return code;
}

static void settle(struct sl_sender *s, size_t count, enum sl_fate fate) {
    sl_queue_settle(s->queue, count, fate, sl_clock_monotonic_ms());
    s->staged_first += count;
    s->staged_count -= count;
}

/* ---- what the log says ---- */

static void tell_trouble(struct sl_sender *s, const struct sl_error *err, int64_t now_ms) {
    struct sl_queue_counts counts;
    if (!sl_complaint_failed(&s->trouble, sl_code_name(err->code), now_ms))
        return;
    sl_queue_count(s->queue, &counts);
    sl_log(&s->log, SL_LOG_WARNING,
           "node \"%s\": %s; %" PRIu64 " samples wait, and up to %" PRId64 " will be kept",
           s->options.name, err->text, counts.pending, s->options.capacity);
}

static void tell_rejection(struct sl_sender *s, const struct sl_error *err, size_t count) {
    if (!sl_complaint_failed(&s->rejection, err->text, sl_clock_monotonic_ms()))
        return;
    const char *remedy = "";
    if (err->code == SL_AUTH || err->code == SL_FORBIDDEN)
        remedy = "; check User, PasswordFile or BearerTokenFile";
    else if (err->code == SL_NOTFOUND)
        remedy = "; check URL, and whether the receiver is switched on";
    sl_log(&s->log, SL_LOG_ERROR, "node \"%s\": %s refuses %zu samples, which are lost: %s%s",
           s->options.name, s->options.url, count, err->text, remedy);
}

static void tell_success(struct sl_sender *s) {
    struct sl_queue_counts counts;
    int64_t lasted_ms = 0;
    int64_t now_ms = sl_clock_monotonic_ms();
    bool over = sl_complaint_succeeded(&s->trouble, now_ms, &lasted_ms, NULL);
    int64_t refused_ms = 0;
    uint64_t refused = 0;
    if (sl_complaint_succeeded(&s->rejection, now_ms, &refused_ms, &refused))
        sl_log(&s->log, SL_LOG_NOTICE,
               "node \"%s\": accepts samples again; it refused %" PRIu64 " requests",
               s->options.name, refused);
    if (!over)
        return;
    sl_queue_count(s->queue, &counts);
    sl_log(&s->log, SL_LOG_NOTICE,
           "node \"%s\": delivers again after %.1f s; %" PRIu64
           " samples are on their way, %" PRIu64 " were dropped because the queue was full",
           s->options.name, (double)lasted_ms / 1000, counts.pending, counts.dropped_full);
}

/* ---- the thread ---- */

/* Sends one message until it has met its fate. False: told to end, its samples stay pending. */
static bool deliver(struct sl_sender *s, size_t count) {
    for (;;) {
        struct sl_error err = SL_ERROR_INIT;
        int code = post(s, s->options.timeout_ms, &err);
        if (code == SL_OK) {
            sl_backoff_succeeded(&s->backoff);
            settle(s, count, SL_FATE_ACKED);
            tell_success(s);
            return true;
        }
        if (code == SL_CANCELED)
            return false;
        if (!sl_code_is_retryable((enum sl_code)code)) {
            settle(s, count, SL_FATE_REJECTED);
            tell_rejection(s, &err, count);
            return true;
        }
        tell_trouble(s, &err, sl_clock_monotonic_ms());
        int64_t wait_ms = sl_backoff_failed(&s->backoff, err.retry_after_ms, RETRY_AFTER_MAX_MS);
        /* Asked to stop, it tries until it is canceled. */
        sl_wakeup_wait(&s->cancel, sl_wakeup_is_signalled(&s->stop) ? NULL : &s->stop, wait_ms);
        if (sl_wakeup_is_signalled(&s->cancel))
            return false;
    }
}

/* Sends everything that waits. */
static bool drain(struct sl_sender *s) {
    for (;;) {
        if (s->staged_count == 0) {
            s->staged_first = 0;
            s->staged_count =
                sl_queue_take(s->queue, s->staged, (size_t)s->options.max_samples_per_send);
        }
        if (s->staged_count == 0)
            return true;
        struct sl_error err = SL_ERROR_INIT;
        size_t count = fill_message(s);
        int code = sl_buffer_check(&s->message, "a batch", &err);
        if (code == SL_OK)
            code = sl_encode_compress(&s->message, &s->body, &err);
        if (code != SL_OK) {
            settle(s, count, SL_FATE_REJECTED);
            tell_rejection(s, &err, count);
        } else if (!deliver(s, count)) {
            return false;
        }
    }
}

/* Until BatchSendDeadline is over, a request is full, or the end comes. */
static void collect(struct sl_sender *s) {
    int64_t until_ms = sl_clock_monotonic_ms() + s->options.batch_send_deadline_ms;
    while (!sl_wakeup_is_signalled(&s->stop)) {
        struct sl_queue_counts counts;
        int64_t left_ms = until_ms - sl_clock_monotonic_ms();
        sl_queue_count(s->queue, &counts);
        if (left_ms <= 0 || counts.pending >= (uint64_t)s->options.max_samples_per_send)
            return;
        sl_wakeup_clear(&s->work);
        sl_wakeup_wait(&s->work, &s->stop, left_ms);
    }
}

static void *run(void *arg) {
    struct sl_sender *s = arg;
    bool go_on = true;
    while (go_on && !sl_wakeup_is_signalled(&s->stop)) {
        sl_wakeup_wait(&s->work, &s->stop, -1);
        sl_wakeup_clear(&s->work);
        collect(s);
        go_on = drain(s);
    }
    if (go_on)
        (void)drain(s);
    sl_wakeup_signal(&s->done);
    return NULL;
}

int sl_sender_start(struct sl_sender *s, struct sl_error *err) {
    int code = sl_thread_start(&s->thread, "sl-remote-write", run, s, err);
    s->is_running = code == SL_OK;
    return code;
}

void sl_sender_ask_stop(struct sl_sender *s) {
    sl_wakeup_signal(&s->stop);
}

static void end_thread(struct sl_sender *s, int64_t deadline_ms) {
    struct sl_queue_counts counts;
    int64_t left_ms = deadline_ms - sl_clock_monotonic_ms();
    sl_wakeup_signal(&s->stop);
    sl_wakeup_wait(&s->done, NULL, left_ms > 0 ? left_ms : 0);
    sl_wakeup_signal(&s->cancel);
    pthread_join(s->thread, NULL);
    sl_queue_count(s->queue, &counts);
    if (counts.pending > 0)
        sl_log(&s->log, SL_LOG_WARNING,
               "node \"%s\": stopped before %" PRIu64 " samples could be delivered",
               s->options.name, counts.pending);
}

void sl_sender_free(struct sl_sender *s, int64_t deadline_ms) {
    if (s == NULL)
        return;
    if (s->is_running)
        end_thread(s, deadline_ms);
    sl_endpoint_free(s->endpoint);
    sl_queue_free(s->queue);
    sl_rules_release(&s->rules);
    sl_buffer_release(&s->message);
    sl_buffer_release(&s->body);
    free(s->staged);
    if (s->has_wakeups) {
        sl_wakeup_release(&s->work);
        sl_wakeup_release(&s->stop);
        sl_wakeup_release(&s->cancel);
        sl_wakeup_release(&s->done);
    }
    sl_node_options_release(&s->options);
    free(s);
}
