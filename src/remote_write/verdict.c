/* What an answer to a remote write request means. */
#include "remote_write/verdict.h"

#include <string.h>

#include "base/json_parser.h"

#define PREFIX "x-prometheus-remote-write-"

void sl_answer_take_header(struct sl_answer *answer, const char *name, const char *value) {
    int64_t number;
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return;
    const char *what = name + strlen(PREFIX);
    bool is_samples = strcmp(what, "samples-written") == 0;
    if (!is_samples && strcmp(what, "histograms-written") != 0 &&
        strcmp(what, "exemplars-written") != 0)
        return;
    if (sl_json_to_int64(value, strlen(value), &number, NULL) != SL_OK || number < 0)
        return;
    answer->written_is_known = true;
    if (is_samples)
        answer->written = (uint64_t)number;
}

static uint64_t written(const struct sl_question *q, const struct sl_answer *a) {
    return a->written < q->samples ? a->written : q->samples;
}

/* A 1.0 receiver that does not look at the content type finds an empty message in a 2.0 request,
 * stores nothing and answers 2xx: Prometheus before 2.54 and VictoriaMetrics do. The headers tell
 * it from one that has understood. */
static enum sl_verdict judge_success(const struct sl_question *q, const struct sl_answer *a,
                                     uint64_t *ret_written) {
    if (q->protocol == SL_WRITE_1_0) {
        *ret_written = q->samples;
        return SL_VERDICT_ACKED;
    }
    if (a->written_is_known) {
        *ret_written = written(q, a);
        return SL_VERDICT_ACKED;
    }
    return q->may_downgrade ? SL_VERDICT_DOWNGRADE : SL_VERDICT_REJECTED;
}

/* "SHOULD expect" 400 for 415 from receivers of 1.0 (2.0, "Unsupported Request Content"); one that
 * knows 2.0 counts what it has written in its refusals as well. */
static enum sl_verdict judge_refusal(const struct sl_question *q, const struct sl_answer *a,
                                     uint64_t *ret_written) {
    bool is_2_0 = q->protocol == SL_WRITE_2_0;
    if (a->status == 429)
        return SL_VERDICT_RETRY;
    if (a->status == 413)
        return SL_VERDICT_SPLIT;
    if (is_2_0 && a->written_is_known)
        *ret_written = written(q, a);
    else if (is_2_0 && q->may_downgrade && (a->status == 415 || a->status == 400))
        return SL_VERDICT_DOWNGRADE;
    return SL_VERDICT_REJECTED;
}

enum sl_verdict sl_judge(const struct sl_question *q, const struct sl_answer *a,
                         uint64_t *ret_written) {
    *ret_written = 0;
    if (a->code == SL_CANCELED)
        return SL_VERDICT_CANCELED;
    /* The headers have come, whatever became of the body. */
    if (a->status >= 200 && a->status <= 299)
        return judge_success(q, a, ret_written);
    if (a->code != SL_OK)
        return SL_VERDICT_RETRY;
    if (a->status >= 400 && a->status <= 499)
        return judge_refusal(q, a, ret_written);
    /* 5xx; a redirect, which is not followed and is a mistake in URL or a login page in between;
     * and numbers that mean nothing. None of them says that the samples are bad. */
    return SL_VERDICT_RETRY;
}
