/* What a watch brings (pure half): one JSON object a line, WatchEvent of meta/v1
 * (k8s.io/apimachinery pkg/apis/meta/v1/watch.go), for as long as the answer lasts. */
#ifndef SL_KUBERNETES_CHANGE_H
#define SL_KUBERNETES_CHANGE_H

#include "base/buffer.h"
#include "base/json_document.h"
#include "kubernetes/message.h"
#include "kubernetes/status.h"

enum sl_kube_change_kind {
    SL_KUBE_ADDED,
    SL_KUBE_MODIFIED,
    SL_KUBE_DELETED,
    SL_KUBE_BOOKMARK, /* nothing but a newer version to go on from */
    SL_KUBE_ERROR,    /* the watch ends here */
};

struct sl_kube_change {
    enum sl_kube_change_kind kind;
    char version[SL_KUBE_VERSION_BYTES]; /* of the object, as it is now; "" in an ERROR */
    struct sl_kube_status status;        /* of an ERROR */
    struct sl_json *document;
    const struct sl_json *object; /* a part of document */
};

/* SL_PARSE: no WatchEvent, a kind that is not known, no version. Released by the caller, if SL_OK.
 */
int sl_kube_change_parse(const char *bytes, size_t len, struct sl_kube_change *ret,
                         struct sl_error *err) SL_CHECKED;
void sl_kube_change_release(struct sl_kube_change *change);

/* Which of two versions of one object is older: below 0, 0, above 0. They are integers of any
 * length that may be compared (Kubernetes enhancement 5504; older servers count in the same way);
 * with one that is not, a counts as newer. "" is older than all. */
int sl_kube_version_compare(const char *a, const char *b);

/* Bytes as they arrive, cut into lines. */
struct sl_kube_lines {
    struct sl_buffer rest; /* the beginning of the next line; its maximum is that of a line */
    int (*take)(void *context, const char *line, size_t len, struct sl_error *err);
    void *context;
};

/* Empty lines are left out. SL_TOOBIG: a line without an end; SL_NOMEM; or what take returns. */
int sl_kube_lines_feed(struct sl_kube_lines *lines, const char *bytes, size_t len,
                       struct sl_error *err) SL_CHECKED;

#endif
