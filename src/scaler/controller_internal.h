/* Shared by the files of the controller and by nobody else: controller.c (thread, letter boxes,
 * whose turn it is), controller_pool.c (one pool: read, decide, write), controller_conditions.c
 * (schedules and orders), controller_tell.c (what people get to read), controller_status.c (the
 * status file), controller_state.c (what outlives a restart). */
#ifndef SL_SCALER_CONTROLLER_INTERNAL_H
#define SL_SCALER_CONTROLLER_INTERNAL_H

#include <pthread.h>

#include "base/backoff.h"
#include "scaler/controller.h"
#include "scaler/foreign.h"
#include "scaler/report.h"
#include "scaler/schedule.h"
#include "scaler/watchdog.h"

/* A thing that fails: when to try again, and when to speak about it. */
struct sl_trouble {
    struct sl_backoff backoff;
    struct sl_complaint complaint;
    int64_t blocked_until_ms;
    char text[SL_ERROR_TEXT_BYTES]; /* of the last failure */
};

enum { SL_REASON_BYTES = 400 };

/* A size that became another one. */
struct sl_size_change {
    bool has_happened;
    int64_t at_ms;
    int32_t from;
    int32_t to;
    char why[SL_REASON_BYTES];
};

/* What has been said about a pool since its size last changed. */
struct sl_told {
    bool has_names; /* of pools that nobody configured */
    bool has_decision;
    struct sl_decision decision;      /* the last one that was told */
    int64_t clamp_ms[SL_CLAMP_COUNT]; /* when that clamp was told; 0: not yet */
    enum sl_clamp clamp;              /* of the last decision, told or not */
};

/* A notification on its way to the thread; only the newest counts. */
struct sl_alarm_letter {
    bool is_new;
    enum sl_severity severity;
};

struct sl_controller_pool {
    const struct sl_pool_options *options;
    struct sl_policy policy;
    struct sl_schedule *schedules;
    size_t schedule_count;
    struct sl_orders orders;    /* by option */
    struct sl_orders annotated; /* by annotation */

    struct sl_alarm *alarms; /* one for each <Notification> */
    struct sl_budget budget;
    struct sl_timezone *budget_zone;

    struct sl_pool_report books;  /* of the thread */
    struct sl_pool_report report; /* what others get; this and the next three under the lock */
    struct sl_inbox inbox;
    struct sl_alarm_letter *alarm_letters;
    bool is_queued;

    struct sl_scaler_state state;
    struct sl_snapshot snapshot;
    bool has_snapshot;
    struct sl_scale_reading scale; /* as last read or written */
    bool has_scale;                /* ... and nothing has happened since that makes it doubtful */
    bool is_scale_wanted;          /* read it again, when there is time */
    int64_t scale_ms;              /* when it was read */
    bool was_ever_read;
    bool is_led_elsewhere; /* when it was read last another one wrote its size */
    bool is_write_open;    /* a write went out and no answer came */
    struct sl_decision open_write;
    bool has_shadow_size;
    int32_t shadow_size; /* what the size would be if all decisions had been carried out */
    struct sl_foreign others;
    struct sl_watchdog watchdog;
    int64_t conditions_until_ms; /* schedules and orders are looked at again then */
    int64_t conditions_end_ms;   /* wall clock: one of them begins or ends; INT64_MAX: none */
    int64_t due_ms;
    struct sl_trouble trouble;
    struct sl_told told;
    bool has_decision;
    struct sl_decision decision;   /* the last one */
    struct sl_size_change change;  /* the last one that we made */
    struct sl_size_change foreign; /* ... that somebody else made */
};

struct sl_controller {
    struct sl_controller_settings settings;
    struct sl_controller_pool *pools;
    int64_t started_ms;
    bool has_started;
    size_t next_read;          /* whose size is read next, round robin */
    int64_t verify_ms;         /* before it none is verified */
    struct sl_trouble trouble; /* of the cluster */

    struct sl_complaint state_complaint;
    int64_t saved_ms;

    bool is_status_old; /* something was decided, or failed, since the status was written */
    int64_t status_ms;
    int64_t status_pause_ms;
    struct sl_complaint status_complaint;

    pthread_mutex_t lock; /* of the letter boxes and the queue */
    size_t *queue;        /* pools with new letters, each at most once */
    size_t queue_count;
    bool is_woken;

    struct sl_wakeup work;
    pthread_t thread;
    bool has_thread;
    struct sl_scribe *scribe; /* NULL: files are written at once */
};

/* Makes of a pool's options what decides over it: policy, schedules, orders. Reads the zone files.
 */
int sl_controller_set_up_pool(struct sl_controller_pool *p, const struct sl_pool_options *options,
                              struct sl_error *err) SL_CHECKED;
void sl_controller_release_pool(struct sl_controller_pool *p);

/* The size that decisions are about: the pool's, or a shadow's. */
static inline int32_t sl_controller_size(const struct sl_controller_pool *p) {
    return p->options->is_shadow && p->has_shadow_size ? p->shadow_size : p->scale.size;
}

/* What holds now. Returns the monotonic time at which that may change by itself. */
int64_t sl_controller_conditions(const struct sl_controller *c, struct sl_controller_pool *p,
                                 int64_t now_ms, struct sl_conditions *ret);

/* Decides with the size last read, without I/O. True if that size is to be changed or has never
 * been read: then sl_controller_act() is next. */
bool sl_controller_consider(struct sl_controller *c, struct sl_controller_pool *p);

/* After something has changed: the books are copied for others. */
void sl_controller_publish(struct sl_controller *c, struct sl_controller_pool *p);

/* Writes a file, or has it written. */
int sl_controller_replace(struct sl_controller *c, const char *path, struct sl_buffer *text,
                          struct sl_error *err) SL_CHECKED;

/* When the status file is to be written; INT64_MAX: never. */
int64_t sl_controller_status_due(const struct sl_controller *c);

/* Is this process the one that writes? */
bool sl_controller_may_write(const struct sl_controller *c);

/* Reads, decides, writes. Failures end here: told, and the pool or the cluster blocked. */
void sl_controller_act(struct sl_controller *c, struct sl_controller_pool *p);

/* The same where a size is only to be verified. False: it was known without a request. */
bool sl_controller_verify(struct sl_controller *c, struct sl_controller_pool *p);

/* Until when neither the pool nor the cluster is to be asked. */
int64_t sl_controller_blocked_until(const struct sl_controller *c,
                                    const struct sl_controller_pool *p);

void sl_tell_start(const struct sl_controller *c, const struct sl_controller_pool *p,
                   const struct sl_scale_reading *read);
/* The decision stands: nothing was to be changed, or it was. */
void sl_tell_decision(const struct sl_controller *c, struct sl_controller_pool *p,
                      const struct sl_decision *d, int64_t now_ms);
/* Before p->scale is replaced by read. */
void sl_tell_foreign_size(const struct sl_controller *c, struct sl_controller_pool *p,
                          const struct sl_scale_reading *read, int64_t now_ms);
void sl_tell_watch(const struct sl_controller *c, struct sl_controller_pool *p, enum sl_watch watch,
                   int64_t now_ms);
/* The WorkerPool was deleted and made anew. */
void sl_tell_recreated(const struct sl_controller *c, const struct sl_controller_pool *p);
/* After p->annotated was replaced by the orders of new annotations. */
void sl_tell_bad_annotation(const struct sl_controller *c, const struct sl_controller_pool *p);
void sl_tell_pool_failure(const struct sl_controller *c, struct sl_controller_pool *p,
                          const struct sl_error *why, int64_t now_ms);
void sl_tell_cluster_failure(struct sl_controller *c, const struct sl_controller_pool *p,
                             const struct sl_error *why, int64_t now_ms);
/* Ends both troubles; says so where one was told. */
void sl_tell_success(struct sl_controller *c, struct sl_controller_pool *p, int64_t now_ms);

#endif
