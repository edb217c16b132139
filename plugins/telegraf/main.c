/* spacelift-pool: what Telegraf runs and what people type. Finds the subcommand, reads its command
 * line, runs it. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "base/nearest.h"
#include "base/version.h"
#include "command.h"
#include "os/memory.h"
#include "print.h"

static void put_overview(struct sl_buffer *out) {
    sl_buffer_puts(
        out,
        "usage: spacelift-pool SUBCOMMAND [--option VALUE...]\n\n"
        "Reads the worker pools of Spacelift accounts and resizes the Kubernetes WorkerPools they\n"
        "run on: for Telegraf, and by hand.\n\n");
    for (size_t i = 0; sl_commands[i] != NULL; i++)
        sl_buffer_printf(out, "  %-10s %s\n", sl_commands[i]->name, sl_commands[i]->summary);
    sl_buffer_puts(out,
                   "\n  spacelift-pool SUBCOMMAND --help   its options\n"
                   "  spacelift-pool --version\n\n"
                   "exit status: 0 done; 1 a server, the network, or something is not as it should "
                   "be; 2 wrong\noptions or configuration\n");
}

/* What was asked for, and nothing else. */
static int answer(void (*put)(struct sl_buffer *out)) {
    struct sl_buffer text;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    put(&text);
    bool is_printed = sl_print(&text);
    sl_buffer_release(&text);
    return is_printed ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static void put_version(struct sl_buffer *out) {
    sl_buffer_printf(out, "spacelift-pool %s\n", sl_version());
}

static int complain_nothing(void) {
    struct sl_buffer text;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    put_overview(&text);
    fputs(text.data, stderr);
    sl_buffer_release(&text);
    return SL_EXIT_USAGE;
}

static int print_help(const struct sl_command *command) {
    struct sl_buffer text;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    sl_buffer_printf(&text, "usage: spacelift-pool %s [--option VALUE...]%s%s\n\n%s\n",
                     command->name, command->words != NULL ? " " : "",
                     command->words != NULL ? command->words : "", command->help);
    for (const struct sl_option_group *g = command->groups; g->title != NULL; g++) {
        sl_buffer_printf(&text, "\n%s:\n", g->title);
        sl_option_print_help(g->block->options, g->prefix, &text);
    }
    bool is_printed = sl_print(&text);
    sl_buffer_release(&text);
    return is_printed ? SL_EXIT_OK : SL_EXIT_FAILED;
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
    /* The dynamic linker touches most pages of thirty libraries, once. */
    sl_memory_trim_own_code();
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return answer(put_overview);
    if (strcmp(name, "--version") == 0)
        return answer(put_version);
    const struct sl_command *command = sl_command_find(name);
    if (command != NULL)
        return run(command, argc - 2, argv + 2);
    return name[0] != '\0' ? complain_unknown(name) : complain_nothing();
}
