/* Have pools changed since they were read? Asked so that it costs their API server least:
 *
 *   by one LIST of the namespace for all of its pools, where that costs less than to ask for each,
 *   and where the account may list them: it asks whether it may (SelfSubjectAccessReview) before it
 *   lists, and again every ten minutes while it may not;
 *   by a GET by name otherwise.
 *
 * Both are answered from the server's cache, which may be some moments old. So what is learned here
 * is only that a pool is still in the version in which it was read. Whatever else the answer is,
 * the pool is to be read anew: nothing is believed of a cache, and nothing is written on the word
 * of one. Figures: tests/bench/figure-kubernetes-reading.
 *
 * Pure: what it asks it asks through ops. One thread at a time. */
#ifndef SL_KUBERNETES_LOOKOUT_H
#define SL_KUBERNETES_LOOKOUT_H

#include "base/log.h"
#include "kubernetes/message.h"
#include "kubernetes/version_list.h"

/* Requests, which may block up to their timeout (kubernetes/workerpools.h); or a test's script. */
struct sl_lookout_ops {
    int (*may_list)(void *self, const char *kube_namespace, struct sl_error *err);
    int (*list_versions)(void *self, const char *kube_namespace,
                         void (*take)(void *context, const struct sl_kube_version *item),
                         void *context, size_t *ret_count, struct sl_error *err);
    int (*get_version)(void *self, const char *kube_namespace, const char *worker_pool,
                       struct sl_kube_scale *ret, struct sl_error *err);
    int64_t (*clock_ms)(void *self); /* monotonic */
    void *self;
};

struct sl_lookout_settings {
    const char *cluster; /* its name, for messages */
    const struct sl_log *log;
    const struct sl_kube_pool_name *pools; /* each with its namespace */
    size_t pool_count;
    struct sl_lookout_ops ops;
};

enum sl_lookout_answer {
    SL_LOOKOUT_KNOWN_SAME, /* in that version, by a list of before: nobody had to be asked */
    SL_LOOKOUT_SAME,       /* likewise, and the server was asked */
    SL_LOOKOUT_READ,       /* another version, gone, not allowed, unclear, not sure for too long */
};

struct sl_lookout;

/* Copies the settings; what they point to outlives the lookout. */
int sl_lookout_new(const struct sl_lookout_settings *settings, struct sl_lookout **ret,
                   struct sl_error *err) SL_CHECKED;
void sl_lookout_free(struct sl_lookout *l);

/* Is that pool, one of the settings, still in that version? An answer may be max_age_ms old, or
 * half a millisecond for each pool of its namespace, if that is more. Fails only with what would
 * befall any other request as well (no answer, 401, 429, 5xx). */
int sl_lookout_ask(struct sl_lookout *l, const char *kube_namespace, const char *worker_pool,
                   const char *uid, const char *version, int64_t max_age_ms,
                   enum sl_lookout_answer *ret, struct sl_error *err) SL_CHECKED;

#endif
