/* What an option table says of itself: example files and manual pages. */
#include "base/option.h"

#include <string.h>

enum { WRAP_COLUMN = 78 };

static void indent(struct sl_buffer *out, unsigned depth) {
    for (unsigned i = 0; i < depth; i++)
        sl_buffer_puts(out, "  ");
}

/* Words in comment lines of at most WRAP_COLUMN bytes. */
static void comment(struct sl_buffer *out, unsigned depth, const char *text) {
    size_t column = 0;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > WRAP_COLUMN) {
            sl_buffer_putc(out, '\n');
            column = 0;
        }
        if (column == 0) {
            indent(out, depth);
            sl_buffer_puts(out, "#");
            column = 2 * (size_t)depth + 1;
        }
        sl_buffer_putc(out, ' ');
        sl_buffer_append(out, text, word);
        column += word + 1;
        text += word + strspn(text + word, " ");
    }
    sl_buffer_putc(out, '\n');
}

static bool is_quoted(enum sl_option_type type) {
    return type != SL_OPTION_INTEGER && type != SL_OPTION_NUMBER && type != SL_OPTION_BOOLEAN &&
           type != SL_OPTION_SECONDS;
}

/* Help, then what is left out of it: unit, default, range, choices, required. One text. */
static void describe(const struct sl_option *o, struct sl_buffer *text) {
    sl_buffer_puts(text, o->help);
    if ((o->flags & SL_OPTION_REQUIRED) != 0)
        sl_buffer_puts(text, " Required.");
    const char *unit = o->unit != NULL ? o->unit : "";
    const char *blank = o->unit != NULL ? " " : "";
    if (o->fallback != NULL)
        sl_buffer_printf(text, " Default: %s%s%s.", o->fallback, blank, unit);
    if (o->min != 0 || o->max != 0)
        sl_buffer_printf(text, " Range: %.15g to %.15g%s%s.", o->min, o->max, blank, unit);
    else if (o->fallback == NULL && o->unit != NULL)
        sl_buffer_printf(text, " Unit: %s.", o->unit);
    if (o->choices != NULL) {
        sl_buffer_puts(text, " One of:");
        for (size_t i = 0; o->choices[i] != NULL; i++)
            sl_buffer_printf(text, "%s %s", i > 0 ? "," : "", o->choices[i]);
        sl_buffer_putc(text, '.');
    }
    if (o->type == SL_OPTION_LIST)
        sl_buffer_puts(text, " May be given several times.");
}

static const char *sample(const struct sl_option *o) {
    if (o->example != NULL)
        return o->example;
    if (o->fallback != NULL)
        return o->fallback;
    return is_quoted(o->type) ? "..." : "0";
}

static void conf_option(const struct sl_option *o, unsigned depth, struct sl_buffer *out) {
    struct sl_buffer text;
    sl_buffer_init(&text, out->max);
    describe(o, &text);
    comment(out, depth, text.data);
    sl_buffer_release(&text);

    const char *quote = is_quoted(o->type) ? "\"" : "";
    indent(out, depth);
    sl_buffer_printf(out, "%s%s %s%s%s\n\n", (o->flags & SL_OPTION_EXAMPLE) != 0 ? "" : "#",
                     o->name, quote, sample(o), quote);
}

static void conf_block(const struct sl_option_block *block, unsigned depth, struct sl_buffer *out) {
    comment(out, depth, block->help);
    indent(out, depth);
    if (block->label != NULL)
        sl_buffer_printf(out, "<%s \"%s\">\n", block->name, block->example);
    else
        sl_buffer_printf(out, "<%s%s>\n", depth == 0 ? "Plugin " : "", block->name);
    for (const struct sl_option *o = block->options; o != NULL && o->name != NULL; o++)
        conf_option(o, depth + 1, out);
    for (size_t i = 0; block->blocks != NULL && block->blocks[i] != NULL; i++)
        conf_block(block->blocks[i], depth + 1, out);
    indent(out, depth);
    sl_buffer_printf(out, "</%s>\n", depth == 0 ? "Plugin" : block->name);
}

void sl_option_print_conf(const struct sl_option_block *plugin, struct sl_buffer *out) {
    sl_buffer_printf(out, "LoadPlugin %s\n\n", plugin->name);
    conf_block(plugin, 0, out);
}

/* roff: a backslash, and a dot or a quote at the start of a line, mean something else there. */
static void man_text(struct sl_buffer *out, const char *text) {
    if (*text == '.' || *text == '\'')
        sl_buffer_puts(out, "\\&");
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            sl_buffer_puts(out, "\\e");
        else if (*text == '-')
            sl_buffer_puts(out, "\\-");
        else
            sl_buffer_putc(out, *text);
    }
}

static void man_option(const struct sl_option *o, struct sl_buffer *out) {
    static const char *const words[] = {
        [SL_OPTION_STRING] = "string",
        [SL_OPTION_PATH] = "path",
        [SL_OPTION_URL] = "URL",
        [SL_OPTION_SECRET] = "string",
        [SL_OPTION_INTEGER] = "integer",
        [SL_OPTION_NUMBER] = "number",
        [SL_OPTION_BOOLEAN] = "true|false",
        [SL_OPTION_SECONDS] = "seconds",
        [SL_OPTION_CHOICE] = "choice",
        [SL_OPTION_LIST] = "string",
    };
    struct sl_buffer text;
    sl_buffer_init(&text, out->max);
    describe(o, &text);
    sl_buffer_printf(out, ".TP\n\\fB%s\\fR \\fI%s\\fR\n", o->name, words[o->type]);
    man_text(out, text.data);
    sl_buffer_putc(out, '\n');
    sl_buffer_release(&text);
}

static void man_block(const struct sl_option_block *block, unsigned depth, struct sl_buffer *out) {
    if (depth > 0 && block->label != NULL)
        sl_buffer_printf(out, ".SS <%s \"%s\">\n", block->name, block->label);
    else if (depth > 0)
        sl_buffer_printf(out, ".SS <%s>\n", block->name);
    man_text(out, block->help);
    sl_buffer_putc(out, '\n');
    for (const struct sl_option *o = block->options; o != NULL && o->name != NULL; o++)
        man_option(o, out);
    for (size_t i = 0; block->blocks != NULL && block->blocks[i] != NULL; i++)
        man_block(block->blocks[i], depth + 1, out);
}

void sl_option_print_man(const struct sl_option_block *plugin, struct sl_buffer *out) {
    man_block(plugin, 0, out);
}
