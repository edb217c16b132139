/* Telegraf's line protocol, in. Reads what Telegraf's serializer writes
 * (plugins/serializers/influx/influx.go), and what its parser takes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_parser.h"
#include "format/line_protocol.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

/* What a backslash before it means something for; elsewhere it is a character like any other. */
static bool is_escaped(char c, bool in_string) {
    return in_string ? c == '"' || c == '\\' : c == ',' || c == '=' || c == ' ';
}

struct reader {
    char *begin;
    char *at;
};

static int complain(const struct reader *r, struct sl_error *err, const char *what) {
    return sl_fail(err, SL_PARSE, "column %zu: %s", (size_t)(r->at - r->begin) + 1, what);
}

static bool ends_word(char c, const char *stops) {
    return c == '\0' || is_blank(c) || strchr(stops, c) != NULL;
}

/* A word up to an unescaped stop or blank; unescapes in place. The stop is overwritten, and
 * *ret_stop says what it was; r->at is behind it. */
static char *take_word(struct reader *r, const char *stops, char *ret_stop) {
    char *word = r->at, *out = r->at;
    while (!ends_word(*r->at, stops)) {
        if (r->at[0] == '\\' && is_escaped(r->at[1], false))
            r->at++;
        *out++ = *r->at++;
    }
    *ret_stop = *r->at;
    if (*r->at != '\0')
        r->at++;
    *out = '\0';
    return word;
}

static void skip_blanks(struct reader *r) {
    while (is_blank(*r->at))
        r->at++;
}

static int parse_tags(struct reader *r, struct sl_line *line, char stop, struct sl_error *err) {
    while (stop == ',') {
        if (line->tag_count == SL_LINE_ITEMS)
            return sl_fail(err, SL_TOOBIG, "more than %d tags", SL_LINE_ITEMS);
        struct sl_line_item *tag = &line->tags[line->tag_count++];
        tag->number = NAN;
        tag->name = take_word(r, ",=", &stop);
        if (stop != '=' || tag->name[0] == '\0')
            return complain(r, err, "expected a tag's name and =");
        tag->text = take_word(r, ",=", &stop);
        if (stop == '=' || tag->text[0] == '\0')
            return complain(r, err, "expected a tag's value");
    }
    return stop == '\0' ? complain(r, err, "expected fields") : SL_OK;
}

/* After the opening quote. */
static int parse_string(struct reader *r, struct sl_line_item *field, struct sl_error *err) {
    char *out = r->at;
    field->text = out;
    while (*r->at != '"') {
        if (r->at[0] == '\\' && is_escaped(r->at[1], true))
            r->at++;
        if (*r->at == '\0')
            return complain(r, err, "a string does not end");
        *out++ = *r->at++;
    }
    r->at++;
    *out = '\0';
    return SL_OK;
}

static bool parse_boolean(const char *text, double *ret) {
    static const char *const words[] = {"f", "F", "false", "False", "FALSE",
                                        "t", "T", "true",  "True",  "TRUE"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret = i >= 5;
            return true;
        }
    }
    return false;
}

/* 1i, 1u, 1., .5, -1.5e3 */
static bool parse_number(const char *text, double *ret) {
    size_t len = strlen(text);
    if (len == 0 || parse_boolean(text, ret))
        return len > 0;
    if (text[len - 1] == 'i' || text[len - 1] == 'u') {
        int64_t whole;
        bool is_signed = text[len - 1] == 'i';
        if (sl_json_to_int64(text, len - 1, &whole, NULL) != SL_OK || (!is_signed && whole < 0))
            return false;
        *ret = (double)whole;
        return true;
    }
    if (strspn(text, "+-.0123456789eE") != len || strpbrk(text, "0123456789") == NULL)
        return false;
    char *end;
    *ret = strtod(text, &end);
    return *end == '\0' && isfinite(*ret);
}

static int parse_field(struct reader *r, struct sl_line *line, char *stop, struct sl_error *err) {
    if (line->field_count == SL_LINE_ITEMS)
        return sl_fail(err, SL_TOOBIG, "more than %d fields", SL_LINE_ITEMS);
    struct sl_line_item *field = &line->fields[line->field_count++];
    field->number = NAN;
    field->name = take_word(r, ",=", stop);
    if (*stop != '=' || field->name[0] == '\0')
        return complain(r, err, "expected a field's name and =");
    if (*r->at == '"') {
        r->at++;
        int code = parse_string(r, field, err);
        if (code != SL_OK)
            return code;
        *stop = *r->at;
        if (!ends_word(*stop, ","))
            return complain(r, err, "expected the end of a field");
        r->at += *stop != '\0';
        return SL_OK;
    }
    field->text = take_word(r, ",", stop);
    return parse_number(field->text, &field->number) ? SL_OK
                                                     : complain(r, err, "expected a field's value");
}

static int parse_time(struct reader *r, struct sl_line *line, struct sl_error *err) {
    char stop;
    skip_blanks(r);
    if (*r->at == '\0')
        return SL_OK;
    const char *text = take_word(r, "", &stop);
    if (sl_json_to_int64(text, strlen(text), &line->time_ns, NULL) != SL_OK)
        return complain(r, err, "expected a timestamp");
    line->has_time = true;
    skip_blanks(r);
    return *r->at == '\0' ? SL_OK : complain(r, err, "expected the end of the line");
}

int sl_line_parse(char *text, struct sl_line *ret, bool *ret_is_empty, struct sl_error *err) {
    struct reader r = {.begin = text, .at = text};
    char stop;
    skip_blanks(&r);
    *ret_is_empty = *r.at == '\0' || *r.at == '#';
    if (*ret_is_empty)
        return SL_OK;
    ret->tag_count = ret->field_count = 0;
    ret->has_time = false;
    ret->time_ns = 0;
    ret->measurement = take_word(&r, ",", &stop);
    if (ret->measurement[0] == '\0')
        return complain(&r, err, "expected a measurement");
    int code = parse_tags(&r, ret, stop, err);
    if (code != SL_OK)
        return code;
    skip_blanks(&r);
    do {
        code = parse_field(&r, ret, &stop, err);
    } while (code == SL_OK && stop == ',');
    return code != SL_OK || stop == '\0' ? code : parse_time(&r, ret, err);
}

const char *sl_line_tag(const struct sl_line *line, const char *name) {
    for (size_t i = line->tag_count; i > 0; i--) /* the last one of a name wins */
        if (strcmp(line->tags[i - 1].name, name) == 0)
            return line->tags[i - 1].text;
    return NULL;
}

double sl_line_field(const struct sl_line *line, const char *name) {
    for (size_t i = line->field_count; i > 0; i--)
        if (strcmp(line->fields[i - 1].name, name) == 0)
            return line->fields[i - 1].number;
    return NAN;
}

size_t sl_line_length(const char *bytes, size_t len) {
    bool in_fields = false, in_string = false, is_comment = false;
    size_t first = 0;
    while (first < len && is_blank(bytes[first]))
        first++;
    is_comment = first < len && bytes[first] == '#';
    for (size_t i = first; i < len; i++) {
        char c = bytes[i];
        if (c == '\n' && !in_string)
            return i + 1;
        if (is_comment)
            continue;
        if (c == '\\' && i + 1 < len && is_escaped(bytes[i + 1], in_string))
            i++;
        else if (c == '"' && in_string)
            in_string = false;
        else if (c == '"' && in_fields && bytes[i - 1] == '=')
            in_string = true;
        else if (is_blank(c))
            in_fields = true;
    }
    return 0;
}
