/* Reads accounts at the same time and collects what they say as whole reports.
 *
 * One poller, with its thread, for each account. A request while one is under way is remembered,
 * never two. A report is complete or it is not there: what a poll brought is handed over when the
 * poll has ended. */
#ifndef SL_PLUGINS_TELEGRAF_GATHER_H
#define SL_PLUGINS_TELEGRAF_GATHER_H

#include "base/log.h"
#include "configuration.h"
#include "format/report.h"
#include "os/wakeup.h"

struct sl_gather;

/* Takes the accounts of c over. log: any thread. ended is signalled whenever a poll has ended, and
 * must outlive the gather. Starts the threads. SL_CONFIG, SL_IO: a secret or a CA file. */
int sl_gather_new(struct sl_configuration *c, enum sl_format format, const struct sl_log *log,
                  struct sl_wakeup *ended, struct sl_gather **ret, struct sl_error *err) SL_CHECKED;

/* Cancels what is under way; milliseconds. */
void sl_gather_free(struct sl_gather *g);

size_t sl_gather_accounts(const struct sl_gather *g);

/* Asks for a poll of account i. */
void sl_gather_request(struct sl_gather *g, size_t i);

/* Main thread, after ended was signalled: starts the polls that were asked for meanwhile. True if
 * none is under way or asked for. */
bool sl_gather_advance(struct sl_gather *g);

/* Appends the reports that are complete to out and returns how many. *ret_replaced: how many have
 * been replaced by a newer one of the same account, because nobody took them in time. */
size_t sl_gather_take(struct sl_gather *g, struct sl_buffer *out, size_t *ret_replaced);

/* How many polls brought something, and how many brought nothing at all. */
void sl_gather_counts(struct sl_gather *g, uint64_t *ret_good, uint64_t *ret_bad);

#endif
