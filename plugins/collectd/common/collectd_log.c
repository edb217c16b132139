/* A struct sl_log that writes to collectd's log. */
#include "common/collectd_log.h"

#include "collectd.h"
#include "plugin.h"

static void write_line(void *context, enum sl_log_level level, const char *line) {
    static const int levels[] = {
        [SL_LOG_ERROR] = LOG_ERR, [SL_LOG_WARNING] = LOG_WARNING, [SL_LOG_NOTICE] = LOG_NOTICE,
        [SL_LOG_INFO] = LOG_INFO, [SL_LOG_DEBUG] = LOG_DEBUG,
    };
    plugin_log(levels[level], "%s plugin: %s", (const char *)context, line);
}

struct sl_log sl_collectd_log(const char *plugin) {
    return (struct sl_log){.write = write_line, .context = (void *)(uintptr_t)plugin};
}
