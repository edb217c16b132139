/* HTTP over libcurl: the one place that knows it. */
#include "net/http.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/limits.h"
#include "net/tls.h"
#include "os/clock.h"
#include "os/memory.h"
#include "sl_config.h"

enum { DEFAULT_TIMEOUT_MS = 10000, DEFAULT_CONNECT_TIMEOUT_MS = 5000, URL_BYTES = 2048 };

struct sl_http {
    CURLM *multi; /* keeps the connections between requests */
    CURL *easy;
    const struct sl_wakeup *stop;
    struct sl_tls *tls;
    int64_t connect_timeout_ms;
    int64_t timeout_ms;
    bool insecure_peer, insecure_host, replace_ca, use_http2;
    bool has_ca_folder; /* so that no bundle need be read */
    char *tls_server_name;
    char *proxy;
    char *user_agent;
    char reason[CURL_ERROR_SIZE];
};

/* One request under way. */
struct exchange {
    struct sl_http *http;
    const struct sl_http_request *request;
    struct sl_http_response *response;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    char url[URL_BYTES];
    size_t header_bytes;
    size_t body_bytes;
    size_t max_body_bytes;
    bool cut;                /* enough of an error body has been read */
    struct sl_error failure; /* of a callback of ours */
};

int sl_http_global_init(struct sl_error *err) {
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK)
        return sl_fail(err, SL_IO, "libcurl cannot start: %s", curl_easy_strerror(code));
    return SL_OK;
}

static bool stays_small;

/* What was just used is not what comes next. */
static void let_go(void) {
    if (stays_small)
        sl_memory_trim_own_code();
}

void sl_http_stay_small(void) {
    stays_small = true;
    let_go();
}

static char *copy_or_null(const char *text, bool *ok) {
    if (text == NULL)
        return NULL;
    char *copy = strdup(text);
    *ok = *ok && copy != NULL;
    return copy;
}

/* "4042bcee.0": what openssl-rehash(1) calls a CA. */
static bool is_ca_name(const char *name) {
    return strspn(name, "0123456789abcdef") == 8 && strcmp(name + 8, ".0") == 0;
}

/* libcurl says so since 7.70; where it is older (EL 8) a bundle is what there is. */
static const char *ca_folder(void) {
#if LIBCURL_VERSION_NUM >= 0x074600
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return info->age >= CURLVERSION_SEVENTH ? info->capath : NULL;
#else
    return NULL;
#endif
}

/* The system's CAs stand in a bundle, in a folder with an entry per CA, or in both. From the folder
 * OpenSSL reads the one that is needed; a bundle it reads whole for every connection, which takes
 * 20 ms and keeps some megabytes. Containers often have the folder with nothing but the bundle in
 * it. */
static bool has_ca_folder(void) {
    const char *path = ca_folder();
    DIR *folder = path != NULL ? opendir(path) : NULL;
    if (folder == NULL)
        return false;
    const struct dirent *entry = NULL;
    bool found = false;
    while (!found && (entry = readdir(folder)) != NULL)
        found = is_ca_name(entry->d_name);
    (void)closedir(folder);
    return found;
}

int sl_http_new(const struct sl_http_settings *settings, const struct sl_wakeup *stop,
                struct sl_http **ret, struct sl_error *err) {
    struct sl_http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for HTTP");
    http->stop = stop;
    http->timeout_ms = settings->timeout_ms > 0 ? settings->timeout_ms : DEFAULT_TIMEOUT_MS;
    http->connect_timeout_ms = settings->connect_timeout_ms > 0 ? settings->connect_timeout_ms
                                                                : DEFAULT_CONNECT_TIMEOUT_MS;
    http->insecure_peer = settings->insecure_peer;
    http->insecure_host = settings->insecure_host;
    http->replace_ca = settings->ca_mode == SL_HTTP_CA_REPLACE && settings->ca_pem != NULL;
    http->use_http2 = settings->use_http2;
    http->has_ca_folder = has_ca_folder();
    bool ok = true;
    http->tls_server_name = copy_or_null(settings->tls_server_name, &ok);
    http->proxy = copy_or_null(settings->proxy, &ok);
    http->user_agent = copy_or_null(settings->user_agent != NULL ? settings->user_agent
                                                                 : PACKAGE_NAME "/" PACKAGE_VERSION,
                                    &ok);
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
    int code = SL_OK;
    if (!ok || http->multi == NULL || http->easy == NULL)
        code = sl_fail(err, SL_NOMEM, "out of memory for HTTP");
    if (code == SL_OK)
        code = sl_tls_new(settings->ca_pem, settings->ca_mode == SL_HTTP_CA_REPLACE,
                          settings->client_cert_pem, settings->client_key_pem, &http->tls, err);
    if (code != SL_OK)
        sl_http_free(http);
    else
        *ret = http;
    return code;
}

void sl_http_free(struct sl_http *http) {
    if (http == NULL)
        return;
    let_go();
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    sl_tls_free(http->tls);
    free(http->tls_server_name);
    free(http->proxy);
    free(http->user_agent);
    free(http);
}

static bool is_success(int status) {
    return status >= 200 && status <= 299;
}

/* libcurl calls it with decoded bytes; anything but size * count ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    struct exchange *x = context;
    size_t len = size * count;
    x->body_bytes += len;
    if (!is_success(x->response->status)) {
        size_t room = SL_LIMIT_ERROR_BODY_BYTES - x->response->body.len;
        sl_buffer_append(&x->response->body, bytes, len < room ? len : room);
        x->cut = len > room;
        return x->cut ? 0 : len;
    }
    if (x->body_bytes > x->max_body_bytes) {
        sl_fail(&x->failure, SL_TOOBIG, "the answer is larger than %zu bytes", x->max_body_bytes);
        return 0;
    }
    if (x->request->sink != NULL) {
        int code = x->request->sink(x->request->sink_context, bytes, len, &x->failure);
        x->failure.code = code;
        return code == SL_OK ? len : 0;
    }
    sl_buffer_append(&x->response->body, bytes, len);
    return sl_buffer_check(&x->response->body, "the answer", &x->failure) == SL_OK ? len : 0;
}

static void begin_answer(struct sl_http_response *r, const char *line) {
    const char *space = strchr(line, ' ');
    int status = 0;
    for (const char *c = space == NULL ? "" : space + 1; *c >= '0' && *c <= '9' && status < 1000;
         c++)
        status = status * 10 + (*c - '0');
    r->status = status;
    r->content_type[0] = '\0';
    r->location[0] = '\0';
    r->retry_after_ms = -1;
    r->date_ms = -1;
    sl_buffer_reset(&r->body);
}

static void take_header(struct exchange *x, const char *name, const char *value) {
    struct sl_http_response *r = x->response;
    if (strcmp(name, "content-type") == 0)
        snprintf(r->content_type, sizeof(r->content_type), "%s", value);
    else if (strcmp(name, "location") == 0)
        sl_http_redact_url(value, r->location, sizeof(r->location));
    else if (strcmp(name, "retry-after") == 0)
        r->retry_after_ms = sl_http_parse_retry_after(value, sl_clock_realtime_ms());
    else if (strcmp(name, "date") == 0)
        r->date_ms = sl_http_parse_date(value);
    if (x->request->on_header != NULL)
        x->request->on_header(x->request->on_header_context, name, value);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context) {
    struct exchange *x = context;
    size_t len = size * count;
    char line[1024];
    x->header_bytes += len;
    if (x->header_bytes > SL_LIMIT_HTTP_HEADER_BYTES) {
        sl_fail(&x->failure, SL_TOOBIG, "the answer's headers are larger than %u bytes",
                SL_LIMIT_HTTP_HEADER_BYTES);
        return 0;
    }
    if (len >= sizeof(line))
        return len; /* none that is read here is that long */
    memcpy(line, bytes, len);
    line[len] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    char *colon = strchr(line, ':');
    if (strncmp(line, "HTTP/", 5) == 0) {
        begin_answer(x->response, line);
    } else if (colon != NULL) {
        *colon = '\0';
        for (char *c = line; *c != '\0'; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
        char *value = colon + 1 + strspn(colon + 1, " \t");
        for (size_t end = strlen(value);
             end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t');)
            value[--end] = '\0';
        take_header(x, line, value);
    }
    return len;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *context) {
    (void)easy;
    return sl_tls_apply(context, ssl_ctx) ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

static int add_header(struct exchange *x, const char *name, const char *value,
                      struct sl_error *err) {
    if (strpbrk(name, "\r\n:") != NULL || strpbrk(value, "\r\n") != NULL)
        return sl_fail(err, SL_CONFIG, "the value of HTTP header %s holds a line break", name);
    struct sl_buffer line;
    sl_buffer_init(&line, 2 * SL_LIMIT_SECRET_FILE_BYTES);
    sl_buffer_reserve(&line, strlen(name) + strlen(value) + 2);
    sl_buffer_printf(&line, "%s:", name);
    /* libcurl's spelling for a header that is there but empty ends in a semicolon. */
    if (value[0] == '\0')
        line.data[line.len - 1] = ';';
    else
        sl_buffer_putc(&line, ' ');
    sl_buffer_puts(&line, value);
    int code = sl_buffer_check(&line, "an HTTP header", err);
    struct curl_slist *list = code == SL_OK ? curl_slist_append(x->headers, line.data) : NULL;
    sl_buffer_wipe(&line);
    if (code == SL_OK && list == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for an HTTP header");
    if (list != NULL)
        x->headers = list;
    return code;
}

static int add_bearer(struct exchange *x, const struct sl_secret *token, struct sl_error *err) {
    struct sl_buffer value;
    sl_buffer_init(&value, SL_LIMIT_SECRET_FILE_BYTES + 16);
    sl_buffer_reserve(&value, token->len + 8);
    sl_buffer_puts(&value, "Bearer ");
    sl_buffer_append(&value, token->text, token->len);
    int code = sl_buffer_check(&value, "the Authorization header", err);
    if (code == SL_OK)
        code = add_header(x, "Authorization", value.data, err);
    sl_buffer_wipe(&value);
    return code;
}

static int add_headers(struct exchange *x, struct sl_error *err) {
    int code = SL_OK;
    for (size_t i = 0; i < SL_HTTP_MAX_HEADERS && code == SL_OK; i++) {
        const struct sl_http_header *h = &x->request->headers[i];
        if (h->name == NULL)
            break;
        code = add_header(x, h->name, h->value, err);
    }
    if (code == SL_OK && x->request->bearer != NULL)
        code = add_bearer(x, x->request->bearer, err);
    /* libcurl's own way to leave a header out; but it would sign it all the same. */
    if (x->request->aws_sigv4 != NULL)
        return code;
    struct curl_slist *list = code == SL_OK ? curl_slist_append(x->headers, "Expect:") : NULL;
    if (code == SL_OK && list == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for an HTTP header");
    if (list != NULL)
        x->headers = list;
    return code;
}

/* The name that TLS verifies is the name in the URL, so a server name of its own goes there, and
 * the connection to where the URL pointed (CURLOPT_CONNECT_TO). */
static int set_url(struct exchange *x, struct sl_error *err) {
    const char *url = x->request->url, *name = x->http->tls_server_name;
    if (name == NULL || !sl_http_is_https(url)) {
        if ((size_t)snprintf(x->url, sizeof(x->url), "%s", url) >= sizeof(x->url))
            return sl_fail(err, SL_CONFIG, "a URL is longer than %d bytes", URL_BYTES - 1);
        return SL_OK;
    }
    const char *authority = url + strlen("https://");
    size_t authority_len = strcspn(authority, "/?#");
    const char *bracket = memchr(authority, ']', authority_len);
    const char *from = bracket != NULL ? bracket : authority;
    const char *colon = memchr(from, ':', authority_len - (size_t)(from - authority));
    size_t host_len = colon != NULL ? (size_t)(colon - authority) : authority_len;
    int port_len = colon != NULL ? (int)(authority_len - host_len - 1) : 3;
    const char *port = colon != NULL ? colon + 1 : "443";
    char connect_to[512], host[300];
    snprintf(connect_to, sizeof(connect_to), "::%.*s:%.*s", (int)host_len, authority, port_len,
             port);
    snprintf(host, sizeof(host), "%.*s", (int)authority_len, authority);
    int len = snprintf(x->url, sizeof(x->url), "https://%s:%.*s%s", name, port_len, port,
                       authority + authority_len);
    x->connect_to = curl_slist_append(NULL, connect_to);
    if (len < 0 || (size_t)len >= sizeof(x->url) || x->connect_to == NULL)
        return sl_fail(err, SL_CONFIG, "a URL is longer than %d bytes", URL_BYTES - 1);
    return add_header(x, "Host", host, err);
}

static void set_method(CURL *easy, const struct sl_http_request *r) {
    if (r->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
    }
    if (strcmp(r->method, r->body != NULL ? "POST" : "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
}

static void set_tls(const struct sl_http *http) {
    CURL *easy = http->easy;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, http->insecure_peer ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, http->insecure_host ? 0L : 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, http->tls);
    if (http->replace_ca || http->has_ca_folder)
        curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    if (http->replace_ca)
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static void set_limits(const struct exchange *x) {
    const struct sl_http *http = x->http;
    int64_t timeout_ms = x->request->timeout_ms > 0 ? x->request->timeout_ms : http->timeout_ms;
    int64_t connect_ms =
        http->connect_timeout_ms < timeout_ms ? http->connect_timeout_ms : timeout_ms;
    curl_easy_setopt(http->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(http->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(http->easy, CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(http->easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(http->easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name lookup that hangs is left to its thread: stopping must not wait for it. */
    curl_easy_setopt(http->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void set_login(const struct exchange *x) {
    CURL *easy = x->http->easy;
    const struct sl_http_request *r = x->request;
    if (r->user == NULL)
        return;
    curl_easy_setopt(easy, CURLOPT_USERNAME, r->user);
    if (r->password != NULL)
        curl_easy_setopt(easy, CURLOPT_PASSWORD, r->password->text);
#ifdef CURLAUTH_AWS_SIGV4
    if (r->aws_sigv4 != NULL) {
        curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, r->aws_sigv4);
        curl_easy_setopt(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
        return;
    }
#endif
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
}

/* A library older than the headers that this was built with counts as well. */
static int check_login(const struct sl_http_request *r, struct sl_error *err) {
#ifdef CURLAUTH_AWS_SIGV4
    bool can_sign = curl_version_info(CURLVERSION_NOW)->version_num >= 0x074b00;
#else
    bool can_sign = false;
#endif
    if (r->aws_sigv4 == NULL || can_sign)
        return SL_OK;
    return sl_fail(err, SL_CONFIG, "libcurl %s cannot sign for AWS: 7.75 can",
                   curl_version_info(CURLVERSION_NOW)->version);
}

static void set_options(struct exchange *x) {
    struct sl_http *http = x->http;
    CURL *easy = http->easy;
    curl_easy_reset(easy);
    http->reason[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->reason);
    curl_easy_setopt(easy, CURLOPT_URL, x->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, http->user_agent);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, x->headers);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, x->connect_to);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     http->use_http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    if (http->proxy != NULL)
        curl_easy_setopt(easy, CURLOPT_PROXY, http->proxy);
    set_login(x);
    set_method(easy, x->request);
    set_limits(x);
    set_tls(http);
}

static bool is_stopped(const struct sl_http *http) {
    return http->stop != NULL && sl_wakeup_is_signalled(http->stop);
}

/* Runs the request to its end. CURLE_ABORTED_BY_CALLBACK stands for "stopped". */
static CURLcode run(struct sl_http *http) {
    struct curl_waitfd stop = {.fd = http->stop != NULL ? http->stop->fd : -1,
                               .events = CURL_WAIT_POLLIN};
    for (;;) {
        int running = 0, left = 0;
        CURLMcode code = curl_multi_perform(http->multi, &running);
        if (code != CURLM_OK)
            return code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_RECV_ERROR;
        CURLMsg *message = curl_multi_info_read(http->multi, &left);
        if (message != NULL && message->msg == CURLMSG_DONE)
            return message->data.result;
        if (is_stopped(http))
            return CURLE_ABORTED_BY_CALLBACK;
        let_go();
        curl_multi_wait(http->multi, &stop, http->stop != NULL ? 1 : 0, 1000, NULL);
    }
}

static enum sl_code code_of(CURLcode code) {
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return SL_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_INITFAILED:
        return SL_TLS;
    case CURLE_OUT_OF_MEMORY:
        return SL_NOMEM;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return SL_CONFIG;
    case CURLE_ABORTED_BY_CALLBACK:
        return SL_CANCELED;
    default:
        return SL_IO;
    }
}

static int explain(const struct exchange *x, CURLcode code, struct sl_error *err) {
    char url[URL_BYTES];
    sl_http_redact_url(x->request->url, url, sizeof(url));
    if (x->failure.code != SL_OK) {
        if (err != NULL)
            *err = x->failure;
        return x->failure.code == SL_CANCELED || err == NULL
                   ? (int)x->failure.code
                   : sl_error_prefix(err, "%s %s", x->request->method, url);
    }
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return sl_fail(err, SL_CANCELED, "%s %s: canceled", x->request->method, url);
    const char *reason = x->http->reason[0] != '\0' ? x->http->reason : curl_easy_strerror(code);
    const char *remedy = code == CURLE_PEER_FAILED_VERIFICATION
                             ? " (is the server's CA in the system's store or in CACert?)"
                         : strstr(reason, "wrong version number") != NULL
                             ? " (it does not speak TLS there: is it http, or another port?)"
                             : "";
    return sl_fail(err, code_of(code), "%s %s: %s%s", x->request->method, url, reason, remedy);
}

static bool was_sent(CURL *easy) {
    curl_off_t us = 0;
    return curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &us) == CURLE_OK && us > 0;
}

static void release_exchange(struct exchange *x) {
    for (struct curl_slist *h = x->headers; h != NULL; h = h->next)
        sl_wipe(h->data, strlen(h->data));
    curl_slist_free_all(x->headers);
    curl_slist_free_all(x->connect_to);
}

static int perform(void *self, const struct sl_http_request *request,
                   struct sl_http_response *response, bool *ret_sent, struct sl_error *err) {
    struct sl_http *http = self;
    struct exchange x = {.http = http, .request = request, .response = response};
    x.max_body_bytes =
        request->max_body_bytes > 0 ? request->max_body_bytes : SL_LIMIT_HTTP_BODY_BYTES;
    begin_answer(response, "");
    if (ret_sent != NULL)
        *ret_sent = false;
    if (is_stopped(http))
        return sl_fail(err, SL_CANCELED, "canceled");
    int64_t started_ms = sl_clock_monotonic_ms();
    int code = check_login(request, err);
    if (code == SL_OK)
        code = add_headers(&x, err);
    if (code == SL_OK)
        code = set_url(&x, err);
    if (code == SL_OK) {
        set_options(&x);
        curl_multi_add_handle(http->multi, http->easy);
        CURLcode result = run(http);
        if (ret_sent != NULL)
            *ret_sent = was_sent(http->easy);
        curl_multi_remove_handle(http->multi, http->easy);
        if (result == CURLE_WRITE_ERROR && x.cut)
            result = CURLE_OK;
        if (result != CURLE_OK)
            code = explain(&x, result, err);
        /* Nothing of the request may be reached through the handle any more. */
        curl_easy_reset(http->easy);
    }
    response->duration_ms = sl_clock_monotonic_ms() - started_ms;
    release_exchange(&x);
    let_go();
    return code;
}

struct sl_transport sl_http_transport(struct sl_http *http) {
    return (struct sl_transport){.perform = perform, .self = http};
}
