/* Watches of single objects. */
#include "kubernetes/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "kubernetes/client.h"
#include "os/clock.h"

enum {
    LINE_BYTES = 2 * 1024 * 1024, /* as an answer of kubernetes/client.c */
    URL_BYTES = 2048,
    SERVED_S = 180, /* how long a server is asked to go on; and up to a minute more, so that ... */
    SERVED_SPREAD_S = 60, /* ... not all watches begin anew at once */
    SHORT_MS = 5000,      /* one that ends sooner has not worked */
    OPENING = 16,         /* at a time */
    HURRY_MS = 20,        /* so long no stream is looked at while there is other work */
    RETRY_MIN_MS = 1000,
    RETRY_MAX_MS = 60000,
    REFUSED_MS = 10 * 60 * 1000,
};

enum phase {
    PHASE_IDLE, /* until it is begun */
    PHASE_WAITING,
    PHASE_OPENING, /* no answer yet, or the object has not come */
    PHASE_OPEN,
};

struct watched {
    struct sl_kube_watch *owner;
    size_t index;
    const char *kube_namespace;
    const char *name;
    enum phase phase;
    bool is_live;
    int64_t due_ms;    /* IDLE, WAITING: not before */
    int64_t opened_ms; /* OPENING, OPEN */
    bool has_heard;    /* ... and something has come */
    int silences;      /* in a row; but the server may answer other requests */
    bool is_told;
    struct sl_http_stream *stream;
    struct sl_kube_lines lines;
    struct sl_backoff backoff;
};

struct sl_kube_watch {
    struct sl_kube_watch_settings settings;
    struct sl_kube_login login;
    struct watched *objects;
    struct sl_complaint complaint;
    bool has_news;
    int64_t waited_ms; /* when the streams were looked at last */
};

/* ---- life ---- */

static int take_line(void *context, const char *line, size_t len, struct sl_error *err);

int sl_kube_watch_new(const struct sl_kube_watch_settings *settings, struct sl_kube_watch **ret,
                      struct sl_error *err) {
    struct sl_kube_watch *w = calloc(1, sizeof(*w));
    struct watched *objects = calloc(settings->count + 1, sizeof(*objects));
    if (w == NULL || objects == NULL) {
        free(objects);
        free(w);
        return sl_fail(err, SL_NOMEM, "out of memory for watches of cluster \"%s\"",
                       settings->cluster);
    }
    w->settings = *settings;
    w->login.is_for_streams = true;
    w->objects = objects;
    for (size_t i = 0; i < settings->count; i++) {
        struct watched *o = &objects[i];
        o->owner = w;
        o->index = i;
        o->kube_namespace = settings->objects[i].kube_namespace;
        o->name = settings->objects[i].name;
        o->lines.take = take_line;
        o->lines.context = o;
        sl_buffer_init(&o->lines.rest, LINE_BYTES);
        sl_backoff_init(&o->backoff, RETRY_MIN_MS, RETRY_MAX_MS,
                        (uint64_t)sl_clock_monotonic_ns() + i);
    }
    *ret = w;
    return SL_OK;
}

static void close_stream(struct watched *o) {
    sl_http_stream_close(o->stream);
    o->stream = NULL;
    sl_buffer_release(&o->lines.rest);
}

void sl_kube_watch_free(struct sl_kube_watch *w) {
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->settings.count; i++)
        close_stream(&w->objects[i]);
    sl_kube_login_release(&w->login);
    free(w->objects);
    free(w);
}

/* ---- what comes ---- */

static int take_line(void *context, const char *line, size_t len, struct sl_error *err) {
    struct watched *o = context;
    struct sl_kube_watch *w = o->owner;
    struct sl_kube_change change;
    int code = sl_kube_change_parse(line, len, &change, err);
    if (code != SL_OK)
        return code;
    if (change.kind == SL_KUBE_ERROR)
        code = sl_fail(err, SL_REMOTE, "%s: %s", change.status.reason, change.status.message);
    o->has_heard = o->has_heard || code == SL_OK;
    if (code == SL_OK && change.kind != SL_KUBE_BOOKMARK) {
        w->settings.take(w->settings.context, o->index, &change);
        w->has_news = true;
    }
    sl_kube_change_release(&change);
    return code;
}

static int take_bytes(void *context, const char *bytes, size_t len, struct sl_error *err) {
    struct watched *o = context;
    return sl_kube_lines_feed(&o->lines, bytes, len, err);
}

/* ---- opening ---- */

static void end_until(struct watched *o, enum phase phase, int64_t pause_ms) {
    close_stream(o);
    o->phase = phase;
    o->due_ms = sl_clock_monotonic_ms() + pause_ms;
}

/* Changes may be missed from now on. */
static void cease(struct watched *o, enum phase phase, int64_t pause_ms) {
    end_until(o, phase, pause_ms);
    o->owner->has_news = o->owner->has_news || o->is_live;
    o->is_live = false;
}

static void build_url(const struct watched *o, struct sl_buffer *url) {
    const struct sl_kube_watch_settings *s = &o->owner->settings;
    struct sl_kube_call call = {
        .group_version = s->group_version,
        .plural = s->plural,
        .kube_namespace = o->kube_namespace,
    };
    int64_t spread_s = sl_clock_monotonic_ns() / 1000 % SERVED_SPREAD_S;
    sl_kube_url(o->owner->login.server, sl_kube_credentials_namespace(s->credentials), &call, url);
    sl_buffer_printf(url, "?watch=1&fieldSelector=metadata.name%%3D%s&timeoutSeconds=%" PRId64,
                     o->name, SERVED_S + spread_s);
}

static int open_stream(struct watched *o, struct sl_error *err) {
    struct sl_kube_watch *w = o->owner;
    struct sl_buffer url;
    int code =
        sl_kube_credentials_log_in(w->settings.credentials, w->settings.stop, &w->login, err);
    if (code != SL_OK)
        return code;
    sl_buffer_init(&url, URL_BYTES);
    build_url(o, &url);
    struct sl_http_request request = {
        .method = "GET",
        .url = url.data,
        .headers = {{"Accept", "application/json"}},
        .bearer = sl_secret_is_set(&w->login.token) ? &w->login.token : NULL,
        .timeout_ms = INT32_MAX, /* deadline_ms() knows better */
        .sink = take_bytes,
        .sink_context = o,
    };
    o->has_heard = false;
    code = sl_buffer_check(&url, "a URL", err);
    if (code == SL_OK)
        code = sl_http_stream_open(w->login.http, &request, &o->stream, err);
    sl_buffer_release(&url);
    return code;
}

static void fail(struct watched *o, int code, const struct sl_error *why);

static void open_due(struct sl_kube_watch *w) {
    size_t opening = 0;
    for (size_t i = 0; i < w->settings.count; i++)
        opening += w->objects[i].phase == PHASE_OPENING;
    for (size_t i = 0; i < w->settings.count && opening < OPENING; i++) {
        struct watched *o = &w->objects[i];
        struct sl_error why = SL_ERROR_INIT;
        int64_t now_ms = sl_clock_monotonic_ms();
        if (o->phase != PHASE_WAITING || o->due_ms > now_ms)
            continue;
        int code = open_stream(o, &why);
        if (code != SL_OK) {
            fail(o, code, &why);
            continue;
        }
        o->phase = PHASE_OPENING;
        o->opened_ms = now_ms;
        opening++;
    }
}

/* ---- ends ---- */

static void tell(struct watched *o, const struct sl_error *why) {
    const struct sl_kube_watch_settings *s = &o->owner->settings;
    if (!sl_complaint_failed(&o->owner->complaint, sl_code_name(why->code),
                             sl_clock_monotonic_ms()))
        return;
    o->is_told = true;
    sl_log(s->log, SL_LOG_NOTICE,
           "cluster \"%s\": %s cannot be watched, so it is read once an interval: %s", s->cluster,
           o->name, why->text);
}

/* Is it this server's or this role's last word for a while? */
static bool is_refusal(int code) {
    return code == SL_FORBIDDEN || code == SL_REJECTED || code == SL_PARSE || code == SL_TOOBIG;
}

/* Who reads the object says what is wrong with the server; here is told only what he cannot see. */
static void fail(struct watched *o, int code, const struct sl_error *why) {
    int64_t pause_ms = sl_backoff_failed(&o->backoff, why->retry_after_ms, REFUSED_MS);
    if (is_refusal(code)) {
        tell(o, why);
        pause_ms = REFUSED_MS;
    }
    cease(o, PHASE_WAITING, pause_ms);
}

static bool is_login_refused(int code) {
    return code == SL_AUTH || code == SL_TLS;
}

static void end(struct watched *o, int code, struct sl_error *why) {
    struct sl_kube_watch *w = o->owner;
    const struct sl_http_response *response = sl_http_stream_response(o->stream);
    bool is_short = sl_clock_monotonic_ms() - o->opened_ms < SHORT_MS;
    if (code == SL_OK)
        code = sl_http_check_status(response, why);
    if (code != SL_OK && why->http_status != 0)
        sl_kube_explain(response->body.data, response->body.len, why);
    if (code == SL_OK && !is_short) {
        sl_backoff_succeeded(&o->backoff);
        end_until(o, PHASE_WAITING, 0);
    } else if (code == SL_CANCELED) { /* the connection went with an old login */
        end_until(o, PHASE_WAITING, 0);
    } else if (is_login_refused(code) &&
               sl_kube_credentials_renew(w->settings.credentials, &w->login)) {
        end_until(o, PHASE_WAITING, 0);
    } else {
        fail(o, code, why);
    }
}

/* A connection without a sign of life is given up with all that it carries. */
static void give_up_connection(struct sl_kube_watch *w) {
    for (size_t i = 0; i < w->settings.count; i++) {
        if (w->objects[i].stream != NULL)
            end_until(&w->objects[i], PHASE_WAITING, 0);
    }
    sl_kube_login_release(&w->login);
}

static bool is_any_open(const struct sl_kube_watch *w) {
    for (size_t i = 0; i < w->settings.count; i++) {
        if (w->objects[i].phase == PHASE_OPEN)
            return true;
    }
    return false;
}

/* Nothing has come, or its server should have ended it. */
static void time_out(struct watched *o) {
    struct sl_kube_watch *w = o->owner;
    bool was_open = o->phase == PHASE_OPEN;
    o->silences += !was_open;
    cease(o, PHASE_IDLE, sl_backoff_failed(&o->backoff, -1, REFUSED_MS));
    if (was_open || !is_any_open(w))
        give_up_connection(w);
}

static int64_t deadline_ms(const struct watched *o) {
    switch (o->phase) {
    case PHASE_WAITING:
        return o->due_ms;
    case PHASE_OPENING:
        return o->opened_ms + o->owner->settings.timeout_ms;
    case PHASE_OPEN:
        return o->opened_ms + (SERVED_S + SERVED_SPREAD_S) * INT64_C(1000) +
               o->owner->settings.timeout_ms;
    case PHASE_IDLE:
        break;
    }
    return INT64_MAX;
}

static void begin_telling(struct watched *o) {
    int64_t now_ms = sl_clock_monotonic_ms();
    o->phase = PHASE_OPEN;
    o->is_live = true;
    o->silences = 0;
    if (o->is_told && sl_complaint_succeeded(&o->owner->complaint, now_ms, NULL, NULL))
        sl_log(o->owner->settings.log, SL_LOG_INFO, "cluster \"%s\": %s can be watched again",
               o->owner->settings.cluster, o->name);
    o->is_told = false;
}

/* After streams were carried forward: what became of this one? */
static void look_at(struct watched *o) {
    struct sl_error why = SL_ERROR_INIT;
    int code = SL_OK;
    if (o->stream != NULL && sl_http_stream_has_ended(o->stream, &code, &why)) {
        end(o, code, &why);
    } else if (o->phase == PHASE_OPENING && o->has_heard) {
        begin_telling(o);
    }
    if (o->stream != NULL && sl_clock_monotonic_ms() >= deadline_ms(o))
        time_out(o);
}

/* ---- for the owner ---- */

/* The object is there and can be read: then it is the watch that does not work. */
static void tell_silence(struct watched *o) {
    struct sl_error why = SL_ERROR_INIT;
    sl_fail(&why, SL_TIMEOUT,
            "reads are answered, but nothing has come by a watch within %" PRId64
            " ms: does a proxy hold answers back?",
            o->owner->settings.timeout_ms);
    tell(o, &why);
    o->silences = 0;
    o->due_ms = sl_clock_monotonic_ms() + REFUSED_MS;
}

void sl_kube_watch_begin(struct sl_kube_watch *w, size_t index) {
    struct watched *o = &w->objects[index];
    if (o->phase != PHASE_IDLE)
        return;
    if (o->silences > 1) /* one may have been the server's, which answers again */
        tell_silence(o);
    o->phase = PHASE_WAITING;
}

void sl_kube_watch_absent(struct sl_kube_watch *w, size_t index) {
    w->objects[index].silences = 0;
}

void sl_kube_watch_missed(struct sl_kube_watch *w, size_t index) {
    struct watched *o = &w->objects[index];
    cease(o, PHASE_IDLE, sl_backoff_failed(&o->backoff, -1, REFUSED_MS));
    give_up_connection(w);
}

bool sl_kube_watch_is_live(const struct sl_kube_watch *w, size_t index) {
    return w->objects[index].is_live;
}

/* Those that are due and were not opened wait for one that is under way. */
static int64_t next_ms(const struct sl_kube_watch *w, int64_t now_ms, int64_t end_ms) {
    int64_t first_ms = end_ms;
    for (size_t i = 0; i < w->settings.count; i++) {
        const struct watched *o = &w->objects[i];
        int64_t its_ms = deadline_ms(o);
        bool is_next = its_ms < first_ms && (o->phase != PHASE_WAITING || its_ms > now_ms);
        first_ms = is_next ? its_ms : first_ms;
    }
    return first_ms;
}

void sl_kube_watch_wait(struct sl_kube_watch *w, const struct sl_wakeup *work, int64_t timeout_ms) {
    int64_t now_ms = sl_clock_monotonic_ms();
    int64_t end_ms = INT64_MAX;
    if (timeout_ms >= 0 && timeout_ms < INT64_MAX - now_ms)
        end_ms = now_ms + timeout_ms;
    w->has_news = false;
    /* A look at a thousand streams costs a millisecond, and values come one by one. */
    if ((timeout_ms == 0 || sl_wakeup_is_signalled(work)) && now_ms - w->waited_ms < HURRY_MS)
        return;
    do {
        open_due(w);
        int64_t due_ms = next_ms(w, now_ms, end_ms);
        int64_t pause_ms = due_ms == INT64_MAX ? -1 : due_ms > now_ms ? due_ms - now_ms : 0;
        if (w->login.http != NULL)
            sl_http_streams_wait(w->login.http, work, pause_ms);
        else
            sl_wakeup_wait(work, w->settings.stop, pause_ms);
        for (size_t i = 0; i < w->settings.count; i++)
            look_at(&w->objects[i]);
        now_ms = w->waited_ms = sl_clock_monotonic_ms();
    } while (!w->has_news && now_ms < end_ms && !sl_wakeup_is_signalled(work) &&
             !sl_wakeup_is_signalled(w->settings.stop));
}
