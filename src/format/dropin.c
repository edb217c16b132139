/* Reads the commands of a Telegraf configuration. */
#include "format/dropin.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    const char *at;
    const char *end;
    size_t line;
    struct sl_dropin *out;
    char table[32]; /* "": none of those that run programs */
    struct sl_error *err;
};

static int fail(const struct reader *r, const char *what) {
    return sl_fail(r->err, SL_PARSE, "line %zu: %s", r->line, what);
}

static char peek(const struct reader *r) {
    return r->at < r->end ? *r->at : '\0';
}

static void step(struct reader *r) {
    r->line += *r->at == '\n';
    r->at++;
}

static void skip_line(struct reader *r) {
    while (r->at < r->end && *r->at != '\n')
        r->at++;
}

/* White space; with newlines and comments where an array goes on. */
static void skip_space(struct reader *r, bool with_lines) {
    while (r->at < r->end) {
        if (*r->at == '#' && with_lines)
            skip_line(r);
        else if (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' ||
                 (*r->at == '\n' && with_lines))
            step(r);
        else
            return;
    }
}

/* A string in double or single quotes; other values end at a comma or bracket and are not kept. */
static int read_string(struct reader *r, char word[SL_DROPIN_WORD_BYTES]) {
    char quote = *r->at;
    size_t len = 0;
    step(r);
    while (peek(r) != quote) {
        if (r->at >= r->end || *r->at == '\n')
            return fail(r, "a string without its end");
        if (*r->at == '\\' && quote == '"' && r->at + 1 < r->end)
            step(r);
        if (len + 1 >= SL_DROPIN_WORD_BYTES)
            return fail(r, "a string that is too long");
        word[len++] = *r->at;
        step(r);
    }
    step(r);
    word[len] = '\0';
    return SL_OK;
}

static struct sl_dropin_command *new_command(struct reader *r) {
    if (r->out->count == SL_DROPIN_COMMANDS)
        return NULL;
    struct sl_dropin_command *c = &r->out->commands[r->out->count++];
    memcpy(c->table, r->table, sizeof(c->table));
    return c;
}

static int too_many(const struct reader *r) {
    return sl_fail(r->err, SL_TOOBIG, "line %zu: more than %d commands, or %d words in one",
                   r->line, (int)SL_DROPIN_COMMANDS, (int)SL_DROPIN_WORDS);
}

static int add_word(const struct reader *r, struct sl_dropin_command *c, const char *word,
                    size_t len) {
    if (c == NULL || c->count == SL_DROPIN_WORDS)
        return too_many(r);
    c->words[c->count] = strndup(word, len);
    if (c->words[c->count] == NULL)
        return sl_fail(r->err, SL_NOMEM, "out of memory");
    c->count++;
    return SL_OK;
}

/* One string with all words of a command, as by a shell: blanks part, quotes keep together. */
static int add_line(struct reader *r, const char *text) {
    struct sl_dropin_command *c = new_command(r);
    char word[SL_DROPIN_WORD_BYTES];
    int code = SL_OK;
    while (code == SL_OK) {
        char quote = '\0';
        size_t len = 0;
        text += strspn(text, " \t");
        if (*text == '\0')
            return SL_OK;
        for (; *text != '\0' && (quote != '\0' || (*text != ' ' && *text != '\t')); text++) {
            if (quote == '\0' && (*text == '"' || *text == '\''))
                quote = *text;
            else if (*text == quote)
                quote = '\0';
            else
                word[len++] = *text; /* never longer than text, which has this limit */
        }
        code = add_word(r, c, word, len);
    }
    return code;
}

/* A list of words. The opening bracket has been seen. */
static int read_words(struct reader *r) {
    struct sl_dropin_command *c = new_command(r);
    char word[SL_DROPIN_WORD_BYTES];
    for (;;) {
        skip_space(r, true);
        char next = peek(r);
        if (next == ']' || next == ',') {
            step(r);
            if (next == ']')
                return SL_OK;
            continue;
        }
        if (next != '"' && next != '\'')
            return fail(r, "a word of a command that is no string");
        int code = read_string(r, word);
        if (code == SL_OK)
            code = add_word(r, c, word, strlen(word));
        if (code != SL_OK)
            return code;
    }
}

/* commands = ["a b", ["a", "b"]]: a command each. */
static int read_commands(struct reader *r) {
    char text[SL_DROPIN_WORD_BYTES];
    for (;;) {
        int code = SL_OK;
        skip_space(r, true);
        char next = peek(r);
        if (next == ']' || next == ',' || next == '[')
            step(r);
        if (next == ']')
            return SL_OK;
        if (next == '[')
            code = read_words(r);
        else if (next == '"' || next == '\'')
            code = read_string(r, text) == SL_OK ? add_line(r, text) : SL_PARSE;
        else if (next != ',')
            return fail(r, "a command that is neither a string nor a list");
        if (code != SL_OK)
            return code;
    }
}

/* After "command =" or "commands =". */
static int read_value(struct reader *r, bool is_plural) {
    char text[SL_DROPIN_WORD_BYTES];
    skip_space(r, false);
    char first = peek(r);
    if (first == '"' || first == '\'') {
        int code = read_string(r, text);
        return code == SL_OK ? add_line(r, text) : code;
    }
    if (first != '[')
        return fail(r, "a command that is neither a string nor a list");
    step(r);
    return is_plural ? read_commands(r) : read_words(r);
}

static void read_table(struct reader *r) {
    static const char *const known[] = {"inputs.execd", "inputs.exec", "outputs.execd",
                                        "outputs.exec"};
    while (peek(r) == '[' || peek(r) == ' ')
        step(r);
    size_t left = (size_t)(r->end - r->at);
    r->table[0] = '\0';
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t len = strlen(known[i]);
        if (left > len && memcmp(r->at, known[i], len) == 0 &&
            (r->at[len] == ']' || r->at[len] == ' ')) {
            memcpy(r->table, known[i], len + 1);
            return;
        }
    }
}

/* True if the line is "KEY = ..."; then what stands after it is next. */
static bool take_key(struct reader *r, const char *key) {
    size_t len = strlen(key);
    const char *at = r->at + len;
    if ((size_t)(r->end - r->at) <= len || memcmp(r->at, key, len) != 0)
        return false;
    while (at < r->end && (*at == ' ' || *at == '\t'))
        at++;
    if (at >= r->end || *at != '=')
        return false;
    r->at = at + 1;
    return true;
}

int sl_dropin_parse(const char *text, size_t len, struct sl_dropin *ret, struct sl_error *err) {
    struct reader r = {.at = text, .end = text + len, .line = 1, .out = ret, .err = err};
    int code = SL_OK;
    *ret = (struct sl_dropin){.count = 0};
    while (code == SL_OK && r.at < r.end) {
        skip_space(&r, true);
        bool is_plural = false;
        if (peek(&r) == '[')
            read_table(&r);
        else if (r.table[0] != '\0' &&
                 ((is_plural = take_key(&r, "commands")) || take_key(&r, "command")))
            code = read_value(&r, is_plural);
        skip_line(&r);
    }
    return code;
}

void sl_dropin_release(struct sl_dropin *dropin) {
    for (size_t i = 0; i < dropin->count; i++)
        for (size_t j = 0; j < dropin->commands[i].count; j++)
            free(dropin->commands[i].words[j]);
    dropin->count = 0;
}

/* collectd's blocks begin with '<'; a line of it never begins with "[[". */
bool sl_dropin_is_telegraf(const char *text, size_t len) {
    struct reader r = {.at = text, .end = text + len};
    while (r.at < r.end) {
        skip_space(&r, true);
        if (r.at < r.end && *r.at == '[')
            return true;
        if (r.at < r.end && *r.at == '<')
            return false;
        skip_line(&r);
    }
    return false;
}
