/* Where the replay's queues come from: a CSV file's bytes, or a generator. Pure. */
#ifndef SL_REPLAY_TRACE_H
#define SL_REPLAY_TRACE_H

#include "base/error.h"
#include "replay/pool.h"

enum { SL_TRACE_MAX_BYTES = 64 * 1024 * 1024 };

/* The header arrival_s,duration_s, then a line for each run: seconds from the first arrival,
 * ascending, and how long it runs. SL_PARSE names the line. */
int sl_trace_parse(const char *bytes, size_t len, struct sl_trace *ret,
                   struct sl_error *err) SL_CHECKED;

/* The made-up queues: the same at every run. *ret_name is static. */
size_t sl_trace_made_up_count(void);
int sl_trace_make_up(size_t index, struct sl_trace *ret, const char **ret_name,
                     struct sl_error *err) SL_CHECKED;

void sl_trace_release(struct sl_trace *t);

#endif
