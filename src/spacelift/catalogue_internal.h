/* The parts that spacelift/catalogue.h is made of: a table for each plugin, in a file of its own.
 */
#ifndef SL_SPACELIFT_CATALOGUE_INTERNAL_H
#define SL_SPACELIFT_CATALOGUE_INTERNAL_H

#include "spacelift/catalogue.h"

extern const struct sl_metric_type sl_catalogue_reader[];
extern const size_t sl_catalogue_reader_count;
extern const struct sl_metric_type sl_catalogue_scaler[];
extern const size_t sl_catalogue_scaler_count;
extern const struct sl_metric_type sl_catalogue_remote_write[];
extern const size_t sl_catalogue_remote_write_count;

#define GAUGE(ds, prometheus, unit, help)                                                          \
    { ds, SL_METRIC_GAUGE, prometheus, unit, help, NULL, NULL }
#define LABELLED(ds, prometheus, unit, help, label, value)                                         \
    { ds, SL_METRIC_GAUGE, prometheus, unit, help, label, value }

#define COUNTER(ds, prometheus, unit, help)                                                        \
    { ds, SL_METRIC_DERIVE, prometheus, unit, help, NULL, NULL }
#define COUNTED(ds, prometheus, unit, help, label, value)                                          \
    { ds, SL_METRIC_DERIVE, prometheus, unit, help, label, value }

#endif
