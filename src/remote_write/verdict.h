/* What an answer to a remote write request means. Sources: remote write 1.0, "Retries & Backoff";
 * 2.0, "Required Written Response Headers", "Unsupported Request Content", "Retries & Backoff";
 * what receivers do where they do not keep to them: docs/architecture.md. Pure; any thread. */
#ifndef SL_REMOTE_WRITE_VERDICT_H
#define SL_REMOTE_WRITE_VERDICT_H

#include "base/error.h"
#include "remote_write/protocol.h"

struct sl_answer {
    int code;              /* of the transport; SL_OK: an answer came */
    int status;            /* 0: none came */
    bool written_is_known; /* a header X-Prometheus-Remote-Write-*-Written came */
    uint64_t written;      /* samples, as it says */
};

/* The names of the headers are in lower case, as net/http gives them. */
void sl_answer_take_header(struct sl_answer *answer, const char *name, const char *value);

enum sl_verdict {
    SL_VERDICT_ACKED,
    SL_VERDICT_REJECTED,  /* for good */
    SL_VERDICT_RETRY,     /* the same request again, later */
    SL_VERDICT_SPLIT,     /* too large: in smaller pieces */
    SL_VERDICT_DOWNGRADE, /* the receiver may not know 2.0: the same samples in 1.0, at once */
    SL_VERDICT_CANCELED,
};

struct sl_question {
    enum sl_write_protocol protocol;
    bool may_downgrade; /* the operator has not said which protocol it must be */
    uint64_t samples;   /* that were sent */
};

/* *ret_written: how many of the samples have been stored, whatever the verdict; only for ACKED and
 * REJECTED. */
enum sl_verdict sl_judge(const struct sl_question *question, const struct sl_answer *answer,
                         uint64_t *ret_written);

#endif
