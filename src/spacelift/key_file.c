/* Looks for the secret line by line. */
#include "spacelift/key_file.h"

#include <string.h>

#include "base/limits.h"

struct line {
    const char *text;
    size_t len;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(struct line *l) {
    while (l->len > 0 && is_blank(l->text[0])) {
        l->text++;
        l->len--;
    }
    while (l->len > 0 && is_blank(l->text[l->len - 1]))
        l->len--;
}

/* The next line without white space around it; false at the end. */
static bool next_line(struct line *rest, struct line *ret) {
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->text, '\n', rest->len);
    size_t len = end != NULL ? (size_t)(end - rest->text) : rest->len;
    *ret = (struct line){rest->text, len};
    rest->text += end != NULL ? len + 1 : len;
    rest->len -= end != NULL ? len + 1 : len;
    trim(ret);
    return true;
}

static bool starts_with(const struct line *l, const char *word) {
    size_t len = strlen(word);
    return l->len >= len && memcmp(l->text, word, len) == 0;
}

/* "NAME = value": the value. */
static bool is_assignment(const struct line *l, const char *name, struct line *ret) {
    if (!starts_with(l, name))
        return false;
    struct line rest = {l->text + strlen(name), l->len - strlen(name)};
    trim(&rest);
    if (rest.len == 0 || rest.text[0] != '=')
        return false;
    rest.text++;
    rest.len--;
    trim(&rest);
    *ret = rest;
    return rest.len > 0;
}

/* One word, as a secret and an ID are. */
static bool is_word(const struct line *l) {
    for (size_t i = 0; i < l->len; i++)
        if ((unsigned char)l->text[i] <= ' ' || l->text[i] == 0x7f)
            return false;
    return l->len > 0;
}

static bool find_assigned(struct line rest, struct line *secret, struct line *id) {
    struct line line;
    bool found = false;
    while (next_line(&rest, &line)) {
        found = is_assignment(&line, "api_key_secret", secret) || found;
        (void)is_assignment(&line, "api_key_id", id);
    }
    return found;
}

/* The first line with anything on it after the words of the old layout. */
static bool find_after_words(struct line rest, struct line *secret) {
    struct line line = {"", 0};
    if (!next_line(&rest, &line) || !starts_with(&line, "Please use the following API secret"))
        return false;
    while (next_line(&rest, &line) && !starts_with(&line, "programmatically"))
        continue;
    while (next_line(&rest, secret))
        if (secret->len > 0)
            return true;
    return false;
}

int sl_key_file_parse(const char *text, size_t len, struct sl_secret *ret_secret,
                      char ret_id[SL_KEY_ID_BYTES], struct sl_error *err) {
    struct line whole = {text, len};
    struct line secret = {"", 0}, id = {"", 0};
    trim(&whole);
    bool has_secret = find_assigned(whole, &secret, &id);
    if (!has_secret && id.len > 0)
        return sl_fail(err, SL_CONFIG,
                       "it holds the ID of an API key but not the secret: line 4 of the file that "
                       "Spacelift offers is the secret no longer. Name that file itself");
    if (!has_secret && !find_after_words(whole, &secret))
        secret = whole;
    if (!is_word(&secret) || secret.len > SL_LIMIT_SECRET_FILE_BYTES)
        return sl_fail(
            err, SL_CONFIG,
            "it is not the file of an API key: it has no line \"api_key_secret = ...\", does "
            "not begin as the files until 2025 did, and is not the secret alone");
    if (ret_id != NULL) {
        bool is_usable = is_word(&id) && id.len < SL_KEY_ID_BYTES;
        memcpy(ret_id, id.text, is_usable ? id.len : 0);
        ret_id[is_usable ? id.len : 0] = '\0';
    }
    return sl_secret_set(ret_secret, secret.text, secret.len, err);
}
