/* A drop-in of telegraf.d: are the programs there, and is what they are told right? */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "format/dropin.h"
#include "print.h"

#define PROGRAM "spacelift-pool"

bool sl_check_is_telegraf(const char *path) {
    struct sl_buffer text;
    sl_buffer_init(&text, SL_LIMIT_CONFIG_FILE_BYTES);
    bool is =
        sl_read_input(path, &text, NULL) == SL_OK && sl_dropin_is_telegraf(text.data, text.len);
    sl_buffer_release(&text);
    return is;
}

static bool is_ours(const struct sl_dropin_command *command) {
    if (command->count == 0)
        return false;
    const char *slash = strrchr(command->words[0], '/');
    return strcmp(slash != NULL ? slash + 1 : command->words[0], PROGRAM) == 0;
}

/* Telegraf looks a bare name up in its own PATH, which nobody knows here. */
static void check_program(struct sl_check *c, const char *program) {
    if (strchr(program, '/') == NULL)
        sl_check_say(c, SL_CHECK_WARNING, "name it with its whole path",
                     "%s is looked for in the PATH of Telegraf's service", program);
    else if (access(program, X_OK) != 0)
        sl_check_say(c, SL_CHECK_FAILED, "mend the path of the command", "%s cannot be run: %m",
                     program);
    else
        sl_check_say(c, SL_CHECK_OK, NULL, "%s is there", program);
}

static bool is_seen(char **seen, size_t count, const char *file) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(seen[i], file) == 0)
            return true;
    return false;
}

/* ---- the environment that Telegraf adds ---- */

/* What stood there before: put back when the command has been looked at. */
struct borrowed {
    char *names[SL_DROPIN_WORDS];
    char *values[SL_DROPIN_WORDS]; /* NULL: was not set */
    size_t count;
};

static bool is_secret(const char *name) {
    return strcmp(name, "SPACELIFT_API_TOKEN") == 0 ||
           strcmp(name, "SPACELIFT_API_KEY_SECRET") == 0;
}

static void check_variable(struct sl_check *c, const char *path, const char *name,
                           const char *value) {
    struct stat st;
    if (strstr(value, "@{") != NULL)
        sl_check_say(c, SL_CHECK_FAILED, "name a file with --api-key-secret-file",
                     "environment sets %s from a secret store, which Telegraf does not ask for "
                     "exec and execd: the command gets these very letters",
                     name);
    else if (strstr(value, "${") != NULL)
        sl_check_say(c, SL_CHECK_SKIPPED, "set it here as in /etc/default/telegraf to try it",
                     "environment sets %s from a variable that only Telegraf's service has", name);
    else if (is_secret(name) && stat(path, &st) == 0 && (st.st_mode & 07) != 0)
        sl_check_say(c, SL_CHECK_WARNING, "chmod o= it, or name a file with --api-key-secret-file",
                     "environment sets %s, and %s can be read by everybody", name, path);
}

/* As Telegraf does it: appended to what is there, the last one counts. A value that only Telegraf
 * can fill in stays what it is here. */
static void lend_environment(struct sl_check *c, const char *path,
                             const struct sl_dropin_block *block, struct borrowed *b) {
    b->count = 0;
    for (size_t i = 0; i < block->environment_count; i++) {
        const char *equals = strchr(block->environment[i], '=');
        if (equals == NULL || equals == block->environment[i]) {
            sl_check_say(c, SL_CHECK_FAILED, "\"NAME=VALUE\"", "environment has \"%s\"",
                         block->environment[i]);
            continue;
        }
        char *name = strndup(block->environment[i], (size_t)(equals - block->environment[i]));
        if (name == NULL) {
            c->is_out_of_memory = true;
            return;
        }
        check_variable(c, path, name, equals + 1);
        const char *old = getenv(name);
        b->names[b->count] = name;
        b->values[b->count++] = old != NULL ? strdup(old) : NULL;
        if (strstr(equals, "${") == NULL && setenv(name, equals + 1, 1) != 0)
            c->is_out_of_memory = true;
    }
}

static void return_environment(struct borrowed *b) {
    while (b->count > 0) {
        char *name = b->names[--b->count], *value = b->values[b->count];
        if (value != NULL)
            (void)setenv(name, value, 1);
        else
            (void)unsetenv(name);
        free(name);
        free(value);
    }
}

/* ---- the commands ---- */

/* Reading and scaling mostly share a file, which need not be looked at twice. */
static bool is_new(const struct sl_arguments *arguments, char *seen[SL_DROPIN_COMMANDS],
                   size_t *count) {
    struct sl_general_options general = {.config = NULL};
    bool is = true;
    if (sl_arguments_read(arguments, sl_general_block.options, &general, NULL) == SL_OK &&
        general.config != NULL && general.account == NULL &&
        !sl_arguments_has(arguments, sl_account_block.options) && arguments->word_count == 0) {
        is = !is_seen(seen, *count, general.config);
        if (is && (seen[*count] = strdup(general.config)) != NULL)
            (*count)++;
    }
    sl_option_release(sl_general_block.options, &general);
    return is;
}

static void check_command(struct sl_check *c, const struct sl_dropin_block *block,
                          const struct sl_dropin_command *command, char *seen[SL_DROPIN_COMMANDS],
                          size_t *seen_count) {
    const char *name = command->count > 1 ? command->words[1] : "";
    const struct sl_command *subcommand = sl_command_find(name);
    struct sl_arguments arguments;
    struct sl_error err = SL_ERROR_INIT;
    sl_check_area(c, "Telegraf %s", block->table);
    check_program(c, command->words[0]);
    if (subcommand == NULL) {
        sl_check_say(c, SL_CHECK_FAILED, "read for inputs, scale for outputs",
                     "spacelift-pool has no subcommand \"%s\"", name);
        return;
    }
    int code = sl_arguments_parse(subcommand, (int)command->count - 2, &command->words[2],
                                  &arguments, &err);
    if (code == SL_OK)
        sl_check_settings(c, block, &arguments);
    if (code == SL_OK && is_new(&arguments, seen, seen_count))
        code = sl_check_configuration(c, &arguments, &err);
    if (code != SL_OK) {
        sl_check_area(c, "Telegraf %s", block->table);
        sl_check_say(c, SL_CHECK_FAILED, "mend the command in the drop-in", "%s: %s", name,
                     err.text);
    }
    sl_arguments_release(&arguments);
}

static void check_commands(struct sl_check *c, const char *path, const struct sl_dropin *dropin) {
    char *seen[SL_DROPIN_COMMANDS];
    size_t seen_count = 0, ours = 0;
    for (size_t i = 0; i < dropin->count; i++) {
        if (!is_ours(&dropin->commands[i]))
            continue;
        ours++;
        const struct sl_dropin_block *block = &dropin->blocks[dropin->commands[i].block];
        struct borrowed borrowed;
        sl_check_area(c, "Telegraf %s", block->table);
        lend_environment(c, path, block, &borrowed);
        check_command(c, block, &dropin->commands[i], seen, &seen_count);
        return_environment(&borrowed);
    }
    if (ours == 0) {
        sl_check_area(c, "Telegraf");
        sl_check_say(c, SL_CHECK_FAILED,
                     "the drop-ins in the examples of this package have such a command",
                     "no inputs.exec, inputs.execd, outputs.exec or outputs.execd runs " PROGRAM);
    }
    while (seen_count > 0)
        free(seen[--seen_count]);
}

int sl_check_telegraf(struct sl_check *c, const char *path, struct sl_error *err) {
    struct sl_dropin *dropin = calloc(1, sizeof(*dropin)); /* large */
    struct sl_buffer text;
    sl_buffer_init(&text, SL_LIMIT_CONFIG_FILE_BYTES);
    int code =
        dropin != NULL ? sl_read_input(path, &text, err) : sl_fail(err, SL_NOMEM, "out of memory");
    if (code == SL_OK && sl_dropin_parse(text.data, text.len, dropin, err) != SL_OK) {
        sl_error_prefix(err, "%s", path);
        code = err->code = SL_CONFIG; /* the same file will fail again */
    }
    if (code == SL_OK)
        check_commands(c, path, dropin);
    if (dropin != NULL)
        sl_dropin_release(dropin);
    free(dropin);
    sl_buffer_release(&text);
    return code;
}
