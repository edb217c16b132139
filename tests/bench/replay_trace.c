/* Queues for the replay: read from a file, or made up from a fixed seed. */
#include "bench/replay_trace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE_BYTES = 200 };

void trace_release(struct trace *t) {
    free(t->jobs);
    *t = (struct trace){0};
}

static bool add_job(struct trace *t, size_t *capacity, double arrival_s, double duration_s) {
    if (t->count == *capacity) {
        size_t grown_capacity = *capacity * 2 + 1024;
        struct job *grown = realloc(t->jobs, grown_capacity * sizeof *grown);

        if (grown == NULL) {
            return false;
        }
        t->jobs = grown;
        *capacity = grown_capacity;
    }
    t->jobs[t->count++] = (struct job){
        .arrival_ms = (int64_t)(arrival_s * 1000),
        .duration_ms = (int64_t)(duration_s * 1000),
    };
    return true;
}

static bool read_line(const char *line, double *ret_arrival_s, double *ret_duration_s) {
    char *end = NULL;

    *ret_arrival_s = strtod(line, &end);
    if (end == line || *end != ',') {
        return false;
    }
    line = end + 1;
    *ret_duration_s = strtod(line, &end);
    return end != line && (*end == '\0' || *end == '\n' || *end == '\r') && *ret_arrival_s >= 0 &&
           *ret_arrival_s < 1e9 && *ret_duration_s >= 0 && *ret_duration_s < 1e9;
}

static bool read_lines(FILE *file, struct trace *t, char *why, size_t why_size) {
    char line[MAX_LINE_BYTES];
    size_t capacity = 0;

    if (fgets(line, sizeof line, file) == NULL ||
        strncmp(line, "arrival_s,duration_s", strlen("arrival_s,duration_s")) != 0) {
        (void)snprintf(why, why_size, "its first line is not arrival_s,duration_s");
        return false;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        double arrival_s = 0;
        double duration_s = 0;

        if (!read_line(line, &arrival_s, &duration_s) ||
            (t->count > 0 && arrival_s * 1000 < (double)t->jobs[t->count - 1].arrival_ms)) {
            (void)snprintf(why, why_size, "line %zu is no run, or before the one above it",
                           t->count + 2);
            return false;
        }
        if (!add_job(t, &capacity, arrival_s, duration_s)) {
            (void)snprintf(why, why_size, "out of memory");
            return false;
        }
    }
    (void)snprintf(why, why_size, "no runs in it");
    return t->count > 0;
}

bool trace_read(const char *path, struct trace *ret, char *why, size_t why_size) {
    FILE *file = fopen(path, "re");
    bool ok = false;

    *ret = (struct trace){0};
    if (file == NULL) {
        (void)snprintf(why, why_size, "%s", strerror(errno));
        return false;
    }
    ok = read_lines(file, ret, why, why_size);
    (void)fclose(file);
    if (!ok) {
        trace_release(ret);
    }
    return ok;
}

/* ---- made up ---- */

struct recipe {
    const char *name;
    double arrivals_per_hour; /* Poisson, of batches */
    int batch;                /* runs that arrive together */
    double mean_run_s;        /* lognormal, coefficient of variation 1 */
};

/* Offered load, in workers: 2.5, 20, 1.7, 4. */
static const struct recipe recipes[] = {
    {"steady, 30 runs an hour of 5 min", 30, 1, 300},
    {"large, 240 runs an hour of 5 min", 240, 1, 300},
    {"bursts of 10, 2 an hour, of 5 min", 2, 10, 300},
    {"long, 12 runs an hour of 20 min", 12, 1, 1200},
};

static const double made_up_hours = 24 * 14;

static double uniform(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return ((double)(*seed >> 11) + 0.5) / 9007199254740992.0;
}

static double lognormal(uint64_t *seed, double mean) {
    double variance = log(2); /* of the logarithm, for a coefficient of variation of 1 */
    double normal = sqrt(-2 * log(uniform(seed))) * cos(2 * 3.14159265358979 * uniform(seed));

    return exp(log(mean) - variance / 2 + sqrt(variance) * normal);
}

size_t trace_made_up_count(void) {
    return sizeof recipes / sizeof recipes[0];
}

const char *trace_make_up(size_t index, struct trace *ret) {
    const struct recipe *r = &recipes[index];
    uint64_t seed = 88172645463325252u + index;
    size_t capacity = 0;
    double at_s = 0;

    *ret = (struct trace){0};
    for (;;) {
        at_s += -log(uniform(&seed)) * 3600 / r->arrivals_per_hour;
        if (at_s > made_up_hours * 3600) {
            return r->name;
        }
        for (int i = 0; i < r->batch; i++) {
            if (!add_job(ret, &capacity, at_s, lognormal(&seed, r->mean_run_s))) {
                trace_release(ret);
                return NULL;
            }
        }
    }
}
