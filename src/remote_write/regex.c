/* RE2's regular expressions on top of PCRE2. */
#include "remote_write/regex.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { STEPS_MAX = 100000, HEAP_KIB_MAX = 1024, PATTERN_BYTES_MAX = 4096 };

struct sl_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

/* ---- what RE2 refuses ---- */

static bool is_flag(char c) {
    return c == 'i' || c == 'm' || c == 's' || c == 'U' || c == '-';
}

/* at: after "(?". (?:...), (?P<name>...), (?<name>...), (?flags), (?flags:...). */
static bool is_re2_group(const char *at) {
    if (at[0] == 'P')
        return at[1] == '<';
    if (at[0] == '<')
        return at[1] != '=' && at[1] != '!';
    while (is_flag(*at))
        at++;
    return *at == ':' || *at == ')';
}

/* Skips [...]; at: after the opening bracket. */
static const char *skip_class(const char *at) {
    if (*at == '^')
        at++;
    if (*at == ']')
        at++;
    while (*at != '\0' && *at != ']') {
        if (at[0] == '[' && at[1] == ':') {
            const char *end = strstr(at, ":]");
            at = end != NULL ? end + 2 : at + 1;
        } else {
            at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
        }
    }
    return *at == ']' ? at + 1 : at;
}

/* at: the backslash. \Q...\E holds no syntax. */
static const char *skip_escape(const char *at) {
    if (at[1] != 'Q')
        return at[1] != '\0' ? at + 2 : at + 1;
    const char *end = strstr(at, "\\E");
    return end != NULL ? end + 2 : at + strlen(at);
}

static bool is_re2_escape(char c) {
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool is_digit = c >= '1' && c <= '9';
    return is_letter ? strchr("AbBdDsSwWafnrtxpPzQE", c) != NULL : !is_digit;
}

static bool is_quantifier(char c) {
    return c == '*' || c == '+' || c == '?' || c == '}';
}

/* The first place that RE2 would refuse and PCRE2 would not; NULL: there is none. */
static const char *find_foreign(const char *pattern) {
    for (const char *at = pattern; *at != '\0';) {
        if (*at == '\\') {
            if (!is_re2_escape(at[1]))
                return at;
            at = skip_escape(at);
        } else if (*at == '[') {
            at = skip_class(at + 1);
        } else if (at[0] == '(' && (at[1] == '*' || (at[1] == '?' && !is_re2_group(at + 2)))) {
            return at;
        } else if (is_quantifier(*at) && at[1] == '+') {
            return at;
        } else {
            at++;
        }
    }
    return NULL;
}

/* ---- making ---- */

int sl_regex_new(const char *pattern, struct sl_regex **ret, struct sl_error *err) {
    if (strlen(pattern) > PATTERN_BYTES_MAX)
        return sl_fail(err, SL_CONFIG, "the regular expression is longer than %d bytes",
                       PATTERN_BYTES_MAX);
    const char *foreign = find_foreign(pattern);
    if (foreign != NULL)
        return sl_fail(err, SL_CONFIG,
                       "the regular expression \"%s\" holds at byte %zu what RE2, and so "
                       "Prometheus, does not know",
                       pattern, (size_t)(foreign - pattern) + 1);
    struct sl_regex *re = calloc(1, sizeof(*re));
    if (re == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a regular expression");
    int number;
    PCRE2_SIZE place;
    uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
    re->code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &number, &place, NULL);
    re->limits = pcre2_match_context_create(NULL);
    int code = SL_OK;
    if (re->code == NULL) {
        PCRE2_UCHAR text[160] = "";
        pcre2_get_error_message(number, text, sizeof(text));
        code = sl_fail(err, SL_CONFIG, "the regular expression \"%s\" is wrong at byte %zu: %s",
                       pattern, (size_t)place + 1, (const char *)text);
    } else if (re->limits == NULL) {
        code = sl_fail(err, SL_NOMEM, "out of memory for a regular expression");
    }
    if (code != SL_OK) {
        sl_regex_free(re);
        return code;
    }
    pcre2_set_match_limit(re->limits, STEPS_MAX);
    pcre2_set_heap_limit(re->limits, HEAP_KIB_MAX);
    *ret = re;
    return SL_OK;
}

void sl_regex_free(struct sl_regex *re) {
    if (re == NULL)
        return;
    pcre2_code_free(re->code);
    pcre2_match_context_free(re->limits);
    free(re);
}

/* ---- matching ---- */

static bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* "1", "name"; -1: there is no such group. */
static int group_number(const struct sl_regex *re, const char *name, size_t len) {
    char text[64];
    int number = 0;
    size_t digits = strspn(name, "0123456789");
    if (digits >= len) {
        for (size_t i = 0; i < len && number < 100000; i++)
            number = number * 10 + (name[i] - '0');
        return number;
    }
    if (len >= sizeof(text))
        return -1;
    memcpy(text, name, len);
    text[len] = '\0';
    number = pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)text);
    return number > 0 ? number : -1;
}

static void put_group(const struct sl_regex *re, pcre2_match_data *found, const char *text,
                      const char *name, size_t len, struct sl_buffer *out) {
    int group = group_number(re, name, len);
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(found);
    if (group < 0 || (uint32_t)group >= pcre2_get_ovector_count(found))
        return;
    PCRE2_SIZE start = places[2 * group], end = places[2 * group + 1];
    if (start != PCRE2_UNSET && end >= start)
        sl_buffer_append(out, text + start, end - start);
}

/* Go, regexp.Expand. */
static void expand(const struct sl_regex *re, pcre2_match_data *found, const char *text,
                   const char *template, struct sl_buffer *out) {
    for (const char *at = template; *at != '\0';) {
        size_t plain = strcspn(at, "$");
        sl_buffer_append(out, at, plain);
        at += plain;
        if (*at == '\0')
            return;
        bool has_brace = at[1] == '{';
        const char *name = at + (has_brace ? 2 : 1);
        size_t len = 0;
        while (is_name_byte(name[len]))
            len++;
        if (at[1] == '$' || len == 0 || (has_brace && name[len] != '}')) {
            sl_buffer_putc(out, '$');
            at += at[1] == '$' ? 2 : 1;
        } else {
            put_group(re, found, text, name, len, out);
            at = name + len + (has_brace ? 1 : 0);
        }
    }
}

bool sl_regex_match(const struct sl_regex *re, const char *text, size_t len, const char *template,
                    struct sl_buffer *out) {
    pcre2_match_data *found = pcre2_match_data_create_from_pattern(re->code, NULL);
    if (found == NULL)
        return false;
    int count = pcre2_match(re->code, (PCRE2_SPTR)text, len, 0, 0, found, re->limits);
    if (count >= 0 && out != NULL)
        expand(re, found, text, template, out);
    pcre2_match_data_free(found);
    return count >= 0;
}
