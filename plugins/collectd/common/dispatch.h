/* A value list of ours (src/spacelift/values.h), given to collectd. Any thread of a plugin whose
 * context is set (plugin_set_ctx()). */
#ifndef SL_PLUGINS_COLLECTD_DISPATCH_H
#define SL_PLUGINS_COLLECTD_DISPATCH_H

#include "collectd.h"
#include "plugin.h"

#include "spacelift/values.h"

/* A part of an identifier: cut at 127 bytes between UTF-8 characters, and without the control
 * characters that break the text formats of other writers. collectd itself replaces slashes. out
 * has DATA_MAX_NAME_LEN. */
void sl_dispatch_part(char *out, const char *text);

/* interval: of the reading, where the list says none that is longer. */
void sl_dispatch_values(const struct sl_values *from, int64_t realtime_ms, cdtime_t interval);

#endif
