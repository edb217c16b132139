/* Queues and runs from CSV (RFC 4180). */
#include "replay/source_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/civil.h"
#include "base/json_parser.h"

enum { MAX_COLUMNS = 64, ULID_BYTES = 32 };

struct field {
    const char *text; /* with its quotes taken off; doubled ones inside stay */
    size_t len;
};

struct row {
    struct field fields[MAX_COLUMNS];
    size_t count;
};

/* One line into its fields. Returns the bytes it took, newline included. */
static size_t read_row(const char *bytes, size_t len, struct row *ret) {
    size_t at = 0;
    bool is_end = false;

    ret->count = 0;
    while (!is_end) {
        bool is_quoted = at < len && bytes[at] == '"';
        size_t start = at + is_quoted;

        at = start;
        while (at < len && (is_quoted ? bytes[at] != '"' || (at + 1 < len && bytes[at + 1] == '"')
                                      : bytes[at] != ',' && bytes[at] != '\n')) {
            at += is_quoted && bytes[at] == '"' ? 2 : 1;
        }
        at = at < len ? at : len;
        size_t stop = at;

        while (at < len && bytes[at] != ',' && bytes[at] != '\n') {
            at++;
        }
        if (stop > start && bytes[stop - 1] == '\r') {
            stop--;
        }
        if (ret->count < MAX_COLUMNS) {
            ret->fields[ret->count++] = (struct field){bytes + start, stop - start};
        }
        is_end = at >= len || bytes[at] == '\n';
        at += at < len;
    }
    return at;
}

static bool field_is(const struct field *f, const char *text) {
    return f->len == strlen(text) && memcmp(f->text, text, f->len) == 0;
}

static bool field_ends_in(const struct field *f, const char *text) {
    size_t len = strlen(text);

    return f->len >= len && memcmp(f->text + f->len - len, text, len) == 0;
}

static int column_of(const struct row *header, const char *name) {
    for (size_t i = 0; i < header->count; i++) {
        if (field_is(&header->fields[i], name)) {
            return (int)i;
        }
    }
    for (size_t i = 0; i < header->count; i++) {
        if (field_ends_in(&header->fields[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

int sl_csv_column(const char *header, size_t len, const char *name) {
    struct row row;

    (void)read_row(header, len, &row);
    return column_of(&row, name);
}

static bool number_of(const struct row *row, int column, double *ret) {
    const struct field *f = NULL;

    if (column < 0 || (size_t)column >= row->count) {
        return false;
    }
    f = &row->fields[column];
    return sl_json_to_double(f->text, f->len, ret, NULL) == SL_OK;
}

/* Seconds since 1970 (or since anything), milliseconds, or RFC 3339. */
static bool time_of(const struct row *row, int column, int64_t *ret_ms) {
    double number = 0;
    char text[64];

    if (column < 0 || (size_t)column >= row->count) {
        return false;
    }
    if (number_of(row, column, &number) && number >= 0 && number < 1e15) {
        *ret_ms = (int64_t)(number > 1e11 ? number : number * 1000);
        return true;
    }
    if (row->fields[column].len >= sizeof text) {
        return false;
    }
    memcpy(text, row->fields[column].text, row->fields[column].len);
    text[row->fields[column].len] = '\0';
    return sl_parse_rfc3339(text, ret_ms);
}

static bool count_of(const struct row *row, int column, int64_t *ret) {
    double number = 0;

    if (!number_of(row, column, &number) || !(number >= 0) || number > 1000000) {
        return false;
    }
    *ret = llround(number);
    return true;
}

/* ---- gauges ---- */

static int find_time(const struct row *header) {
    static const char *const names[] = {"time", "timestamp", "epoch", "time_s", "timestamp_unix"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int column = column_of(header, names[i]);

        if (column >= 0) {
            return column;
        }
    }
    return -1;
}

int sl_source_gauge_csv(const char *bytes, size_t len, struct sl_points *ret,
                        struct sl_error *err) {
    struct row row;
    size_t at = read_row(bytes, len, &row);
    int time = find_time(&row), pending = column_of(&row, "pending"),
        busy = column_of(&row, "busy");

    if (time < 0) {
        return sl_fail(err, SL_PARSE, "line 1: no column is called time, timestamp or epoch");
    }
    for (size_t line = 2; at < len; line++) {
        struct sl_source_point p = {.busy = -1};

        at += read_row(bytes + at, len - at, &row);
        if (row.count == 1 && row.fields[0].len == 0) {
            continue;
        }
        if (!time_of(&row, time, &p.at_ms) || !count_of(&row, pending, &p.pending) ||
            (busy >= 0 && !count_of(&row, busy, &p.busy))) {
            return sl_fail(err, SL_PARSE, "line %zu: not a time and counts", line);
        }
        if (!sl_points_add(ret, p.at_ms, p.pending, p.busy)) {
            return sl_points_failed(err);
        }
    }
    return SL_OK;
}

/* ---- the usage export: docs.spacelift.io/product/billing/usage ---- */

struct state_of_run {
    char ulid[ULID_BYTES];
    int64_t at_ms;
    int64_t took_ms;
};

struct states {
    struct state_of_run *each;
    size_t count;
    size_t capacity;
};

static bool add_state(struct states *s, const struct state_of_run *state) {
    if (s->count == SL_SOURCE_MAX_POINTS) {
        return false;
    }
    if (s->count == s->capacity) {
        size_t capacity = s->capacity * 2 + 1024;
        struct state_of_run *grown = realloc(s->each, capacity * sizeof *grown);

        if (grown == NULL) {
            return false;
        }
        s->each = grown;
        s->capacity = capacity;
    }
    s->each[s->count++] = *state;
    return true;
}

static int compare_states(const void *a, const void *b) {
    const struct state_of_run *left = a, *right = b;
    int order = strcmp(left->ulid, right->ulid);

    return order != 0 ? order : (left->at_ms > right->at_ms) - (left->at_ms < right->at_ms);
}

static int compare_runs(const void *a, const void *b) {
    const struct sl_trace_run *left = a, *right = b;

    return (left->arrival_ms > right->arrival_ms) - (left->arrival_ms < right->arrival_ms);
}

struct usage_columns {
    int time, minutes, ulid, pool, is_public;
};

/* As databases and spreadsheets write it, too. */
static bool is_yes(const struct field *f) {
    static const char *const words[] = {"true", "t", "yes", "1"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (f->len == strlen(words[i]) && strncasecmp(f->text, words[i], f->len) == 0) {
            return true;
        }
    }
    return false;
}

/* Whose worker was it? False: of another pool, or a public one, which has no name. SL_CONFIG
 * through err: of several pools, and none was chosen. */
static bool is_of_pool(const struct row *row, const struct usage_columns *c, const char *pool,
                       struct field *first, struct sl_error *err) {
    const struct field *name = NULL;

    if (c->is_public >= 0 && (size_t)c->is_public < row->count &&
        is_yes(&row->fields[c->is_public])) {
        return false;
    }
    if (c->pool < 0 || (size_t)c->pool >= row->count) {
        return true;
    }
    name = &row->fields[c->pool];
    if (name->len == 0) {
        return false;
    }
    if (pool != NULL) {
        return field_is(name, pool);
    }
    if (first->text == NULL) {
        *first = *name;
    } else if (first->len != name->len || memcmp(first->text, name->text, name->len) != 0) {
        (void)sl_fail(err, SL_CONFIG,
                      "it has several worker pools, \"%.*s\" and \"%.*s\" among them: choose one "
                      "with --pool",
                      (int)(first->len < 100 ? first->len : 100), first->text,
                      (int)(name->len < 100 ? name->len : 100), name->text);
    }
    return true;
}

static int read_states(const char *bytes, size_t len, const char *pool, struct states *ret,
                       struct sl_error *err) {
    struct row row;
    size_t at = read_row(bytes, len, &row);
    struct usage_columns c = {
        .time = column_of(&row, "timestamp_unix"),
        .minutes = column_of(&row, "state_duration_minutes"),
        .ulid = column_of(&row, "run_ulid"),
        .pool = column_of(&row, "worker_pool_name"),
        .is_public = column_of(&row, "public"),
    };
    struct field first = {NULL, 0};
    struct sl_error why = SL_ERROR_INIT;

    for (size_t line = 2; at < len; line++) {
        struct state_of_run state = {.ulid = ""};
        double minutes = 0;

        at += read_row(bytes + at, len - at, &row);
        if (row.count == 1 && row.fields[0].len == 0) {
            continue;
        }
        if (!time_of(&row, c.time, &state.at_ms) || !number_of(&row, c.minutes, &minutes) ||
            !(minutes >= 0) || minutes > 1e6 || (size_t)c.ulid >= row.count ||
            row.fields[c.ulid].len >= sizeof state.ulid) {
            return sl_fail(err, SL_PARSE, "line %zu: not a state of a run", line);
        }
        memcpy(state.ulid, row.fields[c.ulid].text, row.fields[c.ulid].len);
        state.took_ms = llround(minutes * 60000);
        if (is_of_pool(&row, &c, pool, &first, &why) && !add_state(ret, &state)) {
            return sl_points_failed(err);
        }
        if (why.code != SL_OK) {
            return sl_fail(err, why.code, "%s", why.text);
        }
    }
    return ret->count > 0 ? SL_OK
                          : sl_fail(err, SL_CONFIG, "it holds no runs of %s%s",
                                    pool != NULL ? "the pool " : "a private worker pool",
                                    pool != NULL ? pool : "");
}

/* All states of a run are one occupation of a worker, which begins with the first. */
static int join_states(struct states *s, struct sl_trace *ret, struct sl_error *err) {
    struct sl_trace_run *runs = calloc(s->count, sizeof *runs);
    size_t count = 0;

    if (runs == NULL) {
        return sl_points_failed(err);
    }
    qsort(s->each, s->count, sizeof *s->each, compare_states);
    for (size_t i = 0; i < s->count; i++) {
        if (i == 0 || strcmp(s->each[i].ulid, s->each[i - 1].ulid) != 0) {
            runs[count++].arrival_ms = s->each[i].at_ms;
        }
        runs[count - 1].duration_ms += s->each[i].took_ms;
    }
    qsort(runs, count, sizeof *runs, compare_runs);
    for (size_t i = count; i > 0; i--) {
        runs[i - 1].arrival_ms -= runs[0].arrival_ms;
    }
    *ret = (struct sl_trace){.runs = runs, .count = count};
    return SL_OK;
}

int sl_source_usage_csv(const char *bytes, size_t len, const char *pool, struct sl_trace *ret,
                        struct sl_error *err) {
    struct states states = {.each = NULL};
    int rc = read_states(bytes, len, pool, &states, err);

    if (rc == SL_OK) {
        rc = join_states(&states, ret, err);
    }
    free(states.each);
    return rc;
}
