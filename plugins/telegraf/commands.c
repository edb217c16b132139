/* The table of subcommands. */
#include "command.h"

#include <string.h>

extern const struct sl_command sl_command_read;
extern const struct sl_command sl_command_scale;
extern const struct sl_command sl_command_check;
extern const struct sl_command sl_command_status;
extern const struct sl_command sl_command_why;
extern const struct sl_command sl_command_watch;
extern const struct sl_command sl_command_csr;
extern const struct sl_command sl_command_manifests;
extern const struct sl_command sl_command_migrate;
extern const struct sl_command sl_command_replay;
extern const struct sl_command sl_command_completion;

/* clang-format off: a line each */
const struct sl_command *const sl_commands[] = {
    &sl_command_read,    &sl_command_scale,  &sl_command_check,      &sl_command_status,
    &sl_command_why,     &sl_command_watch,  &sl_command_csr,        &sl_command_manifests,
    &sl_command_migrate, &sl_command_replay, &sl_command_completion, NULL,
};
/* clang-format on */

const struct sl_command *sl_command_find(const char *name) {
    for (size_t i = 0; sl_commands[i] != NULL; i++)
        if (strcmp(sl_commands[i]->name, name) == 0)
            return sl_commands[i];
    return NULL;
}

enum sl_exit sl_exit_of(int code) {
    return code == SL_OK ? SL_EXIT_OK : code == SL_CONFIG ? SL_EXIT_USAGE : SL_EXIT_FAILED;
}
