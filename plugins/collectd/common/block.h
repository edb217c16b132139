/* From collectd's configuration tree to a struct, by an option table (src/base/option.h). The
 * only place that knows oconfig. Main thread, from the configuration callback.
 *
 * Errors are logged here, once, with the plugin, the block and the option, and returned as -1: an
 * unknown option or a value out of range makes collectd refuse to start. */
#ifndef SL_PLUGINS_COLLECTD_BLOCK_H
#define SL_PLUGINS_COLLECTD_BLOCK_H

#include "collectd.h"
#include "plugin.h"

#include "base/option.h"

/* Called for each inner block, with its name ("Account"), its label ("acme", never NULL: "" where
 * it has none) and its tree. Returns 0, or -1 when it has logged why. */
typedef int sl_inner_block_fn(void *context, const char *name, const char *label,
                              const oconfig_item_t *item);

/* Reads item by block's table into target: defaults, then each option, inner blocks to
 * inner (may be NULL if the table has none), then the check for required options. where is for
 * messages. A label is required if the table has one. 0 or -1. */
int sl_block_read(const char *plugin, const struct sl_option_block *block, const char *where,
                  const oconfig_item_t *item, void *target, sl_inner_block_fn *inner,
                  void *context);

#endif
