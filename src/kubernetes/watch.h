/* Watches single objects of one kind: the server says by itself what becomes of them, one answer
 * without an end for each, all over one connection where it speaks HTTP/2. By name (fieldSelector
 * metadata.name), so that a Role can name them, too.
 *
 * Each begins at a version that its owner has read and goes on from the last one that it has seen,
 * with a pause after a failure, until it is stopped. A server ends a watch after some minutes; that
 * is no failure. One that no longer knows the version (410), or refuses, ends it: then the owner
 * reads the object and begins again. Silence says nothing: where nothing has happened since a watch
 * began not even bookmarks come. So a server is asked to end a watch after some minutes, and one
 * that has not, or is not answered, is given up with its connection; and who knows of a change that
 * did not come says so.
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

/* The object has been read and was at that version. True: what comes of it will begin there, or it
 * was refused a short while ago and nothing comes. False: a watch that began before is under way.
 */
bool sl_kube_watch_begin(struct sl_kube_watch *w, size_t index, const char *version);

/* The owner knows of a change that should have come. Ends the watch: the object must be read before
 * it begins again, over another connection; and after the second time in a row in ten minutes. */
void sl_kube_watch_missed(struct sl_kube_watch *w, size_t index);

/* Is every change being told? */
bool sl_kube_watch_is_live(const struct sl_kube_watch *w, size_t index);

/* Waits until take was called, or a watch has been lost, or work or the stop is signalled, or
 * timeout_ms (-1: no limit) is over. */
void sl_kube_watch_wait(struct sl_kube_watch *w, const struct sl_wakeup *work, int64_t timeout_ms);

#endif
