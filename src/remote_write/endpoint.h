/* A receiver as HTTP sees it: where it is, how it knows us, and the headers of a request.
 *
 * Files of certificates and keys are read once, those of passwords, tokens and AWS keys again every
 * minute and when the receiver answers 401 or 403, so that a secret that was replaced costs no
 * data. Nothing of it stands in a log or an error.
 *
 * One thread at a time. */
#ifndef SL_REMOTE_WRITE_ENDPOINT_H
#define SL_REMOTE_WRITE_ENDPOINT_H

#include "base/log.h"
#include "net/http.h"
#include "remote_write/options.h"
#include "remote_write/protocol.h"

struct sl_endpoint;

/* options must stay while the endpoint does. Reads all files, so that mistakes show at start:
 * SL_CONFIG, SL_IO. While cancel is signalled a request ends at once with SL_CANCELED. */
int sl_endpoint_new(const struct sl_node_options *options, struct sl_log log,
                    const struct sl_wakeup *cancel, struct sl_endpoint **ret,
                    struct sl_error *err) SL_CHECKED;
void sl_endpoint_free(struct sl_endpoint *e);

struct sl_endpoint_request {
    enum sl_write_protocol protocol; /* of body */
    const char *body;                /* compressed */
    size_t body_len;
    int64_t timeout_ms; /* 0: the node's */

    /* As in struct sl_http_request; may be NULL. */
    void (*on_header)(void *context, const char *name, const char *value);
    void *on_header_context;
};

/* One POST; a 401 or 403 is answered with one more if a file has changed. What it returns and
 * *ret_sent are those of struct sl_transport: SL_OK means that an answer came, whatever its status.
 * The response is the caller's, initialised. */
int sl_endpoint_post(struct sl_endpoint *e, const struct sl_endpoint_request *request,
                     struct sl_http_response *response, bool *ret_sent,
                     struct sl_error *err) SL_CHECKED;

#endif
