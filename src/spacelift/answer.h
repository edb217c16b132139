/* What is said to Spacelift's GraphQL API and what its answers mean. No I/O; one thread at a time.
 *
 * One document per root field: every field of the API is non-null, so an error in one would null
 * all others of the same document. Answers are read as a stream: workers are counted as they pass.
 * Sources: the schema and error shapes of spacelift-io/graphql-go (the server's engine), the
 * queries of spacelift-io/prometheus-exporter and spacelift-io/spacectl. */
#ifndef SL_SPACELIFT_ANSWER_H
#define SL_SPACELIFT_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"

enum sl_document {
    SL_DOCUMENT_WORKER_POOLS,
    SL_DOCUMENT_PUBLIC_WORKER_POOL,
    SL_DOCUMENT_VIEWER,      /* who am I: tells a bad token from a key without access */
    SL_DOCUMENT_API_KEY_USER /* the exchange of a key for a token */
};

struct sl_worker_pool {
    char *id;
    char *name;
    int64_t runs_pending;
    int64_t workers_busy;
    int64_t workers;         /* drained ones included, as the official exporter counts */
    int64_t workers_drained; /* one of them may still be busy */
};

struct sl_answer {
    struct sl_worker_pool *pools;
    size_t pool_count;

    bool has_public_pool; /* false: the installation has none */
    int64_t public_runs_pending;
    int64_t public_workers_busy;
    int64_t public_parallelism;

    bool has_viewer;

    struct sl_secret jwt;
    int64_t valid_until_s; /* Unix time */
};

void sl_answer_release(struct sl_answer *answer);

/* What the document is called in messages: "workerPools". A static string. */
const char *sl_document_name(enum sl_document document);

/* The body of the POST. API_KEY_USER needs id and secret; the others ignore them. The body of
 * API_KEY_USER is secret: wipe it. Reserve out first (base/buffer.h). */
int sl_document_body(enum sl_document document, const char *api_key_id,
                     const struct sl_secret *secret, struct sl_buffer *out,
                     struct sl_error *err) SL_CHECKED;

struct sl_answer_parser;

/* NULL when memory is out. */
struct sl_answer_parser *sl_answer_parser_new(enum sl_document document);
void sl_answer_parser_free(struct sl_answer_parser *p);

/* For net/http's sink. SL_PARSE for anything that is not what the schema says, naming the place:
 * "workerPools[3].pendingRuns is null". */
int sl_answer_parser_feed(void *parser, const char *bytes, size_t len,
                          struct sl_error *err) SL_CHECKED;

/* The answer has ended. On success *ret is the caller's, to be released. Otherwise what the
 * server's errors[] mean: SL_AUTH ("unauthorized": a bad token, or no access to this field),
 * SL_FORBIDDEN (not for machine keys), SL_RATELIMIT, SL_REJECTED (a field the schema lacks),
 * SL_REMOTE (anything else); SL_NOTFOUND for an unknown API key id. */
int sl_answer_parser_finish(struct sl_answer_parser *p, struct sl_answer *ret,
                            struct sl_error *err) SL_CHECKED;

/* "https://HOST/graphql" from what an operator typed: with or without /graphql, with any number
 * of slashes at the end. The caller frees *ret. */
int sl_endpoint(const char *url, char **ret, struct sl_error *err) SL_CHECKED;

#endif
