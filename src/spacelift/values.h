/* From an answer to value lists: what every host is given, collectd to dispatch, Telegraf as lines.
 * Pure; one thread at a time. */
#ifndef SL_SPACELIFT_VALUES_H
#define SL_SPACELIFT_VALUES_H

#include "spacelift/answer.h"
#include "spacelift/catalogue.h"

/* One value list. Everything pointed to lives as long as the call that hands it over. */
struct sl_values {
    const struct sl_metric_type *type;
    const char *plugin_instance; /* never NULL */
    const char *type_instance;   /* never NULL */
    const char *true_name;       /* of a worker pool, as Spacelift spells it; NULL: none */
    const double *values;        /* type->count of them; NaN: not known */
};

typedef void sl_values_fn(void *context, const struct sl_values *values);

/* Calls put for each value list that the answer to document holds. account: the label of
 * account-wide values, "" for none. */
void sl_answer_values(enum sl_document document, const struct sl_answer *answer,
                      const char *account, sl_values_fn *put, void *context);

#endif
