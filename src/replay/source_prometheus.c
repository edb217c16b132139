/* The answer of /api/v1/query_range, read as a stream: a day at 10 s is 17,000 values. */
#include "replay/source_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_parser.h"

/* data.result[i]: depth of what stands in it, see base/json_parser.h. */
enum { RESULT_DEPTH = 2, SERIES_DEPTH = 3, MEMBER_DEPTH = 4, LABEL_DEPTH = 5, VALUE_DEPTH = 6 };

enum { NAME_BYTES = 512 };

enum what { NOTHING, PENDING, BUSY };

struct sample {
    int64_t at_ms;
    double value;
};

struct samples {
    struct sample *each;
    size_t count;
    size_t capacity;
};

struct reader {
    const char *wanted;      /* the pool; NULL: whichever */
    char key[4][NAME_BYTES]; /* the newest key of the depths 1, 2, 4 and 5 */
    bool is_matrix;
    struct samples series; /* of the present one */
    enum what what;        /* is it */
    bool has_at;
    int64_t at_ms;
    char pool[NAME_BYTES];       /* of the present series */
    char first_pool[NAME_BYTES]; /* of those that count */
    bool has_several;
    struct samples pending;
    struct samples busy;
};

static bool add_sample(struct samples *s, int64_t at_ms, double value) {
    if (s->count == SL_SOURCE_MAX_POINTS) {
        return false;
    }
    if (s->count == s->capacity) {
        size_t capacity = s->capacity * 2 + 1024;
        struct sample *grown = realloc(s->each, capacity * sizeof *grown);

        if (grown == NULL) {
            return false;
        }
        s->each = grown;
        s->capacity = capacity;
    }
    s->each[s->count++] = (struct sample){at_ms, value};
    return true;
}

static void copy(char *to, const struct sl_json_event *event) {
    size_t len = event->len < NAME_BYTES - 1 ? event->len : NAME_BYTES - 1;

    memcpy(to, event->text, len);
    to[len] = '\0';
}

static size_t slot_of(unsigned depth) {
    return depth <= 2 ? depth - 1 : depth - 2; /* 1, 2, 4, 5: 0, 1, 2, 3 */
}

static bool is_in_series(const struct reader *r) {
    return strcmp(r->key[0], "data") == 0 && strcmp(r->key[1], "result") == 0;
}

static bool ends_with(const char *text, const char *end) {
    size_t len = strlen(text), tail = strlen(end);

    return len >= tail && strcmp(text + len - tail, end) == 0;
}

static void take_label(struct reader *r, const struct sl_json_event *event) {
    char value[NAME_BYTES];

    copy(value, event);
    if (strcmp(r->key[3], "__name__") == 0) {
        r->what = ends_with(value, "runs_pending")   ? PENDING
                  : ends_with(value, "workers_busy") ? BUSY
                                                     : NOTHING;
    } else if (strcmp(r->key[3], "worker_pool_name") == 0) {
        memcpy(r->pool, value, sizeof value);
    }
}

static int take_value(struct reader *r, const struct sl_json_event *event, struct sl_error *err) {
    double value = 0;

    if (event->kind == SL_JSON_NUMBER && !r->has_at) {
        r->has_at = sl_json_to_double(event->text, event->len, &value, NULL) == SL_OK &&
                    value >= 0 && value < 1e11;
        r->at_ms = llround(value * 1000);
        return r->has_at ? SL_OK : sl_fail(err, SL_PARSE, "a time that is none");
    }
    r->has_at = false;
    if (sl_json_to_double(event->text, event->len, &value, NULL) != SL_OK || !(value >= 0) ||
        value > 1000000) {
        return SL_OK; /* "NaN": nobody knew */
    }
    return add_sample(&r->series, r->at_ms, value) ? SL_OK : sl_points_failed(err);
}

/* The same moment of several series of one kind (two exporters) is one moment: the highest. */
static void merge(struct samples *into, struct samples *from) {
    size_t i = 0;

    if (into->count == 0) {
        free(into->each);
        *into = *from;
        *from = (struct samples){.each = NULL};
        return;
    }
    for (size_t j = 0; j < from->count; j++) {
        while (i < into->count && into->each[i].at_ms < from->each[j].at_ms) {
            i++;
        }
        if (i < into->count && into->each[i].at_ms == from->each[j].at_ms) {
            into->each[i].value = fmax(into->each[i].value, from->each[j].value);
        }
    }
    from->count = 0;
}

static void end_series(struct reader *r) {
    bool is_wanted = r->wanted == NULL || strcmp(r->pool, r->wanted) == 0;

    if (r->what != NOTHING && is_wanted) {
        if (r->first_pool[0] == '\0') {
            memcpy(r->first_pool, r->pool, sizeof r->pool);
        }
        r->has_several = r->has_several || strcmp(r->first_pool, r->pool) != 0;
        merge(r->what == PENDING ? &r->pending : &r->busy, &r->series);
    }
    r->series.count = 0;
    r->what = NOTHING;
    r->pool[0] = '\0';
}

static int on_event(void *context, const struct sl_json_event *event, struct sl_error *err) {
    struct reader *r = context;

    if (event->kind == SL_JSON_KEY) {
        if (event->depth >= 1 && event->depth <= LABEL_DEPTH && event->depth != SERIES_DEPTH) {
            copy(r->key[slot_of(event->depth)], event);
        }
        return SL_OK;
    }
    if (event->kind == SL_JSON_STRING && event->depth == RESULT_DEPTH &&
        strcmp(r->key[1], "resultType") == 0) {
        r->is_matrix = event->len == 6 && memcmp(event->text, "matrix", 6) == 0;
    }
    if (!is_in_series(r)) {
        return SL_OK;
    }
    if (event->kind == SL_JSON_STRING && event->depth == LABEL_DEPTH &&
        strcmp(r->key[2], "metric") == 0) {
        take_label(r, event);
    } else if ((event->kind == SL_JSON_STRING || event->kind == SL_JSON_NUMBER) &&
               event->depth == VALUE_DEPTH && strcmp(r->key[2], "values") == 0) {
        return take_value(r, event, err);
    } else if (event->kind == SL_JSON_OBJECT_END && event->depth == SERIES_DEPTH) {
        end_series(r);
    }
    return SL_OK;
}

static int join(const struct reader *r, struct sl_points *ret, struct sl_error *err) {
    size_t j = 0;

    if (!r->is_matrix || r->pending.count == 0) {
        return sl_fail(err, SL_CONFIG,
                       "it holds no values of spacelift_worker_pool_runs_pending%s%s: ask "
                       "/api/v1/query_range for {__name__=~\"spacelift_worker_pool_(runs_pending|"
                       "workers_busy)\", worker_pool_name=\"...\"}",
                       r->wanted != NULL ? " of the pool " : "",
                       r->wanted != NULL ? r->wanted : "");
    }
    if (r->has_several) {
        return sl_fail(err, SL_CONFIG,
                       "it has several worker pools, \"%.100s\" among them: choose "
                       "one with --pool",
                       r->first_pool);
    }
    for (size_t i = 0; i < r->pending.count; i++) {
        int64_t at_ms = r->pending.each[i].at_ms;
        int64_t busy = -1;

        while (j < r->busy.count && r->busy.each[j].at_ms < at_ms) {
            j++;
        }
        if (j < r->busy.count && r->busy.each[j].at_ms == at_ms) {
            busy = llround(r->busy.each[j].value);
        } else if (r->busy.count > 0) {
            continue; /* one of the two is missing */
        }
        if (!sl_points_add(ret, at_ms, llround(r->pending.each[i].value), busy)) {
            return sl_points_failed(err);
        }
    }
    return SL_OK;
}

int sl_source_prometheus(const char *bytes, size_t len, const char *pool, struct sl_points *ret,
                         struct sl_error *err) {
    struct sl_json_limits limits = sl_json_default_limits();
    struct reader *r = calloc(1, sizeof *r);
    struct sl_json_parser *parser = NULL;
    int rc = SL_OK;

    limits.max_bytes = SL_TRACE_MAX_BYTES;
    if (r != NULL) {
        r->wanted = pool;
        parser = sl_json_parser_new(&limits, on_event, r);
    }
    if (parser == NULL) {
        rc = sl_fail(err, SL_NOMEM, "out of memory");
    }
    if (rc == SL_OK) {
        rc = sl_json_parser_feed(parser, bytes, len, err);
    }
    if (rc == SL_OK) {
        rc = sl_json_parser_finish(parser, err);
    }
    if (rc == SL_OK) {
        rc = join(r, ret, err);
    }
    sl_json_parser_free(parser);
    if (r != NULL) {
        free(r->series.each);
        free(r->pending.each);
        free(r->busy.each);
    }
    free(r);
    return rc;
}
