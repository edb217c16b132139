/* A thread that does one thing whenever it is asked to: for hosts whose callbacks must not wait.
 *
 * While it is under way one more is remembered, never two. The thing is given a wake-up that is
 * signalled when it must end at once, whatever it waits for. */
#ifndef SL_OS_ERRAND_H
#define SL_OS_ERRAND_H

#include "os/wakeup.h"

struct sl_errand;

struct sl_errand_work {
    const char *name;                /* of the thread, at most 15 bytes */
    void (*on_start)(void *context); /* first thing on the thread; may be NULL */
    int (*run)(void *context, struct sl_error *err);
    void *context;
};

/* Starts no thread. */
int sl_errand_new(const struct sl_errand_work *work, struct sl_errand **ret,
                  struct sl_error *err) SL_CHECKED;

/* What run is to obey; valid as long as the errand. */
const struct sl_wakeup *sl_errand_stop_signal(const struct sl_errand *e);

int sl_errand_start(struct sl_errand *e, struct sl_error *err) SL_CHECKED;

/* Any thread; does not block. */
void sl_errand_request(struct sl_errand *e);

/* Asks for it and waits until it has been done; what run has returned. Any thread but its own. */
int sl_errand_run(struct sl_errand *e, struct sl_error *err) SL_CHECKED;

/* The errand's own thread, in run: has somebody asked again since it began? Then what can wait
 * should. */
bool sl_errand_is_asked_again(struct sl_errand *e);

/* Signals the end and joins the thread; nothing runs after it. Main thread. */
void sl_errand_end(struct sl_errand *e);

void sl_errand_free(struct sl_errand *e); /* ends it, too; may be NULL */

#endif
