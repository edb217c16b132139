/* A collectd plugin for tests/real/test_remote_write.py: puts numbered values straight into the
 * write callback of write_prometheus_remote, from five threads, and notes in a mapped file how far
 * it has come, so that whatever moment the process is killed at, the file says which values a
 * callback has returned 0 for.
 *
 * FEED_STATE names the file: one 64 bit number for each thread. A number is put SERIES times, once
 * for each series of the thread, with the time FEED_BEGIN_MS + number. */
#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

enum { THREADS = 5, SERIES = 20, PAUSE_NS = 20 * 1000 * 1000 };

static volatile uint64_t *done;
static int64_t begin_ms;
static bool is_running;

static bool put(const data_set_t *ds, value_list_t *vl, unsigned thread, uint64_t number) {
    value_t value = {.gauge = (gauge_t)number};
    vl->values = &value;
    vl->values_len = 1;
    vl->time = MS_TO_CDTIME_T((cdtime_t)begin_ms + number);
    for (unsigned i = 0; i < SERIES; i++) {
        ssnprintf(vl->type_instance, sizeof(vl->type_instance), "%u-%u", thread, i);
        if (plugin_write("write_prometheus_remote", ds, vl) != 0)
            return false;
    }
    return true;
}

static void *feed(void *arg) {
    unsigned thread = (unsigned)(uintptr_t)arg;
    const data_set_t *ds = plugin_get_ds("gauge");
    value_list_t vl = {.interval = TIME_T_TO_CDTIME_T(10)};
    sstrncpy(vl.host, "host", sizeof(vl.host));
    sstrncpy(vl.plugin, "fed", sizeof(vl.plugin));
    sstrncpy(vl.type, "gauge", sizeof(vl.type));
    /* The one after the last that is known to be done may have been put by a process that is dead.
     */
    for (uint64_t number = done[thread] + 2; put(ds, &vl, thread, number); number++) {
        done[thread] = number;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return NULL;
}

static int read_once(void) {
    if (is_running)
        return 0;
    is_running = true;
    const char *path = getenv("FEED_STATE"), *begin = getenv("FEED_BEGIN_MS");
    int fd = path != NULL && begin != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return -1;
    begin_ms = strtoll(begin, NULL, 10);
    void *map = mmap(NULL, THREADS * sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -1;
    done = map;
    for (uintptr_t i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, feed, (void *)i) == 0)
            pthread_detach(thread); /* only a kill ends it */
    }
    return 0;
}

__attribute__((visibility("default"))) void module_register(void);

void module_register(void) {
    plugin_register_read("feed_counters", read_once);
}
