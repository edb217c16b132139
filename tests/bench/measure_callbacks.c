/* A collectd plugin for figure-write-callback: calls the write callbacks of other plugins from five
 * threads at once, as collectd's write threads do, and logs how long each call took. Inside the
 * real daemon, because what is measured is what its threads would wait for. */
#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"

#include <pthread.h>
#include <time.h>

enum { THREADS = 5, CALLS = 100000, POOLS = 10 };

static const char *const writers[] = {"workerpool_scaler", "write_prometheus_remote"};
enum { WRITERS = sizeof(writers) / sizeof(writers[0]) };

struct caller {
    pthread_t thread;
    unsigned number;
    uint32_t *ns[WRITERS];
};

static struct caller callers[THREADS];
static bool has_begun;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *call(void *arg) {
    struct caller *c = arg;
    const data_set_t *ds = plugin_get_ds("worker_pool");
    value_t values[4] = {{.gauge = 3}, {.gauge = 2}, {.gauge = 5}, {.gauge = 0}};
    value_list_t vl = {.values = values, .values_len = 4, .interval = TIME_T_TO_CDTIME_T(10)};
    sstrncpy(vl.host, "host", sizeof(vl.host));
    sstrncpy(vl.plugin, "spacelift", sizeof(vl.plugin));
    sstrncpy(vl.type, "worker_pool", sizeof(vl.type));
    cdtime_t begun = cdtime();
    for (unsigned i = 0; i < CALLS; i++) {
        ssnprintf(vl.plugin_instance, sizeof(vl.plugin_instance), "pool-%u", i % POOLS);
        ssnprintf(vl.type_instance, sizeof(vl.type_instance), "%u-%u", c->number, i % POOLS);
        vl.time = begun - MS_TO_CDTIME_T(2 * (CALLS - i) / POOLS); /* new each time, never future */
        for (size_t w = 0; w < WRITERS; w++) {
            uint64_t begin = now_ns();
            plugin_write(writers[w], ds, &vl);
            uint64_t taken = now_ns() - begin;
            c->ns[w][i] = taken > UINT32_MAX ? UINT32_MAX : (uint32_t)taken;
        }
    }
    return NULL;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(size_t writer) {
    size_t count = (size_t)THREADS * CALLS;
    uint32_t *all = malloc(count * sizeof(*all));
    if (all == NULL)
        return;
    for (size_t t = 0; t < THREADS; t++)
        memcpy(all + t * CALLS, callers[t].ns[writer], CALLS * sizeof(*all));
    qsort(all, count, sizeof(*all), compare);
    plugin_log(LOG_NOTICE, "measured %s: calls %zu p50_ns %u p99_ns %u p999_ns %u max_ns %u",
               writers[writer], count, all[count / 2], all[count / 100 * 99],
               all[count / 1000 * 999], all[count - 1]);
    free(all);
}

/* On a read thread, once: a stop has to wait for it, which is good enough for a benchmark. */
static int read_once(void) {
    if (has_begun)
        return 0;
    has_begun = true;
    for (unsigned t = 0; t < THREADS; t++) {
        callers[t].number = t;
        for (size_t w = 0; w < WRITERS; w++)
            if ((callers[t].ns[w] = calloc(CALLS, sizeof(uint32_t))) == NULL)
                return -1;
    }
    for (size_t t = 0; t < THREADS; t++)
        if (pthread_create(&callers[t].thread, NULL, call, &callers[t]) != 0)
            return -1;
    for (size_t t = 0; t < THREADS; t++)
        pthread_join(callers[t].thread, NULL);
    for (size_t w = 0; w < WRITERS; w++)
        report(w);
    for (size_t t = 0; t < THREADS; t++)
        for (size_t w = 0; w < WRITERS; w++)
            free(callers[t].ns[w]);
    return 0;
}

__attribute__((visibility("default"))) void module_register(void);

void module_register(void) {
    plugin_register_read("measure_callbacks", read_once);
}
