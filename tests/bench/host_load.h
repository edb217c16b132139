/* What collectd's stock plugins write on ordinary hosts: a load that benchmarks share, the same
 * every time. Each host has HOST_LOAD_SERIES series; counters grow as those of a host at work do,
 * many values stay what they are, sizes are whole pages. */
#ifndef TESTS_BENCH_HOST_LOAD_H
#define TESTS_BENCH_HOST_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOST_LOAD_SERIES = 170, HOST_LOAD_SOURCES_MAX = 3, HOST_LOAD_NAME_BYTES = 32 };

struct host_load_list {
    char host[HOST_LOAD_NAME_BYTES];
    const char *plugin;
    char plugin_instance[HOST_LOAD_NAME_BYTES];
    const char *type;
    char type_instance[HOST_LOAD_NAME_BYTES];
    const char *sources[HOST_LOAD_SOURCES_MAX];
    bool is_counter;
    size_t source_count;
    double values[HOST_LOAD_SOURCES_MAX]; /* now */
    double start, step, grain;            /* how they change; step 0: not at all */
    int64_t time_ms;                      /* now */
};

struct host_load {
    struct host_load_list *lists;
    size_t count;
    size_t samples;
    uint64_t random;
    int64_t interval_ms;
    bool is_synchronous;
};

/* is_synchronous: all values of an interval have one time, instead of each list its own. False: out
 * of memory. */
bool host_load_init(struct host_load *load, size_t hosts, int64_t begin_ms, int64_t interval_ms,
                    bool is_synchronous);
void host_load_free(struct host_load *load);

/* The next interval: new values and times in all lists. */
void host_load_advance(struct host_load *load);

#endif
