/* The loop of one cluster: takes snapshots, asks decide(), reads and writes the sizes of the
 * cluster's pools. One thread each, so that a cluster that hangs delays no other.
 *
 * A snapshot arrives: decide with the size last read.
 *
 * - The same size: nothing to do, but once an interval it is verified: others may have changed it.
 * - Another: GET the size, decide again, PATCH with the resourceVersion just read.
 * - 409: GET and decide again, at most 5 times.
 * - A failure: the pool keeps its size; back off; the next try begins with a GET, because nobody
 *   knows whether a write without an answer was carried out.
 *
 * One failing server is one message and one try at a time, not one per pool. */
#ifndef SL_SCALER_CONTROLLER_H
#define SL_SCALER_CONTROLLER_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "os/wakeup.h"
#include "scaler/alarm.h"
#include "scaler/inbox.h"
#include "scaler/neighbours.h"
#include "scaler/options.h"
#include "scaler/orders.h"

enum { SL_SCALE_VERSION_BYTES = 64, SL_SCALE_UID_BYTES = 48 };

/* The scale subresource of one pool, as read or written. */
struct sl_scale_reading {
    int32_t size;                         /* spec.replicas; SL_SIZE_UNSET: poolSize was never set */
    int32_t actual;                       /* status.replicas */
    char version[SL_SCALE_VERSION_BYTES]; /* resourceVersion; "" where size is SL_SIZE_UNSET */
    char uid[SL_SCALE_UID_BYTES]; /* another one: the WorkerPool was deleted and made anew; "" */
    bool has_annotations;         /* false: they were not read, what was known still holds */
    struct sl_orders annotated;   /* what they order */
};

/* What is told on the WorkerPool itself, for people who look there first. */
enum sl_note {
    SL_NOTE_SCALED_OUT,
    SL_NOTE_SCALED_IN,
    SL_NOTE_HELD_AT_MAXIMUM,
    SL_NOTE_BLIND,         /* no good data: the size is held, or the fallback's */
    SL_NOTE_SEES_AGAIN,    /* good data again */
    SL_NOTE_FOREIGN_SIZE,  /* somebody else has written it */
    SL_NOTE_NOT_CONVERGED, /* of the watchdog, and ... */
    SL_NOTE_CONVERGED,     /* ... when it is over */
    SL_NOTE_BAD_ANNOTATION,
};

/* How a size was verified. */
enum sl_verified {
    SL_VERIFIED_UNASKED,    /* it is as it was: that is known without a request */
    SL_VERIFIED_SAME,       /* it is as it was, or was a moment ago: no size is written on that */
    SL_VERIFIED_BY_READING, /* read anew */
};

/* How sizes are read and written: the real client, or a test's script. Called from the
 * controller's thread only; may block up to the cluster's timeout, but returns SL_CANCELED at once
 * when the controller's stop is signalled. kube_namespace NULL: that of the credentials.
 *
 * set_size with version "" writes without a precondition. SL_CONFLICT: the version is no longer
 * the newest, nothing was written. Any other failure leaves open whether it was. */
struct sl_scale_ops {
    int (*read_size)(void *self, const char *kube_namespace, const char *worker_pool,
                     struct sl_scale_reading *ret, struct sl_error *err);
    /* The same, at less cost, of a pool of which *ret is what was read or written last: that stays
     * as it is where it is still so, or was max_age_ms ago. NULL: there is no such thing. */
    int (*verify_size)(void *self, const char *kube_namespace, const char *worker_pool,
                       int64_t max_age_ms, struct sl_scale_reading *ret, enum sl_verified *ret_how,
                       struct sl_error *err);
    int (*set_size)(void *self, const char *kube_namespace, const char *worker_pool, int32_t size,
                    const char *version, struct sl_scale_reading *ret, struct sl_error *err);
    /* The same without a trace, to see whether it would be taken. NULL: there is no such thing. */
    int (*try_size)(void *self, const char *kube_namespace, const char *worker_pool, int32_t size,
                    const char *version, struct sl_error *err);
    /* Is this process the one that writes? Others decide, publish and read, and leave the sizes
     * alone. NULL: it always is. */
    bool (*may_write)(void *self);
    /* Who writes, as the cluster knows him; "" where that is not known. NULL: no election. */
    void (*leader)(void *self, char *out, size_t size);
    /* Copies and returns. NULL: nobody wants to know. */
    void (*record)(void *self, const char *kube_namespace, const char *worker_pool,
                   const struct sl_scale_reading *about, enum sl_note note, const char *text);
    void *self;
};

struct sl_notices;
struct sl_pool_report;
struct sl_scribe;

/* Everything pointed to must outlive the controller. */
struct sl_controller_settings {
    const char *cluster;                        /* its name, for messages */
    const struct sl_pool_options *const *pools; /* checked */
    size_t pool_count;
    struct sl_scale_ops ops;
    struct sl_neighbours *neighbours; /* what else Spacelift reports; may be NULL */
    const struct sl_log *log;         /* may be NULL */
    struct sl_notices *notices;       /* where to put what people should hear; may be NULL */
    const char *state_path;           /* a file that outlives a restart; NULL: none */
    const char *status_path;          /* of the file described in scaler/status.h; NULL: none */
    struct sl_wakeup *stop;           /* also given to what is behind ops */
    int64_t (*clock_ms)(void);        /* monotonic; NULL: the system's */
    int64_t (*realtime_ms)(void);     /* likewise */
};

struct sl_controller;

int sl_controller_new(const struct sl_controller_settings *settings, struct sl_controller **ret,
                      struct sl_error *err) SL_CHECKED;

/* The thread, if one was started, must have been stopped. */
void sl_controller_free(struct sl_controller *c);

/* What the last process knew, and what this one leaves to the next; by start, by the thread every
 * ten seconds and by stop. A file that cannot be read or written is complained about, with a scribe
 * at the next time, and does no other harm. */
void sl_controller_load_state(struct sl_controller *c);
void sl_controller_save_state(struct sl_controller *c);

/* What people may want to know now, into status_path. By the thread whenever it is due. */
void sl_controller_save_status(struct sl_controller *c);

/* For a program that is run anew for each batch of values, in place of start and stop: after
 * load_state and the submits. Decides and writes what is due, then saves the state. A failure has
 * been logged; then the state of before is kept, so that the same values count when they come
 * again. SL_REMOTE; SL_TIMEOUT: stop was signalled; SL_IO: the state cannot be saved. */
int sl_controller_run_once(struct sl_controller *c, struct sl_error *err) SL_CHECKED;

/* Starts the thread. Once. scribe writes its files, so that no disk holds it up; it outlives the
 * thread. NULL: the thread writes them itself, as sl_controller_run_once() does. */
int sl_controller_start(struct sl_controller *c, struct sl_scribe *scribe,
                        struct sl_error *err) SL_CHECKED;

/* Any thread: what ops answers has changed, all pools are looked at now. */
void sl_controller_wake(struct sl_controller *c);

/* Signals stop and waits for the thread to end. May be called without start and twice. */
void sl_controller_stop(struct sl_controller *c);

/* Any thread; copies and returns, never waits for the network. index: of the pool in settings. */
void sl_controller_submit(struct sl_controller *c, size_t index,
                          const struct sl_pool_values *values, int64_t now_ms, int64_t realtime_ms);

/* Any thread; copies and returns. A notification that is for a <Notification> of that pool. */
void sl_controller_hear(struct sl_controller *c, size_t index, const struct sl_notification *n);

/* Any thread: copies the pool's books. */
void sl_controller_report(struct sl_controller *c, size_t index, struct sl_pool_report *ret);

/* What the thread does each time it wakes up: for tests, which have no thread. Returns the
 * monotonic time at which it wants to be called again if nothing is submitted before. */
int64_t sl_controller_step(struct sl_controller *c);

#endif
