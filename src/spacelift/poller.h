/* Reads one account again and again, on a thread of its own, whenever the host asks for it.
 *
 * sl_poller_request() never blocks, so a host's read thread may call it; results come on the
 * poller's thread. Failures and recoveries are logged here: once, then seldom. */
#ifndef SL_SPACELIFT_POLLER_H
#define SL_SPACELIFT_POLLER_H

#include "base/error.h"
#include "base/log.h"
#include "spacelift/options.h"
#include "spacelift/values.h"

struct sl_poller;

/* Called on the poller's thread. */
struct sl_poller_events {
    void (*on_start)(void *context); /* first thing on the thread; may be NULL */
    /* For each value list of each document that came whole, and of how the reading went;
     * realtime_ms is when it arrived. */
    void (*on_values)(void *context, const struct sl_values *values, int64_t realtime_ms);
    /* A poll has ended: SL_OK, or the first failure. May be NULL. */
    void (*on_done)(void *context, const struct sl_error *result);
    const char *account; /* the label of account-wide values; NULL or "": none */
    void *context;
};

/* Takes the account over, whatever it returns. Checks the options and reads the files they name, so
 * that a wrong configuration is found at start. Sends nothing; starts no thread (the daemon forks
 * after it has read its configuration). */
int sl_poller_new(struct sl_account *account, const struct sl_poller_events *events,
                  struct sl_log log, struct sl_poller **ret, struct sl_error *err) SL_CHECKED;
const struct sl_account *sl_poller_account(const struct sl_poller *p);

int sl_poller_start(struct sl_poller *p, struct sl_error *err) SL_CHECKED;

/* Any thread. While a poll is under way one more is remembered, never two. The pools come first in
 * each poll; what takes many requests is put aside for them and goes on afterwards. */
void sl_poller_request(struct sl_poller *p);

/* Asks for a poll and waits for it: for a host that wants to know now. The first failure of what
 * the account is configured to read; that the key may not read a part of it is none, unless the
 * part is the pools. */
int sl_poller_run(struct sl_poller *p, struct sl_error *err) SL_CHECKED;

/* Cancels a request under way, joins the thread, frees all; milliseconds, whatever hangs. */
void sl_poller_free(struct sl_poller *p);

#endif
