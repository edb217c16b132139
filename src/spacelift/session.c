/* A conversation with one Spacelift account. */
#include "spacelift/session.h"

#include <stdlib.h>

#include "base/backoff.h"
#include "base/limits.h"
#include "os/clock.h"
#include "os/file.h"
#include "spacelift/credentials.h"

enum {
    RENEW_BEFORE_MS = 30 * 1000, /* what spacectl and the exporter do */
    LOGIN_PAUSE_MIN_MS = 10 * 1000,
    LOGIN_PAUSE_MAX_MS = 5 * 60 * 1000,
    BODY_BYTES = 4096,
};

struct sl_session {
    const struct sl_account *account;
    const struct sl_log *log;
    struct sl_transport transport;
    char *endpoint;
    struct sl_secret token;
    int64_t token_expires_ms; /* monotonic */
    uint64_t logins;
    struct sl_secret refused_secret; /* what the last refused login used */
    struct sl_error refusal;
    struct sl_backoff login_pause;
    int64_t login_again_ms;
};

int sl_session_new(const struct sl_account *account, struct sl_transport transport,
                   const struct sl_log *log, struct sl_session **ret, struct sl_error *err) {
    struct sl_session *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a session");
    s->account = account;
    s->transport = transport;
    s->log = log;
    sl_backoff_init(&s->login_pause, LOGIN_PAUSE_MIN_MS, LOGIN_PAUSE_MAX_MS,
                    (uint64_t)sl_clock_monotonic_ns());
    struct sl_credentials credentials = {.endpoint = NULL};
    int code = sl_account_check(account, err);
    if (code == SL_OK)
        code = sl_credentials_load(account, log, &credentials, err);
    sl_credentials_release(&credentials);
    if (code != SL_OK)
        sl_session_free(s);
    else
        *ret = s;
    return code;
}

void sl_session_free(struct sl_session *s) {
    if (s == NULL)
        return;
    sl_secret_release(&s->token);
    sl_secret_release(&s->refused_secret);
    free(s->endpoint);
    free(s);
}

uint64_t sl_session_logins(const struct sl_session *s) {
    return s->logins;
}

int64_t sl_session_expiry(const struct sl_session *s, const char **ret_credential) {
    struct sl_credentials c = {.endpoint = NULL};
    if (sl_credentials_load(s->account, NULL, &c, NULL) != SL_OK)
        return 0;
    int64_t expires_s = c.expires_s;
    *ret_credential = c.key_id == NULL ? "api_token" : "oidc_token";
    sl_credentials_release(&c);
    return expires_s;
}

/* One POST; the answer is parsed while it arrives. */
static int post(struct sl_session *s, enum sl_document document,
                const struct sl_answer_settings *settings, const struct sl_buffer *body,
                const struct sl_secret *bearer, struct sl_answer *ret, int64_t *ret_server_ms,
                struct sl_error *err) {
    struct sl_answer_parser *parser = sl_answer_parser_new(document, settings);
    if (parser == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for an answer");
    struct sl_http_request request = {
        .method = "POST",
        .url = s->endpoint,
        .headers = {{"Content-Type", "application/json"}, {"Spacelift-Client-Type", "collectd"}},
        .bearer = bearer,
        .body = body->data,
        .body_len = body->len,
        .timeout_ms = s->account->http.timeout_ms,
        .sink = sl_answer_parser_feed,
        .sink_context = parser,
    };
    struct sl_http_response response;
    struct sl_error failure = SL_ERROR_INIT;
    sl_http_response_init(&response);
    int code = s->transport.perform(s->transport.self, &request, &response, NULL, &failure);
    if (code == SL_OK) {
        code = sl_http_check_status(&response, &failure);
        if (code == SL_NOTFOUND) {
            sl_fail(&failure, SL_NOTFOUND,
                    "HTTP %d: the API of Spacelift is not at this address: check URL",
                    response.status);
            failure.http_status = response.status;
        }
        if (code == SL_OK)
            code = sl_answer_parser_finish(parser, ret, &failure);
        if (code != SL_OK)
            sl_error_prefix(&failure, "%s", s->endpoint);
    }
    *ret_server_ms = response.date_ms;
    if (code != SL_OK && err != NULL)
        *err = failure;
    sl_http_response_release(&response);
    sl_answer_parser_free(parser);
    return code;
}

/* A time of the server on our monotonic clock, by the server's own clock where it tells it: a host
 * whose clock is wrong neither hammers nor uses a dead token. */
static int64_t expiry_of(int64_t valid_until_s, int64_t server_ms) {
    int64_t today_ms = server_ms >= 0 ? server_ms : sl_clock_realtime_ms();
    if (valid_until_s < 0) /* a server's number: anything */
        valid_until_s = 0;
    int64_t valid_ms =
        valid_until_s > INT64_MAX / 4000 ? INT64_MAX / 4 : valid_until_s * 1000 - today_ms;
    int64_t usable_ms = valid_ms - RENEW_BEFORE_MS;
    return sl_clock_monotonic_ms() + (usable_ms > 0 ? usable_ms : 0);
}

static void keep_token(struct sl_session *s, struct sl_secret *token, int64_t expires_ms) {
    s->token_expires_ms = expires_ms;
    s->logins++;
    sl_secret_release(&s->token);
    s->token = *token;
    *token = (struct sl_secret)SL_SECRET_INIT;
}

static void forget_token(struct sl_session *s) {
    sl_secret_release(&s->token);
}

static int exchange(struct sl_session *s, const struct sl_credentials *c, struct sl_error *err) {
    struct sl_document_arguments arguments = {.api_key_id = c->key_id, .secret = &c->secret};
    struct sl_answer_settings settings = {.filter = NULL};
    struct sl_buffer body;
    sl_buffer_init(&body, BODY_BYTES + 6 * SL_LIMIT_SECRET_FILE_BYTES);
    sl_buffer_reserve(&body, BODY_BYTES + 6 * c->secret.len);
    struct sl_answer answer = {.pools = NULL};
    int64_t server_ms = -1;
    int code = sl_document_body(SL_DOCUMENT_API_KEY_USER, &arguments, &body, err);
    if (code == SL_OK)
        code = post(s, SL_DOCUMENT_API_KEY_USER, &settings, &body, NULL, &answer, &server_ms, err);
    if (code == SL_OK)
        keep_token(s, &answer.jwt, expiry_of(answer.valid_until_s, server_ms));
    sl_buffer_wipe(&body);
    sl_answer_release(&answer);
    return code;
}

/* A ready token is taken as it is; its file is looked at again when it is about to expire. */
static int take_token(struct sl_session *s, struct sl_credentials *c, struct sl_error *err) {
    int64_t late_s = sl_clock_realtime_ms() / 1000 - c->expires_s;
    if (late_s >= 0)
        return sl_fail(err, SL_AUTH, "%s: the token expired %lld s ago: put a new one there",
                       c->source, (long long)late_s);
    bool is_same = sl_secret_is_set(&s->token) && sl_secret_equal(&s->token, &c->secret);
    if (!is_same)
        keep_token(s, &c->secret, expiry_of(c->expires_s, -1));
    return SL_OK;
}

static void say_refused(const struct sl_session *s, const struct sl_credentials *c,
                        struct sl_error *err) {
    int64_t late_s = sl_clock_realtime_ms() / 1000 - c->expires_s;
    if (c->key_id != NULL && c->expires_s > 0 && late_s >= 0)
        sl_fail(err, SL_AUTH,
                "%s: the OIDC API key %s is refused: the token in %s expired %lld s ago: what puts "
                "it there does not renew it",
                s->endpoint, c->key_id, c->source, (long long)late_s);
    else if (c->key_id == NULL)
        sl_fail(err, SL_AUTH, "%s: the token is refused: put a new one into %s", s->endpoint,
                c->source);
    else
        sl_fail(err, SL_AUTH,
                "%s: the API key is refused: check APIKeyID %s and the secret in %s (the login "
                "policy may refuse it, too)",
                s->endpoint, c->key_id, c->source);
}

/* What is refused is not tried again and again: the API would lock the key, and the log would say
 * so. */
static void remember_refusal(struct sl_session *s, struct sl_credentials *c, struct sl_error *err) {
    if (err->code == SL_AUTH)
        say_refused(s, c, err);
    s->login_again_ms = sl_clock_monotonic_ms() + sl_backoff_failed(&s->login_pause, -1, 0);
    s->refusal = *err;
    forget_token(s);
    sl_secret_release(&s->refused_secret);
    s->refused_secret = c->secret;
    c->secret = (struct sl_secret)SL_SECRET_INIT;
}

static bool is_refused_still(const struct sl_session *s, const struct sl_credentials *c) {
    return sl_secret_is_set(&s->refused_secret) &&
           sl_secret_equal(&c->secret, &s->refused_secret) &&
           sl_clock_monotonic_ms() < s->login_again_ms;
}

static int enter(struct sl_session *s, struct sl_credentials *c, struct sl_error *err) {
    if (is_refused_still(s, c)) {
        *err = s->refusal;
        return err->code;
    }
    free(s->endpoint);
    s->endpoint = c->endpoint;
    c->endpoint = NULL;
    if (c->key_id == NULL)
        return take_token(s, c, err);
    int code = exchange(s, c, err);
    if (code == SL_AUTH || code == SL_NOTFOUND || code == SL_FORBIDDEN) {
        remember_refusal(s, c, err);
        code = err->code;
    }
    return code;
}

static int login(struct sl_session *s, struct sl_error *err) {
    struct sl_credentials c = {.endpoint = NULL};
    int code = sl_credentials_load(s->account, NULL, &c, err);
    if (code == SL_OK)
        code = enter(s, &c, err);
    sl_credentials_release(&c);
    return code;
}

static int ask(struct sl_session *s, enum sl_document document,
               const struct sl_document_arguments *arguments,
               const struct sl_answer_settings *settings, struct sl_answer *ret,
               struct sl_error *err) {
    struct sl_buffer body;
    sl_buffer_init(&body, BODY_BYTES);
    int64_t server_ms;
    int code = sl_document_body(document, arguments, &body, err);
    if (code == SL_OK)
        code = post(s, document, settings, &body, &s->token, ret, &server_ms, err);
    sl_buffer_release(&body);
    return code;
}

/* "unauthorized" means a bad token or a key that may not read this field. spacectl's way to tell:
 * ask who we are. SL_FORBIDDEN: the token is good; SL_AUTH: it is not; or why nobody can know. */
static int judge_refusal(struct sl_session *s, enum sl_document document, struct sl_error *err) {
    struct sl_document_arguments arguments = {.pool_id = NULL};
    struct sl_answer_settings settings = {.filter = NULL};
    struct sl_answer viewer = {.pools = NULL};
    int code = ask(s, SL_DOCUMENT_VIEWER, &arguments, &settings, &viewer, err);
    bool logged_in = code == SL_OK && viewer.has_viewer;
    sl_answer_release(&viewer);
    if (logged_in)
        return sl_fail(err, SL_FORBIDDEN,
                       "%s: the key is good but may not read %s: give it read access to the %s",
                       s->endpoint, sl_document_name(document),
                       document == SL_DOCUMENT_USAGE || document == SL_DOCUMENT_BILLING_DETAILS
                           ? "root space"
                           : "space");
    return code == SL_OK ? SL_AUTH : code;
}

/* A token that is refused right after it was given: nothing will make it better soon. */
static int give_up(struct sl_session *s, struct sl_error *err) {
    struct sl_credentials c = {.endpoint = NULL};
    int code = sl_credentials_load(s->account, NULL, &c, err);
    if (code != SL_OK)
        return code;
    err->code = SL_AUTH;
    remember_refusal(s, &c, err);
    sl_credentials_release(&c);
    return SL_AUTH;
}

static int read_document(struct sl_session *s, enum sl_document document,
                         const struct sl_document_arguments *arguments,
                         const struct sl_answer_settings *settings, struct sl_answer *ret,
                         struct sl_error *err) {
    for (int attempt = 0;; attempt++) {
        if (!sl_secret_is_set(&s->token) || sl_clock_monotonic_ms() >= s->token_expires_ms) {
            int code = login(s, err);
            if (code != SL_OK)
                return code;
        }
        int code = ask(s, document, arguments, settings, ret, err);
        if (code == SL_AUTH)
            code = judge_refusal(s, document, err);
        if (code == SL_OK) {
            sl_backoff_succeeded(&s->login_pause);
            sl_secret_release(&s->refused_secret);
        }
        if (code != SL_AUTH)
            return code;
        if (attempt > 0)
            return give_up(s, err);
        forget_token(s);
    }
}

int sl_session_read(struct sl_session *s, enum sl_document document,
                    const struct sl_document_arguments *arguments,
                    const struct sl_answer_settings *settings, struct sl_answer *ret,
                    struct sl_error *err) {
    /* What went wrong on the way to a success is nobody's business. */
    struct sl_error failure = SL_ERROR_INIT;
    int code = read_document(s, document, arguments, settings, ret, &failure);
    if (code != SL_OK && err != NULL)
        *err = failure;
    return code;
}
