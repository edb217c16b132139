/* Queries and answers of Spacelift's GraphQL API. */
#include "spacelift/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_parser.h"
#include "base/json_writer.h"
#include "base/limits.h"

/* ---- queries ---- */

static const struct {
    const char *name;
    const char *operation;
    const char *query;
} documents[] = {
    [SL_DOCUMENT_WORKER_POOLS] =
        {"workerPools", "CollectdSpacelift_WorkerPools",
         "query CollectdSpacelift_WorkerPools"
         "{workerPools{id,name,pendingRuns,busyWorkers,workers{id,drained}}}"},
    [SL_DOCUMENT_PUBLIC_WORKER_POOL] = {"publicWorkerPool", "CollectdSpacelift_PublicWorkerPool",
                                        "query CollectdSpacelift_PublicWorkerPool"
                                        "{publicWorkerPool{parallelism,busyWorkers,pendingRuns}}"},
    [SL_DOCUMENT_VIEWER] = {"viewer", "CollectdSpacelift_Viewer",
                            "query CollectdSpacelift_Viewer{viewer{id}}"},
    [SL_DOCUMENT_API_KEY_USER] = {"apiKeyUser", "CollectdSpacelift_Login",
                                  "mutation CollectdSpacelift_Login($id:ID!,$secret:String!)"
                                  "{apiKeyUser(id:$id,secret:$secret){jwt,validUntil}}"},
};

const char *sl_document_name(enum sl_document document) {
    return documents[document].name;
}

int sl_document_body(enum sl_document document, const char *api_key_id,
                     const struct sl_secret *secret, struct sl_buffer *out, struct sl_error *err) {
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_object_begin(&w, NULL);
    sl_json_put_string(&w, "query", documents[document].query);
    if (document == SL_DOCUMENT_API_KEY_USER) {
        sl_json_object_begin(&w, "variables");
        sl_json_put_string(&w, "id", api_key_id);
        sl_json_put_string(&w, "secret", secret->text);
        sl_json_object_end(&w);
    }
    sl_json_put_string(&w, "operationName", documents[document].operation);
    sl_json_object_end(&w);
    return sl_buffer_check(out, "a GraphQL request", err);
}

int sl_endpoint(const char *url, char **ret, struct sl_error *err) {
    static const char path[] = "/graphql";
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    if (len >= strlen(path) && strncmp(url + len - strlen(path), path, strlen(path)) == 0)
        len -= strlen(path);
    while (len > 0 && url[len - 1] == '/')
        len--;
    char *endpoint = malloc(len + sizeof(path));
    if (endpoint == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a URL");
    memcpy(endpoint, url, len);
    memcpy(endpoint + len, path, sizeof(path));
    *ret = endpoint;
    return SL_OK;
}

/* ---- answers ---- */

/* What a container in the answer is. */
enum place {
    IN_IGNORED,
    IN_ROOT,
    IN_DATA,
    IN_POOLS,
    IN_POOL,
    IN_WORKERS,
    IN_WORKER,
    IN_PUBLIC_POOL,
    IN_VIEWER,
    IN_USER,
    IN_ERRORS,
    IN_ERROR,
    IN_ERROR_PATH,
};

enum field {
    FIELD_OTHER,
    FIELD_DATA,
    FIELD_ERRORS,
    FIELD_ROOT_FIELD, /* workerPools, publicWorkerPool, ...: that of the document */
    FIELD_ID,
    FIELD_NAME,
    FIELD_PENDING_RUNS,
    FIELD_BUSY_WORKERS,
    FIELD_WORKERS,
    FIELD_DRAINED,
    FIELD_PARALLELISM,
    FIELD_JWT,
    FIELD_VALID_UNTIL,
    FIELD_MESSAGE,
    FIELD_PATH,
};

static const struct {
    enum place place;
    enum field field;
    const char *name;
} fields[] = {
    {IN_ROOT, FIELD_DATA, "data"},
    {IN_ROOT, FIELD_ERRORS, "errors"},
    {IN_POOL, FIELD_ID, "id"},
    {IN_POOL, FIELD_NAME, "name"},
    {IN_POOL, FIELD_PENDING_RUNS, "pendingRuns"},
    {IN_POOL, FIELD_BUSY_WORKERS, "busyWorkers"},
    {IN_POOL, FIELD_WORKERS, "workers"},
    {IN_WORKER, FIELD_DRAINED, "drained"},
    {IN_PUBLIC_POOL, FIELD_PENDING_RUNS, "pendingRuns"},
    {IN_PUBLIC_POOL, FIELD_BUSY_WORKERS, "busyWorkers"},
    {IN_PUBLIC_POOL, FIELD_PARALLELISM, "parallelism"},
    {IN_USER, FIELD_JWT, "jwt"},
    {IN_USER, FIELD_VALID_UNTIL, "validUntil"},
    {IN_ERROR, FIELD_MESSAGE, "message"},
    {IN_ERROR, FIELD_PATH, "path"},
};

enum { MESSAGE_BYTES = 256, FIRST_WORDS = 40 };

struct sl_answer_parser {
    enum sl_document document;
    struct sl_json_parser *json;
    struct sl_answer answer;
    size_t pool_cap;
    enum place places[SL_LIMIT_JSON_DEPTH];
    enum field field;    /* the key that was read last */
    unsigned seen;       /* of the object that is open: bit per field */
    unsigned pool_seen;  /* of the pool while its workers are read */
    bool has_root_field; /* the document's field came, and not as null */
    bool has_begun;
    bool has_errors;
    char message[MESSAGE_BYTES]; /* of the first error */
    char path[MESSAGE_BYTES];
};

void sl_answer_release(struct sl_answer *answer) {
    for (size_t i = 0; i < answer->pool_count; i++) {
        free(answer->pools[i].id);
        free(answer->pools[i].name);
    }
    free(answer->pools);
    sl_secret_release(&answer->jwt);
    *answer = (struct sl_answer){.pools = NULL};
}

static struct sl_worker_pool *newest_pool(struct sl_answer_parser *p) {
    return &p->answer.pools[p->answer.pool_count - 1];
}

static const char *name_of(enum place place, enum field field) {
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].place == place && fields[i].field == field)
            return fields[i].name;
    return "?";
}

/* "workerPools[3].pendingRuns is ..." */
static int refuse(const struct sl_answer_parser *p, enum place place, enum field field,
                  const char *what, struct sl_error *err) {
    const char *root = documents[p->document].name;
    size_t index = p->answer.pool_count > 0 ? p->answer.pool_count - 1 : 0;
    switch ((int)place) {
    case IN_POOL:
        return sl_fail(err, SL_PARSE, "%s[%zu].%s %s", root, index, name_of(place, field), what);
    case IN_WORKER:
        return sl_fail(err, SL_PARSE, "%s[%zu].workers[%lld].%s %s", root, index,
                       (long long)p->answer.pools[index].workers - 1, name_of(place, field), what);
    case IN_DATA:
        return sl_fail(err, SL_PARSE, "%s %s", root, what);
    default:
        return sl_fail(err, SL_PARSE, "%s.%s %s", root, name_of(place, field), what);
    }
}

static int add_pool(struct sl_answer_parser *p, struct sl_error *err) {
    struct sl_answer *a = &p->answer;
    if (a->pool_count == SL_LIMIT_POOLS_PER_ACCOUNT)
        return sl_fail(err, SL_TOOBIG, "the account has more than %u worker pools",
                       SL_LIMIT_POOLS_PER_ACCOUNT);
    if (a->pool_count == p->pool_cap) {
        size_t cap = p->pool_cap == 0 ? 16 : p->pool_cap * 2;
        struct sl_worker_pool *pools = realloc(a->pools, cap * sizeof(*pools));
        if (pools == NULL)
            return sl_fail(err, SL_NOMEM, "out of memory for worker pools");
        a->pools = pools;
        p->pool_cap = cap;
    }
    a->pools[a->pool_count++] = (struct sl_worker_pool){.id = NULL};
    return SL_OK;
}

static int require(const struct sl_answer_parser *p, enum place place, unsigned seen,
                   struct sl_error *err) {
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].place == place && (seen & (1u << fields[i].field)) == 0)
            return refuse(p, place, fields[i].field, "is missing", err);
    return SL_OK;
}

static enum field find_field(const struct sl_answer_parser *p, enum place place,
                             const struct sl_json_event *e) {
    if (place == IN_DATA) {
        const char *root = documents[p->document].name;
        return strlen(root) == e->len && memcmp(root, e->text, e->len) == 0 ? FIELD_ROOT_FIELD
                                                                            : FIELD_OTHER;
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].place == place && strlen(fields[i].name) == e->len &&
            memcmp(fields[i].name, e->text, e->len) == 0)
            return fields[i].field;
    return FIELD_OTHER;
}

static int put_count(struct sl_answer_parser *p, enum place place, const struct sl_json_event *e,
                     int64_t *ret, struct sl_error *err) {
    int64_t value;
    if (e->kind != SL_JSON_NUMBER)
        return refuse(p, place, p->field, e->kind == SL_JSON_NULL ? "is null" : "is no number",
                      err);
    if (sl_json_to_int64(e->text, e->len, &value, NULL) != SL_OK)
        return refuse(p, place, p->field, "is no whole number", err);
    if (value < 0)
        return refuse(p, place, p->field, "is negative", err);
    *ret = value;
    return SL_OK;
}

static int put_text(struct sl_answer_parser *p, enum place place, const struct sl_json_event *e,
                    char **ret, struct sl_error *err) {
    if (e->kind != SL_JSON_STRING)
        return refuse(p, place, p->field, e->kind == SL_JSON_NULL ? "is null" : "is no string",
                      err);
    if (e->len == 0)
        return refuse(p, place, p->field, "is empty", err);
    if (e->len > SL_LIMIT_NAME_BYTES)
        return refuse(p, place, p->field, "is longer than 512 bytes", err);
    free(*ret);
    *ret = strndup(e->text, e->len);
    return *ret != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory for worker pools");
}

static int pool_value(struct sl_answer_parser *p, const struct sl_json_event *e,
                      struct sl_error *err) {
    struct sl_worker_pool *pool = newest_pool(p);
    switch ((int)p->field) {
    case FIELD_ID:
        return put_text(p, IN_POOL, e, &pool->id, err);
    case FIELD_NAME:
        return put_text(p, IN_POOL, e, &pool->name, err);
    case FIELD_PENDING_RUNS:
        return put_count(p, IN_POOL, e, &pool->runs_pending, err);
    case FIELD_BUSY_WORKERS:
        return put_count(p, IN_POOL, e, &pool->workers_busy, err);
    case FIELD_WORKERS:
        return refuse(p, IN_POOL, p->field, "is no list", err);
    default:
        return SL_OK;
    }
}

static int worker_value(struct sl_answer_parser *p, const struct sl_json_event *e,
                        struct sl_error *err) {
    if (p->field != FIELD_DRAINED)
        return SL_OK;
    if (e->kind != SL_JSON_BOOL)
        return refuse(p, IN_WORKER, p->field, "is not true or false", err);
    newest_pool(p)->workers_drained += e->boolean;
    return SL_OK;
}

static int public_pool_value(struct sl_answer_parser *p, const struct sl_json_event *e,
                             struct sl_error *err) {
    switch ((int)p->field) {
    case FIELD_PENDING_RUNS:
        return put_count(p, IN_PUBLIC_POOL, e, &p->answer.public_runs_pending, err);
    case FIELD_BUSY_WORKERS:
        return put_count(p, IN_PUBLIC_POOL, e, &p->answer.public_workers_busy, err);
    case FIELD_PARALLELISM:
        return put_count(p, IN_PUBLIC_POOL, e, &p->answer.public_parallelism, err);
    default:
        return SL_OK;
    }
}

static int user_value(struct sl_answer_parser *p, const struct sl_json_event *e,
                      struct sl_error *err) {
    if (p->field == FIELD_VALID_UNTIL)
        return put_count(p, IN_USER, e, &p->answer.valid_until_s, err);
    if (p->field != FIELD_JWT)
        return SL_OK;
    if (e->kind != SL_JSON_STRING || e->len == 0)
        return refuse(p, IN_USER, p->field, "is no token", err);
    return sl_secret_set(&p->answer.jwt, e->text, e->len, err);
}

static void keep_words(char *out, const char *text, size_t len) {
    size_t used = strlen(out);
    size_t room = MESSAGE_BYTES - 1 - used;
    memcpy(out + used, text, len < room ? len : room);
    out[used + (len < room ? len : room)] = '\0';
}

/* Only the first error is kept: the others follow from it, or say the same of other fields. */
static void error_value(struct sl_answer_parser *p, enum place place,
                        const struct sl_json_event *e) {
    if (place == IN_ERROR && p->field == FIELD_MESSAGE && e->kind == SL_JSON_STRING &&
        p->message[0] == '\0')
        keep_words(p->message, e->text, e->len);
    if (place == IN_ERROR_PATH && (e->kind == SL_JSON_STRING || e->kind == SL_JSON_NUMBER)) {
        if (p->path[0] != '\0')
            keep_words(p->path, ".", 1);
        keep_words(p->path, e->text, e->len);
    }
}

static int on_scalar(struct sl_answer_parser *p, enum place place, const struct sl_json_event *e,
                     struct sl_error *err) {
    if (p->field < 32)
        p->seen |= 1u << p->field;
    switch ((int)place) {
    case IN_POOL:
        return pool_value(p, e, err);
    case IN_WORKER:
        return worker_value(p, e, err);
    case IN_PUBLIC_POOL:
        return public_pool_value(p, e, err);
    case IN_USER:
        return user_value(p, e, err);
    case IN_ERROR:
    case IN_ERROR_PATH:
        error_value(p, place, e);
        return SL_OK;
    case IN_POOLS:
        return sl_fail(err, SL_PARSE, "workerPools[%zu] is no object", p->answer.pool_count);
    case IN_WORKERS:
        return sl_fail(err, SL_PARSE, "workerPools[%zu].workers holds something that is no object",
                       p->answer.pool_count - 1);
    case IN_DATA:
        if (p->field == FIELD_ROOT_FIELD && e->kind != SL_JSON_NULL)
            return refuse(p, IN_DATA, p->field, "is no object or list", err);
        return SL_OK;
    default:
        return SL_OK;
    }
}

/* What the root field of the document must be. */
static enum place place_of_root_field(const struct sl_answer_parser *p, enum sl_json_kind kind) {
    static const struct {
        enum place place;
        enum sl_json_kind kind;
    } expected[] = {
        [SL_DOCUMENT_WORKER_POOLS] = {IN_POOLS, SL_JSON_ARRAY_BEGIN},
        [SL_DOCUMENT_PUBLIC_WORKER_POOL] = {IN_PUBLIC_POOL, SL_JSON_OBJECT_BEGIN},
        [SL_DOCUMENT_VIEWER] = {IN_VIEWER, SL_JSON_OBJECT_BEGIN},
        [SL_DOCUMENT_API_KEY_USER] = {IN_USER, SL_JSON_OBJECT_BEGIN},
    };
    return kind == expected[p->document].kind ? expected[p->document].place : IN_IGNORED;
}

static enum place place_inside(const struct sl_answer_parser *p, enum place outer,
                               enum sl_json_kind kind) {
    bool is_object = kind == SL_JSON_OBJECT_BEGIN;
    switch ((int)outer) {
    case IN_ROOT:
        if (p->field == FIELD_DATA && is_object)
            return IN_DATA;
        return p->field == FIELD_ERRORS && !is_object ? IN_ERRORS : IN_IGNORED;
    case IN_DATA:
        return p->field == FIELD_ROOT_FIELD ? place_of_root_field(p, kind) : IN_IGNORED;
    case IN_POOLS:
        return is_object ? IN_POOL : IN_IGNORED;
    case IN_POOL:
        return p->field == FIELD_WORKERS && !is_object ? IN_WORKERS : IN_IGNORED;
    case IN_WORKERS:
        return is_object ? IN_WORKER : IN_IGNORED;
    case IN_ERRORS:
        return is_object ? IN_ERROR : IN_IGNORED;
    case IN_ERROR:
        return p->field == FIELD_PATH && !is_object && p->path[0] == '\0' ? IN_ERROR_PATH
                                                                          : IN_IGNORED;
    default:
        return IN_IGNORED;
    }
}

static int on_begin(struct sl_answer_parser *p, const struct sl_json_event *e,
                    struct sl_error *err) {
    enum place outer = e->depth == 0 ? IN_IGNORED : p->places[e->depth - 1];
    enum place inner = e->depth == 0 && e->kind == SL_JSON_OBJECT_BEGIN
                           ? IN_ROOT
                           : place_inside(p, outer, e->kind);
    p->places[e->depth] = inner;
    bool is_known = p->field != FIELD_OTHER && (outer == IN_POOL || outer == IN_WORKER ||
                                                outer == IN_PUBLIC_POOL || outer == IN_USER);
    if (inner == IN_IGNORED && is_known)
        return refuse(p, outer, p->field, "is an object or a list", err);
    if (inner == IN_IGNORED && (outer == IN_POOLS || outer == IN_WORKERS ||
                                (outer == IN_DATA && p->field == FIELD_ROOT_FIELD)))
        return sl_fail(err, SL_PARSE, "%s is not in the form of the schema",
                       documents[p->document].name);
    if (outer == IN_DATA && inner != IN_IGNORED)
        p->has_root_field = true;
    if (inner == IN_WORKERS)
        p->pool_seen = p->seen | 1u << FIELD_WORKERS;
    if (inner == IN_WORKER)
        newest_pool(p)->workers++;
    if (inner == IN_ERRORS)
        p->has_errors = true;
    p->seen = 0;
    return inner == IN_POOL ? add_pool(p, err) : SL_OK;
}

static int on_end(struct sl_answer_parser *p, const struct sl_json_event *e, struct sl_error *err) {
    enum place place = p->places[e->depth];
    unsigned seen = p->seen;
    if (place == IN_WORKERS)
        p->seen = p->pool_seen;
    if (place == IN_POOL || place == IN_WORKER || place == IN_PUBLIC_POOL || place == IN_USER)
        return require(p, place, seen, err);
    return SL_OK;
}

static int on_event(void *context, const struct sl_json_event *e, struct sl_error *err) {
    struct sl_answer_parser *p = context;
    switch (e->kind) {
    case SL_JSON_KEY:
        p->field = find_field(p, p->places[e->depth - 1], e);
        return SL_OK;
    case SL_JSON_OBJECT_BEGIN:
    case SL_JSON_ARRAY_BEGIN:
        return on_begin(p, e, err);
    case SL_JSON_OBJECT_END:
    case SL_JSON_ARRAY_END:
        return on_end(p, e, err);
    case SL_JSON_NULL:
    case SL_JSON_BOOL:
    case SL_JSON_NUMBER:
    case SL_JSON_STRING:
        return on_scalar(p, e->depth == 0 ? IN_IGNORED : p->places[e->depth - 1], e, err);
    }
    return SL_OK;
}

struct sl_answer_parser *sl_answer_parser_new(enum sl_document document) {
    struct sl_answer_parser *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    struct sl_json_limits limits = sl_json_default_limits();
    p->document = document;
    p->json = sl_json_parser_new(&limits, on_event, p);
    if (p->json == NULL) {
        free(p);
        return NULL;
    }
    return p;
}

void sl_answer_parser_free(struct sl_answer_parser *p) {
    if (p == NULL)
        return;
    sl_json_parser_free(p->json);
    sl_answer_release(&p->answer);
    free(p);
}

/* A proxy's web page is the usual thing that is no JSON; say so instead of where a brace lacks. */
static int check_beginning(struct sl_answer_parser *p, const char *bytes, size_t len,
                           struct sl_error *err) {
    size_t blank = 0;
    while (blank < len && strchr(" \t\r\n", bytes[blank]) != NULL && bytes[blank] != '\0')
        blank++;
    if (p->has_begun || blank == len)
        return SL_OK;
    p->has_begun = true;
    if (bytes[blank] == '{')
        return SL_OK;
    size_t words = len - blank < FIRST_WORDS ? len - blank : FIRST_WORDS;
    return sl_fail(err, SL_PARSE,
                   "the answer is no GraphQL answer but begins with \"%.*s\": is URL right, and is "
                   "there a proxy in between?",
                   (int)words, bytes + blank);
}

int sl_answer_parser_feed(void *parser, const char *bytes, size_t len, struct sl_error *err) {
    struct sl_answer_parser *p = parser;
    int code = check_beginning(p, bytes, len, err);
    return code != SL_OK ? code : sl_json_parser_feed(p->json, bytes, len, err);
}

/* The engine has no machine-readable error codes: its words are all there is. */
static enum sl_code code_of(const char *message) {
    static const struct {
        const char *words;
        enum sl_code code;
    } known[] = {
        {"not available for machine sessions", SL_FORBIDDEN},
        {"unauthorized", SL_AUTH},
        {"rate limit exceeded", SL_RATELIMIT},
        {"Cannot query field", SL_REJECTED},
        {"syntax error", SL_REJECTED},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcasestr(message, known[i].words) != NULL)
            return known[i].code;
    return SL_REMOTE;
}

static int fail_for_errors(const struct sl_answer_parser *p, struct sl_error *err) {
    const char *message = p->message[0] != '\0' ? p->message : "an error without a message";
    return sl_fail(err, code_of(message), "Spacelift says: %s%s%s%s", message,
                   p->path[0] != '\0' ? " (at " : "", p->path, p->path[0] != '\0' ? ")" : "");
}

int sl_answer_parser_finish(struct sl_answer_parser *p, struct sl_answer *ret,
                            struct sl_error *err) {
    int code = sl_json_parser_finish(p->json, err);
    if (code != SL_OK)
        return code;
    if (!p->has_root_field && p->has_errors)
        return fail_for_errors(p, err);
    if (!p->has_root_field && p->document == SL_DOCUMENT_WORKER_POOLS)
        return sl_fail(err, SL_PARSE, "the answer holds no workerPools and no error");
    if (!p->has_root_field && p->document == SL_DOCUMENT_API_KEY_USER)
        return sl_fail(err, SL_NOTFOUND, "Spacelift knows no API key of this id: check APIKeyID");
    /* The other two may be null: no public workers, nobody logged in. */
    p->answer.has_public_pool = p->document == SL_DOCUMENT_PUBLIC_WORKER_POOL && p->has_root_field;
    p->answer.has_viewer = p->document == SL_DOCUMENT_VIEWER && p->has_root_field;
    *ret = p->answer;
    p->answer = (struct sl_answer){.pools = NULL};
    return SL_OK;
}
