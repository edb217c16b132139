/* Thresholds people already have: a notification of collectd (from its threshold plugin, on any
 * metric of any plugin) raises a pool's floor while it lasts, or steps it. So "when a threshold is
 * crossed" holds for queues in databases and brokers, for load, for anything collectd measures.
 *
 * FAILURE or WARNING begins or goes on, OKAY ends. Pure; one thread at a time. */
#ifndef SL_SCALER_ALARM_H
#define SL_SCALER_ALARM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sl_conditions;
struct sl_alarm_options;

enum { SL_ALARM_TEXT_BYTES = 128 };

enum sl_severity { SL_SEVERITY_OKAY, SL_SEVERITY_WARNING, SL_SEVERITY_FAILURE };

/* What collectd says. Every text may be "", none is NULL. */
struct sl_notification {
    enum sl_severity severity;
    const char *host;
    const char *plugin;
    const char *plugin_instance;
    const char *type;
    const char *type_instance;
};

/* All zero and options: quiet. */
struct sl_alarm {
    const struct sl_alarm_options *options;
    enum sl_severity severity;
    bool is_restored; /* it was heard before a restart and not since */
    int64_t heard_ms; /* the last time, unless it is quiet */
    int32_t floor;    /* what its steps have come to */
    int64_t step_ms;  /* the last one */
    char text[SL_ALARM_TEXT_BYTES];
};

/* Is it this one that the notification is for? Any thread. */
bool sl_alarm_is_for(const struct sl_alarm_options *options, const struct sl_notification *n);

/* One that is for it came. size: of the pool now, from which a step is made. */
void sl_alarm_hear(struct sl_alarm *alarm, enum sl_severity severity, int32_t size, int64_t now_ms);

/* Raises the floor of c by those that are in force: until OKAY or Expires. One that would not
 * expire and was restored ends after an hour in which it was not heard again, because its OKAY may
 * have come while nobody listened. Returns the moment (monotonic) at which one of them ends by
 * itself; INT64_MAX if none does. */
int64_t sl_alarms_apply(struct sl_alarm *alarms, size_t count, int64_t now_ms,
                        struct sl_conditions *c);

#endif
