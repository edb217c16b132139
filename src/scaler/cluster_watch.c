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
    char known[SL_KUBE_VERSION_BYTES]; /* the newest version that was read, written or told */
    bool is_awaited;                   /* it was not told, and should be */
    int64_t awaited_until_ms;
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

static void take(void *context, size_t index, const struct sl_kube_change *change) {
    struct sl_cluster_watch *w = context;
    struct heard *h = &w->pools[index];
    struct sl_kube_scale scale = {.is_unset = false};
    struct sl_orders orders;
    struct sl_kube_annotations annotations = {sl_scale_reading_annotate, &orders};
    int is_newer = sl_kube_version_compare(change->version, h->known);

    h->is_awaited = h->is_awaited && is_newer < 0;
    if (is_newer <= 0) {
        return;
    }
    memcpy(h->known, change->version, sizeof h->known);
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

    sl_kube_watch_begin(w->watch, index);
    if (sl_kube_version_compare(version, h->known) > 0 && strlen(version) < sizeof h->known) {
        memcpy(h->known, version, strlen(version) + 1);
        h->is_awaited = sl_kube_watch_is_live(w->watch, index);
        h->awaited_until_ms = sl_clock_monotonic_ms() + echo_ms;
    }
    h->has_changed = false;
    h->is_doubtful = false;
}

void sl_cluster_watch_absent(struct sl_cluster_watch *w, size_t index) {
    sl_kube_watch_absent(w->watch, index);
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

    if (is_live && h->is_awaited && sl_clock_monotonic_ms() >= h->awaited_until_ms) {
        h->is_awaited = false;
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
