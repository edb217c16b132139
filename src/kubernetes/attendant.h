/* What goes on beside the scaling in one cluster, in one thread of its own, so that it never delays
 * a resize: leader election, events, and one look at the rights before they are needed.
 *
 * The lease comes first; an event or a check that meets a slow server delays it by two seconds at
 * most. Events are best effort: a bounded queue, a bounded rate, and where the server does not want
 * them one warning. */
#ifndef SL_KUBERNETES_ATTENDANT_H
#define SL_KUBERNETES_ATTENDANT_H

#include "base/backoff.h"
#include "base/log.h"
#include "kubernetes/credentials.h"
#include "kubernetes/event.h"
#include "kubernetes/message.h"

struct sl_attendant_settings {
    const char *cluster; /* its name, for messages */
    struct sl_kube_credentials *credentials;
    const struct sl_log *log;
    int64_t timeout_ms;
    bool has_events;
    bool has_election;
    const char *lease_name;
    const char *lease_namespace; /* NULL: that of the credentials */
    int64_t lease_duration_ms;
    int64_t renew_deadline_ms;
    int64_t retry_period_ms;
    const struct sl_kube_pool_name *pools; /* whose rights are looked at */
    size_t pool_count;
    void (*on_leadership)(void *context); /* it came or went; in the attendant's thread */
    void *context;
};

struct sl_attendant;

/* Copies the settings, not what they point to. Starts no thread. */
int sl_attendant_new(const struct sl_attendant_settings *settings, struct sl_attendant **ret,
                     struct sl_error *err) SL_CHECKED;
int sl_attendant_start(struct sl_attendant *a, struct sl_error *err) SL_CHECKED;

/* Tells it to end: it gives its lease back, for which it takes 0.7 s at most, whatever the server
 * does. No write may be under way then. */
void sl_attendant_begin_stop(struct sl_attendant *a);

/* The same, and waits. */
void sl_attendant_stop(struct sl_attendant *a);
void sl_attendant_free(struct sl_attendant *a); /* stops it */

/* For a program that is run anew again and again, in place of start and stop. begin tries once to
 * lead, under a name that the next run has as well, and fails only if the Lease cannot be asked
 * for: that another one leads is in leadership. end sends the events that were recorded. The Lease
 * stays with the host until it ends. After begin_stop both return at once. */
int sl_attendant_begin_once(struct sl_attendant *a, struct sl_error *err) SL_CHECKED;
void sl_attendant_end_once(struct sl_attendant *a);

/* Any thread; copies and returns. */
void sl_attendant_record(struct sl_attendant *a, const struct sl_event *event);

/* Who leads, and until when (monotonic) a leader may begin a write and must have ended it. Without
 * election that is this process, for ever. */
struct sl_leadership {
    int64_t act_until_ms;
    int64_t lease_until_ms;
    char holder[SL_EVENT_NAME_BYTES]; /* "": nobody, or not known yet */
};
struct sl_leadership sl_attendant_leadership(struct sl_attendant *a);

#endif
