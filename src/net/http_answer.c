/* The half of net/http that computes: what an answer means. No socket, no clock. */
#include "net/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/json_parser.h"
#include "base/limits.h"

enum { QUOTED_BYTES = 200 };

void sl_http_response_init(struct sl_http_response *r) {
    *r = (struct sl_http_response){.retry_after_ms = -1, .date_ms = -1};
    sl_buffer_init(&r->body, SL_LIMIT_HTTP_BODY_BYTES);
}

void sl_http_response_release(struct sl_http_response *r) {
    sl_buffer_release(&r->body);
}

static int two_digits(const char *s) {
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
        return -1;
    return (s[0] - '0') * 10 + (s[1] - '0');
}

static int month_of(const char *s) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (strncmp(names + i * 3, s, 3) == 0)
            return i;
    return -1;
}

/* IMF-fixdate, the form RFC 9110 5.6.7 tells senders to use: "Sun, 06 Nov 1994 08:49:37 GMT".
 * -1 for anything else, the two obsolete forms included. */
static int64_t parse_date_ms(const char *s) {
    if (strlen(s) != 29 || s[3] != ',' || s[4] != ' ' || s[7] != ' ' || s[11] != ' ' ||
        s[16] != ' ' || s[19] != ':' || s[22] != ':' || strcmp(s + 25, " GMT") != 0)
        return -1;
    int century = two_digits(s + 12), year = two_digits(s + 14);
    struct tm tm = {.tm_mday = two_digits(s + 5),
                    .tm_mon = month_of(s + 8),
                    .tm_year = century * 100 + year - 1900,
                    .tm_hour = two_digits(s + 17),
                    .tm_min = two_digits(s + 20),
                    .tm_sec = two_digits(s + 23)};
    if (tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_mon < 0 || century < 19 || year < 0 ||
        tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
        tm.tm_sec > 60)
        return -1;
    return (int64_t)timegm(&tm) * 1000;
}

int64_t sl_http_parse_date(const char *text) {
    return parse_date_ms(text);
}

int64_t sl_http_parse_retry_after(const char *text, int64_t now_realtime_ms) {
    int64_t seconds;
    if (sl_json_to_int64(text, strlen(text), &seconds, NULL) == SL_OK) {
        if (seconds < 0)
            return -1;
        return seconds > INT64_MAX / 1000 ? INT64_MAX : seconds * 1000;
    }
    int64_t date_ms = parse_date_ms(text);
    if (date_ms < 0)
        return -1;
    return date_ms > now_realtime_ms ? date_ms - now_realtime_ms : 0;
}

bool sl_http_is_https(const char *url) {
    return strncasecmp(url, "https://", 8) == 0;
}

void sl_http_redact_url(const char *url, char *out, size_t size) {
    size_t scheme = strcspn(url, ":");
    size_t host = strncmp(url + scheme, "://", 3) == 0 ? scheme + 3 : 0;
    size_t authority = strcspn(url + host, "/?#");
    const char *at = memrchr(url + host, '@', authority);
    const char *rest = at != NULL ? at + 1 : url + host;
    snprintf(out, size, "%.*s%.*s", (int)host, url, (int)strcspn(rest, "?#"), rest);
}

static enum sl_code code_of(int status) {
    switch (status) {
    case 401:
        return SL_AUTH;
    case 403:
        return SL_FORBIDDEN;
    case 404:
    case 410:
        return SL_NOTFOUND;
    case 409:
    case 412:
        return SL_CONFLICT;
    case 413:
        return SL_TOOBIG;
    case 429:
        return SL_RATELIMIT;
    default:
        return status >= 500 && status <= 599 ? SL_REMOTE : SL_REJECTED;
    }
}

static bool is_html(const struct sl_http_response *r) {
    const char *text = r->body.data + strspn(r->body.data, " \t\r\n");
    return strncasecmp(r->content_type, "text/html", 9) == 0 ||
           strncasecmp(text, "<!doctype", 9) == 0 || strncasecmp(text, "<html", 5) == 0;
}

/* How much of the server's words is quoted: not the line feed at their end. */
static int quoted_length(const struct sl_buffer *body) {
    size_t len = body->len < QUOTED_BYTES ? body->len : QUOTED_BYTES;
    while (len > 0 && strchr(" \t\r\n", body->data[len - 1]) != NULL)
        len--;
    return (int)len;
}

int sl_http_check_status(const struct sl_http_response *r, struct sl_error *err) {
    if (r->status >= 200 && r->status <= 299)
        return SL_OK;
    int code;
    if (r->status >= 300 && r->status <= 399)
        code = sl_fail(err, SL_REJECTED, "HTTP %d: redirected to \"%s\": set the URL to that",
                       r->status, r->location);
    else if (is_html(r))
        code =
            sl_fail(err, code_of(r->status),
                    "HTTP %d with a web page: a proxy or a load balancer has answered", r->status);
    else if (quoted_length(&r->body) > 0)
        code = sl_fail(err, code_of(r->status), "HTTP %d: %.*s", r->status, quoted_length(&r->body),
                       r->body.data);
    else
        code = sl_fail(err, code_of(r->status), "HTTP %d", r->status);
    if (err != NULL) {
        err->http_status = r->status;
        err->retry_after_ms = r->retry_after_ms;
    }
    return code;
}
