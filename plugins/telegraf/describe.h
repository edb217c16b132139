/* What the tables of subcommands and options say, for shells and for the manual page: made from the
 * same rows that --help prints and the parser obeys. No I/O. */
#ifndef SL_PLUGINS_TELEGRAF_DESCRIBE_H
#define SL_PLUGINS_TELEGRAF_DESCRIBE_H

#include "base/buffer.h"
#include "command.h"

void sl_describe_bash(struct sl_buffer *out);
void sl_describe_zsh(struct sl_buffer *out);
void sl_describe_fish(struct sl_buffer *out);

/* The SUBCOMMANDS of spacelift-pool(1), in roff. */
void sl_describe_man(struct sl_buffer *out);

#endif
