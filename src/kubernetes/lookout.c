/* LIST or GET. The pools are kept in the order of their names, a namespace in one stretch. */
#include "kubernetes/lookout.h"

#include <stdlib.h>
#include <string.h>

enum {
    AGAIN_MS = 10 * 60 * 1000, /* until a right that was missing is asked for again */
    PAUSE_MS = 60 * 1000,      /* after a LIST that failed otherwise: the next may hang as well */
    TRUST_MS = 10 * 60 * 1000, /* a cache that does not get on is found out then */

    /* CPU of a server in us: tests/bench/figure-kubernetes-reading. */
    GET_US = 330,
    LIST_US = 400,
    LIST_ITEM_US = 25,
};

struct seat {
    struct sl_kube_pool_name name;
    struct region *region;
    int64_t read_ms;                     /* when it was last said to be read anew */
    bool is_listed;                      /* in the last list ... */
    char uid[SL_KUBE_UID_BYTES];         /* ... with these */
    char version[SL_KUBE_VERSION_BYTES]; /* "": not listed, or more than once */
};

/* A namespace. */
struct region {
    struct seat *seats;
    size_t count;  /* of them */
    size_t listed; /* items of the last list, other people's among them */
    int64_t listed_ms;
    int64_t by_name_until_ms;
    bool has_list; /* that of listed_ms can be used */
    bool was_told; /* that it is listed; then it may be */
};

struct sl_lookout {
    struct sl_lookout_settings settings;
    struct seat *seats;
    struct region *regions;
};

/* ---- which pools there are ---- */

static int64_t now(const struct sl_lookout *l) {
    return l->settings.ops.clock_ms(l->settings.ops.self);
}

static int by_name(const void *a, const void *b) {
    const struct seat *one = a, *other = b;
    int order = strcmp(one->name.kube_namespace, other->name.kube_namespace);
    return order != 0 ? order : strcmp(one->name.worker_pool, other->name.worker_pool);
}

static struct seat *find(struct sl_lookout *l, const char *kube_namespace,
                         const char *worker_pool) {
    struct seat key = {.name = {kube_namespace, worker_pool}};
    return bsearch(&key, l->seats, l->settings.pool_count, sizeof(key), by_name);
}

static void seat_all(struct sl_lookout *l) {
    int64_t now_ms = now(l);
    struct region *region = l->regions;
    for (size_t i = 0; i < l->settings.pool_count; i++)
        l->seats[i] = (struct seat){.name = l->settings.pools[i], .read_ms = now_ms};
    qsort(l->seats, l->settings.pool_count, sizeof(*l->seats), by_name);
    for (size_t i = 0; i < l->settings.pool_count; i++) {
        struct seat *s = &l->seats[i];
        if (i > 0 && strcmp(s[-1].name.kube_namespace, s->name.kube_namespace) != 0)
            region++;
        if (region->count++ == 0)
            region->seats = s;
        s->region = region;
    }
}

int sl_lookout_new(const struct sl_lookout_settings *settings, struct sl_lookout **ret,
                   struct sl_error *err) {
    struct sl_lookout *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a cluster");
    l->settings = *settings;
    l->seats = calloc(settings->pool_count + 1, sizeof(*l->seats));
    l->regions = calloc(settings->pool_count + 1, sizeof(*l->regions));
    if (l->seats == NULL || l->regions == NULL) {
        sl_lookout_free(l);
        return sl_fail(err, SL_NOMEM, "out of memory for a cluster");
    }
    seat_all(l);
    *ret = l;
    return SL_OK;
}

void sl_lookout_free(struct sl_lookout *l) {
    if (l == NULL)
        return;
    free(l->seats);
    free(l->regions);
    free(l);
}

/* ---- by LIST ---- */

static bool is_worth_it(const struct region *region, size_t listed) {
    return LIST_US + LIST_ITEM_US * listed < GET_US * region->count;
}

static void go_by_name(struct sl_lookout *l, struct region *region, const char *why) {
    region->by_name_until_ms = now(l) + AGAIN_MS;
    region->has_list = false;
    if (region->was_told)
        sl_log(l->settings.log, SL_LOG_NOTICE,
               "cluster \"%s\": the %zu pools of namespace %s are read by name, one request each: "
               "%s",
               l->settings.cluster, region->count, region->seats->name.kube_namespace, why);
    region->was_told = false;
}

static void tell_list(const struct sl_lookout *l, struct region *region) {
    if (!region->was_told)
        sl_log(l->settings.log, SL_LOG_INFO,
               "cluster \"%s\": the %zu pools of namespace %s are looked at by one LIST for each "
               "interval",
               l->settings.cluster, region->count, region->seats->name.kube_namespace);
    region->was_told = true;
}

/* Twice the same name: which of them is it? */
static void take(void *context, const struct sl_kube_version *item) {
    struct region *region = context;
    struct seat key = {.name = {region->seats->name.kube_namespace, item->name}};
    struct seat *s = bsearch(&key, region->seats, region->count, sizeof(key), by_name);
    if (s == NULL)
        return;
    memcpy(s->uid, item->uid, strlen(item->uid) + 1);
    memcpy(s->version, item->version, strlen(item->version) + 1);
    if (s->is_listed)
        s->version[0] = '\0';
    s->is_listed = true;
}

/* Asks first whether it may, unless it could a moment ago. */
static int list(struct sl_lookout *l, struct region *region, struct sl_error *err) {
    const struct sl_lookout_ops *ops = &l->settings.ops;
    const char *kube_namespace = region->seats->name.kube_namespace;
    int code = SL_OK;
    for (size_t i = 0; i < region->count; i++) {
        region->seats[i].is_listed = false;
        region->seats[i].version[0] = '\0';
    }
    if (!region->was_told)
        code = ops->may_list(ops->self, kube_namespace, err);
    region->listed_ms = now(l);
    if (code == SL_OK)
        code = ops->list_versions(ops->self, kube_namespace, take, region, &region->listed, err);
    return code;
}

/* About this request, not about the server. */
static bool is_refusal(int code) {
    return code == SL_FORBIDDEN || code == SL_NOTFOUND || code == SL_CONFLICT ||
           code == SL_REJECTED || code == SL_PARSE || code == SL_TOOBIG;
}

/* Sees to it that the region has a list that is young enough, if it is to have one. */
static int list_if_due(struct sl_lookout *l, struct region *region, int64_t max_age_ms,
                       enum sl_lookout_answer *ret_how, struct sl_error *err) {
    int64_t age_ms = now(l) - region->listed_ms;
    struct sl_error why = SL_ERROR_INIT;
    if (region->has_list && (age_ms <= max_age_ms || age_ms <= (int64_t)region->listed / 2)) {
        *ret_how = SL_LOOKOUT_KNOWN_SAME;
        return SL_OK;
    }
    *ret_how = SL_LOOKOUT_SAME;
    region->has_list = false;
    if (!is_worth_it(region, region->count) || now(l) < region->by_name_until_ms)
        return SL_OK;
    int code = list(l, region, &why);
    if (is_refusal(code)) {
        go_by_name(l, region, why.text);
        return SL_OK;
    }
    if (code == SL_OK && !is_worth_it(region, region->listed)) {
        go_by_name(l, region, "a LIST costs more, the others there being so many");
        return SL_OK;
    }
    if (code == SL_OK) {
        tell_list(l, region);
        region->has_list = true;
        return SL_OK;
    }
    region->by_name_until_ms = now(l) + PAUSE_MS;
    if (err != NULL)
        *err = why;
    return code;
}

/* ---- the answer ---- */

static bool is_same(const char *uid, const char *version, const char *its_uid,
                    const char *its_version) {
    return strcmp(version, its_version) == 0 && strcmp(uid, its_uid) == 0;
}

static int ask(struct sl_lookout *l, struct seat *s, const char *uid, const char *version,
               int64_t max_age_ms, enum sl_lookout_answer *ret, struct sl_error *err) {
    const struct sl_lookout_ops *ops = &l->settings.ops;
    struct sl_kube_scale found = {.is_unset = false};
    enum sl_lookout_answer how = SL_LOOKOUT_SAME;
    int code = list_if_due(l, s->region, max_age_ms, &how, err);
    if (code != SL_OK)
        return code;
    if (s->region->has_list) {
        *ret = is_same(uid, version, s->uid, s->version) ? how : SL_LOOKOUT_READ;
        return SL_OK;
    }
    code = ops->get_version(ops->self, s->name.kube_namespace, s->name.worker_pool, &found, err);
    *ret = code == SL_OK && is_same(uid, version, found.uid, found.version) ? how : SL_LOOKOUT_READ;
    return is_refusal(code) ? SL_OK : code;
}

int sl_lookout_ask(struct sl_lookout *l, const char *kube_namespace, const char *worker_pool,
                   const char *uid, const char *version, int64_t max_age_ms,
                   enum sl_lookout_answer *ret, struct sl_error *err) {
    struct seat *s = find(l, kube_namespace, worker_pool);
    int64_t now_ms = now(l);
    int code = SL_OK;
    *ret = SL_LOOKOUT_READ;
    if (s != NULL && version[0] != '\0' && now_ms - s->read_ms < TRUST_MS)
        code = ask(l, s, uid, version, max_age_ms, ret, err);
    if (s != NULL && code == SL_OK && *ret == SL_LOOKOUT_READ)
        s->read_ms = now_ms;
    return code;
}
