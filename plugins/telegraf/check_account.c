/* Is Spacelift there, is the key good, and what may it read? */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/identity.h"
#include "os/clock.h"
#include "spacelift/session.h"

/* What can be done about a failure, by its kind. */
static const char *remedy_of(enum sl_code code) {
    static const struct {
        enum sl_code code;
        const char *text;
    } remedies[] = {
        {SL_IO, "check URL, DNS, proxy and firewall: this host must reach the account over HTTPS"},
        {SL_TIMEOUT, "check proxy and firewall, or raise Timeout"},
        {SL_TLS, "where a proxy or a private CA signs, name its certificate with CACert"},
        {SL_AUTH, "compare APIKeyID and the secret's file with the key in Spacelift (Organization "
                  "settings, API keys), and see that the login policy lets it in"},
        {SL_NOTFOUND, "compare APIKeyID with the key in Spacelift (Organization settings, API "
                      "keys), and URL with the account"},
        {SL_FORBIDDEN, "give the key read access to the space of the pools"},
        {SL_RATELIMIT, "wait a minute, and make Interval longer"},
    };
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
        if (remedies[i].code == code)
            return remedies[i].text;
    return NULL;
}

static void keep_pools(struct sl_check *c, struct sl_answer *answer) {
    struct sl_check_pool *grown =
        realloc(c->pools, (c->pool_count + answer->pool_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        c->is_out_of_memory = true;
        return;
    }
    c->pools = grown;
    for (size_t i = 0; i < answer->pool_count; i++) {
        struct sl_worker_pool *from = &answer->pools[i];
        c->pools[c->pool_count++] = (struct sl_check_pool){
            .id = from->id,
            .name = from->name,
            .runs_pending = from->runs_pending,
            .workers_busy = from->workers_busy,
        };
        from->id = NULL; /* moved */
        from->name = NULL;
    }
}

static bool check_pools(struct sl_check *c, struct sl_session *session,
                        const struct sl_account *account) {
    struct sl_document_arguments arguments = {.with_labels =
                                                  sl_pool_filter_needs_labels(&account->filter)};
    struct sl_answer_settings settings = {.filter = &account->filter};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_answer answer;
    if (sl_session_read(session, SL_DOCUMENT_WORKER_POOLS, &arguments, &settings, &answer, &err) !=
        SL_OK) {
        sl_check_say(c, SL_CHECK_FAILED, remedy_of(err.code), "its worker pools cannot be read: %s",
                     err.text);
        return false;
    }
    if (answer.pool_count == 0)
        sl_check_say(c, SL_CHECK_WARNING,
                     "give the key read access to the space of the pools, and look at the filters",
                     "the key sees no worker pool");
    else
        sl_check_say(c, SL_CHECK_OK, NULL, "%zu worker pool%s can be read", answer.pool_count,
                     answer.pool_count == 1 ? "" : "s");
    keep_pools(c, &answer);
    sl_answer_release(&answer);
    return true;
}

/* One page for each pool, and not for a thousand of them. */
enum { QUEUES_MAX = 10 };

/* A queue is asked for by pool: the key may see one and not another. */
static void check_queues(struct sl_check *c, struct sl_session *session, size_t first_pool) {
    size_t all = c->pool_count - first_pool, good = 0;
    size_t count = all < QUEUES_MAX ? all : QUEUES_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct sl_check_pool *pool = &c->pools[first_pool + i];
        struct sl_document_arguments arguments = {.pool_id = pool->id};
        struct sl_answer_settings settings = {.filter = NULL};
        struct sl_error err = SL_ERROR_INIT;
        struct sl_answer answer;
        if (sl_session_read(session, SL_DOCUMENT_QUEUE, &arguments, &settings, &answer, &err) ==
            SL_OK) {
            sl_answer_release(&answer);
            good++;
            continue;
        }
        sl_check_say(c, SL_CHECK_WARNING,
                     "give the key the right to read it, or set Queue false in <Account>",
                     "Queue: the queue of pool \"%s\" cannot be read: %s", pool->name, err.text);
        if (err.code != SL_FORBIDDEN && err.code != SL_NOTFOUND)
            break; /* the others would say the same */
    }
    if (good > 0 && all > count)
        sl_check_say(c, SL_CHECK_OK, NULL,
                     "Queue: the queues of %zu pools can be read; those of %zu were not asked for",
                     good, all - count);
    else if (good > 0)
        sl_check_say(c, SL_CHECK_OK, NULL, "Queue: the queue%s of %zu pool%s can be read",
                     good == 1 ? "" : "s", good, good == 1 ? "" : "s");
}

/* What is switched on must be readable; what is not needed for scaling is a warning only. */
static void check_documents(struct sl_check *c, struct sl_session *session,
                            const struct sl_account *a) {
    const struct {
        enum sl_document document;
        bool is_on;
        const char *option;
    } documents[] = {
        {SL_DOCUMENT_PUBLIC_WORKER_POOL, a->public_worker_pool, "PublicWorkerPool"},
        {SL_DOCUMENT_USAGE, a->usage, "Usage"},
        {SL_DOCUMENT_AGGREGATES, a->aggregates, "Aggregates"},
        {SL_DOCUMENT_WORKERS, a->workers, "Workers"},
        {SL_DOCUMENT_SCHEDULABLE, a->schedulable, "Schedulable"},
        {SL_DOCUMENT_BILLING_DETAILS, a->billing_details, "BillingDetails"},
        {SL_DOCUMENT_SEATS, a->seats, "Seats"},
    };
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct sl_document_arguments arguments = {.with_metadata = a->worker_metadata_key != NULL};
        struct sl_answer_settings settings = {.metadata_key = a->worker_metadata_key};
        const char *name = sl_document_name(documents[i].document);
        struct sl_error err = SL_ERROR_INIT;
        struct sl_answer answer;
        char remedy[SL_CHECK_REMEDY_BYTES];
        if (!documents[i].is_on)
            continue;
        if (sl_session_read(session, documents[i].document, &arguments, &settings, &answer, &err) ==
            SL_OK) {
            sl_check_say(c, SL_CHECK_OK, NULL, "%s: %s can be read", documents[i].option, name);
            sl_answer_release(&answer);
            continue;
        }
        (void)snprintf(remedy, sizeof(remedy),
                       "give the key the right to read it, or set %s false in <Account>",
                       documents[i].option);
        sl_check_say(c, SL_CHECK_WARNING, remedy, "%s: %s cannot be read: %s", documents[i].option,
                     name, err.text);
    }
}

static bool check_login(struct sl_check *c, struct sl_session *session) {
    struct sl_document_arguments arguments = {.with_labels = false};
    struct sl_answer_settings settings = {.filter = NULL};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_answer answer;
    if (sl_session_read(session, SL_DOCUMENT_VIEWER, &arguments, &settings, &answer, &err) !=
        SL_OK) {
        sl_check_say(c, SL_CHECK_FAILED, remedy_of(err.code), "%s", err.text);
        return false;
    }
    sl_check_say(c, SL_CHECK_OK, NULL, "the endpoint answers and the key is accepted");
    sl_answer_release(&answer);
    return true;
}

/* True if its pools are known. */
static bool check_account(struct sl_check *c, const struct sl_account *account) {
    struct sl_log log = sl_check_log(c);
    struct sl_error err = SL_ERROR_INIT;
    struct sl_http *http = NULL;
    struct sl_session *session = NULL;
    bool has_pools = false;
    size_t first_pool = c->pool_count;
    sl_check_area(c, "Spacelift \"%s\"", account->name != NULL ? account->name : account->url);
    if (!account->http.verify_peer || !account->http.verify_host)
        sl_check_say(
            c, SL_CHECK_WARNING, "name the CA with CACert instead",
            "its certificate is not verified (VerifyPeer, VerifyHost): anybody between can "
            "take the key");
    if (strncmp(account->url, "http://", 7) == 0)
        sl_check_say(c, SL_CHECK_WARNING, "use https://", "the key travels unencrypted to %s",
                     account->url);
    int code = sl_identity_open(&account->http, false, NULL, NULL, &http, &err);
    if (code == SL_OK)
        code = sl_session_new(account, sl_http_transport(http), &log, &session, &err);
    if (code != SL_OK) {
        sl_check_say(c, SL_CHECK_FAILED, NULL, "%s", err.text);
    } else if (check_login(c, session)) {
        has_pools = check_pools(c, session, account);
        check_documents(c, session, account);
        if (account->queue)
            check_queues(c, session, first_pool);
    }
    sl_session_free(session);
    sl_http_free(http);
    return has_pools;
}

void sl_check_accounts(struct sl_check *c) {
    c->has_pools = c->configuration->account_count > 0;
    for (size_t i = 0; i < c->configuration->account_count; i++)
        if (!check_account(c, &c->configuration->accounts[i]))
            c->has_pools = false;
}
