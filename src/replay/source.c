/* Which form is it? And from a queue back to the runs that made it. */
#include "replay/source_internal.h"

#include <stdlib.h>
#include <string.h>

bool sl_points_add(struct sl_points *p, int64_t at_ms, int64_t pending, int64_t busy) {
    if (p->count == SL_SOURCE_MAX_POINTS) {
        return false;
    }
    if (p->count == p->capacity) {
        size_t capacity = p->capacity * 2 + 1024;
        struct sl_source_point *grown = realloc(p->each, capacity * sizeof *grown);

        if (grown == NULL) {
            return false;
        }
        p->each = grown;
        p->capacity = capacity;
    }
    p->each[p->count++] = (struct sl_source_point){at_ms, pending, busy};
    return true;
}

int sl_points_failed(struct sl_error *err) {
    return sl_fail(err, SL_TOOBIG, "more than %d samples, or out of memory",
                   (int)SL_SOURCE_MAX_POINTS);
}

/* ---- runs from a gauge ---- */

/* First come, first served: the i-th start is the first moment at which as many runs have ended as
 * are busy makes i. */
struct remake {
    struct sl_trace_run *runs;
    size_t arrived, started, ended;
    int64_t *started_ms;
    size_t capacity;
};

static bool make_room(struct remake *r, size_t count) {
    if (count <= r->capacity) {
        return true;
    }
    size_t capacity = count * 2 + 1024;
    struct sl_trace_run *runs = realloc(r->runs, capacity * sizeof *runs);

    if (runs == NULL) {
        return false;
    }
    r->runs = runs;
    int64_t *starts = realloc(r->started_ms, capacity * sizeof *starts);

    if (starts == NULL) {
        return false;
    }
    r->started_ms = starts;
    r->capacity = capacity;
    return true;
}

static void end_run(struct remake *r, int64_t at_ms) {
    int64_t began_ms = r->started_ms[r->ended];

    r->runs[r->ended++].duration_ms = at_ms > began_ms ? at_ms - began_ms : 0;
}

static bool take_point(struct remake *r, const struct sl_source_point *p, int64_t at_ms) {
    size_t demand = (size_t)p->pending + (size_t)p->busy;
    size_t now = r->arrived - r->ended;
    size_t arrivals = demand > now ? demand - now : 0;
    size_t ends = demand < now ? now - demand : 0;

    if (!make_room(r, r->arrived + arrivals)) {
        return false;
    }
    for (; arrivals > 0; arrivals--) {
        r->runs[r->arrived++] = (struct sl_trace_run){.arrival_ms = at_ms};
    }
    for (; ends > 0; ends--) {
        if (r->started == r->ended) { /* it began and ended between two samples */
            r->started_ms[r->started++] = at_ms;
        }
        end_run(r, at_ms);
    }
    while (r->started < r->ended + (size_t)p->busy && r->started < r->arrived) {
        r->started_ms[r->started++] = at_ms;
    }
    return true;
}

static int remake_runs(const struct sl_source_point *points, size_t count, struct remake *r,
                       struct sl_error *err) {
    int64_t origin_ms = points[0].at_ms;
    int64_t last_ms = points[count - 1].at_ms - origin_ms;

    for (size_t i = 0; i < count; i++) {
        if (!take_point(r, &points[i], points[i].at_ms - origin_ms)) {
            return sl_points_failed(err);
        }
    }
    while (r->ended < r->arrived) {
        if (r->started == r->ended) {
            r->started_ms[r->started++] = last_ms;
        }
        end_run(r, last_ms);
    }
    return SL_OK;
}

/* Only the queue is known: each rise is that many arrivals, and how long they ran is a guess. */
static int guess_runs(const struct sl_source_point *points, size_t count, int64_t run_time_ms,
                      struct remake *r, struct sl_error *err) {
    int64_t before = 0;

    for (size_t i = 0; i < count; i++) {
        if (points[i].pending > before &&
            !make_room(r, r->arrived + (size_t)(points[i].pending - before))) {
            return sl_points_failed(err);
        }
        for (; before < points[i].pending; before++) {
            r->runs[r->arrived++] =
                (struct sl_trace_run){points[i].at_ms - points[0].at_ms, run_time_ms};
        }
        before = points[i].pending;
    }
    return SL_OK;
}

int sl_source_from_points(const struct sl_source_point *points, size_t count, int64_t run_time_ms,
                          struct sl_trace *ret, struct sl_error *err) {
    struct remake r = {.runs = NULL};
    int rc = SL_OK;

    if (count == 0) {
        return sl_fail(err, SL_CONFIG, "it holds no samples");
    }
    for (size_t i = 1; i < count; i++) {
        if (points[i].at_ms < points[i - 1].at_ms) {
            return sl_fail(err, SL_PARSE, "its times are not in order");
        }
    }
    rc = points[0].busy >= 0 ? remake_runs(points, count, &r, err)
                             : guess_runs(points, count, run_time_ms, &r, err);
    free(r.started_ms);
    if (rc == SL_OK && r.arrived == 0) {
        rc = sl_fail(err, SL_CONFIG, "nothing ever waited or ran in it");
    }
    if (rc != SL_OK) {
        free(r.runs);
        return rc;
    }
    *ret = (struct sl_trace){.runs = r.runs, .count = r.arrived};
    return SL_OK;
}

/* ---- forms ---- */

static int from_points(struct sl_points *points, int rc, const struct sl_source_settings *settings,
                       struct sl_trace *ret, struct sl_source_facts *facts, struct sl_error *err) {
    if (rc == SL_OK) {
        rc = sl_source_from_points(points->each, points->count, settings->run_time_ms, ret, err);
    }
    facts->is_run_time_assumed = rc == SL_OK && points->each[0].busy < 0;
    free(points->each);
    return rc;
}

int sl_source_parse(const char *bytes, size_t len, const struct sl_source_settings *settings,
                    struct sl_trace *ret, struct sl_source_facts *facts, struct sl_error *err) {
    size_t blank = 0;
    struct sl_points points = {.each = NULL};

    *facts = (struct sl_source_facts){.form = SL_SOURCE_RUNS};
    while (blank < len && strchr(" \t\r\n", bytes[blank]) != NULL) {
        blank++;
    }
    bytes += blank;
    len -= blank;
    if (len > 0 && bytes[0] == '{') {
        facts->form = SL_SOURCE_PROMETHEUS;
        return from_points(&points, sl_source_prometheus(bytes, len, settings->pool, &points, err),
                           settings, ret, facts, err);
    }
    const char *end = memchr(bytes, '\n', len);
    size_t header = end != NULL ? (size_t)(end - bytes) : len;

    if (sl_csv_column(bytes, header, "arrival_s") >= 0) {
        return sl_trace_parse(bytes, len, ret, err);
    }
    if (sl_csv_column(bytes, header, "run_ulid") >= 0) {
        facts->form = SL_SOURCE_USAGE;
        return sl_source_usage_csv(bytes, len, settings->pool, ret, err);
    }
    if (sl_csv_column(bytes, header, "pending") >= 0) {
        facts->form = SL_SOURCE_GAUGE;
        return from_points(&points, sl_source_gauge_csv(bytes, len, &points, err), settings, ret,
                           facts, err);
    }
    if (sl_csv_column(bytes, header, "count") >= 0) {
        return sl_fail(err, SL_CONFIG,
                       "this is the usage export of the aspect worker-count, which knows nothing "
                       "of queues: export the aspect run-minutes");
    }
    return sl_fail(
        err, SL_CONFIG,
        "its first line says none of the forms: arrival_s,duration_s; time,pending,busy; "
        "Spacelift's export of run-minutes; or the JSON of a Prometheus range query");
}
