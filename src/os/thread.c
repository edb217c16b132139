/* Threads of ours inside somebody else's process. */
#include "os/thread.h"

#include <signal.h>
#include <string.h>

int sl_thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg,
                    struct sl_error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(ret, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0)
        return sl_fail(err, SL_IO, "cannot start the thread %s: %s", name, strerror(failure));
    (void)pthread_setname_np(*ret, name);
    return SL_OK;
}
