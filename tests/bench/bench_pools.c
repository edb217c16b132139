/* How the number of pools changes the reaction: a controller with its thread, and an API server
 * that answers in 2 ms. Once a second each pool's values come, as from the reader at Interval 1; a
 * few pools have a burst. Reaction is what a run waits for: until the next poll (taken at random,
 * not waited for) and from there to the accepted write (measured).
 *
 * bench_pools POOLS ROUNDS prints "pools P bursts B p50_ms X p99_ms Y own_p99_ms Z cpu_percent C".
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "os/clock.h"
#include "scaler/controller.h"

enum { MAX_POOLS = 2000, BURSTS_PER_ROUND = 5, NAME_BYTES = 32, ANSWER_MS = 2, ROUND_MS = 1000 };

struct fake_pool {
    int32_t size;
    int version;
    int64_t demand;
    _Atomic int64_t written_ns;
};

static struct fake_pool pools[MAX_POOLS];
static char names[MAX_POOLS][NAME_BYTES];
static struct sl_pool_options options[MAX_POOLS];
static const struct sl_pool_options *pointers[MAX_POOLS];

static void sleep_ms(int64_t ms) {
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * 1000000)};

    (void)nanosleep(&t, NULL);
}

static struct fake_pool *find(const char *worker_pool) {
    return &pools[strtol(worker_pool + strlen("pool-"), NULL, 10)];
}

static void answer(const struct fake_pool *p, struct sl_scale_reading *ret) {
    sleep_ms(ANSWER_MS);
    ret->size = p->size;
    ret->actual = p->size;
    (void)snprintf(ret->version, sizeof ret->version, "%d", p->version);
}

static int read_size(void *self, const char *in, const char *worker_pool,
                     struct sl_scale_reading *ret, struct sl_error *err) {
    (void)self;
    (void)in;
    (void)err;
    answer(find(worker_pool), ret);
    return SL_OK;
}

static int set_size(void *self, const char *in, const char *worker_pool, int32_t size,
                    const char *version, struct sl_scale_reading *ret, struct sl_error *err) {
    struct fake_pool *p = find(worker_pool);

    (void)self;
    (void)in;
    (void)version;
    (void)err;
    p->size = size;
    p->version++;
    answer(p, ret);
    p->written_ns = sl_clock_monotonic_ns();
    return SL_OK;
}

static void submit(struct sl_controller *c, size_t i) {
    int64_t now_ms = sl_clock_monotonic_ms();
    int64_t realtime_ms = sl_clock_realtime_ms();
    struct sl_pool_values values = {
        .name = names[i],
        .id = "id",
        .workers_busy = (double)pools[i].demand,
        .time_ms = realtime_ms,
        .interval_ms = ROUND_MS,
    };

    sl_controller_submit(c, i, &values, now_ms, realtime_ms);
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double quantile(double *values, size_t n, double q) {
    qsort(values, n, sizeof *values, compare);
    return values[(size_t)(q * (double)(n - 1))];
}

static double cpu_ms(void) {
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* One poll: bursts in a few pools, then all values. Returns how many reactions were added. */
static size_t play_round(struct sl_controller *c, size_t n, unsigned *seed, double *total,
                         double *own) {
    size_t burst[BURSTS_PER_ROUND];
    int64_t began_ns = 0;

    for (size_t i = 0; i < BURSTS_PER_ROUND; i++) {
        burst[i] = (size_t)rand_r(seed) % n;
        pools[burst[i]].demand++;
        pools[burst[i]].written_ns = 0;
    }
    began_ns = sl_clock_monotonic_ns();
    for (size_t i = 0; i < n; i++) {
        submit(c, i);
    }
    sleep_ms(ROUND_MS - (sl_clock_monotonic_ns() - began_ns) / 1000000);
    for (size_t i = 0; i < BURSTS_PER_ROUND; i++) {
        own[i] = (double)(pools[burst[i]].written_ns - began_ns) / 1e6;
        total[i] = own[i] + rand_r(seed) % ROUND_MS;
    }
    return BURSTS_PER_ROUND;
}

static struct sl_controller *make(size_t n, struct sl_wakeup *stop) {
    struct sl_controller_settings settings = {
        .cluster = "bench",
        .pools = pointers,
        .pool_count = n,
        .ops = {.read_size = read_size, .set_size = set_size},
        .stop = stop,
    };
    struct sl_controller *c = NULL;
    struct sl_error err = SL_ERROR_INIT;

    for (size_t i = 0; i < n; i++) {
        if (sl_option_defaults(sl_scaler_pool_block.options, &options[i], &err) != SL_OK) {
            return NULL;
        }
        (void)snprintf(names[i], NAME_BYTES, "pool-%zu", i);
        options[i].name = names[i];
        options[i].worker_pool = names[i];
        options[i].min_workers = 0;
        options[i].max_workers = 1000;
        pointers[i] = &options[i];
    }
    if (sl_wakeup_init(stop, &err) != SL_OK || sl_controller_new(&settings, &c, &err) != SL_OK ||
        sl_controller_start(c, &err) != SL_OK) {
        fprintf(stderr, "bench_pools: %s\n", err.text);
        return NULL;
    }
    return c;
}

int main(int argc, char **argv) {
    size_t n = argc > 1 ? (size_t)strtol(argv[1], NULL, 10) : 10;
    size_t rounds = argc > 2 ? (size_t)strtol(argv[2], NULL, 10) : 20;
    double *total = calloc(rounds * BURSTS_PER_ROUND, sizeof *total);
    double *own = calloc(rounds * BURSTS_PER_ROUND, sizeof *own);
    struct sl_controller *c = NULL;
    struct sl_wakeup stop;
    unsigned seed = 1;
    size_t count = 0;
    double began_ms = 0;
    double percent = 0;

    c = n > 0 && n <= MAX_POOLS ? make(n, &stop) : NULL;
    if (c == NULL || total == NULL || own == NULL) {
        return 2;
    }
    sleep_ms((int64_t)n * (ANSWER_MS + 1) + 500); /* every size has been read once */
    began_ms = cpu_ms();
    for (size_t i = 0; i < rounds; i++) {
        count += play_round(c, n, &seed, &total[count], &own[count]);
    }
    percent = (cpu_ms() - began_ms) / (double)(rounds * ROUND_MS) * 100;
    sl_controller_stop(c);
    printf("pools %zu bursts %zu p50_ms %.1f p99_ms %.1f own_p99_ms %.2f cpu_percent %.2f\n", n,
           count, quantile(total, count, 0.5), quantile(total, count, 0.99),
           quantile(own, count, 0.99), percent);
    sl_controller_free(c);
    sl_wakeup_release(&stop);
    for (size_t i = 0; i < n; i++) {
        options[i].name = NULL;
        options[i].worker_pool = NULL;
        sl_option_release(sl_scaler_pool_block.options, &options[i]);
    }
    free(total);
    free(own);
    return 0;
}
