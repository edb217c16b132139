/* Where a subcommand's settings come from: a configuration file in collectd's syntax, the
 * environment, the command line; a later one wins.
 *
 * The file may be collectd.conf itself: LoadPlugin lines, options of the daemon and the blocks of
 * plugins that are not ours are passed over; Include is followed. Main thread; reads files. */
#ifndef SL_PLUGINS_TELEGRAF_CONFIGURATION_H
#define SL_PLUGINS_TELEGRAF_CONFIGURATION_H

#include "arguments.h"
#include "remote_write/options.h"
#include "scaler/options.h"
#include "spacelift/options.h"

/* Options of every subcommand that has a configuration. */
struct sl_general_options {
    char *config;
    char *account;
};
extern const struct sl_option_block sl_general_block;

struct sl_configuration {
    struct sl_general_options general;
    struct sl_account *accounts;
    size_t account_count;
    struct sl_scaler_config scaler;
    struct sl_node_options *nodes;
    size_t node_count;
};

/* Reads the general options and the file they name, if any. SL_CONFIG names the file and the line,
 * or the block and the option; SL_IO a file that cannot be read. Release *ret in any case. */
int sl_configuration_load(const struct sl_arguments *arguments, struct sl_configuration *ret,
                          struct sl_error *err) SL_CHECKED;

/* A file alone, into *ret, which is zeroed or has been filled before. */
int sl_configuration_read(const char *path, struct sl_configuration *ret,
                          struct sl_error *err) SL_CHECKED;
void sl_configuration_release(struct sl_configuration *c);

/* Makes the accounts complete: those of the file (or the one that --account names); without any,
 * one from spacectl's environment variables. What the command line says of the account table holds
 * for the only one there is. SL_CONFIG says what is missing, and how to give it. */
int sl_configuration_accounts(struct sl_configuration *c, const struct sl_arguments *arguments,
                              struct sl_error *err) SL_CHECKED;

/* Likewise for the scaler: what the command line says of its three tables, and of the pool that is
 * the command's first word. SL_CONFIG: there is no pool. */
int sl_configuration_scaler(struct sl_configuration *c, const struct sl_arguments *arguments,
                            struct sl_error *err) SL_CHECKED;

#endif
