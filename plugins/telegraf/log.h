/* Where lines for people go: standard error, as who reads it wants it. */
#ifndef SL_PLUGINS_TELEGRAF_LOG_H
#define SL_PLUGINS_TELEGRAF_LOG_H

#include "base/log.h"

/* The sinks, for .write of a struct sl_log; their context is unused. Any thread; a line is one
 * write(2).
 *
 * For people, and for what Telegraf runs once: it shows the first line. Errors, warnings and
 * notices. */
void sl_stderr_plain(void *context, enum sl_log_level level, const char *line);
/* For inputs.execd, which takes the level from "E! ", "W! ", "I! " or "D! ". */
void sl_stderr_telegraf(void *context, enum sl_log_level level, const char *line);
/* For outputs.execd, which logs standard output as information and standard error as errors,
 * without looking at prefixes. */
void sl_split_telegraf(void *context, enum sl_log_level level, const char *line);

#endif
