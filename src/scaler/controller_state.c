/* What outlives a restart of the controller: the states of its pools, in one file. */
#include "scaler/controller_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/times.h"
#include "os/file.h"
#include "os/scribe.h"
#include "scaler/state_file.h"

/* Two clocks, read one after the other, twice: the same moment may come back this much later. */
enum { FILE_BYTES = 64 * 1024 * 1024, ROUNDING_MS = 2 };

/* A pool is the same if name and resource are. */
static void make_key(const struct sl_controller_pool *p, char *key) {
    (void)snprintf(key, SL_STATE_KEY_BYTES, "%s/%s %s",
                   p->options->kube_namespace != NULL ? p->options->kube_namespace : "",
                   p->options->worker_pool, p->options->name);
}

/* The state, and since when a value is old: what has been counted is not counted again. */
static void restore(struct sl_controller *c, struct sl_controller_pool *p,
                    const struct sl_scaler_state *state) {
    int64_t age_ms = sl_time_since(c->settings.clock_ms(), state->seen_ms);

    p->state = *state;
    if (state->is_watching) {
        p->inbox.newest_time_ms = sl_time_since(c->settings.realtime_ms(), age_ms) + ROUNDING_MS;
    }
}

/* NULL: the file is of another configuration. */
static struct sl_controller_pool *find(struct sl_controller *c, const char *key) {
    for (size_t i = 0; i < c->settings.pool_count; i++) {
        char mine[SL_STATE_KEY_BYTES];

        make_key(&c->pools[i], mine);
        if (strcmp(mine, key) == 0) {
            return &c->pools[i];
        }
    }
    return NULL;
}

static void put_state(void *context, const char *key, const struct sl_scaler_state *state) {
    struct sl_controller *c = context;
    struct sl_controller_pool *p = find(c, key);

    if (p != NULL) {
        restore(c, p, state);
    }
}

static void put_alarm(void *context, const char *key, const char *name,
                      const struct sl_alarm *alarm) {
    struct sl_controller_pool *p = find(context, key);

    for (size_t i = 0; p != NULL && i < p->options->notification_count; i++) {
        if (strcmp(p->options->notifications[i]->name, name) == 0) {
            p->alarms[i] = *alarm;
            p->alarms[i].options = p->options->notifications[i];
        }
    }
}

static void put_foreign(void *context, const char *key, const struct sl_foreign *foreign) {
    struct sl_controller_pool *p = find(context, key);

    if (p != NULL) {
        p->others = *foreign;
    }
}

void sl_controller_load_state(struct sl_controller *c) {
    struct sl_clocks clocks = {c->settings.clock_ms(), c->settings.realtime_ms()};
    struct sl_state_sink sink = {c, put_state, put_alarm, put_foreign};
    struct sl_error err = SL_ERROR_INIT;
    size_t bad = 0;

    if (c->settings.state_path == NULL) {
        return;
    }
    if (sl_state_file_load(c->settings.state_path, &clocks, &sink, &bad, &err) != SL_OK) {
        sl_log(c->settings.log, SL_LOG_WARNING, "the history of the last run is not used: %s",
               err.text);
    } else if (bad > 0) {
        sl_log(c->settings.log, SL_LOG_WARNING, "%s: %zu lines cannot be read and are not used",
               c->settings.state_path, bad);
    }
}

static void put_pool(const struct sl_controller_pool *p, const struct sl_clocks *clocks,
                     struct sl_buffer *lines) {
    char key[SL_STATE_KEY_BYTES];

    make_key(p, key);
    sl_state_save(&p->state, key, clocks, lines);
    for (size_t i = 0; i < p->options->notification_count; i++) {
        sl_state_save_alarm(&p->alarms[i], key, clocks, lines);
    }
    sl_state_save_foreign(&p->others, key, clocks, lines);
}

int sl_controller_replace(struct sl_controller *c, const char *path, struct sl_buffer *text,
                          struct sl_error *err) {
    return c->scribe != NULL ? sl_scribe_put(c->scribe, path, text, err)
                             : sl_file_replace(path, text, err);
}

static int save(struct sl_controller *c, struct sl_error *err) {
    struct sl_clocks clocks = {c->settings.clock_ms(), c->settings.realtime_ms()};
    struct sl_buffer lines;
    int rc = SL_OK;

    c->saved_ms = clocks.now_ms;
    if (c->settings.state_path == NULL) {
        return SL_OK;
    }
    sl_buffer_init(&lines, FILE_BYTES);
    for (size_t i = 0; i < c->settings.pool_count; i++) {
        put_pool(&c->pools[i], &clocks, &lines);
    }
    rc = sl_controller_replace(c, c->settings.state_path, &lines, err);
    sl_buffer_release(&lines);
    return rc;
}

void sl_controller_save_state(struct sl_controller *c) {
    struct sl_error err = SL_ERROR_INIT;

    if (save(c, &err) == SL_OK) {
        if (sl_complaint_succeeded(&c->state_complaint, c->saved_ms, NULL, NULL)) {
            sl_log(c->settings.log, SL_LOG_NOTICE, "%s is written again", c->settings.state_path);
        }
    } else if (sl_complaint_failed(&c->state_complaint, err.text, c->saved_ms)) {
        sl_log(c->settings.log, SL_LOG_WARNING,
               "%s: after a restart no pool becomes smaller until ScaleInWindow has been watched",
               err.text);
    }
}

/* What a failure was about has been told by those who met it. */
static int check_success(const struct sl_controller *c, struct sl_error *err) {
    size_t failed = 0;

    for (size_t i = 0; i < c->settings.pool_count; i++) {
        failed += c->pools[i].trouble.complaint.active;
    }
    if (c->trouble.complaint.active) {
        return sl_fail(err, SL_REMOTE, "cluster \"%s\" could not be asked", c->settings.cluster);
    }
    if (failed > 0) {
        return sl_fail(err, SL_REMOTE, "cluster \"%s\": %zu of %zu pools failed",
                       c->settings.cluster, failed, c->settings.pool_count);
    }
    return sl_wakeup_is_signalled(c->settings.stop)
               ? sl_fail(err, SL_TIMEOUT, "cluster \"%s\": not done in time", c->settings.cluster)
               : SL_OK;
}

int sl_controller_run_once(struct sl_controller *c, struct sl_error *err) {
    int rc = SL_OK;

    /* Only pools with letters have their turn: that a batch says nothing of a pool means nothing.
     */
    c->has_started = true;
    c->started_ms = c->settings.clock_ms();
    for (size_t i = 0; i < c->settings.pool_count; i++) {
        c->pools[i].due_ms = INT64_MAX;
    }
    while (!sl_wakeup_is_signalled(c->settings.stop) &&
           sl_controller_step(c) <= c->settings.clock_ms()) {
    }
    sl_controller_save_status(c);
    rc = check_success(c, err);
    /* After a failure the values come again: they are not to count as seen. */
    return rc == SL_OK ? save(c, err) : rc;
}
