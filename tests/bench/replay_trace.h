/* Where the replay's queues come from: files and a generator. */
#ifndef SL_TESTS_BENCH_REPLAY_TRACE_H
#define SL_TESTS_BENCH_REPLAY_TRACE_H

#include "bench/replay_pool.h"

/* A CSV file with the header arrival_s,duration_s. False: why says so in words. */
bool trace_read(const char *path, struct trace *ret, char *why, size_t why_size);

/* The made-up queues: the same at every run. The name, or NULL when memory is out. */
size_t trace_made_up_count(void);
const char *trace_make_up(size_t index, struct trace *ret);

void trace_release(struct trace *t);

#endif
