/* The state of a pool to and from JSON. */
#include "scaler/state.h"

#include <stdio.h>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "base/limits.h"
#include "base/times.h"
#include "scaler/options.h"

/* Of the line's form: another number is not read. */
static const int64_t form = 1;

/* arrivals_per_s as a whole number. */
static const double arrivals_unit = 1e9;
static const int64_t most_arrivals_per_gs = 1000000000000000; /* a million a second */

/* ---- out ---- */

static int64_t to_realtime(const struct sl_clocks *clocks, int64_t at_ms) {
    return sl_time_add(clocks->realtime_ms, sl_time_since(at_ms, clocks->now_ms));
}

static void put_time(struct sl_json_writer *w, const char *key, const struct sl_clocks *clocks,
                     int64_t at_ms) {
    sl_json_put_int64(w, key, to_realtime(clocks, at_ms));
}

static void put_history(struct sl_json_writer *w, const char *key, const struct sl_clocks *clocks,
                        const struct sl_history *h) {
    sl_json_array_begin(w, key);
    for (size_t i = 0; i < h->count; i++) {
        put_time(w, NULL, clocks, h->peaks[i].at_ms);
        sl_json_put_int64(w, NULL, h->peaks[i].wanted);
    }
    sl_json_array_end(w);
}

static void put_changes(struct sl_json_writer *w, const struct sl_clocks *clocks,
                        const struct sl_scaler_state *state) {
    sl_json_array_begin(w, "changes");
    for (size_t i = 0; i < state->change_count; i++) {
        put_time(w, NULL, clocks, state->changes[i].at_ms);
        sl_json_put_int64(w, NULL, state->changes[i].added);
        sl_json_put_int64(w, NULL, state->changes[i].removed);
    }
    sl_json_array_end(w);
}

/* Its times are on the wall clock already. */
static void put_budget(struct sl_json_writer *w, const struct sl_budget_book *book) {
    if (book->has_begun) {
        sl_json_put_int64(w, "budget_counted", book->counted_ms);
        sl_json_put_int64(w, "budget_size", book->size);
        sl_json_put_int64(w, "budget_day_end", book->day_end_ms);
        sl_json_put_int64(w, "budget_day_spent", book->day_spent_ms);
        sl_json_put_int64(w, "budget_month_end", book->month_end_ms);
        sl_json_put_int64(w, "budget_month_spent", book->month_spent_ms);
    }
}

static void put_state(struct sl_json_writer *w, const struct sl_clocks *clocks,
                      const struct sl_scaler_state *state) {
    put_history(w, "highs", clocks, &state->highs);
    put_history(w, "lows", clocks, &state->lows);
    put_changes(w, clocks, state);
    if (state->is_watching) {
        put_time(w, "watching_since", clocks, state->watching_since_ms);
        put_time(w, "seen", clocks, state->seen_ms);
    }
    if (state->has_good) {
        put_time(w, "good", clocks, state->good_ms);
        sl_json_put_int64(w, "known_demand", state->known_demand);
    }
    if (state->has_size) {
        sl_json_put_int64(w, "last_size", state->last_size);
        sl_json_put_int64(w, "decided_size", state->decided_size);
        put_time(w, "decided", clocks, state->decided_ms);
    }
    if (state->has_rhythm) {
        sl_json_put_bool(w, "awake", state->is_awake);
        put_time(w, "active", clocks, state->active_ms);
    }
    if (state->has_arrivals) {
        put_time(w, "arrivals", clocks, state->arrivals_ms);
        sl_json_put_int64(w, "last_demand", state->last_demand);
        sl_json_put_int64(w, "arrivals_per_gs", (int64_t)(state->arrivals_per_s * arrivals_unit));
    }
    if (state->awaited_workers > 0) {
        sl_json_put_int64(w, "awaited_workers", state->awaited_workers);
        put_time(w, "awaited", clocks, state->awaited_ms);
    }
    if (state->last_workers > 0) {
        sl_json_put_int64(w, "workers", state->last_workers);
    }
    if (state->has_registered) {
        put_time(w, "registered", clocks, state->registered_ms);
    }
    if (state->has_startup) {
        sl_json_put_int64(w, "startup", state->startup_ms);
    }
    put_budget(w, &state->budget);
}

/* A line of its own for each thing, so that one that cannot be read harms no other. */
static void begin_line(struct sl_json_writer *w, struct sl_buffer *line, const char *key) {
    char cut[SL_STATE_KEY_BYTES];

    (void)snprintf(cut, sizeof cut, "%s", key);
    sl_buffer_init(line, SL_STATE_LINE_BYTES);
    sl_json_writer_init(w, line);
    sl_json_object_begin(w, NULL);
    sl_json_put_int64(w, "form", form);
    sl_json_put_string(w, "pool", cut);
}

static void end_line(struct sl_json_writer *w, struct sl_buffer *line, struct sl_buffer *out) {
    sl_json_object_end(w);
    sl_buffer_putc(line, '\n');
    if (line->failed == SL_OK) {
        sl_buffer_append(out, line->data, line->len);
    }
    sl_buffer_release(line);
}

void sl_state_save(const struct sl_scaler_state *state, const char *key,
                   const struct sl_clocks *clocks, struct sl_buffer *out) {
    struct sl_json_writer w;
    struct sl_buffer line;

    begin_line(&w, &line, key);
    put_state(&w, clocks, state);
    end_line(&w, &line, out);
}

void sl_state_save_alarm(const struct sl_alarm *alarm, const char *key,
                         const struct sl_clocks *clocks, struct sl_buffer *out) {
    struct sl_json_writer w;
    struct sl_buffer line;

    if (alarm->severity == SL_SEVERITY_OKAY) {
        return;
    }
    begin_line(&w, &line, key);
    sl_json_put_string(&w, "notification", alarm->options->name);
    sl_json_put_bool(&w, "failure", alarm->severity == SL_SEVERITY_FAILURE);
    put_time(&w, "heard", clocks, alarm->heard_ms);
    if (alarm->floor > 0) {
        sl_json_put_int64(&w, "floor", alarm->floor);
        put_time(&w, "step", clocks, alarm->step_ms);
    }
    end_line(&w, &line, out);
}

void sl_state_save_foreign(const struct sl_foreign *foreign, const char *key,
                           const struct sl_clocks *clocks, struct sl_buffer *out) {
    struct sl_json_writer w;
    struct sl_buffer line;

    if (foreign->count == 0) {
        return;
    }
    begin_line(&w, &line, key);
    sl_json_put_int64(&w, "foreign", foreign->size);
    put_time(&w, "at", clocks, foreign->at_ms);
    put_time(&w, "first", clocks, foreign->first_ms);
    sl_json_put_int64(&w, "hold", sl_time_since(foreign->until_ms, foreign->at_ms));
    sl_json_put_int64(&w, "count", foreign->count);
    end_line(&w, &line, out);
}

/* ---- in ---- */

static int64_t to_monotonic(const struct sl_clocks *clocks, int64_t realtime_ms) {
    int64_t age_ms = sl_time_since(clocks->realtime_ms, realtime_ms);

    return sl_time_since(clocks->now_ms, age_ms > 0 ? age_ms : 0);
}

static bool get_int64(const struct sl_json *object, const char *key, int64_t *ret) {
    return sl_json_int64(sl_json_get(object, key), ret);
}

static bool get_time(const struct sl_json *object, const char *key, const struct sl_clocks *clocks,
                     int64_t *ret_ms) {
    int64_t realtime_ms = 0;

    if (!get_int64(object, key, &realtime_ms)) {
        return false;
    }
    *ret_ms = to_monotonic(clocks, realtime_ms);
    return true;
}

/* A number of runs or workers: nothing below 0, nothing that sums of it could overflow. */
static bool get_count(const struct sl_json *object, const char *key, int64_t *ret) {
    int64_t number = 0;

    if (!get_int64(object, key, &number) || number < 0 || number > INT32_MAX) {
        return false;
    }
    *ret = number;
    return true;
}

static int64_t item(const struct sl_json *array, size_t index) {
    int64_t value = 0;

    (void)sl_json_int64(sl_json_at(array, index), &value);
    return value;
}

static int32_t count_item(const struct sl_json *array, size_t index) {
    int64_t value = item(array, index);

    return value < 0 || value > INT32_MAX / 4 ? 0 : (int32_t)value;
}

/* Through sl_history_add(), which keeps its order whatever the file says. */
static void get_history(const struct sl_json *array, const struct sl_clocks *clocks,
                        struct sl_history *ret) {
    for (size_t i = 0; i + 1 < sl_json_size(array); i += 2) {
        sl_history_add(ret, to_monotonic(clocks, item(array, i)), count_item(array, i + 1),
                       INT64_MAX);
    }
}

static void get_changes(const struct sl_json *array, const struct sl_clocks *clocks,
                        struct sl_scaler_state *ret) {
    for (size_t i = 0; i + 2 < sl_json_size(array) && ret->change_count < SL_CHANGES; i += 3) {
        ret->changes[ret->change_count++] = (struct sl_change){
            .at_ms = to_monotonic(clocks, item(array, i)),
            .added = count_item(array, i + 1),
            .removed = count_item(array, i + 2),
        };
    }
}

/* A size times a month in ms is far from overflow. */
static bool get_spent(const struct sl_json *object, const char *key, int64_t *ret) {
    const int64_t most = INT64_MAX / 4;

    return get_int64(object, key, ret) && *ret >= 0 && *ret < most;
}

static void get_budget(const struct sl_json *object, struct sl_budget_book *book) {
    int64_t size = 0;

    book->has_begun = get_spent(object, "budget_counted", &book->counted_ms) &&
                      get_count(object, "budget_size", &size) &&
                      get_spent(object, "budget_day_end", &book->day_end_ms) &&
                      get_spent(object, "budget_day_spent", &book->day_spent_ms) &&
                      get_spent(object, "budget_month_end", &book->month_end_ms) &&
                      get_spent(object, "budget_month_spent", &book->month_spent_ms);
    book->size = (int32_t)size;
    if (!book->has_begun) {
        *book = (struct sl_budget_book){0};
    }
}

static void get_state(const struct sl_json *object, const struct sl_clocks *clocks,
                      struct sl_scaler_state *s) {
    int64_t number = 0;

    get_history(sl_json_get(object, "highs"), clocks, &s->highs);
    get_history(sl_json_get(object, "lows"), clocks, &s->lows);
    get_changes(sl_json_get(object, "changes"), clocks, s);
    s->is_watching = get_time(object, "watching_since", clocks, &s->watching_since_ms) &&
                     get_time(object, "seen", clocks, &s->seen_ms);
    s->has_good = get_time(object, "good", clocks, &s->good_ms) &&
                  get_count(object, "known_demand", &s->known_demand);
    s->has_begun = s->has_good;
    if (get_count(object, "last_size", &number)) {
        s->has_size = true;
        s->last_size = (int32_t)number;
    }
    if (get_count(object, "decided_size", &number) &&
        get_time(object, "decided", clocks, &s->decided_ms)) {
        s->decided_size = (int32_t)number;
    }
    s->has_rhythm = sl_json_bool(sl_json_get(object, "awake"), &s->is_awake) &&
                    get_time(object, "active", clocks, &s->active_ms);
    if (get_int64(object, "arrivals_per_gs", &number) && number >= 0 &&
        number <= most_arrivals_per_gs) {
        s->has_arrivals = get_time(object, "arrivals", clocks, &s->arrivals_ms) &&
                          get_count(object, "last_demand", &s->last_demand);
        s->arrivals_per_s = (double)number / arrivals_unit;
    }
    if (get_count(object, "awaited_workers", &number) &&
        get_time(object, "awaited", clocks, &s->awaited_ms)) {
        s->awaited_workers = (int32_t)number;
    }
    (void)get_count(object, "workers", &s->last_workers);
    s->has_registered = get_time(object, "registered", clocks, &s->registered_ms);
    s->has_startup = get_count(object, "startup", &s->startup_ms);
    get_budget(object, &s->budget);
}

static bool get_alarm(const struct sl_json *object, const struct sl_clocks *clocks,
                      struct sl_alarm *ret) {
    bool is_failure = false;
    int64_t floor = 0;

    *ret = (struct sl_alarm){.is_restored = true};
    if (!sl_json_bool(sl_json_get(object, "failure"), &is_failure) ||
        !get_time(object, "heard", clocks, &ret->heard_ms)) {
        return false;
    }
    ret->severity = is_failure ? SL_SEVERITY_FAILURE : SL_SEVERITY_WARNING;
    if (get_count(object, "floor", &floor) && floor <= SL_LIMIT_WORKERS &&
        get_time(object, "step", clocks, &ret->step_ms)) {
        ret->floor = (int32_t)floor;
    }
    return true;
}

static bool get_foreign(const struct sl_json *object, const struct sl_clocks *clocks,
                        struct sl_foreign *ret) {
    int64_t size = 0;
    int64_t hold_ms = 0;
    int64_t count = 0;

    *ret = (struct sl_foreign){0};
    if (!get_int64(object, "foreign", &size) || size < SL_SIZE_UNSET || size > INT32_MAX ||
        !get_time(object, "at", clocks, &ret->at_ms) ||
        !get_time(object, "first", clocks, &ret->first_ms) ||
        !get_count(object, "hold", &hold_ms) || !get_count(object, "count", &count)) {
        return false;
    }
    ret->size = (int32_t)size;
    ret->until_ms = sl_time_add(ret->at_ms, hold_ms);
    ret->count = (int32_t)count;
    sl_foreign_describe(ret);
    return true;
}

static bool take_alarm(const struct sl_json *document, const char *key, const char *name,
                       const struct sl_clocks *clocks, const struct sl_state_sink *sink) {
    struct sl_alarm alarm;

    if (!get_alarm(document, clocks, &alarm)) {
        return false;
    }
    if (sink->put_alarm != NULL) {
        sink->put_alarm(sink->context, key, name, &alarm);
    }
    return true;
}

static bool take_foreign(const struct sl_json *document, const char *key,
                         const struct sl_clocks *clocks, const struct sl_state_sink *sink) {
    struct sl_foreign foreign;

    if (!get_foreign(document, clocks, &foreign)) {
        return false;
    }
    if (sink->put_foreign != NULL) {
        sink->put_foreign(sink->context, key, &foreign);
    }
    return true;
}

/* False for a line without what its kind must have. */
static bool take_line(const struct sl_json *document, const char *key,
                      const struct sl_clocks *clocks, const struct sl_state_sink *sink) {
    const char *name = sl_json_string(sl_json_get(document, "notification"));
    struct sl_scaler_state state = {0};

    if (name != NULL) {
        return take_alarm(document, key, name, clocks, sink);
    }
    if (sl_json_get(document, "foreign") != NULL) {
        return take_foreign(document, key, clocks, sink);
    }
    get_state(document, clocks, &state);
    if (sink->put_state != NULL) {
        sink->put_state(sink->context, key, &state);
    }
    return true;
}

int sl_state_load(const char *line, size_t len, const struct sl_clocks *clocks,
                  const struct sl_state_sink *sink, struct sl_error *err) {
    struct sl_json *document = NULL;
    const char *key = NULL;
    int64_t number = 0;
    bool is_ours = false;
    int rc = sl_json_parse(line, len, &document, err);

    if (rc != SL_OK) {
        return rc;
    }
    key = sl_json_string(sl_json_get(document, "pool"));
    is_ours = get_int64(document, "form", &number) && number == form && key != NULL &&
              take_line(document, key, clocks, sink);
    sl_json_free(document);
    return is_ours ? SL_OK
                   : sl_fail(err, SL_PARSE, "not a line of a pool's state, form %d", (int)form);
}
