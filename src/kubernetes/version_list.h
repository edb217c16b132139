/* Which objects a collection has, and in which versions, read from the answer to a LIST while it
 * arrives (pure half). Of each item nothing is kept but name, uid and resourceVersion, for as long
 * as it is handed out: a namespace may hold more than anybody wants to store.
 *
 * PartialObjectMetadataList (k8s.io/apimachinery pkg/apis/meta/v1/types.go), which servers make of
 * any collection that is asked for by that name, or the collection itself. */
#ifndef SL_KUBERNETES_VERSION_LIST_H
#define SL_KUBERNETES_VERSION_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sl_kube_version {
    const char *name;
    const char *uid; /* "": not said */
    const char *version;
};

struct sl_version_list;

/* take is called for each item that has a name and a version of usable length; what is taken counts
 * only after finish. NULL: out of memory. context outlives the list. */
struct sl_version_list *
sl_version_list_new(void (*take)(void *context, const struct sl_kube_version *item), void *context);
void sl_version_list_free(struct sl_version_list *l);

/* The next bytes of the answer; list is a struct sl_version_list. SL_PARSE, SL_TOOBIG. */
int sl_version_list_feed(void *list, const char *bytes, size_t len, struct sl_error *err);

/* The answer has ended. SL_PARSE: it was no list of WorkerPools. ret_count: of all items, those
 * that were not handed out among them. */
int sl_version_list_finish(struct sl_version_list *l, size_t *ret_count,
                           struct sl_error *err) SL_CHECKED;

#endif
