/* collectd's configuration tree as ours (base/config_item.h). The only place that knows oconfig.
 * Main thread, from the configuration callback. */
#ifndef SL_PLUGINS_COLLECTD_BLOCK_H
#define SL_PLUGINS_COLLECTD_BLOCK_H

#include "collectd.h"
#include "plugin.h"

#include "base/config_item.h"

/* Hands <Plugin ...> to read, as a tree that is gone afterwards. An error is logged here, once, and
 * returned as -1: an unknown option or a value out of range makes collectd refuse to start. */
int sl_block_read(const char *plugin, const oconfig_item_t *item,
                  int (*read)(const struct sl_config_item *item, struct sl_error *err));

#endif
