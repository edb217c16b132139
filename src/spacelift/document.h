/* What is asked of Spacelift's GraphQL API: one document per root field, because every field of the
 * API is non-null, so that an error in one would null all others of the same document. No I/O; any
 * thread.
 *
 * Sources: the documents of spacelift-io/prometheus-exporter and spacelift-io/spacectl, and
 * spacelift-io/spacelift-api-bruno, whose queries are checked against the live schema. */
#ifndef SL_SPACELIFT_DOCUMENT_H
#define SL_SPACELIFT_DOCUMENT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"

enum sl_document {
    /* The main ones: fields that every release has. */
    SL_DOCUMENT_WORKER_POOLS,
    SL_DOCUMENT_PUBLIC_WORKER_POOL,
    SL_DOCUMENT_USAGE,
    SL_DOCUMENT_AGGREGATES,
    /* Those that an old self-hosted release may not have, each alone so that it costs no other. */
    SL_DOCUMENT_WORKERS,     /* of all pools */
    SL_DOCUMENT_SCHEDULABLE, /* of all pools */
    SL_DOCUMENT_QUEUE,       /* a page of one pool */
    SL_DOCUMENT_BILLING_DETAILS,
    SL_DOCUMENT_SEATS,
    SL_DOCUMENT_BLOCKED, /* a page of one pool: the runs that are not ready */
    SL_DOCUMENTS_READ,   /* how many there are to read; below it what a session needs */

    SL_DOCUMENT_VIEWER = SL_DOCUMENTS_READ, /* who am I: a bad token, or a key without access? */
    SL_DOCUMENT_API_KEY_USER,               /* the exchange of a key for a token */
    SL_DOCUMENT_STACK,                      /* what holds its runs: for BLOCKED */
    SL_DOCUMENT_COUNT
};

enum { SL_QUEUE_PAGE_RUNS = 100 }; /* as spacectl asks for */

/* What the text of a document depends on. */
struct sl_document_arguments {
    bool with_labels;       /* WORKER_POOLS: labels and space as well, for filters */
    bool with_metadata;     /* WORKERS */
    const char *pool_id;    /* QUEUE, BLOCKED */
    const char *cursor;     /* of the page before; NULL: the first page */
    const char *stack_id;   /* STACK */
    const char *api_key_id; /* API_KEY_USER */
    const struct sl_secret *secret;
};

/* The root field, as it stands in messages: "workerPools". A static string. */
const char *sl_document_name(enum sl_document document);

/* The value of the label collector, for documents below SL_DOCUMENTS_READ: the exporter's words
 * where it has them. A static string. */
const char *sl_document_collector(enum sl_document document);

/* The body of the POST. That of API_KEY_USER is secret: wipe it. Reserve out first
 * (base/buffer.h). */
int sl_document_body(enum sl_document document, const struct sl_document_arguments *arguments,
                     struct sl_buffer *out, struct sl_error *err) SL_CHECKED;

/* "https://HOST/graphql" from what an operator typed: with or without /graphql, with any number
 * of slashes at the end. The caller frees *ret. */
int sl_endpoint(const char *url, char **ret, struct sl_error *err) SL_CHECKED;

#endif
