/* One remote write receiver: a queue, and a thread that empties it.
 *
 * Requests hold up to MaxSamplesPerSend samples and go out when they are full or when their oldest
 * sample is BatchSendDeadline old. Each holds at most one sample of a series: then a request whose
 * answer was lost can be sent again as it was, because Prometheus accepts an exact repetition of a
 * series' newest sample and of no other. There is one request at a time, so that series stay in
 * order.
 *
 * Outcomes, after the remote write 1.0 specification ("Retries & Backoff"): 2xx: acked. 5xx, 429,
 * no answer: the same bytes again, after a pause. Anything else: rejected for good and counted,
 * with the receiver's words in the log. */
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

/* After sl_http_global_init(). Main thread, once. */
int sl_sender_start(struct sl_sender *s, struct sl_error *err) SL_CHECKED;

/* Any thread; see sl_queue_put(). */
void sl_sender_put(struct sl_sender *s, const struct sl_value_id *id, size_t first,
                   const double *values, int64_t timestamp_ms);

/* Main thread. Tells the thread to send what waits and to end; returns at once. */
void sl_sender_ask_stop(struct sl_sender *s);

/* Main thread. Gives the last requests until the monotonic time deadline_ms, then cancels; says in
 * the log what was not delivered. Any put must have returned. */
void sl_sender_free(struct sl_sender *s, int64_t deadline_ms);

const char *sl_sender_name(const struct sl_sender *s);

/* Any thread. */
void sl_sender_count(struct sl_sender *s, struct sl_queue_counts *ret);

#endif
