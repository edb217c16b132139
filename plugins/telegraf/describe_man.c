/* The subcommands as a part of the manual page. An option block that several subcommands share is
 * printed with the first of them. */
#include "describe.h"

#include <string.h>

static void put_roff(struct sl_buffer *out, const char *text) {
    sl_option_put_roff(out, text, strlen(text));
}

/* One line of a paragraph; roff takes a dot or a quote at its start for a command. */
static void put_line(struct sl_buffer *out, const char *text, size_t len) {
    if (len > 0 && (text[0] == '.' || text[0] == '\''))
        sl_buffer_puts(out, "\\&");
    sl_option_put_roff(out, text, len);
    sl_buffer_putc(out, '\n');
}

/* Paragraphs with an empty line between two; lines that begin with blanks stand as they are. */
static void put_paragraphs(struct sl_buffer *out, const char *text) {
    bool is_example = false;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        bool begins_example = len > 2 && strncmp(text, "  ", 2) == 0;
        if (begins_example != is_example && len > 0) {
            sl_buffer_puts(out, begins_example ? ".EX\n" : ".EE\n");
            is_example = begins_example;
        }
        if (len == 0)
            sl_buffer_puts(out, is_example ? "" : ".PP\n");
        else
            put_line(out, text, len);
        text += len + (text[len] == '\n');
    }
    if (is_example)
        sl_buffer_puts(out, ".EE\n");
}

static void put_value(const struct sl_option *o, struct sl_buffer *out) {
    if (o->type == SL_OPTION_CHOICE) {
        for (size_t i = 0; o->choices[i] != NULL; i++) {
            sl_buffer_puts(out, i > 0 ? "|\\fB" : " \\fB");
            put_roff(out, o->choices[i]);
            sl_buffer_puts(out, "\\fR");
        }
    } else if (o->type != SL_OPTION_BOOLEAN) {
        const char *unit = o->type == SL_OPTION_PATH                       ? "file"
                           : o->unit != NULL && strcmp(o->unit, "ms") == 0 ? "milliseconds"
                           : o->type == SL_OPTION_SECONDS                  ? "seconds"
                           : o->unit != NULL                               ? o->unit
                           : o->type == SL_OPTION_URL                      ? "url"
                           : o->type == SL_OPTION_INTEGER || o->type == SL_OPTION_NUMBER ? "number"
                                                                                         : "text";
        sl_buffer_printf(out, " \\fI%s\\fR", unit);
    }
}

static void put_option(const struct sl_option *o, const char *prefix, struct sl_buffer *out) {
    char flag[SL_OPTION_FLAG_BYTES];
    struct sl_buffer facts;
    if (o->type == SL_OPTION_SECRET)
        return;
    sl_option_flag(o, prefix, flag);
    sl_buffer_init(&facts, out->max);
    sl_option_print_facts(o, &facts);
    sl_buffer_puts(out, ".TP\n\\fB\\-\\-");
    put_roff(out, flag);
    sl_buffer_puts(out, "\\fR");
    put_value(o, out);
    sl_buffer_putc(out, '\n');
    put_line(out, o->help, strlen(o->help));
    put_line(out, facts.data + strspn(facts.data, " "),
             strlen(facts.data + strspn(facts.data, " ")));
    sl_buffer_release(&facts);
}

/* The command that printed this group; NULL: none before. */
static const struct sl_command *printed_by(const struct sl_option_group *group, size_t before) {
    for (size_t i = 0; i < before; i++)
        for (const struct sl_option_group *g = sl_commands[i]->groups; g->title != NULL; g++)
            if (g->block == group->block && g->prefix == group->prefix)
                return sl_commands[i];
    return NULL;
}

static void put_group(const struct sl_option_group *group, size_t before, struct sl_buffer *out) {
    const struct sl_command *first = printed_by(group, before);
    sl_buffer_puts(out, ".PP\n");
    put_roff(out, group->title);
    if (first != NULL) {
        sl_buffer_printf(out, ": as for \\fB%s\\fR.\n", first->name);
        return;
    }
    sl_buffer_puts(out, ":\n");
    for (const struct sl_option *o = group->block->options; o->name != NULL; o++)
        put_option(o, group->prefix, out);
}

void sl_describe_man(struct sl_buffer *out) {
    for (size_t i = 0; sl_commands[i] != NULL; i++) {
        const struct sl_command *c = sl_commands[i];
        sl_buffer_printf(out, ".SS \"%s", c->name);
        if (c->words != NULL)
            sl_buffer_printf(out, " %s", c->words);
        sl_buffer_puts(out, "\"\n");
        put_paragraphs(out, c->help);
        for (const struct sl_option_group *g = c->groups; g->title != NULL; g++)
            put_group(g, i, out);
    }
}
