/* Reads Prometheus exposition text. */
#include "format/exposition.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/json_parser.h"
#include "base/limits.h"

enum { NAME_BYTES_MAX = 1024, NUMBER_BYTES_MAX = 48 };

/* Room for the labels of one sample. */
enum { LABEL_TEXT_BYTES_MAX = 256 * 1024 };

/* One line, and what has been said before it. */
struct reader {
    const char *at;
    const char *end; /* of the line */
    size_t line;
    enum sl_exposition_form form;
    bool has_ended; /* "# EOF" */

    char family[NAME_BYTES_MAX];
    char type[24];
    struct sl_buffer help;
    char unit[64];

    char name[NAME_BYTES_MAX];
    struct sl_buffer text; /* names and values of labels, each ended by a NUL */
    size_t places[SL_EXPOSITION_LABELS_MAX][2];
    size_t count;
};

static int fail(const struct reader *r, struct sl_error *err, const char *what) {
    return sl_fail(err, SL_PARSE, "line %zu: %s", r->line, what);
}

static void skip_blanks(struct reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t'))
        r->at++;
}

static bool is_name_byte(char c, bool may_colon, bool may_digit) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c == ':' && may_colon) || (c >= '0' && c <= '9' && may_digit);
}

/* The length of the name that begins here; 0: there is none. */
static size_t name_length(const struct reader *r, bool may_colon) {
    size_t len = 0;
    while (r->at + len < r->end && is_name_byte(r->at[len], may_colon, len > 0))
        len++;
    return len;
}

static bool take_name(struct reader *r, char out[NAME_BYTES_MAX]) {
    size_t len = name_length(r, true);
    if (len == 0 || len >= NAME_BYTES_MAX)
        return false;
    memcpy(out, r->at, len);
    out[len] = '\0';
    r->at += len;
    return true;
}

/* ---- numbers ---- */

static bool is_word(const char *text, size_t len, const char *word) {
    return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

/* As Go's ParseFloat takes decimals: ".5", "5." and "+5" are numbers too. */
static bool read_decimal(const char *text, size_t len, double *ret) {
    char tidy[NUMBER_BYTES_MAX + 4];
    size_t used = 0;
    if (len == 0 || len > NUMBER_BYTES_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool has_digit = used > 0 && tidy[used - 1] >= '0' && tidy[used - 1] <= '9';
        bool is_digit_next = i + 1 < len && text[i + 1] >= '0' && text[i + 1] <= '9';
        if (text[i] == '+' && i == 0)
            continue;
        if (text[i] == '.' && !has_digit && !is_digit_next)
            return false;
        if (used + 3 > sizeof(tidy))
            return false;
        if (text[i] == '.' && !has_digit)
            tidy[used++] = '0';
        /* "007" */
        if (has_digit && tidy[used - 1] == '0' && text[i] >= '0' && text[i] <= '9' &&
            (used == 1 || (used == 2 && tidy[0] == '-')))
            used--;
        tidy[used++] = text[i];
        if (text[i] == '.' && !is_digit_next)
            tidy[used++] = '0';
    }
    return sl_json_to_double(tidy, used, ret, NULL) == SL_OK;
}

static bool read_number(const char *text, size_t len, double *ret) {
    bool is_minus = len > 0 && text[0] == '-';
    size_t sign = len > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    if (is_word(text, len, "nan")) {
        *ret = (double)NAN;
        return true;
    }
    if (is_word(text + sign, len - sign, "inf") || is_word(text + sign, len - sign, "infinity")) {
        *ret = is_minus ? -INFINITY : INFINITY;
        return true;
    }
    return read_decimal(text, len, ret);
}

/* ---- labels ---- */

/* After the opening quote; appends the value and takes the closing one. */
static bool take_quoted(struct reader *r) {
    while (r->at < r->end && *r->at != '"') {
        char c = *r->at++;
        if (c == '\0')
            return false;
        if (c == '\\') {
            if (r->at == r->end)
                return false;
            char escaped = *r->at++;
            if (escaped != 'n' && escaped != '\\' && escaped != '"')
                return false;
            c = escaped == 'n' ? '\n' : escaped;
        }
        sl_buffer_putc(&r->text, c);
    }
    if (r->at == r->end)
        return false;
    r->at++;
    return true;
}

static bool is_repeated(const struct reader *r, const char *name) {
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->text.data + r->places[i][0], name) == 0)
            return true;
    return false;
}

/* NAME="VALUE" */
static const char *take_label(struct reader *r) {
    size_t len = name_length(r, false);
    size_t name = r->text.len;
    if (len == 0 || len >= NAME_BYTES_MAX)
        return "a label's name is expected";
    sl_buffer_append(&r->text, r->at, len);
    sl_buffer_putc(&r->text, '\0');
    r->at += len;
    skip_blanks(r);
    if (r->at == r->end || *r->at++ != '=')
        return "an equals sign is expected after a label's name";
    skip_blanks(r);
    if (r->at == r->end || *r->at++ != '"')
        return "a label's value is expected in quotes";
    size_t value = r->text.len;
    if (!take_quoted(r))
        return "a label's value has no end, or a wrong escape";
    sl_buffer_putc(&r->text, '\0');
    if (r->text.failed != SL_OK)
        return "the labels are too long";
    if (is_repeated(r, r->text.data + name))
        return "a label stands there twice";
    if (r->count == SL_EXPOSITION_LABELS_MAX)
        return "there are more than 64 labels";
    r->places[r->count][0] = name;
    r->places[r->count][1] = value;
    r->count++;
    return NULL;
}

/* NULL, or what is wrong. */
static const char *take_labels(struct reader *r) {
    sl_buffer_reset(&r->text);
    r->count = 0;
    if (r->at == r->end || *r->at != '{')
        return NULL;
    r->at++;
    for (;;) {
        skip_blanks(r);
        if (r->at < r->end && *r->at == '}') {
            r->at++;
            return NULL;
        }
        const char *wrong = take_label(r);
        if (wrong != NULL)
            return wrong;
        skip_blanks(r);
        if (r->at < r->end && *r->at == ',')
            r->at++;
        else if (r->at == r->end || *r->at != '}')
            return "a comma or a closing brace is expected after a label";
    }
}

/* ---- samples ---- */

static const char *const suffixes[] = {"_total", "_created", "_bucket", "_sum",
                                       "_count", "_gsum",    "_gcount", "_info"};

/* Whether a sample of this name is part of the family: its name, and one suffix perhaps. */
static bool is_of_family(const struct reader *r) {
    size_t len = strlen(r->family);
    if (len == 0 || strncmp(r->name, r->family, len) != 0)
        return false;
    if (r->name[len] == '\0')
        return true;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(r->name + len, suffixes[i]) == 0)
            return true;
    return false;
}

static size_t word_length(const struct reader *r) {
    size_t len = 0;
    while (r->at + len < r->end && r->at[len] != ' ' && r->at[len] != '\t')
        len++;
    return len;
}

static const char *take_value(struct reader *r, double *ret) {
    skip_blanks(r);
    size_t len = word_length(r);
    if (!read_number(r->at, len, ret))
        return "the value is no number";
    r->at += len;
    return NULL;
}

/* Milliseconds as a whole number, or seconds with a fraction in OpenMetrics. */
static const char *take_time(struct reader *r, struct sl_exposition_sample *sample) {
    double time = 0;
    skip_blanks(r);
    if (r->at == r->end || *r->at == '#')
        return NULL;
    const char *wrong = take_value(r, &time);
    bool is_seconds = r->form == SL_EXPOSITION_OPENMETRICS;
    if (is_seconds)
        time = round(time * 1000);
    if (wrong != NULL || !isfinite(time) || time != trunc(time) || fabs(time) > 9e15)
        return "the time is none";
    sample->has_time = true;
    sample->time_ms = (int64_t)time;
    return NULL;
}

/* An exemplar is nothing that a value list can hold. */
static const char *skip_exemplar(struct reader *r) {
    skip_blanks(r);
    if (r->at < r->end && *r->at == '#' && r->form == SL_EXPOSITION_OPENMETRICS)
        r->at = r->end;
    return r->at < r->end ? "something stands after the sample" : NULL;
}

static int hand_over(const struct reader *r, struct sl_exposition_sample *sample,
                     sl_exposition_fn *each, void *context, struct sl_error *err) {
    struct sl_exposition_label labels[SL_EXPOSITION_LABELS_MAX];
    for (size_t i = 0; i < r->count; i++) {
        const char *value = r->text.data + r->places[i][1];
        if (value[0] != '\0')
            labels[sample->label_count++] =
                (struct sl_exposition_label){r->text.data + r->places[i][0], value};
    }
    bool is_described = is_of_family(r);
    sample->name = r->name;
    sample->labels = labels;
    sample->type = is_described ? r->type : "";
    sample->help = is_described ? r->help.data : "";
    sample->unit = is_described ? r->unit : "";
    return each(context, sample, err);
}

static int read_sample(struct reader *r, sl_exposition_fn *each, void *context,
                       struct sl_error *err) {
    struct sl_exposition_sample sample = {.label_count = 0};
    if (!take_name(r, r->name))
        return fail(r, err, "the name of a metric is expected");
    skip_blanks(r);
    const char *wrong = take_labels(r);
    if (wrong == NULL)
        wrong = take_value(r, &sample.value);
    if (wrong == NULL)
        wrong = take_time(r, &sample);
    if (wrong == NULL)
        wrong = skip_exemplar(r);
    if (wrong != NULL)
        return fail(r, err, wrong);
    return each != NULL ? hand_over(r, &sample, each, context, err) : SL_OK;
}

/* ---- comments that mean something ---- */

static void begin_family(struct reader *r, const char *name) {
    if (strcmp(r->family, name) == 0)
        return;
    memcpy(r->family, name, strlen(name) + 1);
    r->type[0] = '\0';
    r->unit[0] = '\0';
    sl_buffer_reset(&r->help);
}

static const char *take_type(struct reader *r) {
    static const char *const known[] = {"counter",  "gauge",   "histogram",
                                        "summary",  "untyped", "gaugehistogram",
                                        "stateset", "info",    "unknown"};
    size_t len = word_length(r);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i]) == len && strncmp(known[i], r->at, len) == 0) {
            const char *word = strcmp(known[i], "untyped") == 0 ? "unknown" : known[i];
            memcpy(r->type, word, strlen(word) + 1);
            r->at += len;
            skip_blanks(r);
            return r->at < r->end ? "something stands after the type" : NULL;
        }
    }
    return "there is no such type";
}

static const char *take_help(struct reader *r) {
    sl_buffer_reset(&r->help);
    while (r->at < r->end && r->help.len < SL_LIMIT_LABEL_VALUE_BYTES) {
        char c = *r->at++;
        if (c == '\\' && r->at < r->end && strchr("n\\\"", *r->at) != NULL && *r->at != '\0') {
            c = *r->at == 'n' ? '\n' : *r->at;
            r->at++;
        }
        sl_buffer_putc(&r->help, c);
    }
    return NULL;
}

static const char *take_unit(struct reader *r) {
    size_t len = word_length(r);
    if (len >= sizeof(r->unit))
        return "the unit is too long";
    memcpy(r->unit, r->at, len);
    r->unit[len] = '\0';
    return NULL;
}

/* Whether the line goes on with this word and a blank. */
static bool take_keyword(struct reader *r, const char *word) {
    size_t len = word_length(r);
    if (strlen(word) != len || strncmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    skip_blanks(r);
    return true;
}

/* After the '#'. Any other comment is nobody's business. */
static int read_comment(struct reader *r, struct sl_error *err) {
    static const struct {
        const char *word;
        const char *(*take)(struct reader *r);
    } keywords[] = {{"TYPE", take_type}, {"HELP", take_help}, {"UNIT", take_unit}};
    bool is_openmetrics = r->form == SL_EXPOSITION_OPENMETRICS;
    skip_blanks(r);
    if (is_openmetrics && take_keyword(r, "EOF")) {
        r->has_ended = true;
        return SL_OK;
    }
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        char name[NAME_BYTES_MAX];
        if (!take_keyword(r, keywords[i].word))
            continue;
        if (!take_name(r, name))
            return fail(r, err, "the name of a metric is expected");
        skip_blanks(r);
        begin_family(r, name);
        const char *wrong = keywords[i].take(r);
        return wrong != NULL ? fail(r, err, wrong) : SL_OK;
    }
    return SL_OK;
}

/* ---- the whole ---- */

enum sl_exposition_form sl_exposition_form_of(const char *content_type) {
    static const char openmetrics[] = "application/openmetrics-text";
    return strncasecmp(content_type, openmetrics, strlen(openmetrics)) == 0
               ? SL_EXPOSITION_OPENMETRICS
               : SL_EXPOSITION_TEXT;
}

static int read_line(struct reader *r, sl_exposition_fn *each, void *context,
                     struct sl_error *err) {
    if (r->end > r->at && r->end[-1] == '\r')
        r->end--;
    skip_blanks(r);
    if (r->at == r->end)
        return SL_OK;
    if (*r->at != '#')
        return read_sample(r, each, context, err);
    r->at++;
    return read_comment(r, err);
}

int sl_exposition_read(const char *text, size_t len, enum sl_exposition_form form,
                       sl_exposition_fn *each, void *context, struct sl_error *err) {
    struct reader r = {.form = form};
    const char *end = text + len;
    int code = SL_OK;
    sl_buffer_init(&r.text, LABEL_TEXT_BYTES_MAX);
    sl_buffer_init(&r.help, SL_LIMIT_LABEL_VALUE_BYTES);
    for (const char *at = text; at < end && code == SL_OK && !r.has_ended;) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        r.at = at;
        r.end = feed != NULL ? feed : end;
        r.line++;
        at = feed != NULL ? feed + 1 : end;
        code = read_line(&r, each, context, err);
    }
    if (code == SL_OK && form == SL_EXPOSITION_OPENMETRICS && !r.has_ended)
        code = fail(&r, err, "the text does not end in \"# EOF\"");
    sl_buffer_release(&r.text);
    sl_buffer_release(&r.help);
    return code;
}
