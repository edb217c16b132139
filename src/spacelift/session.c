/* A conversation with one Spacelift account. */
#include "spacelift/session.h"

#include <stdlib.h>

#include "base/backoff.h"
#include "base/limits.h"
#include "os/clock.h"
#include "os/file.h"

enum {
    RENEW_BEFORE_MS = 30 * 1000, /* what spacectl and the exporter do */
    LOGIN_PAUSE_MIN_MS = 10 * 1000,
    LOGIN_PAUSE_MAX_MS = 5 * 60 * 1000,
    /* A token younger than this that is refused will not get better by another exchange. */
    FRESH_TOKEN_MS = 60 * 1000,
    BODY_BYTES = 4096,
};

struct sl_session {
    const struct sl_account *account;
    const struct sl_log *log;
    struct sl_transport transport;
    char *endpoint;
    struct sl_secret token;
    int64_t token_expires_ms; /* monotonic */
    int64_t token_since_ms;
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
    struct sl_secret secret = SL_SECRET_INIT;
    int code = sl_endpoint(account->url, &s->endpoint, err);
    if (code == SL_OK) {
        code = sl_file_read_secret(account->api_key_secret_file, &secret, log, err);
        if (code != SL_OK && err != NULL)
            sl_error_prefix(err, "option APIKeySecretFile");
    }
    sl_secret_release(&secret);
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

/* One POST; the answer is parsed while it arrives. */
static int post(struct sl_session *s, enum sl_document document, const char *body, size_t body_len,
                const struct sl_secret *bearer, struct sl_answer *ret, int64_t *ret_server_ms,
                struct sl_error *err) {
    struct sl_answer_parser *parser = sl_answer_parser_new(document);
    if (parser == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for an answer");
    struct sl_http_request request = {
        .method = "POST",
        .url = s->endpoint,
        .headers = {{"Content-Type", "application/json"}, {"Spacelift-Client-Type", "collectd"}},
        .bearer = bearer,
        .body = body,
        .body_len = body_len,
        .timeout_ms = s->account->timeout_ms,
        .sink = sl_answer_parser_feed,
        .sink_context = parser,
    };
    struct sl_http_response response;
    struct sl_error failure = SL_ERROR_INIT;
    sl_http_response_init(&response);
    int code = s->transport.perform(s->transport.self, &request, &response, NULL, &failure);
    if (code == SL_OK) {
        code = sl_http_check_status(&response, &failure);
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

/* The server's expiry on our monotonic clock, by the server's own clock where it tells it: a host
 * whose clock is wrong neither hammers nor uses a dead token. */
static void keep_token(struct sl_session *s, struct sl_answer *answer, int64_t server_ms) {
    int64_t now_ms = sl_clock_monotonic_ms();
    int64_t today_ms = server_ms >= 0 ? server_ms : sl_clock_realtime_ms();
    int64_t valid_ms = answer->valid_until_s > INT64_MAX / 1000
                           ? INT64_MAX / 2
                           : answer->valid_until_s * 1000 - today_ms;
    if (valid_ms > INT64_MAX / 4)
        valid_ms = INT64_MAX / 4;
    int64_t usable_ms = valid_ms - RENEW_BEFORE_MS;
    s->token_since_ms = now_ms;
    s->token_expires_ms = now_ms + (usable_ms > 0 ? usable_ms : 0);
    sl_secret_release(&s->token);
    s->token = answer->jwt;
    answer->jwt = (struct sl_secret)SL_SECRET_INIT;
}

static int exchange(struct sl_session *s, const struct sl_secret *secret, struct sl_error *err) {
    struct sl_buffer body;
    sl_buffer_init(&body, BODY_BYTES + 6 * SL_LIMIT_SECRET_FILE_BYTES);
    sl_buffer_reserve(&body, BODY_BYTES + 6 * secret->len);
    struct sl_answer answer = {.pools = NULL};
    int64_t server_ms = -1;
    int code =
        sl_document_body(SL_DOCUMENT_API_KEY_USER, s->account->api_key_id, secret, &body, err);
    if (code == SL_OK)
        code =
            post(s, SL_DOCUMENT_API_KEY_USER, body.data, body.len, NULL, &answer, &server_ms, err);
    if (code == SL_OK)
        keep_token(s, &answer, server_ms);
    sl_buffer_wipe(&body);
    sl_answer_release(&answer);
    return code;
}

/* A refused key is not tried again and again: the API would lock it, and the log would say so. */
static void remember_refusal(struct sl_session *s, struct sl_secret *secret, struct sl_error *err) {
    if (err->code == SL_AUTH)
        sl_fail(err, SL_AUTH,
                "%s: the API key is refused: check APIKeyID %s and the secret in %s (the login "
                "policy may refuse it, too)",
                s->endpoint, s->account->api_key_id, s->account->api_key_secret_file);
    s->login_again_ms = sl_clock_monotonic_ms() + sl_backoff_failed(&s->login_pause, -1, 0);
    s->refusal = *err;
    sl_secret_release(&s->refused_secret);
    s->refused_secret = *secret;
    *secret = (struct sl_secret)SL_SECRET_INIT;
}

static int login(struct sl_session *s, struct sl_error *err) {
    struct sl_secret secret = SL_SECRET_INIT;
    int code = sl_file_read_secret(s->account->api_key_secret_file, &secret, NULL, err);
    if (code != SL_OK)
        return code;
    if (sl_secret_is_set(&s->refused_secret) && sl_secret_equal(&secret, &s->refused_secret) &&
        sl_clock_monotonic_ms() < s->login_again_ms) {
        sl_secret_release(&secret);
        *err = s->refusal;
        return err->code;
    }
    code = exchange(s, &secret, err);
    if (code == SL_AUTH || code == SL_NOTFOUND || code == SL_FORBIDDEN) {
        remember_refusal(s, &secret, err);
        code = err->code;
    } else if (code == SL_OK) {
        sl_backoff_succeeded(&s->login_pause);
        sl_secret_release(&s->refused_secret);
    }
    sl_secret_release(&secret);
    return code;
}

static int ask(struct sl_session *s, enum sl_document document, struct sl_answer *ret,
               struct sl_error *err) {
    struct sl_buffer body;
    sl_buffer_init(&body, BODY_BYTES);
    int64_t server_ms;
    int code = sl_document_body(document, NULL, NULL, &body, err);
    if (code == SL_OK)
        code = post(s, document, body.data, body.len, &s->token, ret, &server_ms, err);
    sl_buffer_release(&body);
    return code;
}

/* "unauthorized" means a bad token or a key that may not read this field. spacectl's way to tell:
 * ask who we are. */
static int judge_refusal(struct sl_session *s, enum sl_document document, struct sl_error *err) {
    struct sl_answer viewer = {.pools = NULL};
    struct sl_error ignored = SL_ERROR_INIT;
    int code = ask(s, SL_DOCUMENT_VIEWER, &viewer, &ignored);
    bool logged_in = code == SL_OK && viewer.has_viewer;
    sl_answer_release(&viewer);
    if (logged_in)
        return sl_fail(err, SL_FORBIDDEN,
                       "%s: API key %s is good but may not read %s: give it read access to the "
                       "space",
                       s->endpoint, s->account->api_key_id, sl_document_name(document));
    s->token_expires_ms = 0;
    return err->code;
}

int sl_session_read(struct sl_session *s, enum sl_document document, struct sl_answer *ret,
                    struct sl_error *err) {
    struct sl_error local = SL_ERROR_INIT;
    err = err != NULL ? err : &local;
    for (int attempt = 0;; attempt++) {
        if (!sl_secret_is_set(&s->token) || sl_clock_monotonic_ms() >= s->token_expires_ms) {
            int code = login(s, err);
            if (code != SL_OK)
                return code;
        }
        int code = ask(s, document, ret, err);
        if (code != SL_AUTH)
            return code;
        bool fresh = sl_clock_monotonic_ms() - s->token_since_ms < FRESH_TOKEN_MS;
        if (attempt > 0 || fresh)
            return judge_refusal(s, document, err);
        s->token_expires_ms = 0;
    }
}
