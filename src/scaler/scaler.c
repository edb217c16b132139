/* Puts the parts together: clusters with a controller each, and the routes of the pools. */
#include "scaler/scaler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/times.h"
#include "os/clock.h"
#include "os/scribe.h"
#include "os/thread.h"
#include "scaler/cluster.h"
#include "scaler/controller.h"
#include "scaler/neighbours.h"
#include "scaler/route.h"

enum {
    FILES_OF_A_SITE = 2,     /* state and status */
    FILES_PATIENCE_MS = 400, /* at the end, for a disk that may hang: collectd waits for us */
};

/* One <Cluster> with its pools. */
struct site {
    struct sl_wakeup stop;
    bool has_stop;
    struct sl_cluster *cluster;
    const struct sl_pool_options **pools;
    size_t pool_count;
    struct sl_controller *controller;
    char *state_path; /* NULL: nothing is kept */
    char *status_path;
};

/* Where a pool of the configuration is. */
struct place {
    struct sl_controller *controller;
    size_t index;
};

struct sl_scaler {
    const struct sl_scaler_config *config;
    const struct sl_log *log;
    struct sl_neighbours neighbours;
    bool has_neighbours;
    struct sl_notices notices;
    bool has_notices;
    struct sl_route *routes;
    struct site *sites;       /* as config->clusters */
    struct sl_scribe *scribe; /* while threads run and there is a StateDirectory */
    struct place *places;     /* as config->pools */
};

static int out_of_memory(struct sl_error *err) {
    return sl_fail(err, SL_NOMEM, "out of memory");
}

static int collect_pools(struct sl_scaler *s, size_t site_index, struct sl_error *err) {
    const struct sl_scaler_config *config = s->config;
    struct site *site = &s->sites[site_index];

    site->pools = calloc(config->pool_count, sizeof *site->pools);
    if (site->pools == NULL) {
        return out_of_memory(err);
    }
    for (size_t i = 0; i < config->pool_count; i++) {
        if (config->pools[i]->cluster_index == site_index) {
            s->places[i].index = site->pool_count;
            site->pools[site->pool_count++] = config->pools[i];
        }
    }
    return SL_OK;
}

/* The cluster's name may hold anything; the file's may not. */
static char *make_path(const char *directory, const char *cluster, const char *suffix) {
    size_t size = strlen(directory) + strlen(cluster) + strlen(suffix) + sizeof "/";
    char *path = malloc(size);

    if (path == NULL) {
        return NULL;
    }
    (void)snprintf(path, size, "%s/%s%s", directory, cluster, suffix);
    for (char *at = path + strlen(directory) + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '_';
        }
    }
    return path;
}

static int make_paths(struct sl_scaler *s, struct site *site, const char *cluster,
                      struct sl_error *err) {
    const char *directory = s->config->state_directory;

    if (directory == NULL) {
        return SL_OK;
    }
    site->state_path = make_path(directory, cluster, ".state");
    site->status_path = make_path(directory, cluster, ".status");
    return site->state_path != NULL && site->status_path != NULL ? SL_OK : out_of_memory(err);
}

static int make_site(struct sl_scaler *s, size_t site_index, struct sl_error *err) {
    const struct sl_cluster_options *options = s->config->clusters[site_index];
    struct site *site = &s->sites[site_index];
    struct sl_controller_settings settings = {
        .cluster = options->name,
        .neighbours = &s->neighbours,
        .log = s->log,
        .notices = &s->notices,
        .stop = &site->stop,
    };
    int rc = sl_wakeup_init(&site->stop, err);

    site->has_stop = rc == SL_OK;
    if (rc == SL_OK) {
        rc = collect_pools(s, site_index, err);
    }
    if (rc == SL_OK) {
        rc = sl_cluster_new(options, site->pools, site->pool_count, &site->stop, s->log,
                            &site->cluster, err);
    }
    if (rc == SL_OK) {
        rc = make_paths(s, site, options->name, err);
    }
    if (rc != SL_OK) {
        return rc;
    }
    settings.pools = site->pools;
    settings.pool_count = site->pool_count;
    settings.state_path = site->state_path;
    settings.status_path = site->status_path;
    settings.ops = sl_cluster_ops(site->cluster);
    return sl_controller_new(&settings, &site->controller, err);
}

static int build(struct sl_scaler *s, struct sl_error *err) {
    const struct sl_scaler_config *config = s->config;
    int rc = sl_neighbours_init(&s->neighbours, err);

    s->has_neighbours = rc == SL_OK;
    if (rc == SL_OK) {
        rc = sl_notices_init(&s->notices, err);
        s->has_notices = rc == SL_OK;
    }
    if (rc == SL_OK) {
        rc = sl_route_new(config, &s->routes, err);
    }
    s->sites = calloc(config->cluster_count, sizeof *s->sites);
    s->places = calloc(config->pool_count, sizeof *s->places);
    if (rc == SL_OK && (s->sites == NULL || s->places == NULL)) {
        rc = out_of_memory(err);
    }
    for (size_t i = 0; rc == SL_OK && i < config->cluster_count; i++) {
        rc = make_site(s, i, err);
    }
    for (size_t i = 0; rc == SL_OK && i < config->pool_count; i++) {
        s->places[i].controller = s->sites[config->pools[i]->cluster_index].controller;
    }
    return rc;
}

int sl_scaler_new(struct sl_scaler_config *config, const struct sl_log *log, struct sl_scaler **ret,
                  struct sl_error *err) {
    struct sl_scaler *s = NULL;
    int rc = sl_scaler_config_check(config, err);

    if (rc != SL_OK) {
        return rc;
    }
    s = calloc(1, sizeof *s);
    if (s == NULL) {
        return out_of_memory(err);
    }
    s->config = config;
    s->log = log;
    rc = build(s, err);
    if (rc != SL_OK) {
        sl_scaler_free(s);
        return rc;
    }
    *ret = s;
    return SL_OK;
}

static void leadership_changed(void *context) {
    struct site *site = context;

    sl_controller_wake(site->controller);
}

static int start_site(struct site *site, struct sl_scribe *scribe, struct sl_error *err) {
    int rc = SL_OK;

    if (site->pool_count == 0) {
        return SL_OK;
    }
    rc = sl_cluster_start(site->cluster, leadership_changed, site, err);
    return rc == SL_OK ? sl_controller_start(site->controller, scribe, err) : rc;
}

int sl_scaler_start(struct sl_scaler *s, struct sl_error *err) {
    int rc = SL_OK;

    if (s->config->state_directory != NULL) {
        rc = sl_scribe_new(FILES_OF_A_SITE * s->config->cluster_count, &s->scribe, err);
    }
    for (size_t i = 0; rc == SL_OK && i < s->config->cluster_count; i++) {
        rc = start_site(&s->sites[i], s->scribe, err);
    }
    if (rc != SL_OK) {
        sl_scaler_stop(s);
    }
    return rc;
}

void sl_scaler_take(struct sl_scaler *s, const struct sl_pool_values *values, int64_t now_ms,
                    int64_t realtime_ms) {
    size_t count = s->config->pool_count;
    size_t found = sl_route_find(s->routes, count, values);

    if (found < count) {
        sl_controller_submit(s->places[found].controller, s->places[found].index, values, now_ms,
                             realtime_ms);
    } else {
        sl_neighbours_add(&s->neighbours,
                          values->true_name != NULL ? values->true_name : values->name);
    }
}

void sl_scaler_hear(struct sl_scaler *s, const struct sl_notification *n) {
    for (size_t i = 0; i < s->config->pool_count; i++) {
        if (s->config->pools[i]->notification_count > 0) {
            sl_controller_hear(s->places[i].controller, s->places[i].index, n);
        }
    }
}

void sl_scaler_report(struct sl_scaler *s, size_t pool, struct sl_pool_report *ret) {
    sl_controller_report(s->places[pool].controller, s->places[pool].index, ret);
}

void sl_scaler_put_expiry(const struct sl_scaler *s, const struct sl_values_out *out) {
    for (size_t i = 0; i < s->config->cluster_count; i++) {
        sl_cluster_put_expiry(s->sites[i].cluster, out);
    }
}

struct sl_notices *sl_scaler_notices(struct sl_scaler *s) {
    return &s->notices;
}

/* The last of them are on their way to the disk since the controllers have ended. */
static void finish_files(struct sl_scaler *s, int64_t end_ms) {
    struct sl_error err = SL_ERROR_INIT;

    if (!sl_scribe_finish(s->scribe, sl_clock_left_ms(end_ms), &err)) {
        sl_log(s->log, SL_LOG_ERROR,
               "the disk of StateDirectory \"%s\" does not answer, look at it: the next start may "
               "not know what was decided last",
               s->config->state_directory);
    } else if (err.code != SL_OK) {
        sl_log(s->log, SL_LOG_WARNING, "%s: the next start may not know what was decided last",
               err.text);
    }
    s->scribe = NULL;
}

/* All are told before any is waited for; the leases are given back when nothing is written any
 * more. */
void sl_scaler_stop(struct sl_scaler *s) {
    int64_t files_end_ms = 0;

    for (size_t i = 0; s->sites != NULL && i < s->config->cluster_count; i++) {
        if (s->sites[i].has_stop) {
            sl_wakeup_signal(&s->sites[i].stop);
        }
    }
    for (size_t i = 0; s->sites != NULL && i < s->config->cluster_count; i++) {
        if (s->sites[i].controller != NULL) {
            sl_controller_stop(s->sites[i].controller);
        }
    }
    files_end_ms = sl_time_add(sl_clock_monotonic_ms(), FILES_PATIENCE_MS);
    for (size_t i = 0; s->sites != NULL && i < s->config->cluster_count; i++) {
        if (s->sites[i].cluster != NULL) {
            sl_cluster_begin_stop(s->sites[i].cluster);
        }
    }
    for (size_t i = 0; s->sites != NULL && i < s->config->cluster_count; i++) {
        if (s->sites[i].cluster != NULL) {
            sl_cluster_stop(s->sites[i].cluster);
        }
    }
    if (s->scribe != NULL) {
        finish_files(s, files_end_ms);
    }
}

/* ---- a run for one batch of values ---- */

/* One cluster's run. */
struct once {
    struct site *site;
    struct sl_wakeup done;
    bool has_done;
    pthread_t thread;
    bool has_thread;
    int rc;
    struct sl_error err;
};

void sl_scaler_resume(struct sl_scaler *s) {
    for (size_t i = 0; i < s->config->cluster_count; i++) {
        sl_controller_load_state(s->sites[i].controller);
    }
}

static void *run_site(void *context) {
    struct once *o = context;

    o->rc = sl_cluster_begin_once(o->site->cluster, &o->err);
    if (o->rc == SL_OK) {
        o->rc = sl_controller_run_once(o->site->controller, &o->err);
    }
    sl_cluster_end_once(o->site->cluster);
    sl_wakeup_signal(&o->done);
    return NULL;
}

static int start_once(struct once *o, struct sl_error *err) {
    int rc = sl_wakeup_init(&o->done, err);

    o->has_done = rc == SL_OK;
    if (rc == SL_OK) {
        rc = sl_thread_start(&o->thread, "sl-scaler", run_site, o, err);
    }
    o->has_thread = rc == SL_OK;
    return rc;
}

/* Whoever is late is told to stop, and is then done within milliseconds. */
static void finish_once(struct once *o, int64_t end_ms) {
    if (o->has_thread) {
        sl_wakeup_wait(&o->done, NULL, sl_clock_left_ms(end_ms));
        if (!sl_wakeup_is_signalled(&o->done)) {
            sl_wakeup_signal(&o->site->stop);
            sl_cluster_begin_stop(o->site->cluster);
        }
        (void)pthread_join(o->thread, NULL);
    }
    if (o->has_done) {
        sl_wakeup_release(&o->done);
    }
}

int sl_scaler_run_once(struct sl_scaler *s, int64_t deadline_ms, struct sl_error *err) {
    int64_t end_ms = sl_clock_monotonic_ms() + deadline_ms;
    size_t n = s->config->cluster_count;
    struct once *runs = calloc(n, sizeof *runs);
    int rc = SL_OK;

    if (runs == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        runs[i].site = &s->sites[i];
        if (s->sites[i].pool_count > 0) {
            rc = start_once(&runs[i], err);
        }
    }
    for (size_t i = 0; i < n; i++) {
        finish_once(&runs[i], rc == SL_OK ? end_ms : 0);
        if (rc == SL_OK && runs[i].rc != SL_OK) {
            rc = runs[i].rc;
            *err = runs[i].err;
        }
    }
    free(runs);
    return rc;
}

/* ---- the end ---- */

static void release_site(struct site *site) {
    sl_controller_free(site->controller);
    sl_cluster_free(site->cluster);
    free(site->pools);
    free(site->state_path);
    free(site->status_path);
    if (site->has_stop) {
        sl_wakeup_release(&site->stop);
    }
}

void sl_scaler_free(struct sl_scaler *s) {
    if (s == NULL) {
        return;
    }
    sl_scaler_stop(s);
    for (size_t i = 0; s->sites != NULL && i < s->config->cluster_count; i++) {
        release_site(&s->sites[i]);
    }
    free(s->sites);
    free(s->places);
    free(s->routes);
    if (s->has_neighbours) {
        sl_neighbours_release(&s->neighbours);
    }
    if (s->has_notices) {
        sl_notices_release(&s->notices);
    }
    free(s);
}
