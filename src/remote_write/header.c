/* Which headers an operator may set. */
#include "remote_write/header.h"

#include <string.h>
#include <strings.h>

/* Those of the specifications, those that frame a message, and those that other options make; the
 * list is Prometheus's (config/config.go, reservedHeaders). */
static const char *const reserved[] = {
    "content-encoding",
    "content-type",
    "content-length",
    "user-agent",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "host",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "authorization",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
};

static bool is_token(const char *text, size_t len) {
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && strchr(others, c) == NULL)
            return false;
    }
    return len > 0;
}

int sl_header_check(const char *text, struct sl_error *err) {
    size_t len = strcspn(text, ":");
    /* The value may be a secret: no message holds it. */
    if (text[len] == '\0' || !is_token(text, len) || strpbrk(text, "\r\n") != NULL)
        return sl_fail(err, SL_CONFIG, "option Header must have the form \"Name: value\"");
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (strlen(reserved[i]) == len && strncasecmp(reserved[i], text, len) == 0)
            return sl_fail(err, SL_CONFIG,
                           "option Header may not set %.*s, which belongs to the protocol or to "
                           "another option: remove it",
                           (int)len, text);
    return SL_OK;
}
