/* Replays a queue through scaling policies and prints what each costs: in waiting, and in workers.
 *
 * Ours is the plugin's own sl_policy_decide(), asked every 10 s as in collectd; the others are
 * written from what their projects do (replay_policy.c). The model of the pool (replay_pool.c):
 * first come, first served; a worker takes a run as soon as it is idle; a new worker needs the
 * start-up time; a smaller pool loses idle workers first, then starting ones, and a busy one only
 * when its run has ended. Replay is open-loop: a faster pool does not move the next arrival. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/replay_policy.h"
#include "bench/replay_trace.h"

enum { MAX_LIST = 16 };

static const char usage[] =
    "usage: replay [--min N] [--max N] [--startup S]... [--window S]... [--synthetic] "
    "[TRACE.csv]...\n"
    "\n"
    "Replays queues through the tutorial's policy, the same chain repaired, the EC2 autoscaler's "
    "rules\n"
    "and ours, and prints for each: mean and p95 wait in seconds, worker-hours of poolSize and of "
    "the\n"
    "workers that exist (a busy worker above poolSize still does), changes of size per hour.\n"
    "\n"
    "  --min N      MinWorkers (1)\n"
    "  --max N      MaxWorkers (100)\n"
    "  --startup S  seconds until a new worker takes runs; may be given several times (5 45 180)\n"
    "  --window S   ScaleInWindow of ours; may be given several times (30 60 120 300)\n"
    "  --synthetic  also the made-up queues: steady, large, bursts, long runs\n"
    "  TRACE.csv    arrival_s,duration_s; arrivals ascending. A file that is not there is "
    "skipped\n";

struct arguments {
    int32_t min_workers;
    int32_t max_workers;
    int64_t startup_s[MAX_LIST];
    size_t startups;
    int64_t window_s[MAX_LIST];
    size_t windows;
    bool has_synthetic;
    int first_file; /* of argv */
};

struct result {
    double mean_wait_s;
    double p95_wait_s;
    double size_hours;
    double worker_hours;
    double changes_per_hour;
};

/* ---- one replay ---- */

static int compare_times(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static struct result summary_of(struct pool *p) {
    struct result r = {0};
    double sum_ms = 0;
    size_t n = p->trace->count;

    for (size_t i = 0; i < n; i++) {
        sum_ms += (double)p->waits_ms[i];
    }
    qsort(p->waits_ms, n, sizeof *p->waits_ms, compare_times);
    r.mean_wait_s = sum_ms / (double)n / 1000;
    r.p95_wait_s = (double)p->waits_ms[n * 95 / 100] / 1000;
    r.size_hours = (double)p->size_ms / 3600000;
    r.worker_hours = (double)p->workers_ms / 3600000;
    r.changes_per_hour = (double)p->changes / ((double)p->now_ms / 3600000);
    return r;
}

static bool replay(const struct trace *trace, struct contender c, int64_t startup_s,
                   struct result *ret) {
    struct pool pool;
    size_t most = (size_t)c.max_workers * 2 + 10;

    if (!pool_init(&pool, trace, startup_s * 1000, c.min_workers, most)) {
        return false;
    }
    for (int64_t now_ms = c.phase_ms; !pool_is_done(&pool); now_ms += c.tick_ms) {
        pool_run(&pool, now_ms);
        pool_set_size(&pool, c.decide(&c, &pool, now_ms));
    }
    *ret = summary_of(&pool);
    pool_release(&pool);
    return true;
}

/* A bound for every policy: knows each arrival, has a worker ready for it, no other one, no wait.
 */
static struct result lower_bound(const struct trace *trace) {
    struct result r = {0};
    double sum_ms = 0;

    for (size_t i = 0; i < trace->count; i++) {
        sum_ms += (double)trace->jobs[i].duration_ms;
    }
    r.size_hours = sum_ms / 3600000;
    r.worker_hours = r.size_hours;
    r.changes_per_hour = NAN;
    return r;
}

/* ---- tables ---- */

static void print_head(const char *name, const struct trace *trace, int64_t startup_s,
                       const struct arguments *a) {
    double days = (double)trace->jobs[trace->count - 1].arrival_ms / 86400000;

    printf("\n%s: %zu runs in %.1f days; a worker starts in %" PRId64 " s; %" PRId32 " to %" PRId32
           " workers\n",
           name, trace->count, days, startup_s, a->min_workers, a->max_workers);
    printf("%-38s %9s %9s %12s %12s %9s\n", "policy", "mean wait", "p95 wait", "poolSize h",
           "workers h", "changes/h");
}

static void print_row(const char *name, const struct result *r) {
    printf("%-38s %9.1f %9.1f %12.1f %12.1f %9.2f\n", name, r->mean_wait_s, r->p95_wait_s,
           r->size_hours, r->worker_hours, r->changes_per_hour);
}

static bool replay_and_print(const struct trace *trace, const struct contender *c,
                             int64_t startup_s) {
    struct result r;

    if (!replay(trace, *c, startup_s, &r)) {
        fprintf(stderr, "replay: out of memory\n");
        return false;
    }
    print_row(c->name, &r);
    return true;
}

static bool replay_ours(const struct trace *trace, const struct arguments *a, int64_t startup_s) {
    for (size_t i = 0; i < a->windows; i++) {
        struct sl_policy policy = {
            .min_workers = a->min_workers,
            .max_workers = a->max_workers,
            .target_utilization_percent = 100,
            .scale_in_window_ms = a->window_s[i] * 1000,
        };
        struct contender c;
        char name[64];

        (void)snprintf(name, sizeof name, "ours, ScaleInWindow %" PRId64, a->window_s[i]);
        c = contender_ours(name, &policy);
        if (!replay_and_print(trace, &c, startup_s)) {
            return false;
        }
    }
    return true;
}

static bool replay_all(const char *name, const struct trace *trace, const struct arguments *a) {
    struct result bound = lower_bound(trace);

    for (size_t i = 0; i < a->startups; i++) {
        struct contender others[] = {
            contender_tutorial(a->min_workers, a->max_workers),
            contender_repaired_chain(a->min_workers, a->max_workers),
            contender_ec2(a->min_workers, a->max_workers),
        };

        print_head(name, trace, a->startup_s[i], a);
        for (size_t j = 0; j < sizeof others / sizeof others[0]; j++) {
            if (!replay_and_print(trace, &others[j], a->startup_s[i])) {
                return false;
            }
        }
        if (!replay_ours(trace, a, a->startup_s[i])) {
            return false;
        }
        print_row("lower bound: knows the future", &bound);
    }
    return true;
}

/* ---- the command line ---- */

static bool read_number(const char *text, int64_t min, int64_t max, int64_t *ret) {
    char *end = NULL;
    long long number = 0;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max) {
        fprintf(stderr, "replay: \"%s\" is not a number from %" PRId64 " to %" PRId64 "\n", text,
                min, max);
        return false;
    }
    *ret = number;
    return true;
}

static bool set_argument(struct arguments *a, const char *name, const char *value) {
    int64_t number = 0;

    if (value == NULL || !read_number(value, 0, 100000, &number)) {
        return false;
    }
    if (strcmp(name, "--min") == 0) {
        a->min_workers = (int32_t)number;
    } else if (strcmp(name, "--max") == 0) {
        a->max_workers = (int32_t)number;
    } else if (strcmp(name, "--startup") == 0 && a->startups < MAX_LIST) {
        a->startup_s[a->startups++] = number;
    } else if (strcmp(name, "--window") == 0 && a->windows < MAX_LIST) {
        a->window_s[a->windows++] = number;
    } else {
        return false;
    }
    return true;
}

static bool read_arguments(struct arguments *a, int argc, char **argv) {
    static const int64_t startups[] = {5, 45, 180};
    static const int64_t windows[] = {30, 60, 120, 300};

    *a = (struct arguments){.min_workers = 1, .max_workers = 100, .first_file = 1};
    while (a->first_file < argc && strncmp(argv[a->first_file], "--", 2) == 0) {
        const char *name = argv[a->first_file++];

        if (strcmp(name, "--synthetic") == 0) {
            a->has_synthetic = true;
        } else if (a->first_file == argc || !set_argument(a, name, argv[a->first_file++])) {
            return false;
        }
    }
    if (a->startups == 0) {
        memcpy(a->startup_s, startups, sizeof startups);
        a->startups = sizeof startups / sizeof startups[0];
    }
    if (a->windows == 0) {
        memcpy(a->window_s, windows, sizeof windows);
        a->windows = sizeof windows / sizeof windows[0];
    }
    return a->max_workers > 0 && a->min_workers <= a->max_workers;
}

static bool replay_file(const char *path, const struct arguments *a) {
    struct trace trace = {0};
    const char *base = strrchr(path, '/');
    char why[200];
    bool ok = true;

    if (!trace_read(path, &trace, why, sizeof why)) {
        printf("\nskipped: %s: %s\n", path, why);
        return true;
    }
    ok = replay_all(base != NULL ? base + 1 : path, &trace, a);
    trace_release(&trace);
    return ok;
}

int main(int argc, char **argv) {
    struct arguments a;

    if (!read_arguments(&a, argc, argv) || (a.first_file == argc && !a.has_synthetic)) {
        fputs(usage, stderr);
        return 2;
    }
    for (size_t i = 0; a.has_synthetic && i < trace_made_up_count(); i++) {
        struct trace trace = {0};
        const char *name = trace_make_up(i, &trace);
        bool ok = name != NULL && replay_all(name, &trace, &a);

        trace_release(&trace);
        if (!ok) {
            return 1;
        }
    }
    for (int i = a.first_file; i < argc; i++) {
        if (!replay_file(argv[i], &a)) {
            return 1;
        }
    }
    return 0;
}
