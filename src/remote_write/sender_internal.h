/* What the files of the sender share, and nobody else sees. */
#ifndef SL_REMOTE_WRITE_SENDER_INTERNAL_H
#define SL_REMOTE_WRITE_SENDER_INTERNAL_H

#include "base/backoff.h"
#include "remote_write/encode.h"
#include "remote_write/endpoint.h"
#include "remote_write/rules.h"
#include "remote_write/sender.h"

enum { SL_SENDER_WORDS_BYTES = 1024 };

struct sl_sender {
    struct sl_node_options options;
    struct sl_log log;
    struct sl_queue *queue;
    struct sl_rules rules;
    struct sl_endpoint *endpoint;
    char *spool_path;

    struct sl_wakeup work;   /* something waits, or enough for a full request */
    struct sl_wakeup stop;   /* send what there is, then end */
    struct sl_wakeup cancel; /* end now */
    struct sl_wakeup done;   /* the thread has ended */
    bool has_wakeups;
    pthread_t thread;
    bool is_running;
    int64_t canceled_ms; /* monotonic; 0: not yet */

    /* The thread's own. */
    struct sl_encoder encoder;
    struct sl_buffer body;
    struct sl_backoff backoff;
    enum sl_write_protocol protocol;
    bool knows_1_0_only;               /* the receiver, as it has turned out */
    bool is_trial;                     /* 1.0 now, to see whether it is refused as well */
    int64_t try_2_0_ms;                /* when 2.0 is tried again; monotonic */
    size_t samples_max;                /* less than MaxSamplesPerSend after a 413 */
    int64_t paced_us;                  /* no request before; monotonic */
    char words[SL_SENDER_WORDS_BYTES]; /* the receiver's, of the last answer that was no success */
    struct sl_complaint trouble;       /* the receiver cannot be reached or is ill */
    struct sl_complaint rejection;     /* it refuses what we send */
    struct sl_complaint dead_letter;

    /* Read by any thread; atomic. */
    uint64_t requests;
    uint64_t bytes;
    uint64_t retries;
    uint64_t rejected_ambiguous;
    int protocol_now;
};

/* The thread: ends when it has been told to. */
void *sl_sender_run(void *sender);

/* Which protocol the receiver gets, on that thread: once at its beginning; before each batch; when
 * an answer says that 2.0 is not known (HTTP status), so that the batch goes out again in 1.0; when
 * a batch has met its fate. */
void sl_sender_protocol_begin(struct sl_sender *s);
void sl_sender_protocol_probe(struct sl_sender *s);
void sl_sender_protocol_downgrade(struct sl_sender *s, int status);
void sl_sender_protocol_answered(struct sl_sender *s, bool is_accepted);

/* What the log says. tell_protocol: status of the answer that 2.0 got, 0: it is known after all. */
void sl_sender_tell_trouble(struct sl_sender *s, const struct sl_error *err, int64_t wait_ms);
void sl_sender_tell_rejection(struct sl_sender *s, const struct sl_error *err, uint64_t samples,
                              bool is_ambiguous);
void sl_sender_tell_success(struct sl_sender *s);
void sl_sender_tell_protocol(struct sl_sender *s, int status);
void sl_sender_tell_end(struct sl_sender *s);

#endif
