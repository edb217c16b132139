/* A collectd plugin for tests/bench/figure-remote-write-throughput: puts the load of host_load.h
 * into the write callback of write_prometheus_remote, from five threads, at a rate, for a while.
 * Logs when it has done so, and how long the callbacks took.
 *
 * FEED_HOSTS, FEED_RATE (samples per second) and FEED_SECONDS say how much; the threads share the
 * hosts. What an interval is depends on the rate: all hosts once. */
#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"

#include <pthread.h>
#include <time.h>

#include "host_load.h"

enum { THREADS = 5, TIMES_MAX = 4 * 1000 * 1000, NS = 1000000000 };

struct feeder {
    pthread_t thread;
    struct host_load load;
    uint32_t *ns; /* of every call */
    size_t calls;
    size_t samples;
};

static struct feeder feeders[THREADS];
static unsigned hosts, rate, seconds;
static bool has_begun;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS + now.tv_nsec;
}

static unsigned number_of(const char *name) {
    const char *text = getenv(name);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
}

/* The data set of a list's type, as collectd's types.db has it. */
static void put(struct feeder *f, const struct host_load_list *l, value_list_t *vl) {
    value_t values[HOST_LOAD_SOURCES_MAX];
    const data_set_t *ds = plugin_get_ds(l->type);
    if (ds == NULL || ds->ds_num != l->source_count)
        return;
    for (size_t i = 0; i < l->source_count; i++) {
        if (ds->ds[i].type == DS_TYPE_GAUGE)
            values[i].gauge = l->values[i];
        else
            values[i].derive = (derive_t)l->values[i];
    }
    vl->values = values;
    vl->values_len = l->source_count;
    vl->time = MS_TO_CDTIME_T((cdtime_t)l->time_ms);
    sstrncpy(vl->host, l->host, sizeof(vl->host));
    sstrncpy(vl->plugin, l->plugin, sizeof(vl->plugin));
    sstrncpy(vl->plugin_instance, l->plugin_instance, sizeof(vl->plugin_instance));
    sstrncpy(vl->type, l->type, sizeof(vl->type));
    sstrncpy(vl->type_instance, l->type_instance, sizeof(vl->type_instance));
    int64_t begin = now_ns();
    (void)plugin_write("write_prometheus_remote", ds, vl);
    int64_t taken = now_ns() - begin;
    if (f->calls < TIMES_MAX)
        f->ns[f->calls++] = taken > UINT32_MAX ? UINT32_MAX : (uint32_t)taken;
    f->samples += l->source_count;
}

static void *feed(void *arg) {
    struct feeder *f = arg;
    value_list_t vl = {.interval = TIME_T_TO_CDTIME_T(10)};
    int64_t begin = now_ns();
    while (now_ns() - begin < (int64_t)seconds * NS) {
        for (size_t i = 0; i < f->load.count; i++) {
            put(f, &f->load.lists[i], &vl);
            int64_t due = begin + (int64_t)f->samples * THREADS * NS / rate;
            int64_t early = due - now_ns();
            if (early > 1000000)
                nanosleep(&(struct timespec){.tv_nsec = early % NS, .tv_sec = early / NS}, NULL);
        }
        host_load_advance(&f->load);
    }
    return NULL;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(int64_t taken_ns) {
    size_t calls = 0, samples = 0;
    for (size_t t = 0; t < THREADS; t++) {
        calls += feeders[t].calls;
        samples += feeders[t].samples;
    }
    uint32_t *all = malloc(calls * sizeof(*all));
    for (size_t t = 0, at = 0; all != NULL && t < THREADS; at += feeders[t++].calls)
        memcpy(all + at, feeders[t].ns, feeders[t].calls * sizeof(*all));
    if (all != NULL && calls > 1000) {
        qsort(all, calls, sizeof(*all), compare);
        plugin_log(LOG_NOTICE,
                   "fed samples %zu calls %zu ms %lld p50_ns %u p99_ns %u p999_ns %u max_ns %u",
                   samples, calls, (long long)(taken_ns / 1000000), all[calls / 2],
                   all[calls / 100 * 99], all[calls / 1000 * 999], all[calls - 1]);
    }
    free(all);
}

/* The time is in the past, and moves towards now: an interval here takes less than one does. */
static void *run(void *unused) {
    (void)unused;
    int64_t now_ms = (int64_t)CDTIME_T_TO_MS(cdtime());
    int64_t interval_ms = (int64_t)hosts * HOST_LOAD_SERIES * 1000 / rate;
    for (size_t t = 0; t < THREADS; t++) {
        feeders[t].ns = malloc(TIMES_MAX * sizeof(uint32_t));
        if (!host_load_init(&feeders[t].load, hosts / THREADS, now_ms, interval_ms, false) ||
            feeders[t].ns == NULL)
            return NULL;
        memset(feeders[t].ns, 1, TIMES_MAX * sizeof(uint32_t)); /* no memory grows later */
        for (size_t i = 0; i < feeders[t].load.count; i++)
            feeders[t].load.lists[i].host[0] = (char)('a' + t); /* hosts of its own */
    }
    int64_t begin = now_ns();
    for (size_t t = 0; t < THREADS; t++)
        pthread_create(&feeders[t].thread, NULL, feed, &feeders[t]);
    for (size_t t = 0; t < THREADS; t++)
        pthread_join(feeders[t].thread, NULL);
    report(now_ns() - begin);
    return NULL;
}

static int read_once(void) {
    pthread_t thread;
    if (has_begun)
        return 0;
    has_begun = true;
    hosts = number_of("FEED_HOSTS");
    rate = number_of("FEED_RATE");
    seconds = number_of("FEED_SECONDS");
    if (hosts == 0 || rate == 0 || pthread_create(&thread, NULL, run, NULL) != 0)
        return -1;
    pthread_detach(thread);
    return 0;
}

__attribute__((visibility("default"))) void module_register(void);

void module_register(void) {
    plugin_register_read("feed_load", read_once);
}
