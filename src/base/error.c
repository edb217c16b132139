/* The one error type: filling it and naming its codes. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* One line, whole UTF-8 characters: what a server said must not break a log. */
static void tidy(char *text) {
    size_t len = strlen(text);
    while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
        len--;
    if (len > 0 && (unsigned char)text[len - 1] >= 0xc0) {
        unsigned char lead = (unsigned char)text[len - 1];
        size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        if (strlen(text + len - 1) < want)
            text[len - 1] = '\0';
    }
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

int sl_fail(struct sl_error *err, enum sl_code code, const char *format, ...) {
    if (err == NULL)
        return code;
    va_list args;
    va_start(args, format);
    /* The arguments may point into err->text itself. */
    char text[SL_ERROR_TEXT_BYTES];
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    tidy(text);
    *err = (struct sl_error){.code = code, .retry_after_ms = -1};
    memcpy(err->text, text, sizeof(text));
    return code;
}

int sl_error_prefix(struct sl_error *err, const char *format, ...) {
    if (err == NULL)
        return SL_BUG;
    char prefix[SL_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);

    char rest[SL_ERROR_TEXT_BYTES];
    memcpy(rest, err->text, sizeof(rest));
    size_t used = strlen(prefix);
    memcpy(err->text, prefix, used + 1);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", rest);
    tidy(err->text);
    return err->code;
}

static const struct {
    const char *name;
    const char *text;
    bool retryable;
} codes[] = {[SL_OK] = {"OK", "success", false},
#define X(code, words, again) [SL_##code] = {#code, words, again},
             SL_ERROR_MAP(X)
#undef X
};

static bool is_known(enum sl_code code) {
    return (size_t)code < sizeof(codes) / sizeof(codes[0]);
}

const char *sl_code_name(enum sl_code code) {
    return is_known(code) ? codes[code].name : "UNKNOWN";
}

const char *sl_code_text(enum sl_code code) {
    return is_known(code) ? codes[code].text : "unknown error";
}

bool sl_code_is_retryable(enum sl_code code) {
    return is_known(code) && codes[code].retryable;
}
