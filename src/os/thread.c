/* Threads of ours inside somebody else's process. */
#include "os/thread.h"

#include <signal.h>
#include <string.h>
#include <time.h>

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

bool sl_thread_join(pthread_t thread, int64_t patience_ms) {
    struct timespec until = {0};
    (void)clock_gettime(CLOCK_REALTIME, &until);
    int64_t ns = until.tv_nsec + patience_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(patience_ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    if (pthread_timedjoin_np(thread, NULL, &until) == 0)
        return true;
    (void)pthread_detach(thread);
    return false;
}
