/* spacelift-pool: what Telegraf runs and what people type. Finds the subcommand, reads its command
 * line, runs it. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "base/nearest.h"
#include "base/version.h"
#include "command.h"

static void print_overview(FILE *out) {
    fputs(
        "usage: spacelift-pool SUBCOMMAND [--option VALUE...]\n\n"
        "Reads the worker pools of Spacelift accounts and resizes the Kubernetes WorkerPools they\n"
        "run on: for Telegraf, and by hand.\n\n",
        out);
    for (size_t i = 0; sl_commands[i] != NULL; i++)
        fprintf(out, "  %-10s %s\n", sl_commands[i]->name, sl_commands[i]->summary);
    fputs("\n  spacelift-pool SUBCOMMAND --help   its options\n"
          "  spacelift-pool --version\n\n"
          "exit status: 0 done; 1 a server, the network, or something is not as it should be; 2 "
          "wrong\n"
          "options or configuration\n",
          out);
}

static int print_help(const struct sl_command *command) {
    struct sl_buffer text;
    struct sl_error err = SL_ERROR_INIT;
    sl_buffer_init(&text, 1 << 20);
    sl_buffer_printf(&text, "usage: spacelift-pool %s [--option VALUE...]%s%s\n\n%s\n",
                     command->name, command->words != NULL ? " " : "",
                     command->words != NULL ? command->words : "", command->help);
    for (const struct sl_option_group *g = command->groups; g->title != NULL; g++) {
        sl_buffer_printf(&text, "\n%s:\n", g->title);
        sl_option_print_help(g->block->options, g->prefix, &text);
    }
    int code = sl_buffer_check(&text, "the help", &err);
    fputs(code == SL_OK ? text.data : err.text, code == SL_OK ? stdout : stderr);
    sl_buffer_release(&text);
    return code == SL_OK && fflush(stdout) == 0 ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static int complain_unknown(const char *name) {
    struct sl_nearest near = {.wanted = name};
    for (size_t i = 0; sl_commands[i] != NULL; i++)
        sl_nearest_offer(&near, sl_commands[i]->name);
    fprintf(stderr, "spacelift-pool: there is no subcommand \"%s\"%s%s%s\n", name,
            near.best != NULL ? ", did you mean " : ": see spacelift-pool --help",
            near.best != NULL ? near.best : "", near.best != NULL ? "?" : "");
    return SL_EXIT_USAGE;
}

static int run(const struct sl_command *command, int argc, char *const *argv) {
    struct sl_arguments arguments;
    struct sl_error err = SL_ERROR_INIT;
    int status = SL_EXIT_USAGE;
    if (sl_arguments_parse(command, argc, argv, &arguments, &err) != SL_OK)
        fprintf(stderr, "spacelift-pool %s: %s\n", command->name, err.text);
    else if (arguments.wants_help)
        status = print_help(command);
    else
        status = (int)command->run(&arguments);
    sl_arguments_release(&arguments);
    return status;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_overview(stdout);
        return SL_EXIT_OK;
    }
    if (strcmp(name, "--version") == 0) {
        printf("spacelift-pool %s\n", sl_version());
        return SL_EXIT_OK;
    }
    const struct sl_command *command = sl_command_find(name);
    if (command != NULL)
        return run(command, argc - 2, argv + 2);
    if (name[0] != '\0')
        return complain_unknown(name);
    print_overview(stderr);
    return SL_EXIT_USAGE;
}
