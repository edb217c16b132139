/* One remote write receiver: what the log says of it. */
#include "remote_write/sender_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "os/clock.h"

enum { PAUSE_BYTES = 80 };

static const char *remedy_of(enum sl_code code) {
    if (code == SL_AUTH || code == SL_FORBIDDEN)
        return "; check User, PasswordFile or BearerTokenFile";
    if (code == SL_NOTFOUND)
        return "; check URL, and whether the receiver is switched on";
    if (code == SL_TLS)
        return "; check CACert, and whether it is https that the receiver speaks";
    return "";
}

void sl_sender_tell_trouble(struct sl_sender *s, const struct sl_error *err, int64_t wait_ms) {
    char pause[PAUSE_BYTES] = "";
    struct sl_queue_status status;
    if (!sl_complaint_failed(&s->trouble, sl_code_name(err->code), sl_clock_monotonic_ms()))
        return;
    sl_queue_status(s->queue, &status);
    const char *unit = status.is_on_disk ? "MiB on disk" : "samples in memory";
    int64_t room = status.is_on_disk ? s->options.spool_size_mib : s->options.capacity;
    if (err->retry_after_ms > s->options.max_backoff_ms)
        snprintf(pause, sizeof(pause), "; it is asked again in %" PRId64 " s", wait_ms / 1000);
    sl_log(&s->log, SL_LOG_WARNING,
           "node \"%s\": %s%s%s; %" PRIu64 " samples wait, and up to %" PRId64 " %s will be kept",
           s->options.name, err->text, remedy_of(err->code), pause, status.books.pending, room,
           unit);
}

void sl_sender_tell_rejection(struct sl_sender *s, const struct sl_error *err, uint64_t samples,
                              bool is_ambiguous) {
    if (!sl_complaint_failed(&s->rejection, err->text, sl_clock_monotonic_ms()))
        return;
    const char *lost = is_ambiguous ? "which it may have had before: an earlier try ended without "
                                      "an answer"
                                    : "which are lost";
    if (err->http_status >= 400 && s->words[0] != '\0')
        sl_log(&s->log, SL_LOG_ERROR,
               "node \"%s\": %s refuses %" PRIu64 " samples, %s: HTTP %d%s: %s", s->options.name,
               s->options.url, samples, lost, err->http_status, remedy_of(err->code), s->words);
    else
        sl_log(&s->log, SL_LOG_ERROR, "node \"%s\": %s refuses %" PRIu64 " samples, %s: %s%s",
               s->options.name, s->options.url, samples, lost, err->text, remedy_of(err->code));
}

void sl_sender_tell_success(struct sl_sender *s) {
    struct sl_queue_status status;
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
    sl_queue_status(s->queue, &status);
    sl_log(&s->log, SL_LOG_NOTICE,
           "node \"%s\": delivers again after %.1f s; %" PRIu64
           " samples are on their way, %" PRIu64 " were dropped because there was no room",
           s->options.name, (double)lasted_ms / 1000, status.books.pending,
           status.books.dropped_full);
}

void sl_sender_tell_protocol(struct sl_sender *s, int status) {
    if (status == 0) {
        sl_log(&s->log, SL_LOG_INFO, "node \"%s\": the receiver knows remote write 2.0 now",
               s->options.name);
        return;
    }
    sl_log(&s->log, SL_LOG_INFO,
           "node \"%s\": the receiver does not know remote write 2.0 (HTTP %d%s): it gets 1.0",
           s->options.name, status, status < 300 ? " without a count of what it has written" : "");
}

void sl_sender_tell_end(struct sl_sender *s) {
    struct sl_queue_status status;
    sl_queue_status(s->queue, &status);
    if (status.books.pending == 0)
        return;
    if (status.is_on_disk)
        sl_log(&s->log, SL_LOG_INFO,
               "node \"%s\": %" PRIu64 " samples stay in the spool and are sent after the next "
               "start",
               s->options.name, status.books.pending);
    else
        sl_log(&s->log, SL_LOG_WARNING,
               "node \"%s\": stopped before %" PRIu64 " samples could be delivered",
               s->options.name, status.books.pending);
}
