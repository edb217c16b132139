/* The one error type of the project.
 *
 * A function that can fail returns an enum sl_code as int (0 is success) and takes a
 * struct sl_error * as its last parameter, which may be NULL and is written only on failure.
 * Output parameters are written only on success. Nothing here blocks or allocates; any thread
 * may call it on an error of its own. */
#ifndef SL_BASE_ERROR_H
#define SL_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* name, words for people, does it make sense to try the same thing again later? */
#define SL_ERROR_MAP(X)                                                                            \
    X(NOMEM, "out of memory", true)                                                                \
    X(CONFIG, "configuration error", false)                                                        \
    X(TOOBIG, "larger than its limit", false)                                                      \
    X(PARSE, "not in the expected form", false)                                                    \
    X(IO, "input/output error", true)                                                              \
    X(TIMEOUT, "timed out", true)                                                                  \
    X(TLS, "TLS failure", true)                                                                    \
    X(AUTH, "not authenticated", false)                                                            \
    X(FORBIDDEN, "not allowed", false)                                                             \
    X(NOTFOUND, "not found", false)                                                                \
    X(CONFLICT, "changed by somebody else meanwhile", true)                                        \
    X(RATELIMIT, "rate limited", true)                                                             \
    X(REJECTED, "rejected by the server", false)                                                   \
    X(REMOTE, "server failure", true)                                                              \
    X(CANCELED, "canceled", false)                                                                 \
    X(BUG, "internal error", false)

enum sl_code {
    SL_OK = 0,
#define X(name, text, retryable) SL_##name,
    SL_ERROR_MAP(X)
#undef X
};

enum { SL_ERROR_TEXT_BYTES = 512 };

struct sl_error {
    enum sl_code code;
    int http_status;                /* 0 where no HTTP answer was involved */
    int64_t retry_after_ms;         /* what the server asked for; -1 where it did not */
    char text[SL_ERROR_TEXT_BYTES]; /* one line, never a secret, cut at a UTF-8 boundary */
};

#define SL_ERROR_INIT                                                                              \
    { .code = SL_OK, .http_status = 0, .retry_after_ms = -1, .text = "" }

#define SL_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define SL_CHECKED             __attribute__((warn_unused_result))

/* Fills *err (status 0, no retry-after) and returns code, so that callers can write
 * `return sl_fail(err, SL_PARSE, "...", ...);`. Control characters in the text become blanks: a
 * server's words must not break a log. */
int sl_fail(struct sl_error *err, enum sl_code code, const char *format, ...) SL_PRINTF(3, 4);

/* Puts "prefix: " in front of the text of an error on its way up; keeps everything else. Returns
 * err->code, or SL_BUG where err is NULL, so `return sl_error_prefix(err, ...)` works only with a
 * non-NULL err. */
int sl_error_prefix(struct sl_error *err, const char *format, ...) SL_PRINTF(2, 3);

/* "AUTH" etc. and its words; both static strings. */
const char *sl_code_name(enum sl_code code);
const char *sl_code_text(enum sl_code code);
bool sl_code_is_retryable(enum sl_code code);

#endif
