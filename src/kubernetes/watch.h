/* Watches single objects of one kind: the server says by itself what becomes of them, one answer
 * without an end for each, all over one connection where it speaks HTTP/2. By name (fieldSelector
 * metadata.name), so that a Role can name them, too.
 *
 * A watch begins with the object as it is (no resourceVersion is asked for), and counts once that
 * has come: a proxy that waits until an answer is whole shows by this. It begins anew every three
 * to four minutes, which is when the server has been asked to end it; one that has not ended it is
 * given up with its connection. Silence between says nothing: where nothing happens not even
 * bookmarks come.
 *
 * One thread; nothing here waits for the network but sl_kube_watch_wait(), and that is woken up by
 * work and by the stop. A login can run the program of an exec (kubernetes/credentials.h). */
#ifndef SL_KUBERNETES_WATCH_H
#define SL_KUBERNETES_WATCH_H

#include "base/log.h"
#include "kubernetes/change.h"
#include "kubernetes/credentials.h"

struct sl_kube_watch;

struct sl_kube_watch_object {
    const char *kube_namespace; /* NULL: that of the credentials */
    const char *name;
};

/* Everything pointed to outlives the watch; objects are copied. */
struct sl_kube_watch_settings {
    const char *cluster; /* its name, for messages */
    struct sl_kube_credentials *credentials;
    const struct sl_wakeup *stop;
    const struct sl_log *log;
    int64_t timeout_ms; /* until an answer begins */
    const char *group_version;
    const char *plural;
    const struct sl_kube_watch_object *objects;
    size_t count;
    /* Of object index; not for bookmarks and errors. From within sl_kube_watch_wait(). */
    void (*take)(void *context, size_t index, const struct sl_kube_change *change);
    void *context;
};

int sl_kube_watch_new(const struct sl_kube_watch_settings *settings, struct sl_kube_watch **ret,
                      struct sl_error *err) SL_CHECKED;
void sl_kube_watch_free(struct sl_kube_watch *w); /* may be NULL */

/* The object has been read: it is there, and the server answers. Begins a watch that is not under
 * way, unless it has failed, or was refused, a short while ago. */
void sl_kube_watch_begin(struct sl_kube_watch *w, size_t index);

/* It has been read and is not there: a watch that tells nothing of it is right. */
void sl_kube_watch_absent(struct sl_kube_watch *w, size_t index);

/* The owner knows of a change that should have come: the watch ends until it is begun again. */
void sl_kube_watch_missed(struct sl_kube_watch *w, size_t index);

/* Is every change being told? */
bool sl_kube_watch_is_live(const struct sl_kube_watch *w, size_t index);

/* Waits until take was called, or a watch ceased to be live, or work or the stop is signalled, or
 * timeout_ms (-1: no limit) is over. */
void sl_kube_watch_wait(struct sl_kube_watch *w, const struct sl_wakeup *work, int64_t timeout_ms);

#endif
