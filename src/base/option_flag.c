/* Option tables on a command line: CamelCase becomes --lower-case-with-dashes, and a table prints
 * its part of --help. */
#include "base/option.h"

#include <stdio.h>
#include <string.h>

enum { HELP_WIDTH = 79, HELP_INDENT = 8 };

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static char lower(char c) {
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* A word begins where a capital follows a small letter, and where one that a small letter follows
 * ends a row of capitals: API|Key|ID. */
static bool begins_word(const char *name, size_t i) {
    return i > 0 && is_upper(name[i]) &&
           (!is_upper(name[i - 1]) || (name[i + 1] != '\0' && !is_upper(name[i + 1])));
}

void sl_option_flag(const struct sl_option *option, const char *prefix, char *out) {
    size_t at = 0;
    if (prefix != NULL)
        at = (size_t)snprintf(out, SL_OPTION_FLAG_BYTES, "%s-", prefix);
    for (size_t i = 0; option->name[i] != '\0' && at + 3 < SL_OPTION_FLAG_BYTES; i++) {
        if (begins_word(option->name, i))
            out[at++] = '-';
        out[at++] = lower(option->name[i]);
    }
    out[at] = '\0';
}

static bool same_flag(const char *flag, const char *typed, size_t len) {
    const char *end = typed + len;
    for (;;) {
        while (*flag == '-')
            flag++;
        while (typed < end && *typed == '-')
            typed++;
        if (*flag == '\0' || typed == end)
            return *flag == '\0' && typed == end;
        if (*flag++ != lower(*typed++))
            return false;
    }
}

const struct sl_option *sl_option_find_flag(const struct sl_option *table, const char *prefix,
                                            const char *flag, size_t len) {
    for (const struct sl_option *o = table; o != NULL && o->name != NULL; o++) {
        char own[SL_OPTION_FLAG_BYTES];
        sl_option_flag(o, prefix, own);
        if (same_flag(own, flag, len))
            return o;
    }
    return NULL;
}

/* ---- --help ---- */

static void put_value_name(const struct sl_option *o, struct sl_buffer *out) {
    static const char *const words[] = {
        [SL_OPTION_STRING] = "TEXT",    [SL_OPTION_PATH] = "FILE",
        [SL_OPTION_URL] = "URL",        [SL_OPTION_SECRET] = "SECRET",
        [SL_OPTION_INTEGER] = "NUMBER", [SL_OPTION_NUMBER] = "NUMBER",
        [SL_OPTION_LIST] = "TEXT",      [SL_OPTION_SECONDS] = "SECONDS",
    };
    if (o->type == SL_OPTION_BOOLEAN) {
        if (o->fallback != NULL && strcmp(o->fallback, "true") == 0)
            sl_buffer_puts(out, "=false");
    } else if (o->type == SL_OPTION_CHOICE) {
        for (size_t i = 0; o->choices[i] != NULL; i++)
            sl_buffer_printf(out, "%c%s", i == 0 ? ' ' : '|', o->choices[i]);
    } else {
        sl_buffer_printf(out, " %s", words[o->type]);
    }
}

static void put_wrapped(struct sl_buffer *out, const char *text) {
    size_t column = 0;
    text += strspn(text, " ");
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > HELP_WIDTH) {
            sl_buffer_putc(out, '\n');
            column = 0;
        }
        if (column == 0) {
            sl_buffer_printf(out, "%*s", HELP_INDENT, "");
            column = HELP_INDENT;
        } else {
            sl_buffer_putc(out, ' ');
            column++;
        }
        sl_buffer_append(out, text, word);
        column += word;
        text += word + strspn(text + word, " ");
    }
    sl_buffer_putc(out, '\n');
}

void sl_option_print_help(const struct sl_option *table, const char *prefix,
                          struct sl_buffer *out) {
    for (const struct sl_option *o = table; o != NULL && o->name != NULL; o++) {
        char flag[SL_OPTION_FLAG_BYTES];
        struct sl_buffer text;
        if (o->type == SL_OPTION_SECRET) /* never in argv */
            continue;
        sl_option_flag(o, prefix, flag);
        sl_buffer_init(&text, out->max);
        sl_buffer_puts(&text, o->help);
        sl_option_print_facts(o, &text);
        sl_buffer_printf(out, "  --%s", flag);
        put_value_name(o, out);
        sl_buffer_putc(out, '\n');
        put_wrapped(out, text.data);
        sl_buffer_release(&text);
    }
}
