/* What is published of a pool: a copy of the controller's books, and the way from it to value lists
 * (spacelift/values.h, spacelift/catalogue.h). Pure; one thread at a time. */
#ifndef SL_SCALER_REPORT_H
#define SL_SCALER_REPORT_H

#include "scaler/options.h"
#include "scaler/policy.h"
#include "spacelift/catalogue.h"
#include "spacelift/values.h"

struct sl_pool_report {
    const struct sl_pool_options *options;
    bool has_decision;
    struct sl_decision decision; /* the last one; why is NULL */
    bool was_ever_read;
    int32_t size; /* of the pool, as last read or written */
    int32_t actual;
    bool is_leader;
    bool has_alarm; /* of the watchdog */
    bool has_startup;
    int64_t startup_ms; /* as measured */

    /* Counted since the start. */
    uint64_t decisions[SL_RULE_COUNT];
    uint64_t scaled_out;
    uint64_t scaled_in;
    uint64_t foreign_changes;
    uint64_t alarms;
    int64_t at_cap_ms;
    int64_t unmet_ms;                             /* demand unmet x time */
    int64_t worker_ms;                            /* size x time */
    uint64_t reactions[SL_REACTION_BUCKET_COUNT]; /* cumulative; the last one is all */
    int64_t reaction_sum_ms;
    uint64_t api_errors[SL_API_ERROR_COUNT];

    int64_t counted_ms; /* up to when the times above are counted */
};

/* Brings the times up to now. */
void sl_report_pass(struct sl_pool_report *r, int64_t now_ms);

/* From a poll's answer to an accepted write that made the pool larger. */
void sl_report_reaction(struct sl_pool_report *r, int64_t took_ms);

void sl_report_api_error(struct sl_pool_report *r, const struct sl_error *why);

/* Calls out->put for each value list. */
void sl_report_values(const struct sl_pool_report *r, const struct sl_values_out *out);

#endif
