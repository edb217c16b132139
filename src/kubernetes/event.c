/* Events, out. */
#include "kubernetes/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/json_writer.h"

static const int64_t series_end_ms = 6 * 60 * 1000;

static bool is_same(const struct sl_event *a, const struct sl_event *b) {
    return a->reason != NULL && strcmp(a->reason, b->reason) == 0 &&
           strcmp(a->note, b->note) == 0 && strcmp(a->uid, b->uid) == 0 &&
           strcmp(a->worker_pool, b->worker_pool) == 0 &&
           strcmp(a->kube_namespace, b->kube_namespace) == 0;
}

struct sl_event_series *sl_event_log_find(struct sl_event_log *log, const struct sl_event *event,
                                          int64_t now_ms) {
    for (size_t i = 0; i < SL_EVENT_SERIES; i++) {
        struct sl_event_series *s = &log->series[i];

        if (s->count > 0 && now_ms - s->last_ms < series_end_ms && is_same(&s->event, event)) {
            s->count++;
            s->last_ms = now_ms;
            s->event.realtime_us = event->realtime_us;
            return s;
        }
    }
    return NULL;
}

struct sl_event_series *sl_event_log_add(struct sl_event_log *log, const struct sl_event *event,
                                         int64_t now_ms) {
    struct sl_event_series *s = &log->series[0];

    for (size_t i = 0; i < SL_EVENT_SERIES && s->count > 0; i++) {
        if (log->series[i].count == 0 || log->series[i].last_ms < s->last_ms) {
            s = &log->series[i];
        }
    }
    log->name_us = event->realtime_us > log->name_us ? event->realtime_us : log->name_us + 1;
    s->event = *event;
    s->count = 1;
    s->last_ms = now_ms;
    (void)snprintf(s->name, sizeof s->name, "%.230s.%016" PRIx64, event->worker_pool,
                   (uint64_t)log->name_us * 1000);
    return s;
}

void sl_event_log_forget(struct sl_event_series *series) {
    series->count = 0;
}

static void put_regarding(struct sl_json_writer *w, const struct sl_event *event) {
    sl_json_object_begin(w, "regarding");
    sl_json_put_string(w, "apiVersion", "workers.spacelift.io/v1beta1");
    sl_json_put_string(w, "kind", "WorkerPool");
    sl_json_put_string(w, "namespace", event->kube_namespace);
    sl_json_put_string(w, "name", event->worker_pool);
    if (event->uid[0] != '\0') {
        sl_json_put_string(w, "uid", event->uid);
    }
    if (event->version[0] != '\0') {
        sl_json_put_string(w, "resourceVersion", event->version);
    }
    sl_json_object_end(w);
}

void sl_event_write(const struct sl_event_series *series, const char *instance,
                    struct sl_buffer *out) {
    const struct sl_event *event = &series->event;
    char time[SL_RFC3339_BYTES];
    struct sl_json_writer w;

    sl_format_rfc3339(event->realtime_us, time, sizeof time);
    sl_json_writer_init(&w, out);
    sl_json_object_begin(&w, NULL);
    sl_json_put_string(&w, "apiVersion", "events.k8s.io/v1");
    sl_json_put_string(&w, "kind", "Event");
    sl_json_object_begin(&w, "metadata");
    sl_json_put_string(&w, "name", series->name);
    sl_json_put_string(&w, "namespace", event->kube_namespace);
    sl_json_object_end(&w);
    sl_json_put_string(&w, "eventTime", time);
    sl_json_put_string(&w, "type", event->is_warning ? "Warning" : "Normal");
    sl_json_put_string(&w, "reason", event->reason);
    sl_json_put_string(&w, "action", event->action);
    sl_json_put_string(&w, "note", event->note);
    sl_json_put_string(&w, "reportingController", "collectd.org/workerpool-scaler");
    sl_json_put_string(&w, "reportingInstance", instance);
    put_regarding(&w, event);
    sl_json_object_end(&w);
}

void sl_event_write_series(const struct sl_event_series *series, struct sl_buffer *out) {
    char time[SL_RFC3339_BYTES];
    struct sl_json_writer w;

    sl_format_rfc3339(series->event.realtime_us, time, sizeof time);
    sl_json_writer_init(&w, out);
    sl_json_object_begin(&w, NULL);
    sl_json_object_begin(&w, "series");
    sl_json_put_int64(&w, "count", series->count);
    sl_json_put_string(&w, "lastObservedTime", time);
    sl_json_object_end(&w);
    sl_json_object_end(&w);
}
