/* Pollers and the reports they fill. */
#include "gather.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "spacelift/poller.h"

enum { OUTPUT_MAX_BYTES = 64 * 1024 * 1024 };

struct source {
    struct sl_gather *gather;
    struct sl_poller *poller;
    struct sl_report *report; /* the poller's thread only */
    size_t added;             /* likewise: what this poll has brought */
    char *label;

    struct sl_buffer ready; /* a complete report that waits; these under the lock */
    bool has_ready;
    bool is_running;
    bool is_wanted;
};

struct sl_gather {
    struct source *sources;
    size_t count;
    struct sl_wakeup *ended;
    struct sl_log log;
    pthread_mutex_t lock;
    uint64_t good, bad;
    size_t replaced;
};

/* ---- on the poller's thread ---- */

/* How the reading goes is known even where nothing was read. */
static bool is_about_reading(const struct sl_metric_type *type) {
    const char *const names[] = {SL_TYPE_API_COLLECTOR, SL_TYPE_API_SCRAPE, SL_TYPE_BUILD_INFO};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(type->name, names[i]) == 0)
            return true;
    return false;
}

static void on_values(void *context, const struct sl_values *values, int64_t realtime_ms) {
    struct source *s = context;
    s->added += !is_about_reading(values->type);
    sl_report_add(s->report, values, realtime_ms);
}

static void on_done(void *context, const struct sl_error *result) {
    struct source *s = context;
    struct sl_gather *g = s->gather;
    struct sl_error err = SL_ERROR_INIT;
    bool is_good = result->code == SL_OK || s->added > 0;
    s->added = 0;

    pthread_mutex_lock(&g->lock);
    g->replaced += s->has_ready;
    sl_buffer_reset(&s->ready);
    int code = sl_report_finish(s->report, &s->ready, &err);
    s->has_ready = code == SL_OK && s->ready.len > 0;
    if (is_good)
        g->good++;
    else
        g->bad++;
    s->is_running = false;
    pthread_mutex_unlock(&g->lock);
    if (code != SL_OK)
        sl_log(&g->log, SL_LOG_ERROR, "%s: what was read is lost", err.text);
    sl_wakeup_signal(g->ended);
}

/* ---- on the main thread ---- */

static int add_source(struct sl_gather *g, struct source *s, struct sl_account *account,
                      enum sl_format format, struct sl_error *err) {
    s->gather = g;
    sl_buffer_init(&s->ready, OUTPUT_MAX_BYTES);
    s->report = sl_report_new(format);
    s->label = strdup(g->count == 0 ? "" : account->name);
    g->count++;
    if (s->report == NULL || s->label == NULL) {
        sl_account_release(account);
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    struct sl_poller_events events = {
        .on_values = on_values, .on_done = on_done, .account = s->label, .context = s};
    return sl_poller_new(account, &events, g->log, &s->poller, err);
}

int sl_gather_new(struct sl_configuration *c, enum sl_format format, const struct sl_log *log,
                  struct sl_wakeup *ended, struct sl_gather **ret, struct sl_error *err) {
    struct sl_gather *g = calloc(1, sizeof(*g));
    if (g == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory");
    g->log = *log;
    g->ended = ended;
    pthread_mutex_init(&g->lock, NULL);
    g->sources = calloc(c->account_count, sizeof(*g->sources));
    int code = g->sources != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory");
    for (size_t i = 0; code == SL_OK && i < c->account_count; i++)
        code = add_source(g, &g->sources[i], &c->accounts[i], format, err);
    for (size_t i = 0; code == SL_OK && i < g->count; i++)
        code = sl_poller_start(g->sources[i].poller, err);
    if (code != SL_OK) {
        sl_gather_free(g);
        return code;
    }
    *ret = g;
    return SL_OK;
}

void sl_gather_free(struct sl_gather *g) {
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->count; i++) {
        struct source *s = &g->sources[i];
        sl_poller_free(s->poller);
        sl_report_free(s->report);
        sl_buffer_release(&s->ready);
        free(s->label);
    }
    free(g->sources);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

size_t sl_gather_accounts(const struct sl_gather *g) {
    return g->count;
}

/* Starts what is wanted and does not run. With the lock. */
static void start_wanted(struct source *s) {
    if (s->is_wanted && !s->is_running) {
        s->is_wanted = false;
        s->is_running = true;
        sl_poller_request(s->poller);
    }
}

void sl_gather_request(struct sl_gather *g, size_t i) {
    pthread_mutex_lock(&g->lock);
    g->sources[i].is_wanted = true;
    start_wanted(&g->sources[i]);
    pthread_mutex_unlock(&g->lock);
}

bool sl_gather_advance(struct sl_gather *g) {
    bool is_idle = true;
    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < g->count; i++) {
        start_wanted(&g->sources[i]);
        is_idle = is_idle && !g->sources[i].is_running;
    }
    pthread_mutex_unlock(&g->lock);
    return is_idle;
}

size_t sl_gather_take(struct sl_gather *g, struct sl_buffer *out, size_t *ret_replaced) {
    size_t taken = 0;
    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < g->count; i++) {
        struct source *s = &g->sources[i];
        if (!s->has_ready)
            continue;
        sl_buffer_append(out, s->ready.data, s->ready.len);
        sl_buffer_reset(&s->ready);
        s->has_ready = false;
        taken++;
    }
    *ret_replaced = g->replaced;
    g->replaced = 0;
    pthread_mutex_unlock(&g->lock);
    return taken;
}

void sl_gather_counts(struct sl_gather *g, uint64_t *ret_good, uint64_t *ret_bad) {
    pthread_mutex_lock(&g->lock);
    *ret_good = g->good;
    *ret_bad = g->bad;
    pthread_mutex_unlock(&g->lock);
}
