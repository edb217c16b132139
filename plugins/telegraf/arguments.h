/* The command line, read by a subcommand's option tables: --name VALUE, --name=VALUE, --name for a
 * switch, "--" before words that begin with a dash. A secret is refused: argv can be read by
 * everybody on the host, and Telegraf writes it into its log. */
#ifndef SL_PLUGINS_TELEGRAF_ARGUMENTS_H
#define SL_PLUGINS_TELEGRAF_ARGUMENTS_H

#include "command.h"

/* One option as typed; text lies in argv. */
struct sl_argument {
    const struct sl_option *table; /* of its group */
    const char *prefix;            /* likewise */
    const struct sl_option *option;
    const char *text;
};

struct sl_arguments {
    const struct sl_command *command;
    struct sl_argument *given;
    size_t given_count;
    const char **words;
    size_t word_count;
    bool wants_help;
};

/* argv: what stands after the subcommand's name. SL_CONFIG names the option, and the nearest one
 * for one that does not exist. Release *ret in any case. */
int sl_arguments_parse(const struct sl_command *command, int argc, char *const *argv,
                       struct sl_arguments *ret, struct sl_error *err) SL_CHECKED;
void sl_arguments_release(struct sl_arguments *arguments);

/* Was any option of this table typed? */
bool sl_arguments_has(const struct sl_arguments *arguments, const struct sl_option *table);

/* Sets what was typed of this table; defaults and a file's values stay where nothing was. */
int sl_arguments_apply(const struct sl_arguments *arguments, const struct sl_option *table,
                       void *target, struct sl_error *err) SL_CHECKED;

/* Defaults, then what was typed, then the check for required options: for a table that no file
 * fills. target is zeroed. */
int sl_arguments_read(const struct sl_arguments *arguments, const struct sl_option *table,
                      void *target, struct sl_error *err) SL_CHECKED;

#endif
