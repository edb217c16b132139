/* Queries of Spacelift's GraphQL API. */
#include "spacelift/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"

#define QUERY(name, text) "CollectdSpacelift_" name, "query CollectdSpacelift_" name text

static const struct {
    const char *root_field;
    const char *collector;
    const char *operation;
    const char *query;
    const char *variant; /* the query where the option is on */
} documents[] = {
    /* A worker's id is not asked for: it is half of the answer and tells nothing. */
    [SL_DOCUMENT_WORKER_POOLS] =
        {"workerPools", "workerpools",
         QUERY("WorkerPools", "{workerPools{id,name,pendingRuns,busyWorkers,workers{drained}}}"),
         "query CollectdSpacelift_WorkerPools"
         "{workerPools{id,name,space,labels,pendingRuns,busyWorkers,workers{drained}}}"},
    [SL_DOCUMENT_PUBLIC_WORKER_POOL] =
        {"publicWorkerPool", "publicworkerpool",
         QUERY("PublicWorkerPool", "{publicWorkerPool{parallelism,busyWorkers,pendingRuns}}"),
         NULL},
    [SL_DOCUMENT_USAGE] = {"usage", "usage",
                           QUERY("Usage",
                                 "{usage{billingPeriodStart,billingPeriodEnd,usedPrivateMinutes,"
                                 "usedPublicMinutes,usedSeats}}"),
                           NULL},
    [SL_DOCUMENT_AGGREGATES] =
        {"metrics", "aggregates",
         QUERY("Aggregates",
               "{metrics{stacksCountByState{value,labels},resourcesCountByDrift{value,labels},"
               "avgStackSizeByResourceCount{value,labels},averageRunDuration{value,labels},"
               "medianRunDuration{value,labels}}}"),
         NULL},
    [SL_DOCUMENT_WORKERS] =
        {"workerPools", "workers",
         QUERY("Workers", "{workerPools{id,workers{busy,drained,createdAt}}}"),
         "query "
         "CollectdSpacelift_Workers{workerPools{id,workers{busy,drained,createdAt,metadata}}}"},
    [SL_DOCUMENT_SCHEDULABLE] = {"workerPools", "schedulable",
                                 QUERY("Schedulable", "{workerPools{id,schedulableRunsCount}}"),
                                 NULL},
    [SL_DOCUMENT_QUEUE] =
        {"workerPool", "queue",
         QUERY("Queue",
               "($id:ID!,$input:SearchInput!){workerPool(id:$id){searchSchedulableRuns(input:"
               "$input){edges{node{run{state,type,createdAt,driftDetection,isPrioritized,"
               "needsApproval,history{state,timestamp}}}},pageInfo{endCursor,hasNextPage}}}}"),
         NULL},
    [SL_DOCUMENT_BILLING_DETAILS] =
        {"usage", "billing",
         QUERY("BillingDetails",
               "{usage{usedWorkers,allowedSeats,allowedMinutes,pricePerSeat,pricePerWorker,"
               "pricePerRunMinute,subscriptionPrice,upcomingInvoiceTotalAmount}}"),
         NULL},
    [SL_DOCUMENT_SEATS] = {"seats", "seats",
                           QUERY("Seats", "{seats{user{limit,inUse},apiKey{limit,inUse}}}"), NULL},
    [SL_DOCUMENT_BLOCKED] = {"workerPool", "blocked",
                             QUERY("Blocked",
                                   "($id:ID!,$input:SearchInput!){workerPool(id:$id){"
                                   "searchSchedulableRuns(input:$input){edges{node{stackId,run{id,"
                                   "state,needsApproval}}},pageInfo{endCursor,hasNextPage}}}}"),
                             NULL},
    [SL_DOCUMENT_VIEWER] = {"viewer", NULL, QUERY("Viewer", "{viewer{id}}"), NULL},
    [SL_DOCUMENT_API_KEY_USER] = {"apiKeyUser", NULL, "CollectdSpacelift_Login",
                                  "mutation CollectdSpacelift_Login($id:ID!,$secret:String!)"
                                  "{apiKeyUser(id:$id,secret:$secret){jwt,validUntil}}",
                                  NULL},
    /* lockedBy: somebody's lock; blocker: the run that holds the stack (spacectl's stack list). */
    [SL_DOCUMENT_STACK] = {"stack", "blocked",
                           QUERY("Stack", "($id:ID!){stack(id:$id){lockedBy,blocker{id}}}"), NULL},
};

const char *sl_document_name(enum sl_document document) {
    return documents[document].root_field;
}

const char *sl_document_collector(enum sl_document document) {
    return documents[document].collector;
}

static void put_login(struct sl_json_writer *w, const struct sl_document_arguments *a) {
    sl_json_object_begin(w, "variables");
    sl_json_put_string(w, "id", a->api_key_id);
    sl_json_put_string(w, "secret", a->secret->text);
    sl_json_object_end(w);
}

/* "predicates":[{"field":"state","constraint":{"enumEquals":[...]}}] */
static void put_states(struct sl_json_writer *w) {
    sl_json_array_begin(w, "predicates");
    sl_json_object_begin(w, NULL);
    sl_json_put_string(w, "field", "state");
    sl_json_object_begin(w, "constraint");
    sl_json_array_begin(w, "enumEquals");
    sl_json_put_string(w, NULL, "QUEUED");
    sl_json_put_string(w, NULL, "PENDING_REVIEW");
    sl_json_array_end(w);
    sl_json_object_end(w);
    sl_json_object_end(w);
    sl_json_array_end(w);
}

/* In the order in which they will be run: as spacectl's watch asks for. */
static void put_page(struct sl_json_writer *w, enum sl_document document,
                     const struct sl_document_arguments *a) {
    sl_json_object_begin(w, "variables");
    sl_json_put_string(w, "id", a->pool_id);
    sl_json_object_begin(w, "input");
    sl_json_put_int64(w, "first", SL_QUEUE_PAGE_RUNS);
    if (a->cursor != NULL)
        sl_json_put_string(w, "after", a->cursor);
    if (document == SL_DOCUMENT_BLOCKED)
        put_states(w);
    sl_json_object_begin(w, "orderBy");
    sl_json_put_string(w, "field", "position");
    sl_json_put_string(w, "direction", "ASC");
    sl_json_object_end(w);
    sl_json_object_end(w);
    sl_json_object_end(w);
}

int sl_document_body(enum sl_document document, const struct sl_document_arguments *arguments,
                     struct sl_buffer *out, struct sl_error *err) {
    bool is_variant = (document == SL_DOCUMENT_WORKER_POOLS && arguments->with_labels) ||
                      (document == SL_DOCUMENT_WORKERS && arguments->with_metadata);
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_object_begin(&w, NULL);
    sl_json_put_string(&w, "query",
                       is_variant ? documents[document].variant : documents[document].query);
    if (document == SL_DOCUMENT_API_KEY_USER)
        put_login(&w, arguments);
    if (document == SL_DOCUMENT_QUEUE || document == SL_DOCUMENT_BLOCKED)
        put_page(&w, document, arguments);
    if (document == SL_DOCUMENT_STACK) {
        sl_json_object_begin(&w, "variables");
        sl_json_put_string(&w, "id", arguments->stack_id);
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
