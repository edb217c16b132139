/* A parser of collectd's configuration syntax: a scanner with one character of look-ahead, and
 * blocks by recursion. */
#include "base/config_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_parser.h"
#include "base/limits.h"

struct scanner {
    const char *at;
    const char *end;
    const char *name;
    unsigned line;
    size_t items;
    struct sl_buffer word; /* of the value that is being read */
};

static int complain(const struct scanner *s, struct sl_error *err, const char *format, ...)
    SL_PRINTF(3, 4);

static int complain(const struct scanner *s, struct sl_error *err, const char *format, ...) {
    char text[SL_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return sl_fail(err, SL_CONFIG, "%s:%u: %s", s->name, s->line, text);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\b' || c == '\r';
}

static bool is_at_end(const struct scanner *s) {
    return s->at >= s->end;
}

/* Over blanks and continued lines, not over the end of a line. */
static void skip_blanks(struct scanner *s) {
    while (!is_at_end(s)) {
        size_t left = (size_t)(s->end - s->at);
        if (is_blank(*s->at)) {
            s->at++;
        } else if (left >= 2 && s->at[0] == '\\' && s->at[1] == '\n') {
            s->at += 2;
            s->line++;
        } else if (left >= 3 && memcmp(s->at, "\\\r\n", 3) == 0) {
            s->at += 3;
            s->line++;
        } else {
            return;
        }
    }
}

/* Over everything that is between two items. */
static void skip_lines(struct scanner *s) {
    for (;;) {
        skip_blanks(s);
        if (!is_at_end(s) && *s->at == '#')
            while (!is_at_end(s) && *s->at != '\n')
                s->at++;
        if (is_at_end(s) || *s->at != '\n')
            return;
        s->at++;
        s->line++;
    }
}

static bool is_end_of_values(const struct scanner *s) {
    return is_at_end(s) || *s->at == '\n' || *s->at == '#' || *s->at == '>';
}

static int check_word(struct scanner *s, const char *what, struct sl_error *err) {
    if (s->word.failed == SL_NOMEM)
        return sl_fail(err, SL_NOMEM, "out of memory while reading %s", s->name);
    if (s->word.failed != SL_OK)
        return complain(s, err, "%s is too long", what);
    if (memchr(s->word.data, '\0', s->word.len) != NULL)
        return complain(s, err, "%s holds a zero byte", what);
    return SL_OK;
}

static int scan_quoted(struct scanner *s, struct sl_error *err) {
    unsigned first = s->line;
    sl_buffer_reset(&s->word);
    for (s->at++; !is_at_end(s) && *s->at != '"'; s->at++) {
        if (*s->at == '\n')
            s->line++;
        if (*s->at == '\\' && s->at + 1 < s->end) {
            s->at++;
            if (*s->at == '\n') { /* the string goes on in the next line */
                s->line++;
                continue;
            }
        }
        sl_buffer_putc(&s->word, *s->at);
    }
    if (is_at_end(s)) {
        s->line = first;
        return complain(s, err, "a string begins with a quote and does not end");
    }
    s->at++;
    return check_word(s, "a string", err);
}

static bool is_word_character(char c) {
    return !is_blank(c) && c != '\n' && c != '#' && c != '>' && c != '<' && c != '"' && c != '\0';
}

static int scan_word(struct scanner *s, const char *what, struct sl_error *err) {
    sl_buffer_reset(&s->word);
    while (!is_at_end(s) && is_word_character(*s->at))
        sl_buffer_putc(&s->word, *s->at++);
    if (s->word.len == 0)
        return complain(s, err, "expected %s", what);
    return check_word(s, what, err);
}

/* 0x1f, 017, -5, +5, .5, 1e3: what collectd's scanner takes for a number. */
static bool parse_number(const char *word, double *ret) {
    const char *digits = word + (*word == '+' || *word == '-');
    bool is_hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') && digits[2] != '\0';
    bool is_octal =
        digits[0] == '0' && digits[1] != '\0' && strspn(digits, "01234567") == strlen(digits);
    if (is_hex || is_octal) {
        char *end;
        *ret = (double)strtoull(digits, &end, is_hex ? 16 : 8);
        *ret = *word == '-' ? -*ret : *ret;
        return *end == '\0';
    }
    char with_zero[64];
    if (*digits == '.' && strlen(digits) + 3 < sizeof(with_zero)) { /* JSON has no .5 */
        with_zero[0] = '-';
        with_zero[1] = '0';
        memcpy(with_zero + 2, digits, strlen(digits) + 1);
        word = *word == '-' ? with_zero : with_zero + 1;
    } else if (*word == '+') {
        word++;
    }
    return sl_json_to_double(word, strlen(word), ret, NULL) == SL_OK;
}

static int add_word(const char *word, struct sl_config_item *item, struct sl_error *err) {
    static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
    double number;
    for (size_t i = 0; i < 3; i++)
        if (strcasecmp(word, yes[i]) == 0 || strcasecmp(word, no[i]) == 0)
            return sl_config_add_boolean(item, strcasecmp(word, yes[i]) == 0, err);
    if (parse_number(word, &number))
        return sl_config_add_number(item, number, err);
    return sl_config_add_string(item, word, err);
}

static int parse_values(struct scanner *s, struct sl_config_item *item, struct sl_error *err) {
    int code = SL_OK;
    for (skip_blanks(s); code == SL_OK && !is_end_of_values(s); skip_blanks(s)) {
        if (*s->at == '"') {
            code = scan_quoted(s, err);
            if (code == SL_OK)
                code = sl_config_add_string(item, s->word.data, err);
        } else {
            code = scan_word(s, "a value", err);
            if (code == SL_OK)
                code = add_word(s->word.data, item, err);
        }
    }
    return code;
}

static int parse_items(struct scanner *s, struct sl_config_item *parent, unsigned depth,
                       struct sl_error *err);

/* After "<Key": the values, '>', what is inside, and "</Key>". */
static int parse_block(struct scanner *s, struct sl_config_item *item, unsigned depth,
                       struct sl_error *err) {
    unsigned first = s->line;
    int code = parse_values(s, item, err);
    if (code != SL_OK)
        return code;
    if (is_at_end(s) || *s->at != '>')
        return complain(s, err, "<%s has no >", item->key);
    s->at++;
    code = parse_items(s, item, depth + 1, err);
    if (code != SL_OK)
        return code;
    if (is_at_end(s)) {
        s->line = first;
        return complain(s, err, "<%s> has no </%s>", item->key, item->key);
    }
    s->at += strlen("</");
    skip_blanks(s);
    code = scan_word(s, "the name of a block", err);
    if (code != SL_OK)
        return code;
    skip_blanks(s);
    if (strcmp(s->word.data, item->key) != 0)
        return complain(s, err, "</%s> where <%s> of line %u ends", s->word.data, item->key, first);
    if (is_at_end(s) || *s->at != '>')
        return complain(s, err, "</%s has no >", item->key);
    s->at++;
    return SL_OK;
}

static int parse_item(struct scanner *s, struct sl_config_item *parent, unsigned depth,
                      struct sl_error *err) {
    bool is_block = *s->at == '<';
    struct sl_config_item *item;
    if (is_block) {
        s->at++;
        skip_blanks(s);
    }
    int code = scan_word(s, is_block ? "the name of a block" : "the name of an option", err);
    if (code != SL_OK)
        return code;
    if (++s->items > SL_CONFIG_MAX_ITEMS)
        return complain(s, err, "more than %d options", SL_CONFIG_MAX_ITEMS);
    if (depth > SL_CONFIG_MAX_DEPTH)
        return complain(s, err, "blocks are nested deeper than %d", SL_CONFIG_MAX_DEPTH);
    code = sl_config_add_child(parent, s->word.data, &item, err);
    if (code != SL_OK)
        return code;
    code = is_block ? parse_block(s, item, depth, err) : parse_values(s, item, err);
    if (code != SL_OK)
        return code;
    skip_blanks(s);
    if (!is_at_end(s) && *s->at != '\n' && *s->at != '#')
        return complain(s, err, "expected the end of the line after %s", item->key);
    if (!is_block && item->value_count == 0)
        return complain(s, err, "%s has no value", item->key);
    return SL_OK;
}

/* Until the end, or "</" where depth is not 0. */
static int parse_items(struct scanner *s, struct sl_config_item *parent, unsigned depth,
                       struct sl_error *err) {
    for (;;) {
        skip_lines(s);
        if (is_at_end(s))
            return SL_OK;
        if (*s->at == '<' && s->at + 1 < s->end && s->at[1] == '/')
            return depth > 0 ? SL_OK : complain(s, err, "a block ends here that has not begun");
        int code = parse_item(s, parent, depth, err);
        if (code != SL_OK)
            return code;
    }
}

int sl_config_parse(const char *text, size_t len, const char *name, struct sl_config_item *root,
                    struct sl_error *err) {
    struct scanner s = {.at = text, .end = text + len, .name = name, .line = 1};
    sl_buffer_init(&s.word, SL_LIMIT_JSON_STRING_BYTES);
    int code = parse_items(&s, root, 0, err);
    sl_buffer_release(&s.word);
    return code;
}
