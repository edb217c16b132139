/* Which programs a Telegraf configuration runs: the commands of inputs.exec, inputs.execd,
 * outputs.exec and outputs.execd, and nothing else of it. Knows as much TOML as these need: tables,
 * comments, strings, arrays. What Telegraf does with the words is in influxdata/telegraf
 * plugins/inputs/exec/exec.go (a string is split as by a shell, a list is taken as it is). Pure. */
#ifndef SL_FORMAT_DROPIN_H
#define SL_FORMAT_DROPIN_H

#include <stddef.h>

#include "base/error.h"

enum { SL_DROPIN_COMMANDS = 32, SL_DROPIN_WORDS = 64, SL_DROPIN_WORD_BYTES = 512 };

struct sl_dropin_command {
    char table[32]; /* "inputs.exec" */
    char *words[SL_DROPIN_WORDS];
    size_t count;
};

struct sl_dropin {
    struct sl_dropin_command commands[SL_DROPIN_COMMANDS];
    size_t count;
};

/* Is this Telegraf's, and not collectd's? */
bool sl_dropin_is_telegraf(const char *text, size_t len);

/* SL_PARSE names the line; SL_TOOBIG. Release *ret in any case; it is large. */
int sl_dropin_parse(const char *text, size_t len, struct sl_dropin *ret,
                    struct sl_error *err) SL_CHECKED;
void sl_dropin_release(struct sl_dropin *dropin);

#endif
