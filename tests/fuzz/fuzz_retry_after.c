/* Retry-After and Date, as any server may write them: a time that is not negative, or -1. */
#include <stdlib.h>
#include <string.h>

#include "net/http.h"
#include "remote_write/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int64_t now_ms = 1700000000000;
    struct sl_answer answer = {.code = SL_OK};
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (sl_http_parse_retry_after(text, now_ms) < -1)
        abort();
    (void)sl_http_parse_date(text); /* of any year; -1 is none */
    sl_answer_take_header(&answer, "x-prometheus-remote-write-samples-written", text);
    if (!answer.written_is_known && answer.written != 0)
        abort();
    free(text);
    return 0;
}
