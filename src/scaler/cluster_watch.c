/* News of the pools. */
#include "scaler/cluster_watch.h"

#include <stdlib.h>
#include <string.h>

#include "kubernetes/workerpools.h"
#include "os/clock.h"

_Static_assert((int)SL_SCALE_VERSION_BYTES >= (int)SL_KUBE_VERSION_BYTES, "a version must fit");
_Static_assert((int)SL_SCALE_UID_BYTES >= (int)SL_KUBE_UID_BYTES, "a uid must fit");

/* So long a version that we know may take to come by the watch, too. A proxy that holds answers
 * back shows by this. */
static const int64_t echo_ms = 10000;

struct heard {
    bool has_changed;
    bool is_doubtful;
    struct sl_scale_reading reading;
    char seen[SL_KUBE_VERSION_BYTES];   /* the newest version that we have read, or heard of */
    char awaits[SL_KUBE_VERSION_BYTES]; /* one that we know: all before it is old; "": none */
    int64_t awaits_until_ms;
};

struct sl_cluster_watch {
    struct sl_kube_watch *watch;
    struct heard *pools;
};

struct sl_scale_reading sl_scale_reading_of(const struct sl_kube_scale *scale) {
    struct sl_scale_reading reading = {
        .size = scale->is_unset ? SL_SIZE_UNSET : scale->replicas,
        .actual = scale->actual_replicas,
    };

    memcpy(reading.version, scale->version, sizeof scale->version);
    memcpy(reading.uid, scale->uid, sizeof scale->uid);
    return reading;
}

void sl_scale_reading_annotate(void *orders, const char *key, const char *value) {
    sl_orders_add_annotation(orders, key, value);
}

/* Versions are compared for equality only: they come in order, and the one that is awaited too. */
static bool is_old(struct heard *h, const char *version) {
    bool is_awaited = strcmp(h->awaits, version) == 0;
    bool was_waiting = h->awaits[0] != '\0';

    if (is_awaited) {
        h->awaits[0] = '\0';
    }
    return was_waiting;
}

static void take(void *context, size_t index, const struct sl_kube_change *change) {
    struct sl_cluster_watch *w = context;
    struct heard *h = &w->pools[index];
    struct sl_kube_scale scale = {.is_unset = false};
    struct sl_orders orders;
    struct sl_kube_annotations annotations = {sl_scale_reading_annotate, &orders};

    if (is_old(h, change->version)) {
        return;
    }
    memcpy(h->seen, change->version, sizeof h->seen);
    sl_orders_init(&orders);
    if (change->kind == SL_KUBE_DELETED ||
        sl_kube_pool_read(change->object, &annotations, &scale, NULL) != SL_OK) {
        h->has_changed = false;
        h->is_doubtful = true;
        return;
    }
    h->reading = sl_scale_reading_of(&scale);
    h->reading.has_annotations = true;
    h->reading.annotated = orders;
    h->has_changed = true;
    h->is_doubtful = false;
}

int sl_cluster_watch_new(const struct sl_kube_watch_settings *settings,
                         struct sl_cluster_watch **ret, struct sl_error *err) {
    struct sl_cluster_watch *w = calloc(1, sizeof *w);
    struct heard *pools = calloc(settings->count + 1, sizeof *pools);
    struct sl_kube_watch_settings s = *settings;
    int rc = SL_OK;

    if (w == NULL || pools == NULL) {
        free(pools);
        free(w);
        return sl_fail(err, SL_NOMEM, "out of memory for a cluster");
    }
    w->pools = pools;
    s.group_version = SL_KUBE_WORKERPOOLS;
    s.plural = "workerpools";
    s.take = take;
    s.context = w;
    rc = sl_kube_watch_new(&s, &w->watch, err);
    if (rc != SL_OK) {
        sl_cluster_watch_free(w);
        return rc;
    }
    *ret = w;
    return SL_OK;
}

void sl_cluster_watch_free(struct sl_cluster_watch *w) {
    if (w == NULL) {
        return;
    }
    sl_kube_watch_free(w->watch);
    free(w->pools);
    free(w);
}

void sl_cluster_watch_known(struct sl_cluster_watch *w, size_t index, const char *version) {
    struct heard *h = &w->pools[index];
    size_t len = strlen(version);

    if (len == 0 || len >= sizeof h->seen) {
        return;
    }
    if (sl_kube_watch_begin(w->watch, index, version)) {
        h->awaits[0] = '\0';
    } else if (strcmp(version, h->seen) != 0) {
        memcpy(h->awaits, version, len + 1);
        h->awaits_until_ms = sl_clock_monotonic_ms() + echo_ms;
    }
    memcpy(h->seen, version, len + 1);
    h->has_changed = false;
    h->is_doubtful = false;
}

void sl_cluster_watch_wait(struct sl_cluster_watch *w, const struct sl_wakeup *work,
                           int64_t timeout_ms) {
    sl_kube_watch_wait(w->watch, work, timeout_ms);
}

enum sl_news sl_cluster_watch_news(struct sl_cluster_watch *w, size_t index,
                                   struct sl_scale_reading *ret) {
    struct heard *h = &w->pools[index];
    bool is_live = sl_kube_watch_is_live(w->watch, index);
    enum sl_news news = is_live ? SL_NEWS_NONE : SL_NEWS_UNWATCHED;

    if (is_live && h->awaits[0] != '\0' && sl_clock_monotonic_ms() >= h->awaits_until_ms) {
        h->awaits[0] = '\0';
        h->is_doubtful = true;
        sl_kube_watch_missed(w->watch, index);
    }
    if (h->has_changed) {
        *ret = h->reading;
        news = SL_NEWS_CHANGED;
    } else if (h->is_doubtful) {
        news = SL_NEWS_DOUBT;
    }
    h->has_changed = false;
    h->is_doubtful = false;
    return news;
}
