/* What outlives a restart of the controller: the states of its pools, in one file. */
#include "scaler/controller_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scaler/state_file.h"

enum { FILE_BYTES = 64 * 1024 * 1024 };

/* A pool is the same if name and resource are. */
static void make_key(const struct sl_controller_pool *p, char *key) {
    (void)snprintf(key, SL_STATE_KEY_BYTES, "%s/%s %s",
                   p->options->kube_namespace != NULL ? p->options->kube_namespace : "",
                   p->options->worker_pool, p->options->name);
}

static void put(void *context, const char *key, const struct sl_scaler_state *state) {
    struct sl_controller *c = context;

    for (size_t i = 0; i < c->settings.pool_count; i++) {
        char mine[SL_STATE_KEY_BYTES];

        make_key(&c->pools[i], mine);
        if (strcmp(mine, key) == 0) {
            c->pools[i].state = *state;
            return;
        }
    }
}

void sl_controller_load_state(struct sl_controller *c) {
    struct sl_clocks clocks = {c->settings.clock_ms(), c->settings.realtime_ms()};
    struct sl_error err = SL_ERROR_INIT;
    size_t bad = 0;

    if (c->settings.state_path == NULL) {
        return;
    }
    if (sl_state_file_load(c->settings.state_path, &clocks, put, c, &bad, &err) != SL_OK) {
        sl_log(c->settings.log, SL_LOG_WARNING, "the history of the last run is not used: %s",
               err.text);
    } else if (bad > 0) {
        sl_log(c->settings.log, SL_LOG_WARNING, "%s: %zu lines cannot be read and are not used",
               c->settings.state_path, bad);
    }
}

void sl_controller_save_state(struct sl_controller *c) {
    struct sl_clocks clocks = {c->settings.clock_ms(), c->settings.realtime_ms()};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer lines;

    c->saved_ms = clocks.now_ms;
    if (c->settings.state_path == NULL) {
        return;
    }
    sl_buffer_init(&lines, FILE_BYTES);
    for (size_t i = 0; i < c->settings.pool_count; i++) {
        char key[SL_STATE_KEY_BYTES];

        make_key(&c->pools[i], key);
        sl_state_save(&c->pools[i].state, key, &clocks, &lines);
    }
    if (sl_state_file_save(c->settings.state_path, &lines, &err) == SL_OK) {
        (void)sl_complaint_succeeded(&c->state_complaint, clocks.now_ms, NULL, NULL);
    } else if (sl_complaint_failed(&c->state_complaint, err.text, clocks.now_ms)) {
        sl_log(c->settings.log, SL_LOG_WARNING,
               "%s: after a restart no pool becomes smaller until ScaleInWindow has been watched",
               err.text);
    }
    sl_buffer_release(&lines);
}
