/* spacelift-pool completion SHELL: what a shell needs to complete the command line. */
#include <string.h>

#include "arguments.h"
#include "describe.h"
#include "print.h"

static const struct {
    const char *name;
    void (*print)(struct sl_buffer *out);
} forms[] = {
    {"bash", sl_describe_bash},
    {"zsh", sl_describe_zsh},
    {"fish", sl_describe_fish},
    {"man", sl_describe_man}, /* for the build of the manual page */
};

static enum sl_exit run(const struct sl_arguments *arguments) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer text;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(forms[i].name, arguments->words[0]) != 0)
            continue;
        sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
        forms[i].print(&text);
        bool ok = sl_print(&text);
        sl_buffer_release(&text);
        return ok ? SL_EXIT_OK : SL_EXIT_FAILED;
    }
    sl_fail(&err, SL_CONFIG, "\"%s\" is none of: bash, zsh, fish", arguments->words[0]);
    return sl_complain(arguments, &err);
}

const struct sl_command sl_command_completion = {
    .name = "completion",
    .words = "bash|zsh|fish",
    .min_words = 1,
    .max_words = 1,
    .summary = "print what a shell needs to complete this command",
    .help = "Prints completion for a shell, made from the same tables as the options themselves. "
            "Packages install\nit; by hand, for the present shell:\n\n"
            "  source <(spacelift-pool completion bash)",
    .run = run,
};
