/* Starts threads of ours inside somebody else's process: every signal is blocked, because those of
 * the daemon are for the daemon's own threads. */
#ifndef SL_OS_THREAD_H
#define SL_OS_THREAD_H

#include <pthread.h>

#include "base/error.h"

/* name is what ps -L and a debugger show, at most 15 bytes. SL_IO. Join with pthread_join(). */
int sl_thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg,
                    struct sl_error *err) SL_CHECKED;

/* For a thread that may hang in somebody else's code: waits for its end, but no longer than this.
 * False: it has been detached and goes on; what it uses must not be freed. */
bool sl_thread_join(pthread_t thread, int64_t patience_ms) SL_CHECKED;

#endif
