/* Status files as text for people. Names and reasons come from elsewhere, and a terminal obeys
 * control characters: none gets through. */
#include "scaler/status_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "scaler/policy.h"

enum { NAME_COLUMNS = 40, TIME_BYTES = 64, LABEL_COLUMNS = 13 };

/* ---- words ---- */

static bool is_control(const char *at) {
    unsigned char c = (unsigned char)at[0];

    return c < 0x20 || c == 0x7f ||
           (c == 0xc2 && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] <= 0x9f);
}

static bool begins_character(char c) {
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* At most columns characters (0: all of them), an ellipsis where it was cut; returns how many. A
 * character is taken for one column. */
static size_t put_text(struct sl_buffer *out, const char *text, size_t columns) {
    size_t n = 0;
    size_t total = 0;

    for (const char *c = text; *c != '\0'; c++) {
        total += begins_character(*c);
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (begins_character(*c) && columns > 0 && n + 1 == columns && total > columns) {
            sl_buffer_puts(out, "\xe2\x80\xa6");
            return columns;
        }
        n += begins_character(*c);
        if (is_control(c)) {
            sl_buffer_putc(out, '?');
            c += (unsigned char)*c == 0xc2;
        } else {
            sl_buffer_putc(out, *c);
        }
    }
    return n;
}

static void pad(struct sl_buffer *out, size_t used, size_t columns) {
    for (; used < columns; used++) {
        sl_buffer_putc(out, ' ');
    }
}

static bool is_good(const struct sl_pool_status *p) {
    return strcmp(p->data, sl_data_state_name(SL_DATA_GOOD)) == 0;
}

static bool is_dead(const struct sl_status_cluster *c, int64_t now_ms) {
    return now_ms - c->cluster.written_ms > SL_STATUS_DEAD_AFTER_MS;
}

static bool is_troubled(const struct sl_pool_status *p) {
    return p->error[0] != '\0' || p->alarm[0] != '\0' || !is_good(p);
}

enum sl_status_health sl_status_health(const struct sl_status_cluster *c, int64_t now_ms) {
    if (is_dead(c, now_ms)) {
        return SL_STATUS_DEAD;
    }
    if (c->cluster.error[0] != '\0') {
        return SL_STATUS_TROUBLED;
    }
    for (size_t i = 0; i < c->pool_count && c->cluster.is_leader; i++) {
        if (is_troubled(&c->pools[i])) {
            return SL_STATUS_TROUBLED;
        }
    }
    return SL_STATUS_FINE;
}

/* ---- the table ---- */

static void put_cluster(const struct sl_status_cluster *c, const struct sl_colours *colours,
                        size_t width, int64_t now_ms, struct sl_buffer *out) {
    char age[SL_AGE_BYTES];

    sl_format_age(now_ms - c->cluster.written_ms, age);
    sl_buffer_printf(out, "%scluster ", colours->bold);
    (void)put_text(out, c->cluster.cluster, NAME_COLUMNS);
    sl_buffer_printf(out, "%s  ", colours->plain);
    if (is_dead(c, now_ms)) {
        sl_buffer_printf(out, "%snobody has written this for %s: is the agent running?%s",
                         colours->bad, age, colours->plain);
    } else if (c->cluster.is_leader) {
        sl_buffer_printf(out, "%sdecides%s, as of %s ago", colours->good, colours->plain, age);
    } else {
        sl_buffer_printf(out, "%sstands by%s, ", colours->warn, colours->plain);
        (void)put_text(out, c->cluster.leader[0] != '\0' ? c->cluster.leader : "nobody", width);
        sl_buffer_puts(out, " decides");
    }
    sl_buffer_putc(out, '\n');
    if (c->cluster.error[0] != '\0') {
        sl_format_age(now_ms - c->cluster.error_ms, age);
        sl_buffer_printf(out, "%sfor %s: ", colours->bad, age);
        (void)put_text(out, c->cluster.error, width > 12 ? width - 12 : 0);
        sl_buffer_printf(out, "%s\n", colours->plain);
    }
}

static size_t name_columns(const struct sl_status_cluster *c) {
    size_t widest = sizeof("POOL") - 1;

    for (size_t i = 0; i < c->pool_count; i++) {
        size_t n = 0;

        for (const char *at = c->pools[i].pool; *at != '\0'; at++) {
            n += begins_character(*at);
        }
        widest = n > widest ? n : widest;
    }
    return widest < NAME_COLUMNS ? widest : NAME_COLUMNS;
}

static void put_size(struct sl_buffer *out, int64_t size, int columns) {
    if (size < 0) {
        sl_buffer_printf(out, "%*s", columns, "unset");
    } else {
        sl_buffer_printf(out, "%*" PRId64, columns, size);
    }
}

static void put_limits(struct sl_buffer *out, const struct sl_pool_status *p, int columns) {
    char text[48];

    (void)snprintf(text, sizeof text, "%" PRId64 "-%" PRId64, p->floor, p->cap);
    sl_buffer_printf(out, "%*s", columns, text);
}

/* The demand of the last minute in eighths of the largest. */
static void put_marks(struct sl_buffer *out, const struct sl_status_marks *marks, size_t columns) {
    static const char *const bars[] = {" ",
                                       "\xe2\x96\x81",
                                       "\xe2\x96\x82",
                                       "\xe2\x96\x83",
                                       "\xe2\x96\x84",
                                       "\xe2\x96\x85",
                                       "\xe2\x96\x86",
                                       "\xe2\x96\x87",
                                       "\xe2\x96\x88"};
    size_t kept = marks->count < SL_STATUS_MARKS ? marks->count : SL_STATUS_MARKS;
    size_t shown = kept < columns ? kept : columns;
    int64_t highest = 8;

    for (size_t i = marks->count - shown; i < marks->count; i++) {
        int64_t demand = marks->demand[i % SL_STATUS_MARKS];

        highest = demand > highest ? demand : highest;
    }
    pad(out, shown, columns);
    for (size_t i = marks->count - shown; i < marks->count; i++) {
        int64_t demand = marks->demand[i % SL_STATUS_MARKS];

        sl_buffer_puts(out, demand < 0 ? "?" : bars[(demand * 8 + highest - 1) / highest]);
    }
}

static const char *reason_of(const struct sl_pool_status *p) {
    if (p->error[0] != '\0') {
        return p->error;
    }
    if (p->alarm[0] != '\0') {
        return p->alarm;
    }
    return p->why[0] != '\0' ? p->why : "nothing was decided yet";
}

enum {
    MARK_COLUMNS = 30,
    FEW_COLUMNS = 6 + 6 + 9, /* SIZE, BUSY, PENDING */
    NUMBER_COLUMNS = FEW_COLUMNS + 8 + 9,
    REASON_COLUMNS = 30,
    LEAST_NAME_COLUMNS = 8,
};

/* What there is room for. */
struct layout {
    size_t width; /* 0: any */
    size_t names;
    bool has_few;        /* the most important numbers only */
    bool has_own_reason; /* in a line of its own */
};

static struct layout layout_of(const struct sl_status_cluster *c, size_t width) {
    struct layout l = {.width = width, .names = name_columns(c)};
    size_t numbers = NUMBER_COLUMNS;

    if (width == 0) {
        return l;
    }
    l.has_few = width < LEAST_NAME_COLUMNS + NUMBER_COLUMNS;
    numbers = l.has_few ? FEW_COLUMNS : NUMBER_COLUMNS;
    l.has_own_reason = width < l.names + numbers + 2 + REASON_COLUMNS;
    if (width < l.names + numbers) {
        l.names = width > LEAST_NAME_COLUMNS + numbers ? width - numbers : LEAST_NAME_COLUMNS;
    }
    return l;
}

static void put_reason(const struct sl_pool_status *p, const struct layout *l, size_t used,
                       const char *colour, const char *plain, struct sl_buffer *out) {
    static const char shadow[] = " (shadow)";
    size_t room = 0;

    if (l->has_own_reason) {
        sl_buffer_putc(out, '\n');
        used = 0;
    }
    used += 2 + (p->is_shadow ? sizeof shadow - 1 : 0);
    if (l->width > 0) {
        room = l->width > used + 10 ? l->width - used : 10;
    }
    sl_buffer_printf(out, "  %s", colour);
    (void)put_text(out, reason_of(p), room);
    sl_buffer_printf(out, "%s%s\n", colour[0] != '\0' ? plain : "", p->is_shadow ? shadow : "");
}

static void put_pool(const struct sl_pool_status *p, const struct sl_status_marks *marks,
                     const struct sl_colours *colours, const struct layout *l,
                     struct sl_buffer *out) {
    size_t used = l->names + NUMBER_COLUMNS + (marks != NULL ? MARK_COLUMNS + 2 : 0);
    bool is_moving = p->desired >= 0 && p->desired != p->size && !p->is_shadow;
    const char *colour = is_troubled(p)              ? colours->bad
                         : p->unmet > 0 || is_moving ? colours->warn
                                                     : colours->plain;

    pad(out, put_text(out, p->pool, l->names), l->names);
    put_size(out, p->size, 6);
    if (!l->has_few) {
        put_size(out, p->desired, 8);
    }
    sl_buffer_printf(out, "%6" PRId64 "%9" PRId64, p->busy, p->pending);
    if (!l->has_few) {
        put_limits(out, p, 9);
    }
    if (marks != NULL) {
        sl_buffer_printf(out, "  %s", colours->good);
        put_marks(out, marks, MARK_COLUMNS);
        sl_buffer_puts(out, colours->plain);
    }
    put_reason(p, l, used, colour, colours->plain, out);
}

static void put_head(const struct layout *l, bool has_marks, const struct sl_colours *colours,
                     struct sl_buffer *out) {
    sl_buffer_puts(out, colours->dim);
    pad(out, put_text(out, "POOL", 0), l->names);
    if (l->has_few) {
        sl_buffer_printf(out, "%6s%6s%9s", "SIZE", "BUSY", "PENDING");
    } else {
        sl_buffer_printf(out, "%6s%8s%6s%9s%9s", "SIZE", "DECIDED", "BUSY", "PENDING", "LIMITS");
    }
    if (has_marks) {
        sl_buffer_printf(out, "  %*s", (int)MARK_COLUMNS, "BUSY + PENDING, LAST 30 s");
    }
    sl_buffer_printf(out, "%s%s\n", l->has_own_reason ? "" : "  REASON", colours->plain);
}

void sl_status_print_table(const struct sl_status_cluster *c, const struct sl_status_marks *marks,
                           const struct sl_colours *colours, size_t width, int64_t now_ms,
                           struct sl_buffer *out) {
    struct layout l = layout_of(c, width);

    if (width > 0 && width < l.names + NUMBER_COLUMNS + 2 + MARK_COLUMNS + REASON_COLUMNS) {
        marks = NULL; /* the words matter more */
    }
    put_cluster(c, colours, width, now_ms, out);
    if (c->pool_count == 0) {
        sl_buffer_puts(out, "no pools\n");
        return;
    }
    put_head(&l, marks != NULL, colours, out);
    for (size_t i = 0; i < c->pool_count; i++) {
        put_pool(&c->pools[i], marks != NULL ? &marks[i] : NULL, colours, &l, out);
    }
}

void sl_status_mark(struct sl_status_marks *marks, const struct sl_pool_status *pool) {
    marks->demand[marks->count++ % SL_STATUS_MARKS] = is_good(pool) ? pool->demand : -1;
}

/* ---- one pool ---- */

/* What somebody can do about what bends the size. */
static const char *advice_of(const struct sl_pool_status *p) {
    static const struct {
        enum sl_clamp clamp;
        const char *text;
    } clamps[] = {
        {SL_CLAMP_MAXIMUM, "raise MaxWorkers if the queue matters more than the price"},
        {SL_CLAMP_SCHEDULE, "the <Schedule> in force has the last word until it ends"},
        {SL_CLAMP_BUDGET, "the budget is spent: raise it, or wait for the next period"},
        {SL_CLAMP_OUT_WINDOW, "a shorter ScaleOutWindow reacts sooner"},
        {SL_CLAMP_OUT_STEP, "ScaleOutWorkers and ScaleOutPercent limit the step"},
        {SL_CLAMP_NO_OUT, "somebody has forbidden to make it larger: see Pause and ScaleOutSelect"},
        {SL_CLAMP_WINDOW, "a shorter ScaleInWindow lets idle workers go sooner"},
        {SL_CLAMP_WATCHING, "nothing to do: a whole ScaleInWindow is watched after a start first"},
        {SL_CLAMP_GRACE, "NewWorkerGrace protects the workers that have just been added"},
        {SL_CLAMP_IN_STEP, "ScaleInWorkers and ScaleInPercent limit the step"},
        {SL_CLAMP_NO_IN, "somebody has forbidden to make it smaller: see Pause and ScaleInSelect"},
        {SL_CLAMP_DEMAND, "no worker is taken from a run: it shrinks as the runs end"},
    };

    for (size_t i = 0; i < sizeof clamps / sizeof clamps[0]; i++) {
        if (strcmp(p->clamp, sl_clamp_name(clamps[i].clamp)) == 0) {
            return clamps[i].text;
        }
    }
    if (p->is_paused) {
        return "it is paused: see Pause, and the annotations of the WorkerPool";
    }
    return NULL;
}

static void put_label(struct sl_buffer *out, const char *label, const struct sl_colours *colours) {
    sl_buffer_printf(out, "  %s%s%s", colours->dim, label, colours->plain);
    pad(out, strlen(label), LABEL_COLUMNS);
}

static void put_time(struct sl_buffer *out, int64_t at_ms, int64_t utc_offset_s) {
    int64_t local_s = at_ms / 1000 + utc_offset_s;
    struct sl_civil t = sl_civil_of(local_s);

    sl_buffer_printf(out, "%04" PRId64 "-%02d-%02d %02d:%02d:%02d", t.year, t.month, t.day, t.hour,
                     t.minute, (int)(local_s % 60));
}

static void put_change(struct sl_buffer *out, const char *label, const char *who, int64_t at_ms,
                       int64_t from, int64_t to, const char *why, const struct sl_colours *colours,
                       int64_t now_ms, int64_t utc_offset_s) {
    char age[SL_AGE_BYTES];

    if (at_ms == 0) {
        return;
    }
    sl_format_age(now_ms - at_ms, age);
    put_label(out, label, colours);
    put_time(out, at_ms, utc_offset_s);
    sl_buffer_printf(out, ", %s ago: %" PRId64 " -> %" PRId64 "%s", age, from, to, who);
    if (why[0] != '\0') {
        sl_buffer_puts(out, ", ");
        (void)put_text(out, why, 0);
    }
    sl_buffer_putc(out, '\n');
}

static void put_trouble(struct sl_buffer *out, const char *label, const char *text,
                        int64_t retry_ms, const struct sl_colours *colours, int64_t now_ms) {
    if (text[0] == '\0') {
        return;
    }
    put_label(out, label, colours);
    sl_buffer_puts(out, colours->bad);
    (void)put_text(out, text, 0);
    sl_buffer_puts(out, colours->plain);
    if (retry_ms > now_ms) {
        char left[SL_AGE_BYTES];

        sl_format_age(retry_ms - now_ms, left);
        sl_buffer_printf(out, "; the next try is in %s", left);
    }
    sl_buffer_putc(out, '\n');
}

static void put_sizes(struct sl_buffer *out, const struct sl_pool_status *p,
                      const struct sl_colours *colours) {
    put_label(out, "size", colours);
    if (p->size < 0) {
        sl_buffer_puts(out, "spec.poolSize was never set\n");
    } else {
        sl_buffer_printf(out, "%" PRId64 " worker%s%s", p->size, p->size == 1 ? "" : "s",
                         p->size != p->actual ? "" : ", and as many exist\n");
    }
    if (p->size >= 0 && p->size != p->actual) {
        sl_buffer_printf(out, ", %" PRId64 " exist%s\n", p->actual, p->actual == 1 ? "s" : "");
    }
    put_label(out, "decided", colours);
    put_size(out, p->desired, 0);
    sl_buffer_puts(out, ": ");
    (void)put_text(out, p->why[0] != '\0' ? p->why : "nothing was decided yet", 0);
    sl_buffer_puts(out, p->is_shadow ? " (not written: Shadow)\n" : "\n");
}

static void put_data(struct sl_buffer *out, const struct sl_pool_status *p,
                     const struct sl_colours *colours) {
    char age[SL_AGE_BYTES];

    put_label(out, "data", colours);
    if (is_good(p)) {
        sl_format_age(p->data_age_ms, age);
        sl_buffer_printf(out, "good, %s old: busy %" PRId64 ", pending %" PRId64 "\n", age, p->busy,
                         p->pending);
    } else {
        sl_buffer_printf(out, "%s%s%s: %s until Spacelift's numbers are back\n", colours->bad,
                         p->data[0] != '\0' ? p->data : "none", colours->plain,
                         strcmp(p->rule, sl_rule_name(SL_RULE_FALLBACK)) == 0
                             ? "Fallback says the size"
                             : "the size is kept");
    }
    put_label(out, "limits", colours);
    sl_buffer_printf(out, "%" PRId64 " to %" PRId64 " workers now%s", p->floor, p->cap,
                     p->unmet > 0 ? "" : "\n");
    if (p->unmet > 0) {
        sl_buffer_printf(out, "; %" PRId64 " more would be used\n", p->unmet);
    }
}

static void put_budget(struct sl_buffer *out, const struct sl_pool_status *p,
                       const struct sl_colours *colours) {
    if (p->budget_day_limit > 0) {
        put_label(out, "today", colours);
        sl_buffer_printf(out, "%" PRId64 " of %" PRId64 " worker-minutes\n", p->budget_day_minutes,
                         p->budget_day_limit);
    }
    if (p->budget_month_limit > 0) {
        put_label(out, "this month", colours);
        sl_buffer_printf(out, "%" PRId64 " of %" PRId64 " worker-minutes\n",
                         p->budget_month_minutes, p->budget_month_limit);
    }
}

static void put_next(struct sl_buffer *out, const struct sl_pool_status *p,
                     const struct sl_colours *colours, int64_t now_ms, int64_t utc_offset_s) {
    const char *advice = advice_of(p);

    put_label(out, "next", colours);
    if (p->is_paused && p->next_change_ms <= now_ms) {
        sl_buffer_puts(out, "when somebody ends the pause\n");
    } else if (p->next_change_ms > now_ms) {
        char left[SL_AGE_BYTES];

        sl_format_age(p->next_change_ms - now_ms, left);
        sl_buffer_puts(out, p->is_paused ? "not before " : "on new data at once, otherwise ");
        put_time(out, p->next_change_ms, utc_offset_s);
        sl_buffer_printf(out, ", in %s\n", left);
    } else {
        sl_buffer_puts(out, "when Spacelift's numbers change\n");
    }
    if (advice != NULL) {
        put_label(out, "to know", colours);
        sl_buffer_printf(out, "%s\n", advice);
    }
}

void sl_status_print_why(const struct sl_status_cluster *c, const struct sl_pool_status *p,
                         const struct sl_colours *colours, int64_t now_ms, int64_t utc_offset_s,
                         struct sl_buffer *out) {
    sl_buffer_printf(out, "%s", colours->bold);
    (void)put_text(out, p->pool, 0);
    sl_buffer_printf(out, "%s  WorkerPool ", colours->plain);
    (void)put_text(out, p->kube_namespace, 0);
    sl_buffer_puts(out, p->kube_namespace[0] != '\0' ? "/" : "");
    (void)put_text(out, p->worker_pool, 0);
    sl_buffer_puts(out, ", ");
    put_cluster(c, colours, 0, now_ms, out);
    put_sizes(out, p, colours);
    put_data(out, p, colours);
    put_trouble(out, "trouble", p->error, p->retry_ms, colours, now_ms);
    put_trouble(out, "alarm", p->alarm, 0, colours, now_ms);
    put_trouble(out, "mistake", p->problem, 0, colours, now_ms);
    put_budget(out, p, colours);
    put_change(out, "last change", "", p->change_ms, p->change_from, p->change_to, p->change_why,
               colours, now_ms, utc_offset_s);
    put_change(out, "by others", " by somebody else", p->foreign_ms, p->foreign_from, p->foreign_to,
               "", colours, now_ms, utc_offset_s);
    put_next(out, p, colours, now_ms, utc_offset_s);
}

/* ---- JSON ---- */

void sl_status_print_json(const struct sl_status_cluster *c, int64_t now_ms,
                          struct sl_json_writer *w) {
    static const char *const words[] = {"fine", "troubled", "dead"};

    sl_json_object_begin(w, NULL);
    sl_json_put_string(w, "health", words[sl_status_health(c, now_ms)]);
    sl_status_write_cluster(&c->cluster, w);
    sl_json_array_begin(w, "each_pool");
    for (size_t i = 0; i < c->pool_count; i++) {
        sl_json_object_begin(w, NULL);
        sl_status_write_pool(&c->pools[i], w);
        sl_json_object_end(w);
    }
    sl_json_array_end(w);
    sl_json_object_end(w);
}
