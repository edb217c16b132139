/* One remote write receiver: what its thread does. */
#include "remote_write/sender_internal.h"

#include <string.h>

#include "os/clock.h"
#include "remote_write/rejected.h"
#include "remote_write/verdict.h"

enum {
    RETRY_AFTER_MAX_MS = 5 * 60 * 1000,
    PACE_BURST_US = 1000000,
    RETRY_READING_MS = 1000,
};

/* ---- one try ---- */

static int encode(struct sl_sender *s, const struct sl_batch *batch, struct sl_error *err) {
    sl_encoder_begin(&s->encoder, s->protocol);
    sl_batch_encode(batch, &s->encoder);
    const struct sl_buffer *message = NULL;
    int code = sl_encoder_end(&s->encoder, &message, err);
    return code == SL_OK ? sl_encoder_compress(&s->encoder, &s->body, err) : code;
}

static void on_header(void *context, const char *name, const char *value) {
    sl_answer_take_header(context, name, value);
}

/* One line for a log. */
static void keep_words(struct sl_sender *s, const struct sl_buffer *body) {
    size_t len = body->len < sizeof(s->words) - 1 ? body->len : sizeof(s->words) - 1;
    for (size_t i = 0; i < len; i++)
        s->words[i] = (unsigned char)body->data[i] < ' ' ? ' ' : body->data[i];
    while (len > 0 && s->words[len - 1] == ' ')
        len--;
    s->words[len] = '\0';
}

static void post(struct sl_sender *s, struct sl_answer *answer, bool *ret_sent,
                 struct sl_error *err) {
    struct sl_http_response response;
    struct sl_endpoint_request request = {.protocol = s->protocol,
                                          .body = s->body.data,
                                          .body_len = s->body.len,
                                          .timeout_ms = s->options.http.timeout_ms,
                                          .on_header = on_header,
                                          .on_header_context = answer};
    sl_http_response_init(&response);
    answer->code = sl_endpoint_post(s->endpoint, &request, &response, ret_sent, err);
    answer->status = response.status;
    if (answer->code == SL_OK && sl_http_check_status(&response, err) != SL_OK)
        keep_words(s, &response.body);
    sl_http_response_release(&response);
    __atomic_fetch_add(&s->requests, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&s->bytes, s->body.len, __ATOMIC_RELAXED);
}

/* ---- fates ---- */

static void write_dead_letter(struct sl_sender *s, const struct sl_batch *batch,
                              const struct sl_error *cause) {
    struct sl_error err = SL_ERROR_INIT;
    if (s->options.rejected_file == NULL)
        return;
    if (sl_rejected_append(s->options.rejected_file, batch, cause->text, sl_clock_realtime_ms(),
                           &err) != SL_OK &&
        sl_complaint_failed(&s->dead_letter, err.text, sl_clock_monotonic_ms()))
        sl_log(&s->log, SL_LOG_ERROR, "node \"%s\": option RejectedFile: %s", s->options.name,
               err.text);
}

static void settle(struct sl_sender *s, const struct sl_batch *batch, uint64_t acked,
                   uint64_t dropped_age) {
    struct sl_fates fates = {.acked = acked,
                             .dropped_age = dropped_age,
                             .rejected = batch->samples - acked - dropped_age};
    sl_queue_settle(s->queue, batch, &fates, sl_clock_monotonic_ms());
    sl_backoff_succeeded(&s->backoff);
}

static void reject(struct sl_sender *s, const struct sl_batch *batch, uint64_t acked,
                   struct sl_error *err, bool is_ambiguous) {
    uint64_t rejected = batch->samples - acked;
    if (err->code == SL_OK)
        (void)!sl_fail(err, SL_REJECTED, "it says that it has stored %llu of %zu samples",
                       (unsigned long long)acked, batch->samples);
    if (is_ambiguous)
        __atomic_fetch_add(&s->rejected_ambiguous, rejected, __ATOMIC_RELAXED);
    sl_sender_protocol_answered(s, acked > 0);
    write_dead_letter(s, batch, err);
    sl_sender_tell_rejection(s, err, rejected, is_ambiguous);
    settle(s, batch, acked, 0);
}

static void accept(struct sl_sender *s, const struct sl_batch *batch, uint64_t written,
                   struct sl_error *err, bool is_ambiguous) {
    if (s->samples_max < (size_t)s->options.max_samples_per_send)
        s->samples_max++;
    if (written < batch->samples) {
        reject(s, batch, written, err, is_ambiguous);
        return;
    }
    sl_sender_protocol_answered(s, true);
    settle(s, batch, written, 0);
    sl_sender_tell_success(s);
}

/* ---- a batch ---- */

enum step { STEP_NEXT_BATCH, STEP_AGAIN, STEP_END };

/* Until the next try. Told to stop, a sender with a spool leaves the rest to the next start; one
 * without keeps trying until it is canceled. */
static enum step wait_for_retry(struct sl_sender *s, const struct sl_batch *batch,
                                const struct sl_error *err) {
    struct sl_queue_status status;
    __atomic_fetch_add(&s->retries, 1, __ATOMIC_RELAXED);
    int64_t wait_ms = sl_backoff_failed(&s->backoff, err->retry_after_ms, RETRY_AFTER_MAX_MS);
    sl_sender_tell_trouble(s, err, wait_ms);
    int64_t until_ms = sl_clock_monotonic_ms() + wait_ms;
    bool is_stopping = sl_wakeup_is_signalled(&s->stop);
    sl_queue_status(s->queue, &status);
    if (!is_stopping)
        sl_wakeup_wait(&s->cancel, &s->stop, wait_ms);
    is_stopping = sl_wakeup_is_signalled(&s->stop);
    if (is_stopping && status.is_on_disk)
        return STEP_END;
    int64_t left_ms = until_ms - sl_clock_monotonic_ms();
    if (is_stopping && left_ms > 0) /* less than 0 would be for ever */
        sl_wakeup_wait(&s->cancel, NULL, left_ms);
    if (sl_wakeup_is_signalled(&s->cancel))
        return STEP_END;
    if (s->options.max_age_ms > 0 &&
        batch->newest_ms < sl_clock_realtime_ms() - s->options.max_age_ms) {
        settle(s, batch, 0, batch->samples);
        return STEP_NEXT_BATCH;
    }
    return STEP_AGAIN;
}

/* The receiver knows 1.0 only: the same samples again, in its words. */
static enum step downgrade(struct sl_sender *s, const struct sl_batch *batch, int status,
                           struct sl_error *err) {
    sl_sender_protocol_downgrade(s, status);
    if (encode(s, batch, err) == SL_OK)
        return STEP_AGAIN;
    reject(s, batch, 0, err, false);
    return STEP_NEXT_BATCH;
}

static enum step split(struct sl_sender *s, const struct sl_batch *batch, struct sl_error *err,
                       bool is_ambiguous) {
    if (batch->count == 1) {
        reject(s, batch, 0, err, is_ambiguous);
        return STEP_NEXT_BATCH;
    }
    s->samples_max = batch->samples / 2;
    sl_queue_undo(s->queue);
    return STEP_NEXT_BATCH;
}

static enum step try_once(struct sl_sender *s, const struct sl_batch *batch, bool *is_ambiguous) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_answer answer = {.code = SL_OK};
    struct sl_question question = {.protocol = s->protocol,
                                   .may_downgrade = s->options.protocol == SL_PROTOCOL_AUTO,
                                   .samples = batch->samples};
    uint64_t written = 0;
    bool was_sent = false;
    post(s, &answer, &was_sent, &err);
    switch (sl_judge(&question, &answer, &written)) {
    case SL_VERDICT_ACKED:
        accept(s, batch, written, &err, *is_ambiguous);
        return STEP_NEXT_BATCH;
    case SL_VERDICT_REJECTED:
        reject(s, batch, written, &err, *is_ambiguous);
        return STEP_NEXT_BATCH;
    case SL_VERDICT_SPLIT:
        return split(s, batch, &err, *is_ambiguous);
    case SL_VERDICT_DOWNGRADE:
        return downgrade(s, batch, answer.status, &err);
    case SL_VERDICT_CANCELED:
        return STEP_END;
    case SL_VERDICT_RETRY:
        break;
    }
    *is_ambiguous = *is_ambiguous || (answer.code != SL_OK && was_sent);
    return wait_for_retry(s, batch, &err);
}

/* Keeps to MaxSamplesPerSecond, so that a backlog does not bury a receiver that has just come back.
 * False: told to stop. */
static bool pace(struct sl_sender *s, size_t samples) {
    int64_t now_us = sl_clock_monotonic_ms() * 1000;
    if (s->paced_us > now_us + PACE_BURST_US)
        sl_wakeup_wait(&s->cancel, &s->stop, (s->paced_us - now_us - PACE_BURST_US) / 1000);
    if (s->paced_us < now_us)
        s->paced_us = now_us;
    s->paced_us += (int64_t)samples * 1000000 / s->options.max_samples_per_second;
    return !sl_wakeup_is_signalled(&s->cancel);
}

/* Sends one batch until it has met its fate. False: told to end, its samples stay pending. */
static bool deliver(struct sl_sender *s, const struct sl_batch *batch) {
    struct sl_error err = SL_ERROR_INIT;
    bool is_ambiguous = batch->may_be_old;
    if (encode(s, batch, &err) != SL_OK) {
        reject(s, batch, 0, &err, false);
        return true;
    }
    sl_queue_commit(s->queue, batch, &s->cancel);
    enum step step = pace(s, batch->samples) ? STEP_AGAIN : STEP_END;
    while (step == STEP_AGAIN)
        step = try_once(s, batch, &is_ambiguous);
    return step == STEP_NEXT_BATCH;
}

/* ---- the thread ---- */

/* Sends everything that waits. */
static bool drain(struct sl_sender *s) {
    struct sl_batch batch;
    for (;;) {
        sl_sender_protocol_probe(s);
        if (!sl_queue_next(s->queue, s->samples_max, sl_clock_realtime_ms(), &batch))
            return true;
        if (!deliver(s, &batch))
            return false;
    }
}

/* Until BatchSendDeadline is over, a request is full, or the end comes. */
static void collect(struct sl_sender *s) {
    int64_t until_ms = sl_clock_monotonic_ms() + s->options.batch_send_deadline_ms;
    while (!sl_wakeup_is_signalled(&s->stop)) {
        struct sl_queue_status status;
        int64_t left_ms = until_ms - sl_clock_monotonic_ms();
        sl_queue_status(s->queue, &status);
        if (left_ms <= 0 || status.books.pending >= (uint64_t)s->options.max_samples_per_send)
            return;
        sl_wakeup_clear(&s->work);
        sl_wakeup_wait(&s->work, &s->stop, left_ms);
    }
}

/* What is left after everything has been sent could not be read. */
static int64_t idle_ms(const struct sl_sender *s) {
    struct sl_queue_status status;
    sl_queue_status(s->queue, &status);
    return status.books.pending > 0 ? RETRY_READING_MS : -1;
}

/* What the spool holds from before goes out at once. */
void *sl_sender_run(void *sender) {
    struct sl_sender *s = sender;
    sl_sender_protocol_begin(s);
    bool go_on = drain(s);
    while (go_on && !sl_wakeup_is_signalled(&s->stop)) {
        sl_wakeup_wait(&s->work, &s->stop, idle_ms(s));
        sl_wakeup_clear(&s->work);
        collect(s);
        go_on = drain(s);
    }
    if (go_on)
        (void)drain(s);
    sl_queue_finish(s->queue);
    sl_wakeup_signal(&s->done);
    return NULL;
}
