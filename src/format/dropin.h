/* Which programs a Telegraf configuration runs: the commands of inputs.exec, inputs.execd,
 * outputs.exec and outputs.execd, with the settings that change what becomes of them. Knows as much
 * TOML as these need: tables, comments, strings, arrays. What Telegraf does with the words is in
 * influxdata/telegraf plugins/inputs/exec/exec.go (a string is split as by a shell, a list is taken
 * as it is). Pure. */
#ifndef SL_FORMAT_DROPIN_H
#define SL_FORMAT_DROPIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    SL_DROPIN_COMMANDS = 32,
    SL_DROPIN_BLOCKS = 32,
    SL_DROPIN_WORDS = 64,
    SL_DROPIN_WORD_BYTES = 512
};

/* The settings that matter here. */
enum sl_dropin_setting {
    SL_DROPIN_TIMEOUT,
    SL_DROPIN_INTERVAL,
    SL_DROPIN_DATA_FORMAT,
    SL_DROPIN_NAME_OVERRIDE,
    SL_DROPIN_NAME_PREFIX,
    SL_DROPIN_NAME_SUFFIX,
    SL_DROPIN_SIGNAL,
    SL_DROPIN_RESTART_DELAY,
    SL_DROPIN_USE_BATCH_FORMAT,
    SL_DROPIN_SETTINGS,
};

extern const char *const sl_dropin_setting_names[SL_DROPIN_SETTINGS];

/* One [[inputs.exec]] or its like. */
struct sl_dropin_block {
    char table[32];                     /* "inputs.exec" */
    char *environment[SL_DROPIN_WORDS]; /* "NAME=VALUE" */
    size_t environment_count;
    char *settings[SL_DROPIN_SETTINGS]; /* NULL: not set */
};

struct sl_dropin_command {
    size_t block; /* which one it stands in */
    char *words[SL_DROPIN_WORDS];
    size_t count;
};

struct sl_dropin {
    struct sl_dropin_block blocks[SL_DROPIN_BLOCKS];
    size_t block_count;
    struct sl_dropin_command commands[SL_DROPIN_COMMANDS];
    size_t count;
};

/* Is this Telegraf's, and not collectd's? */
bool sl_dropin_is_telegraf(const char *text, size_t len);

/* SL_PARSE names the line; SL_TOOBIG. Release *ret in any case; it is large. */
int sl_dropin_parse(const char *text, size_t len, struct sl_dropin *ret,
                    struct sl_error *err) SL_CHECKED;
void sl_dropin_release(struct sl_dropin *dropin);

/* "1m30s", "500ms", "5" (seconds), as Telegraf's config.Duration takes them; false if it would
 * not. */
bool sl_dropin_duration(const char *text, int64_t *ret_ms);

#endif
