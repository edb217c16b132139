/* What an option table says of itself: example files and manual pages. Only what the row holds is
 * said, so an example is always accepted by the parser and a manual never lies about a default. */
#include "base/option.h"

#include <string.h>

/* In the manual there is markup on top of the words. */
enum { WRAP_COLUMN = 79, MAN_WRAP_COLUMN = 66 };

/* ---- facts: what a row says beside its help ---- */

static bool is_quoted(enum sl_option_type type) {
    return type != SL_OPTION_INTEGER && type != SL_OPTION_NUMBER && type != SL_OPTION_BOOLEAN &&
           type != SL_OPTION_SECONDS;
}

/* "10 workers", "1 worker"; a default below zero is a sign, not a quantity. */
static void put_default(const struct sl_option *o, struct sl_buffer *text) {
    const char *quote = is_quoted(o->type) ? "\"" : "";
    sl_buffer_printf(text, " Default: %s%s%s", quote, o->fallback, quote);
    if (o->unit != NULL && o->fallback[0] != '-') {
        size_t len = strlen(o->unit);
        bool is_plural = len > 2 && o->unit[len - 1] == 's';
        if (is_plural && strcmp(o->fallback, "1") == 0)
            len--;
        sl_buffer_printf(text, " %.*s", (int)len, o->unit);
    }
    sl_buffer_putc(text, '.');
}

static void put_range(const struct sl_option *o, struct sl_buffer *text) {
    const char *unit = o->unit != NULL ? o->unit : "";
    const char *blank = o->unit != NULL ? " " : "";
    if (o->min != 0 || o->max != 0)
        sl_buffer_printf(text, " Range: %.15g to %.15g%s%s.", o->min, o->max, blank, unit);
    else if (o->fallback == NULL && o->unit != NULL)
        sl_buffer_printf(text, " Unit: %s.", o->unit);
}

void sl_option_print_facts(const struct sl_option *o, struct sl_buffer *text) {
    if (o->fallback != NULL)
        put_default(o, text);
    else
        sl_buffer_puts(text, (o->flags & SL_OPTION_REQUIRED) != 0 ? " Required." : " Optional.");
    put_range(o, text);
    if (o->type == SL_OPTION_LIST)
        sl_buffer_puts(text, " May be given several times.");
}

/* ---- the example file ---- */

/* Where a line begins. What is commented out has its '#' in the column of the outermost block or
 * option that is: removing one column of them switches all of it on. */
struct margin {
    unsigned depth;
    unsigned off; /* the depth from which on lines are commented out */
};

enum { NEVER_OFF = 1000 };

static void put_margin(struct sl_buffer *out, struct margin at) {
    for (unsigned i = 0; i < at.depth; i++)
        sl_buffer_puts(out, i == at.off ? "#  " : "  ");
    if (at.depth == at.off)
        sl_buffer_putc(out, '#');
}

static void put_empty_line(struct sl_buffer *out, struct margin at) {
    if (at.off < at.depth)
        put_margin(out, (struct margin){at.off, at.off});
    sl_buffer_putc(out, '\n');
}

static void put_comment(struct sl_buffer *out, struct margin at, const char *text) {
    size_t start = 2 * (size_t)at.depth + (at.off <= at.depth ? 2 : 1);
    size_t column = 0;
    text += strspn(text, " ");
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > start && column + 1 + word > WRAP_COLUMN) {
            sl_buffer_putc(out, '\n');
            column = 0;
        }
        if (column == 0) {
            put_margin(out, at);
            sl_buffer_putc(out, '#');
            column = start;
        }
        sl_buffer_putc(out, ' ');
        sl_buffer_append(out, text, word);
        column += word + 1;
        text += word + strspn(text + word, " ");
    }
    sl_buffer_putc(out, '\n');
}

static void put_conf_facts(const struct sl_option *o, struct margin at, struct sl_buffer *out) {
    struct sl_buffer text;
    sl_buffer_init(&text, out->max);
    for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++)
        sl_buffer_printf(&text, "%s \"%s\"", i == 0 ? "One of:" : ",", o->choices[i]);
    if (o->choices != NULL)
        sl_buffer_putc(&text, '.');
    sl_option_print_facts(o, &text);
    put_comment(out, at, text.data);
    sl_buffer_release(&text);
}

/* collectd takes a string in quotes, with a backslash before a quote or a backslash. */
void sl_option_print_value(const struct sl_option *o, const char *value, struct sl_buffer *out) {
    if (!is_quoted(o->type)) {
        sl_buffer_puts(out, value);
        return;
    }
    sl_buffer_putc(out, '"');
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            sl_buffer_putc(out, '\\');
        sl_buffer_putc(out, *value);
    }
    sl_buffer_putc(out, '"');
}

/* What stands in the file: an example where the option is on, the default where it is not. */
static const char *sample(const struct sl_option *o, bool is_on) {
    const char *first = is_on ? o->example : o->fallback;
    const char *second = is_on ? o->fallback : o->example;
    if (first != NULL || second != NULL)
        return first != NULL ? first : second;
    return o->choices != NULL ? o->choices[0] : is_quoted(o->type) ? "..." : "0";
}

static void put_conf_option(const struct sl_option *o, struct margin at, struct sl_buffer *out) {
    /* In a block that is commented out the options with an example are those that make it one. */
    bool is_on = at.off < at.depth ? o->example != NULL : (o->flags & SL_OPTION_EXAMPLE) != 0;
    put_comment(out, at, o->help);
    put_conf_facts(o, at, out);
    put_margin(out, is_on || at.off < at.depth ? at : (struct margin){at.depth, at.depth});
    if (!is_on && at.off < at.depth)
        sl_buffer_putc(out, '#');
    sl_buffer_printf(out, "%s ", o->name);
    sl_option_print_value(o, sample(o, is_on), out);
    sl_buffer_putc(out, '\n');
}

/* Is there anything in it that stands uncommented? */
static bool is_example(const struct sl_option_block *block) {
    for (const struct sl_option *o = block->options; o != NULL && o->name != NULL; o++)
        if ((o->flags & SL_OPTION_EXAMPLE) != 0)
            return true;
    for (size_t i = 0; block->blocks != NULL && block->blocks[i] != NULL; i++)
        if (is_example(block->blocks[i]))
            return true;
    return false;
}

static void put_conf_block(const struct sl_option_block *block, struct margin at,
                           struct sl_buffer *out) {
    put_comment(out, at, block->help);
    if (at.depth > 0 && at.off == NEVER_OFF && !is_example(block))
        at.off = at.depth;
    put_margin(out, at);
    sl_buffer_printf(out, "<%s%s", at.depth == 0 ? "Plugin " : "", block->name);
    if (block->label != NULL)
        sl_buffer_printf(out, " \"%s\"", block->example);
    sl_buffer_puts(out, ">\n");

    struct margin inner = {at.depth + 1, at.off};
    bool is_first = true;
    for (const struct sl_option *o = block->options; o != NULL && o->name != NULL; o++) {
        if (!is_first)
            put_empty_line(out, inner);
        put_conf_option(o, inner, out);
        is_first = false;
    }
    for (size_t i = 0; block->blocks != NULL && block->blocks[i] != NULL; i++) {
        if (!is_first)
            put_empty_line(out, inner);
        put_conf_block(block->blocks[i], inner, out);
        is_first = false;
    }
    put_margin(out, at);
    sl_buffer_printf(out, "</%s>\n", at.depth == 0 ? "Plugin" : block->name);
}

void sl_option_print_conf(const struct sl_option_block *plugin, struct sl_buffer *out) {
    static const struct margin top = {0, NEVER_OFF};
    struct sl_buffer text;
    sl_buffer_init(&text, out->max);
    sl_buffer_printf(&text,
                     "Example configuration of the collectd plugin %s, with every option. One that "
                     "is commented out shows its default, or an example where it has none. The "
                     "manual is collectd-%s(5).",
                     plugin->name, plugin->name);
    put_comment(out, top, text.data);
    sl_buffer_release(&text);
    sl_buffer_printf(out, "\nLoadPlugin %s\n\n", plugin->name);
    put_conf_block(plugin, top, out);
}

/* ---- the manual ---- */

void sl_option_put_roff(struct sl_buffer *out, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '\\':
            sl_buffer_puts(out, "\\e");
            break;
        case '-':
            sl_buffer_puts(out, "\\-");
            break;
        case '^':
            sl_buffer_puts(out, "\\(ha");
            break;
        case '~':
            sl_buffer_puts(out, "\\(ti");
            break;
        case '`':
            sl_buffer_puts(out, "\\(ga");
            break;
        default:
            sl_buffer_putc(out, text[i]);
            break;
        }
    }
}

/* Is this word, of two capitals at least, the name of an option? "User" is a word as well. */
static bool is_name(const struct sl_option_block *block, const char *word, size_t len) {
    size_t capitals = 0;
    for (size_t i = 0; i < len; i++)
        capitals += word[i] >= 'A' && word[i] <= 'Z';
    if (capitals < 2 || capitals == len)
        return false;
    for (const struct sl_option *o = block->options; o != NULL && o->name != NULL; o++)
        if (strlen(o->name) == len && memcmp(o->name, word, len) == 0)
            return true;
    for (size_t i = 0; block->blocks != NULL && block->blocks[i] != NULL; i++)
        if (is_name(block->blocks[i], word, len))
            return true;
    return false;
}

static void put_man_word(struct sl_buffer *out, const struct sl_option_block *plugin,
                         const char *word, size_t len) {
    size_t core = len;
    while (core > 0 && strchr(".,:;)", word[core - 1]) != NULL)
        core--;
    if (is_name(plugin, word, core)) {
        sl_buffer_puts(out, "\\fB");
        sl_option_put_roff(out, word, core);
        sl_buffer_puts(out, "\\fR");
        sl_option_put_roff(out, word + core, len - core);
    } else {
        sl_option_put_roff(out, word, len);
    }
}

static bool ends_sentence(const char *word, size_t len) {
    return word[len - 1] == '.' && !(len == 4 && memcmp(word, "e.g.", 4) == 0);
}

/* Lines of text. roff wants each sentence to begin one, and takes a dot or a quote at the start of
 * a line for a command. */
static void put_man_text(struct sl_buffer *out, const struct sl_option_block *plugin,
                         const char *text) {
    size_t column = 0;
    text += strspn(text, " ");
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > MAN_WRAP_COLUMN) {
            sl_buffer_putc(out, '\n');
            column = 0;
        }
        if (column > 0)
            sl_buffer_putc(out, ' ');
        else if (*text == '.' || *text == '\'')
            sl_buffer_puts(out, "\\&");
        put_man_word(out, plugin, text, word);
        column = ends_sentence(text, word) ? MAN_WRAP_COLUMN : column + word + 1;
        text += word + strspn(text + word, " ");
    }
    sl_buffer_putc(out, '\n');
}

static void put_choices(const struct sl_option *o, struct sl_buffer *out) {
    for (size_t i = 0; o->choices[i] != NULL; i++) {
        sl_buffer_puts(out, i > 0 ? "|\\:\"\\fB" : "\"\\fB");
        sl_option_put_roff(out, o->choices[i], strlen(o->choices[i]));
        sl_buffer_puts(out, "\\fR\"");
    }
}

/* What is to be typed after the name. */
static void put_man_value(const struct sl_option *o, struct sl_buffer *out) {
    static const char *const words[] = {
        [SL_OPTION_STRING] = "string", [SL_OPTION_PATH] = "file",   [SL_OPTION_URL] = "url",
        [SL_OPTION_SECRET] = "string", [SL_OPTION_LIST] = "string", [SL_OPTION_SECONDS] = "seconds",
    };
    if (o->type == SL_OPTION_CHOICE)
        put_choices(o, out);
    else if (o->type == SL_OPTION_BOOLEAN)
        sl_buffer_puts(out, "\\fBtrue\\fR|\\fBfalse\\fR");
    else if (is_quoted(o->type))
        sl_buffer_printf(out, "\"\\fI%s\\fR\"", words[o->type]);
    else if (o->type == SL_OPTION_SECONDS || o->unit == NULL)
        sl_buffer_printf(out, "\\fI%s\\fR", o->unit != NULL ? words[o->type] : "number");
    else
        sl_buffer_printf(out, "\\fI%s\\fR", strcmp(o->unit, "ms") == 0 ? "milliseconds" : o->unit);
}

static void put_man_option(const struct sl_option_block *plugin, const struct sl_option *o,
                           struct sl_buffer *out) {
    struct sl_buffer facts;
    sl_buffer_init(&facts, out->max);
    sl_option_print_facts(o, &facts);
    sl_buffer_printf(out, ".TP\n\\fB%s\\fR ", o->name);
    put_man_value(o, out);
    sl_buffer_putc(out, '\n');
    put_man_text(out, plugin, o->help);
    sl_buffer_puts(out, ".br\n");
    put_man_text(out, plugin, facts.data);
    sl_buffer_release(&facts);
}

static void put_man_block(const struct sl_option_block *plugin, const struct sl_option_block *outer,
                          const struct sl_option_block *block, struct sl_buffer *out) {
    if (block != plugin) {
        sl_buffer_printf(out, ".SS \"<%s", block->name);
        if (block->label != NULL)
            sl_buffer_printf(out, " \\(dq%s\\(dq", block->label);
        sl_buffer_puts(out, ">");
        if (outer != plugin)
            sl_buffer_printf(out, " in <%s>", outer->name);
        sl_buffer_puts(out, "\"\n");
        put_man_text(out, plugin, block->help);
    } else if (block->options != NULL) {
        sl_buffer_printf(out, ".SS \"<Plugin %s>\"\n", block->name);
    }
    for (const struct sl_option *o = block->options; o != NULL && o->name != NULL; o++)
        put_man_option(plugin, o, out);
    for (size_t i = 0; block->blocks != NULL && block->blocks[i] != NULL; i++)
        put_man_block(plugin, block, block->blocks[i], out);
}

void sl_option_print_man(const struct sl_option_block *plugin, struct sl_buffer *out) {
    put_man_block(plugin, NULL, plugin, out);
}
