/* What a subcommand of spacelift-pool is: one struct, which main() runs, --help and the manual
 * print, and a shell completes. A new one: its own file, and a row in commands.c. */
#ifndef SL_PLUGINS_TELEGRAF_COMMAND_H
#define SL_PLUGINS_TELEGRAF_COMMAND_H

#include "base/option.h"

/* The exit statuses, for all subcommands. */
enum sl_exit {
    SL_EXIT_OK = 0,
    SL_EXIT_FAILED = 1, /* a server, the network, or what was looked at is not as it should be */
    SL_EXIT_USAGE = 2,  /* options or configuration: the same again will fail again */
};

/* SL_EXIT_USAGE for SL_CONFIG, SL_EXIT_FAILED for the others. */
enum sl_exit sl_exit_of(int code);

/* A table of options and how a command line spells them. */
struct sl_option_group {
    const char *title;                   /* above it in --help; NULL ends the list */
    const struct sl_option_block *block; /* only its own options, not those of inner blocks */
    const char *prefix;                  /* "cluster": --cluster-timeout; NULL: none */
};

enum { SL_COMMAND_GROUPS = 6 };

struct sl_arguments;

struct sl_command {
    const char *name;
    const char *words; /* what may stand beside options, for --help: "POOL"; NULL: nothing */
    size_t min_words, max_words;
    const char *summary; /* one line, without a full stop */
    const char *help;    /* paragraphs, an empty line between two */
    struct sl_option_group groups[SL_COMMAND_GROUPS + 1];
    enum sl_exit (*run)(const struct sl_arguments *arguments);
};

/* NULL-terminated, in the order of --help. */
extern const struct sl_command *const sl_commands[];

const struct sl_command *sl_command_find(const char *name);

#endif
