/* Completion for three shells. Names and choices come from our own tables, so they hold nothing
 * that a shell would take for something else; only help texts are cleaned. */
#include "describe.h"

#include <string.h>

enum value { NO_VALUE, FREE_VALUE, FILE_VALUE, CHOICE_VALUE };

static enum value value_of(const struct sl_option *o) {
    if (o->type == SL_OPTION_BOOLEAN)
        return NO_VALUE;
    if (o->type == SL_OPTION_CHOICE)
        return CHOICE_VALUE;
    return o->type == SL_OPTION_PATH ? FILE_VALUE : FREE_VALUE;
}

/* Subcommands whose words are files, by what their words are called. */
static bool takes_files(const struct sl_command *c) {
    return c->words != NULL &&
           (strstr(c->words, "FILE") != NULL || strstr(c->words, "RECORDING") != NULL);
}

/* Each option of a command; a secret has no flag. */
typedef void each_fn(const struct sl_command *c, const struct sl_option *o, const char *flag,
                     struct sl_buffer *out);

static void for_each(const struct sl_command *c, each_fn *put, struct sl_buffer *out) {
    for (const struct sl_option_group *g = c->groups; g->title != NULL; g++) {
        for (const struct sl_option *o = g->block->options; o->name != NULL; o++) {
            char flag[SL_OPTION_FLAG_BYTES];
            if (o->type == SL_OPTION_SECRET)
                continue;
            sl_option_flag(o, g->prefix, flag);
            put(c, o, flag, out);
        }
    }
}

static void put_choices(const struct sl_option *o, struct sl_buffer *out) {
    for (size_t i = 0; o->choices[i] != NULL; i++)
        sl_buffer_printf(out, "%s%s", i > 0 ? " " : "", o->choices[i]);
}

/* The first sentence, without characters that mean something inside quotes and brackets. */
static void put_summary(const char *help, struct sl_buffer *out) {
    for (size_t i = 0; help[i] != '\0'; i++) {
        if (help[i] == '.' && (help[i + 1] == ' ' || help[i + 1] == '\0'))
            break;
        if (help[i] == ':' && help[i + 1] == ' ')
            break;
        sl_buffer_putc(out, strchr("'\"`\\[]:$<>\n", help[i]) != NULL ? ' ' : help[i]);
    }
}

/* ---- bash ---- */

static void put_bash_flag(const struct sl_command *c, const struct sl_option *o, const char *flag,
                          struct sl_buffer *out) {
    (void)c, (void)o;
    sl_buffer_printf(out, " --%s", flag);
}

static void put_bash_value(const struct sl_command *c, const struct sl_option *o, const char *flag,
                           struct sl_buffer *out) {
    switch (value_of(o)) {
    case NO_VALUE:
        return;
    case FREE_VALUE:
        sl_buffer_printf(out, "    %s:--%s) return ;;\n", c->name, flag);
        return;
    case FILE_VALUE:
        sl_buffer_printf(out, "    %s:--%s) files=yes words= ;;\n", c->name, flag);
        return;
    case CHOICE_VALUE:
        sl_buffer_printf(out, "    %s:--%s) files= words='", c->name, flag);
        put_choices(o, out);
        sl_buffer_puts(out, "' ;;\n");
        return;
    }
}

void sl_describe_bash(struct sl_buffer *out) {
    sl_buffer_puts(out, "# bash completion for spacelift-pool, made by spacelift-pool completion "
                        "bash\n\n"
                        "_spacelift_pool() {\n"
                        "  local current=${COMP_WORDS[COMP_CWORD]} files= words=\n"
                        "  local command=${COMP_WORDS[1]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
                        "  COMPREPLY=()\n"
                        "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                        "    words='");
    for (size_t i = 0; sl_commands[i] != NULL; i++)
        sl_buffer_printf(out, "%s ", sl_commands[i]->name);
    sl_buffer_puts(out, "--help --version'\n"
                        "  else\n"
                        "    case $command in\n");
    for (size_t i = 0; sl_commands[i] != NULL; i++) {
        sl_buffer_printf(out, "    %s) words='--help", sl_commands[i]->name);
        for_each(sl_commands[i], put_bash_flag, out);
        sl_buffer_printf(out, "'%s ;;\n",
                         takes_files(sl_commands[i]) ? "; [[ $current == -* ]] || files=yes" : "");
    }
    sl_buffer_puts(out, "    esac\n"
                        "    case $command:$previous in\n");
    for (size_t i = 0; sl_commands[i] != NULL; i++)
        for_each(sl_commands[i], put_bash_value, out);
    sl_buffer_puts(out, "    completion:completion) words='bash zsh fish --help' ;;\n"
                        "    esac\n"
                        "  fi\n"
                        "  if [ -n \"$files\" ]; then\n"
                        "    compopt -o filenames 2>/dev/null\n"
                        "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
                        "  else\n"
                        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                        "  fi\n"
                        "}\n"
                        "complete -F _spacelift_pool spacelift-pool\n");
}

/* ---- zsh ---- */

static void put_zsh_option(const struct sl_command *c, const struct sl_option *o, const char *flag,
                           struct sl_buffer *out) {
    (void)c;
    sl_buffer_printf(out, " \\\n        '%s--%s%s[", o->type == SL_OPTION_LIST ? "*" : "", flag,
                     value_of(o) == NO_VALUE ? "" : "=");
    put_summary(o->help, out);
    sl_buffer_putc(out, ']');
    switch (value_of(o)) {
    case NO_VALUE:
        break;
    case FREE_VALUE:
        sl_buffer_puts(out, ":value: ");
        break;
    case FILE_VALUE:
        sl_buffer_puts(out, ":file:_files");
        break;
    case CHOICE_VALUE:
        sl_buffer_puts(out, ":value:(");
        put_choices(o, out);
        sl_buffer_putc(out, ')');
        break;
    }
    sl_buffer_putc(out, '\'');
}

void sl_describe_zsh(struct sl_buffer *out) {
    sl_buffer_puts(out, "#compdef spacelift-pool\n"
                        "# made by spacelift-pool completion zsh\n\n"
                        "_spacelift_pool() {\n"
                        "  local -a commands=(\n");
    for (size_t i = 0; sl_commands[i] != NULL; i++) {
        sl_buffer_printf(out, "    '%s:", sl_commands[i]->name);
        put_summary(sl_commands[i]->summary, out);
        sl_buffer_puts(out, "'\n");
    }
    sl_buffer_puts(out, "  )\n"
                        "  if (( CURRENT == 2 )); then\n"
                        "    _describe subcommand commands\n"
                        "    return\n"
                        "  fi\n"
                        "  local command=$words[2]\n"
                        "  shift words\n"
                        "  (( CURRENT-- ))\n"
                        "  case $command in\n");
    for (size_t i = 0; sl_commands[i] != NULL; i++) {
        const struct sl_command *c = sl_commands[i];
        bool is_completion = strcmp(c->name, "completion") == 0;
        sl_buffer_printf(out, "    %s)\n      _arguments '--help[show the options]'", c->name);
        for_each(c, put_zsh_option, out);
        sl_buffer_printf(out, "%s\n      ;;\n",
                         takes_files(c)     ? " \\\n        '*:file:_files'"
                         : is_completion    ? " \\\n        ':shell:(bash zsh fish)'"
                         : c->words != NULL ? " \\\n        '*:name: '"
                                            : "");
    }
    sl_buffer_puts(out, "  esac\n"
                        "}\n"
                        "compdef _spacelift_pool spacelift-pool\n"
                        "# read by the first completion, which must not be lost; else sourced\n"
                        "if [[ $funcstack[1] == _spacelift-pool ]]; then\n"
                        "  _spacelift_pool \"$@\"\n"
                        "fi\n");
}

/* ---- fish ---- */

static void put_fish_option(const struct sl_command *c, const struct sl_option *o, const char *flag,
                            struct sl_buffer *out) {
    sl_buffer_printf(out, "complete -c spacelift-pool -n '__fish_seen_subcommand_from %s' -l %s",
                     c->name, flag);
    switch (value_of(o)) {
    case NO_VALUE:
        break;
    case FREE_VALUE:
        sl_buffer_puts(out, " -x");
        break;
    case FILE_VALUE:
        sl_buffer_puts(out, " -r -F");
        break;
    case CHOICE_VALUE:
        sl_buffer_puts(out, " -x -a '");
        put_choices(o, out);
        sl_buffer_putc(out, '\'');
        break;
    }
    sl_buffer_puts(out, " -d '");
    put_summary(o->help, out);
    sl_buffer_puts(out, "'\n");
}

void sl_describe_fish(struct sl_buffer *out) {
    sl_buffer_puts(out, "# fish completion for spacelift-pool, made by spacelift-pool completion "
                        "fish\n\n"
                        "complete -c spacelift-pool -f\n"
                        "complete -c spacelift-pool -l help -d 'show the options'\n"
                        "complete -c spacelift-pool -n __fish_use_subcommand -l version -d "
                        "'show the version'\n");
    for (size_t i = 0; sl_commands[i] != NULL; i++) {
        sl_buffer_printf(out, "complete -c spacelift-pool -n __fish_use_subcommand -a %s -d '",
                         sl_commands[i]->name);
        put_summary(sl_commands[i]->summary, out);
        sl_buffer_puts(out, "'\n");
    }
    for (size_t i = 0; sl_commands[i] != NULL; i++) {
        const struct sl_command *c = sl_commands[i];
        if (takes_files(c))
            sl_buffer_printf(out,
                             "complete -c spacelift-pool -n '__fish_seen_subcommand_from %s' -F\n",
                             c->name);
        for_each(c, put_fish_option, out);
    }
    sl_buffer_puts(out, "complete -c spacelift-pool -n '__fish_seen_subcommand_from completion' "
                        "-a 'bash zsh fish'\n");
}
