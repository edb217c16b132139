/* A struct sl_log that writes to collectd's log, each line with "<plugin> plugin: " in front. */
#ifndef SL_PLUGINS_COLLECTD_LOG_H
#define SL_PLUGINS_COLLECTD_LOG_H

#include "base/log.h"

/* plugin is a literal: kept, not copied. Any thread. */
struct sl_log sl_collectd_log(const char *plugin);

#endif
