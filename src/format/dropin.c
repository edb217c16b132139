/* Reads the commands of a Telegraf configuration. */
#include "format/dropin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const sl_dropin_setting_names[SL_DROPIN_SETTINGS] = {
    [SL_DROPIN_TIMEOUT] = "timeout",
    [SL_DROPIN_INTERVAL] = "interval",
    [SL_DROPIN_DATA_FORMAT] = "data_format",
    [SL_DROPIN_NAME_OVERRIDE] = "name_override",
    [SL_DROPIN_NAME_PREFIX] = "name_prefix",
    [SL_DROPIN_NAME_SUFFIX] = "name_suffix",
    [SL_DROPIN_SIGNAL] = "signal",
    [SL_DROPIN_RESTART_DELAY] = "restart_delay",
    [SL_DROPIN_USE_BATCH_FORMAT] = "use_batch_format",
};

struct reader {
    const char *at;
    const char *end;
    size_t line;
    struct sl_dropin *out;
    struct sl_dropin_block *block; /* NULL: in none of those that run programs */
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
    c->block = (size_t)(r->block - r->out->blocks);
    return c;
}

static int too_many(const struct reader *r) {
    return sl_fail(r->err, SL_TOOBIG, "line %zu: more than %d commands, or %d words in one",
                   r->line, (int)SL_DROPIN_COMMANDS, (int)SL_DROPIN_WORDS);
}

static int add_word(const struct reader *r, char **words, size_t *count, const char *word,
                    size_t len) {
    if (*count == SL_DROPIN_WORDS)
        return too_many(r);
    words[*count] = strndup(word, len);
    if (words[*count] == NULL)
        return sl_fail(r->err, SL_NOMEM, "out of memory");
    (*count)++;
    return SL_OK;
}

/* One string with all words of a command, as by a shell: blanks part, quotes keep together. */
static int add_line(struct reader *r, const char *text) {
    struct sl_dropin_command *c = new_command(r);
    char word[SL_DROPIN_WORD_BYTES];
    int code = c != NULL ? SL_OK : too_many(r);
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
        code = add_word(r, c->words, &c->count, word, len);
    }
    return code;
}

/* A list of words. The opening bracket has been seen. */
static int read_words(struct reader *r, char **words, size_t *count) {
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
            return fail(r, "a word of a list that is no string");
        int code = read_string(r, word);
        if (code == SL_OK)
            code = add_word(r, words, count, word, strlen(word));
        if (code != SL_OK)
            return code;
    }
}

static int read_list(struct reader *r) {
    struct sl_dropin_command *c = new_command(r);
    return c != NULL ? read_words(r, c->words, &c->count) : too_many(r);
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
            code = read_list(r);
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
    return is_plural ? read_commands(r) : read_list(r);
}

/* After "environment =". A second one would be an error of Telegraf's; here it goes on. */
static int read_environment(struct reader *r) {
    skip_space(r, false);
    if (peek(r) != '[')
        return fail(r, "environment is a list of strings: [\"NAME=VALUE\"]");
    step(r);
    return read_words(r, r->block->environment, &r->block->environment_count);
}

/* A string, or a word without quotes: a number, true, false. */
static int read_setting(struct reader *r, enum sl_dropin_setting which) {
    char word[SL_DROPIN_WORD_BYTES];
    size_t len = 0;
    skip_space(r, false);
    if (peek(r) == '"' || peek(r) == '\'') {
        int code = read_string(r, word);
        if (code != SL_OK)
            return code;
    } else {
        while (r->at < r->end && strchr(" \t\r\n#", *r->at) == NULL && len + 1 < sizeof(word)) {
            word[len++] = *r->at;
            step(r);
        }
        word[len] = '\0';
    }
    free(r->block->settings[which]);
    r->block->settings[which] = strdup(word);
    return r->block->settings[which] != NULL ? SL_OK : sl_fail(r->err, SL_NOMEM, "out of memory");
}

static int read_table(struct reader *r) {
    static const char *const known[] = {"inputs.execd", "inputs.exec", "outputs.execd",
                                        "outputs.exec"};
    while (peek(r) == '[' || peek(r) == ' ')
        step(r);
    size_t left = (size_t)(r->end - r->at);
    r->block = NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t len = strlen(known[i]);
        if (left <= len || memcmp(r->at, known[i], len) != 0 ||
            (r->at[len] != ']' && r->at[len] != ' '))
            continue;
        if (r->out->block_count == SL_DROPIN_BLOCKS)
            return sl_fail(r->err, SL_TOOBIG, "line %zu: more than %d tables that run programs",
                           r->line, (int)SL_DROPIN_BLOCKS);
        r->block = &r->out->blocks[r->out->block_count++];
        memcpy(r->block->table, known[i], len + 1);
        break;
    }
    return SL_OK;
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

/* A line of a table that runs programs. */
static int read_key(struct reader *r) {
    bool is_plural = take_key(r, "commands");
    if (is_plural || take_key(r, "command"))
        return read_value(r, is_plural);
    if (take_key(r, "environment"))
        return read_environment(r);
    for (int i = 0; i < SL_DROPIN_SETTINGS; i++)
        if (take_key(r, sl_dropin_setting_names[i]))
            return read_setting(r, (enum sl_dropin_setting)i);
    return SL_OK;
}

int sl_dropin_parse(const char *text, size_t len, struct sl_dropin *ret, struct sl_error *err) {
    struct reader r = {.at = text, .end = text + len, .line = 1, .out = ret, .err = err};
    int code = SL_OK;
    memset(ret, 0, sizeof(*ret));
    while (code == SL_OK && r.at < r.end) {
        skip_space(&r, true);
        if (peek(&r) == '[')
            code = read_table(&r);
        else if (r.block != NULL)
            code = read_key(&r);
        skip_line(&r);
    }
    return code;
}

void sl_dropin_release(struct sl_dropin *dropin) {
    for (size_t i = 0; i < dropin->count; i++)
        for (size_t j = 0; j < dropin->commands[i].count; j++)
            free(dropin->commands[i].words[j]);
    for (size_t i = 0; i < dropin->block_count; i++) {
        struct sl_dropin_block *b = &dropin->blocks[i];
        for (size_t j = 0; j < b->environment_count; j++)
            free(b->environment[j]);
        for (size_t j = 0; j < SL_DROPIN_SETTINGS; j++)
            free(b->settings[j]);
    }
    dropin->count = dropin->block_count = 0;
}

bool sl_dropin_duration(const char *text, int64_t *ret_ms) {
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1},   {"s", 1e3},
                 {"m", 6e4},   {"h", 36e5},  {"d", 864e5}};
    double total_ms = 0;
    const char *at = text;
    while (*at != '\0') {
        char *end = NULL;
        double number = strtod(at, &end);
        size_t len = strcspn(end, "0123456789.");
        size_t i = 0;
        if (end == at || !(number >= 0) || (*end == '\0' && at != text))
            return false;
        while (i < sizeof(units) / sizeof(units[0]) &&
               (strlen(units[i].unit) != len || memcmp(units[i].unit, end, len) != 0))
            i++;
        if (len > 0 && i == sizeof(units) / sizeof(units[0]))
            return false;
        total_ms += number * (len > 0 ? units[i].ms : 1e3);
        at = end + len;
    }
    if (at == text || !(total_ms <= 1e12))
        return false;
    *ret_ms = llround(total_ms);
    return true;
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
