/* From the name in a value list to the pool of the configuration. collectd cuts identifiers at 127
 * bytes and turns '/' into '_'; the true name travels beside it only as long as the value stays in
 * one daemon. Read-only once made: any thread. */
#ifndef SL_SCALER_ROUTE_H
#define SL_SCALER_ROUTE_H

#include <stddef.h>

#include "scaler/inbox.h"
#include "scaler/options.h"

struct sl_route; /* one per pool, sorted */

/* config must outlive the routes, which the caller frees with free(). */
int sl_route_new(const struct sl_scaler_config *config, struct sl_route **ret,
                 struct sl_error *err) SL_CHECKED;

/* The index of the pool in config that the values are about; count if none is. */
size_t sl_route_find(const struct sl_route *routes, size_t count,
                     const struct sl_pool_values *values);

#endif
