/* From what was read to value lists: what every host is given, collectd to dispatch, Telegraf as
 * lines. Pure; one thread at a time. */
#ifndef SL_SPACELIFT_VALUES_H
#define SL_SPACELIFT_VALUES_H

#include "spacelift/answer.h"
#include "spacelift/catalogue.h"
#include "spacelift/pools.h"

/* One value list. Everything pointed to lives as long as the call that hands it over. */
struct sl_values {
    const struct sl_metric_type *type;
    const char *plugin_instance; /* never NULL */
    const char *type_instance;   /* never NULL */
    const char *true_name;       /* of a worker pool, as Spacelift spells it; NULL: none */
    const double *values;        /* type->count of them; NaN: not known */
    int64_t interval_ms;         /* the next ones do not come earlier; 0: they come at every poll */
};

typedef void sl_values_fn(void *context, const struct sl_values *values);

/* Where values go, and what is the same for all of an answer. */
struct sl_values_out {
    sl_values_fn *put;
    void *context;
    const char *account; /* the label of account-wide values, "" for none */
    int64_t realtime_ms; /* when the answer arrived */
    int64_t interval_ms;
};

/* Calls put for each value list of an answer, but of QUEUE. known says the names of pools, and
 * which of them are wanted. */
void sl_answer_values(enum sl_document document, const struct sl_answer *answer,
                      const struct sl_known_pools *known, const struct sl_values_out *out);
void sl_queue_values(const struct sl_known_pool *pool, const struct sl_queue *queue,
                     const struct sl_values_out *out);

/* Counts of a pool under a type of as many data sources. */
void sl_pool_values(const char *type, const struct sl_known_pool *pool, const int64_t *counts,
                    size_t count, const struct sl_values_out *out);

/* How the reading of one document went. */
struct sl_collector_result {
    bool success;
    bool supported;
    bool truncated;
    int64_t duration_ms;
};
void sl_collector_values(enum sl_document document, const struct sl_collector_result *result,
                         const struct sl_values_out *out);
/* credential: as sl_session_expiry() says. */
void sl_expiry_values(const char *credential, int64_t expires_s, const struct sl_values_out *out);
/* Of a whole poll, and who reads. */
void sl_scrape_values(int64_t duration_ms, const struct sl_values_out *out);

#endif
