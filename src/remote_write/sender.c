/* One remote write receiver: its life. What its thread does is in sender_deliver.c. */
#include "remote_write/sender_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/thread.h"

enum {
    REQUEST_BYTES_MAX = 64 * 1024 * 1024,
    MIB = 1024 * 1024,
    MEMORY_BYTES_PER_SAMPLE = 24,
    UNREADABLE_MS = 60 * 1000,
    STOP_PATIENCE_MS = 300, /* after everything it may wait for has been canceled */
};

/* ---- setting up ---- */

static int init_wakeups(struct sl_sender *s, struct sl_error *err) {
    struct sl_wakeup *all[] = {&s->work, &s->stop, &s->cancel, &s->done};
    for (size_t i = 0; i < 4; i++) {
        int code = sl_wakeup_init(all[i], err);
        if (code != SL_OK) {
            while (i > 0)
                sl_wakeup_release(all[--i]);
            return code;
        }
    }
    s->has_wakeups = true;
    return SL_OK;
}

static int build(struct sl_sender *s, struct sl_error *err) {
    struct sl_node_options *o = &s->options;
    int code = sl_node_options_check(o, err);
    if (code == SL_OK)
        code = init_wakeups(s, err);
    if (code == SL_OK)
        code = sl_endpoint_new(o, s->log, &s->cancel, &s->endpoint, err);
    if (code == SL_OK) {
        code = sl_rules_init(&s->rules, o->job, &o->labels, o->relabel, err);
        o->relabel = NULL;
    }
    return code;
}

int sl_sender_new(struct sl_node_options *options, struct sl_log log, struct sl_sender **ret,
                  struct sl_error *err) {
    struct sl_sender *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        sl_node_options_release(options);
        return sl_fail(err, SL_NOMEM, "out of memory for a sender");
    }
    s->options = *options;
    *options = (struct sl_node_options){.name = NULL};
    s->log = log;
    s->protocol = s->options.protocol == SL_PROTOCOL_1_0 ? SL_WRITE_1_0 : SL_WRITE_2_0;
    s->protocol_now = (int)s->protocol;
    s->samples_max = (size_t)s->options.max_samples_per_send;
    sl_encoder_init(&s->encoder, REQUEST_BYTES_MAX);
    sl_buffer_init(&s->body, REQUEST_BYTES_MAX * 2);
    uint64_t seed = (uint64_t)sl_clock_realtime_ms() ^ (uint64_t)getpid() << 40;
    sl_backoff_init(&s->backoff, s->options.min_backoff_ms, s->options.max_backoff_ms, seed);
    int code = build(s, err);
    if (code != SL_OK)
        sl_sender_free(s);
    else
        *ret = s;
    return code;
}

/* The name of a node as that of a directory: letters, digits, '-' and '_' as they are, all else by
 * its bytes. */
static void put_escaped(char *out, const char *name) {
    static const char digits[] = "0123456789ABCDEF";
    for (; *name != '\0'; name++) {
        char c = *name;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '_') {
            *out++ = c;
        } else {
            *out++ = '%';
            *out++ = digits[(unsigned char)c >> 4];
            *out++ = digits[c & 0xf];
        }
    }
    *out = '\0';
}

static char *make_spool_path(const struct sl_node_options *o, const char *base_directory) {
    const char *folder = o->spool_directory != NULL ? o->spool_directory : base_directory;
    const char *plugin = o->spool_directory != NULL ? "" : "/write_prometheus_remote";
    size_t len = strlen(folder) + strlen(plugin) + 3 * strlen(o->name) + 2;
    char *path = malloc(len);
    if (path == NULL)
        return NULL;
    int begin = snprintf(path, len, "%s%s/", folder, plugin);
    put_escaped(path + begin, o->name);
    return path;
}

static int open_queue(struct sl_sender *s, const char *base_directory, struct sl_error *err) {
    const struct sl_node_options *o = &s->options;
    if (o->spool && (s->spool_path = make_spool_path(o, base_directory)) == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a sender");
    struct sl_queue_settings settings = {
        .rules = s->rules.series,
        .limits = {.disk_bytes = o->spool ? (size_t)o->spool_size_mib * MIB : 0,
                   .memory_bytes = (size_t)o->capacity * MEMORY_BYTES_PER_SAMPLE},
        .max_age_ms = o->max_age_ms,
        .sync_ms = o->spool_sync_ms,
        .batch_max = (size_t)o->max_samples_per_send,
        .unreadable_ms = UNREADABLE_MS,
        .path = s->spool_path,
        .log = s->log,
        .name = o->name,
    };
    int code = sl_queue_new(&settings, &s->queue, err);
    return code == SL_OK ? sl_queue_start(s->queue, err) : code;
}

int sl_sender_start(struct sl_sender *s, const char *base_directory, struct sl_error *err) {
    int code = open_queue(s, base_directory, err);
    if (code == SL_OK)
        code = sl_thread_start(&s->thread, "sl-remote-write", sl_sender_run, s, err);
    s->is_running = code == SL_OK;
    return code;
}

/* ---- any thread ---- */

const char *sl_sender_name(const struct sl_sender *s) {
    return s->options.name;
}

/* Only when the thread may be asleep: at the first samples, and when they fill a request. */
static void wake(struct sl_sender *s, size_t waiting, size_t more) {
    size_t full = (size_t)s->options.max_samples_per_send;
    if (waiting > 0 && (waiting <= more || (waiting >= full && waiting < full + more)))
        sl_wakeup_signal(&s->work);
}

void sl_sender_put(struct sl_sender *s, const struct sl_value_id *id, size_t first,
                   const uint64_t *bits, int64_t time_ms) {
    if (s->queue != NULL)
        wake(s, sl_queue_put(s->queue, id, first, bits, time_ms), id->source_count);
}

void sl_sender_end_series(struct sl_sender *s, const struct sl_value_id *id, int64_t now_ms) {
    if (s->queue != NULL && sl_queue_end_series(s->queue, id, now_ms) > 0)
        sl_wakeup_signal(&s->work);
}

void sl_sender_status(struct sl_sender *s, struct sl_sender_status *ret) {
    *ret = (struct sl_sender_status){
        .requests = __atomic_load_n(&s->requests, __ATOMIC_RELAXED),
        .bytes = __atomic_load_n(&s->bytes, __ATOMIC_RELAXED),
        .retries = __atomic_load_n(&s->retries, __ATOMIC_RELAXED),
        .rejected_ambiguous = __atomic_load_n(&s->rejected_ambiguous, __ATOMIC_RELAXED),
        .protocol = (enum sl_write_protocol)__atomic_load_n(&s->protocol_now, __ATOMIC_RELAXED),
    };
    if (s->queue != NULL)
        sl_queue_status(s->queue, &ret->queue);
}

/* ---- the end ---- */

void sl_sender_ask_stop(struct sl_sender *s) {
    sl_wakeup_signal(&s->stop);
}

void sl_sender_await(struct sl_sender *s, int64_t deadline_ms) {
    if (!s->is_running)
        return;
    sl_wakeup_signal(&s->stop);
    sl_wakeup_wait(&s->done, NULL, sl_clock_left_ms(deadline_ms));
    sl_wakeup_signal(&s->cancel);
    s->canceled_ms = sl_clock_monotonic_ms();
}

/* False: it hangs in the disk, and what it uses must not be freed. */
static bool end_thread(struct sl_sender *s) {
    if (s->canceled_ms == 0)
        sl_sender_await(s, 0);
    if (!sl_thread_join(s->thread, sl_clock_left_ms(s->canceled_ms + STOP_PATIENCE_MS))) {
        sl_log(&s->log, SL_LOG_ERROR,
               "node \"%s\": the disk of the spool does not answer; what waits is sent after the "
               "next start",
               s->options.name);
        return false;
    }
    sl_sender_tell_end(s);
    return true;
}

void sl_sender_free(struct sl_sender *s) {
    if (s == NULL)
        return;
    if (s->is_running && !end_thread(s))
        return;
    sl_endpoint_free(s->endpoint);
    sl_queue_free(s->queue);
    sl_rules_release(&s->rules);
    sl_encoder_release(&s->encoder);
    sl_buffer_release(&s->body);
    free(s->spool_path);
    if (s->has_wakeups) {
        sl_wakeup_release(&s->work);
        sl_wakeup_release(&s->stop);
        sl_wakeup_release(&s->cancel);
        sl_wakeup_release(&s->done);
    }
    sl_node_options_release(&s->options);
    free(s);
}
