/* Recorded queues in every form: refused, or runs that begin in order and last no negative time. */
#include <stdint.h>
#include <stdlib.h>

#include "replay/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_source_settings settings = {.run_time_ms = 60000};
    struct sl_source_facts facts;
    struct sl_trace t = {0};
    struct sl_error err = SL_ERROR_INIT;

    if (sl_source_parse((const char *)data, size, &settings, &t, &facts, &err) != SL_OK) {
        return 0;
    }
    for (size_t i = 0; i < t.count; i++) {
        if (t.runs[i].duration_ms < 0 || t.runs[i].arrival_ms < 0 ||
            (i > 0 && t.runs[i].arrival_ms < t.runs[i - 1].arrival_ms)) {
            abort();
        }
    }
    sl_trace_release(&t);
    return 0;
}
