/* One remote write receiver: a queue, and a thread that empties it.
 *
 * Requests hold up to MaxSamplesPerSend samples and go out when they are full or when their oldest
 * sample is BatchSendDeadline old. There is one request at a time, so that series stay in order.
 *
 * The first request speaks 2.0. A receiver that does not know it (415; a 2xx without the Written
 * headers; a 400 without them, if 1.0 is not refused as well) gets the same samples in 1.0 at once,
 * and 1.0 from then on, over restarts too; after ProtocolRetry 2.0 is tried again. What answers
 * mean is in verdict.h. */
#ifndef SL_REMOTE_WRITE_SENDER_H
#define SL_REMOTE_WRITE_SENDER_H

#include "base/log.h"
#include "remote_write/options.h"
#include "remote_write/queue.h"

struct sl_sender;

/* Takes what options own and leaves them empty, also on failure. Files of certificates and
 * passwords are read, so that mistakes show at start; nothing is sent. SL_CONFIG, SL_IO. Main
 * thread. log is copied. */
int sl_sender_new(struct sl_node_options *options, struct sl_log log, struct sl_sender **ret,
                  struct sl_error *err) SL_CHECKED;

/* After sl_http_global_init(). Main thread, once. Takes over the node's spool, which is below
 * base_directory unless SpoolDirectory says otherwise. */
int sl_sender_start(struct sl_sender *s, const char *base_directory,
                    struct sl_error *err) SL_CHECKED;

/* Any thread; see sl_queue_put() and sl_queue_end_series(). */
void sl_sender_put(struct sl_sender *s, const struct sl_value_id *id, size_t first,
                   const uint64_t *bits, int64_t time_ms);
void sl_sender_end_series(struct sl_sender *s, const struct sl_value_id *id, int64_t now_ms);

/* Main thread. Tells the thread to send what waits and to end; returns at once. */
void sl_sender_ask_stop(struct sl_sender *s);

/* Main thread, after sl_sender_ask_stop(). Gives the last requests until the monotonic time
 * deadline_ms, then cancels. Several senders end side by side if all are asked, then all awaited,
 * and then freed. */
void sl_sender_await(struct sl_sender *s, int64_t deadline_ms);

/* Main thread. What is in the spool stays there; of what is in memory the log says how much was not
 * delivered. Any put must have returned. A sender that was not awaited is canceled. */
void sl_sender_free(struct sl_sender *s);

const char *sl_sender_name(const struct sl_sender *s);

/* Any thread. */
struct sl_sender_status {
    struct sl_queue_status queue;
    uint64_t requests;
    uint64_t bytes; /* of requests, compressed */
    uint64_t retries;
    uint64_t rejected_ambiguous; /* of rejected: a try before had ended without an answer, so that
                                    the receiver may have had them */
    enum sl_write_protocol protocol;
};
void sl_sender_status(struct sl_sender *s, struct sl_sender_status *ret);

#endif
