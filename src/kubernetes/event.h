/* Events of events.k8s.io/v1 about a WorkerPool: what `kubectl describe` shows below it, and which
 * of them are the same thing again. Pure.
 *
 * Source of the checks that a server makes: k8s.io/kubernetes pkg/apis/core/validation/events.go.
 * As in client-go (tools/events/event_broadcaster.go) an event that comes again within six minutes
 * becomes a series of the first; unlike there its note belongs to what makes it the same, so that
 * each change of size is an event of its own. */
#ifndef SL_KUBERNETES_EVENT_H
#define SL_KUBERNETES_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "kubernetes/message.h"

enum {
    SL_EVENT_NOTE_BYTES = 512, /* a server takes 1024 */
    SL_EVENT_NAME_BYTES = 254, /* of an object */
    SL_EVENT_SERIES = 32,      /* that are remembered */
};

struct sl_event {
    bool is_warning;
    const char *reason; /* "ScaledOut"; static */
    const char *action; /* "ScaleOut"; static */
    char note[SL_EVENT_NOTE_BYTES];
    char kube_namespace[SL_EVENT_NAME_BYTES];
    char worker_pool[SL_EVENT_NAME_BYTES];
    char uid[SL_KUBE_UID_BYTES]; /* of the WorkerPool; kubectl describe goes by it */
    char version[SL_KUBE_VERSION_BYTES];
    int64_t realtime_us;
};

/* Events that were written, for series. All zero at first. */
struct sl_event_log {
    struct sl_event_series {
        struct sl_event event;
        char name[SL_EVENT_NAME_BYTES + 20]; /* of the Event object */
        int64_t count;
        int64_t last_ms; /* monotonic */
    } series[SL_EVENT_SERIES];
    int64_t name_us; /* in the newest name: two events of one moment have different ones */
};

/* The series that this event belongs to, with its count raised; NULL: it is a new one. */
struct sl_event_series *sl_event_log_find(struct sl_event_log *log, const struct sl_event *event,
                                          int64_t now_ms);

/* Remembers an event that is written, in place of the oldest; makes its name. */
struct sl_event_series *sl_event_log_add(struct sl_event_log *log, const struct sl_event *event,
                                         int64_t now_ms);

void sl_event_log_forget(struct sl_event_series *series);

/* The body of the POST that makes the event, and of the PATCH that says it came again. instance
 * names the process. */
void sl_event_write(const struct sl_event_series *series, const char *instance,
                    struct sl_buffer *out);
void sl_event_write_series(const struct sl_event_series *series, struct sl_buffer *out);

#endif
