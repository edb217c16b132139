/* Runs a program and takes what it prints, inside somebody else's process: with a time limit, ended
 * at once by a stop, without a shell, without the daemon's open files, signal settings or secrets.
 * Blocks: only for threads of ours. This file is the only one that may start a process
 * (tests/tools/check-exports). */
#ifndef SL_OS_CHILD_H
#define SL_OS_CHILD_H

#include "base/buffer.h"
#include "base/error.h"
#include "os/wakeup.h"

struct sl_child_settings {
    char *const *argv;         /* NULL-terminated; argv[0] with a slash is a path, without one
                                        it is looked for in PATH */
    char *const *environment;  /* "NAME=value", NULL-terminated, in front of our own; NULL */
    const char *hidden_prefix; /* of our own variables that the child must not see; NULL */
    int64_t timeout_ms;
};

/* Standard output goes into out (whose maximum is the cap), standard input is empty. Of standard
 * error the first line is quoted in the error, words that could be a token left out.
 *
 * SL_NOTFOUND: there is no such program. SL_IO: it could not be started, or ended with a status
 * that is not 0, or by a signal. SL_TIMEOUT, SL_CANCELED (stop, which may be NULL, was signalled),
 * SL_TOOBIG: it and its children in its process group have been killed.
 *
 * A host that ignores SIGCHLD (collectd does) or reaps every child itself (its exec plugin) takes
 * the exit status away: then SL_OK is returned, what was printed has to speak for itself, and said
 * (may be NULL) has the quoted line of standard error, "" where there was none. */
enum { SL_CHILD_SAID_BYTES = 200 };
int sl_child_run(const struct sl_child_settings *settings, const struct sl_wakeup *stop,
                 struct sl_buffer *out, char said[SL_CHILD_SAID_BYTES],
                 struct sl_error *err) SL_CHECKED;

#endif
