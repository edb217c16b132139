/* The loop of spacelift-pool read: what asks for a gather, and reports on their way out.
 *
 * Main thread. Waits with poll(2) for newlines on standard input, signals, polls that have ended
 * and room on standard output, so a reader that stops reading stops nothing else: reports wait, a
 * newer one takes the place of an older one, and the end of input is seen all the same. */
#ifndef SL_PLUGINS_TELEGRAF_LOOP_H
#define SL_PLUGINS_TELEGRAF_LOOP_H

#include <signal.h>

#include "command.h"
#include "gather.h"

struct sl_loop_settings {
    bool is_execd;       /* false: gather once, write, leave */
    int64_t every_ms;    /* gather by itself; 0: only when asked */
    int64_t deadline_ms; /* of a single gather; 0: none */
};

/* Blocks SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 for all threads that are started later, and
 * ignores SIGPIPE: first thing in the process, because what these do by default is to end it. */
int sl_loop_block_signals(struct sl_error *err) SL_CHECKED;

/* Those signals, for signalfd(2). */
void sl_loop_signals(sigset_t *set);
/* Reads what a signalfd (non-blocking) has: is there SIGTERM or SIGINT among it? */
bool sl_loop_is_end(int signal_fd);

/* Last thing in a process that Telegraf keeps (--execd): ends standard output and standard error
 * and gives Telegraf the time to read them, 100 ms. It closes its end of both pipes as soon as the
 * process is gone, whether it has read everything or not, and reports an error of its own if it was
 * reading (internal/process/process.go). */
void sl_loop_linger(void);

/* Runs until there is nothing more to do. */
enum sl_exit sl_loop_run(struct sl_gather *g, struct sl_wakeup *ended,
                         const struct sl_loop_settings *settings, const struct sl_log *log);

#endif
