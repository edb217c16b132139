/* Queues for the replay: from a file's bytes, or made up from a fixed seed. */
#include "replay/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE_BYTES = 200 };

void sl_trace_release(struct sl_trace *t) {
    free(t->runs);
    *t = (struct sl_trace){0};
}

static int out_of_memory(struct sl_error *err) {
    return sl_fail(err, SL_NOMEM, "out of memory for the trace");
}

static bool add_run(struct sl_trace *t, size_t *capacity, double arrival_s, double duration_s) {
    if (t->count == *capacity) {
        size_t grown_capacity = *capacity * 2 + 1024;
        struct sl_trace_run *grown = realloc(t->runs, grown_capacity * sizeof *grown);

        if (grown == NULL) {
            return false;
        }
        t->runs = grown;
        *capacity = grown_capacity;
    }
    t->runs[t->count++] = (struct sl_trace_run){
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

/* The next line, cut and without its newline; what is left moves on. */
static void take_line(const char **bytes, size_t *left, char line[MAX_LINE_BYTES]) {
    const char *end = memchr(*bytes, '\n', *left);
    size_t len = end != NULL ? (size_t)(end - *bytes) : *left;
    size_t step = end != NULL ? len + 1 : len;

    (void)snprintf(line, MAX_LINE_BYTES, "%.*s", (int)(len < MAX_LINE_BYTES ? len : MAX_LINE_BYTES),
                   *bytes);
    *bytes += step;
    *left -= step;
}

static int parse_runs(const char *bytes, size_t left, struct sl_trace *t, struct sl_error *err) {
    char line[MAX_LINE_BYTES];
    size_t capacity = 0;

    while (left > 0) {
        double arrival_s = 0;
        double duration_s = 0;

        take_line(&bytes, &left, line);
        if (!read_line(line, &arrival_s, &duration_s) ||
            (t->count > 0 && arrival_s * 1000 < (double)t->runs[t->count - 1].arrival_ms)) {
            return sl_fail(err, SL_PARSE,
                           "line %zu is no run (arrival_s,duration_s), or begins before the one "
                           "above it",
                           t->count + 2);
        }
        if (!add_run(t, &capacity, arrival_s, duration_s)) {
            return out_of_memory(err);
        }
    }
    return t->count > 0 ? SL_OK : sl_fail(err, SL_PARSE, "no runs in it");
}

int sl_trace_parse(const char *bytes, size_t len, struct sl_trace *ret, struct sl_error *err) {
    char line[MAX_LINE_BYTES];
    struct sl_trace trace = {0};
    int rc = SL_OK;

    take_line(&bytes, &len, line);
    if (strncmp(line, "arrival_s,duration_s", strlen("arrival_s,duration_s")) != 0) {
        return sl_fail(err, SL_PARSE, "its first line is not arrival_s,duration_s");
    }
    rc = parse_runs(bytes, len, &trace, err);
    if (rc != SL_OK) {
        sl_trace_release(&trace);
        return rc;
    }
    *ret = trace;
    return SL_OK;
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

size_t sl_trace_made_up_count(void) {
    return sizeof recipes / sizeof recipes[0];
}

int sl_trace_make_up(size_t index, struct sl_trace *ret, const char **ret_name,
                     struct sl_error *err) {
    const struct recipe *r = &recipes[index];
    uint64_t seed = 88172645463325252u + index;
    struct sl_trace trace = {0};
    size_t capacity = 0;
    double at_s = 0;

    for (;;) {
        at_s += -log(uniform(&seed)) * 3600 / r->arrivals_per_hour;
        if (at_s > made_up_hours * 3600) {
            break;
        }
        for (int i = 0; i < r->batch; i++) {
            if (!add_run(&trace, &capacity, at_s, lognormal(&seed, r->mean_run_s))) {
                sl_trace_release(&trace);
                return out_of_memory(err);
            }
        }
    }
    *ret = trace;
    *ret_name = r->name;
    return SL_OK;
}
