/* The book of worker-minutes. */
#include "scaler/budget.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/civil.h"
#include "base/times.h"
#include "scaler/policy.h"
#include "calendar/timezone.h"

static const int64_t minute_ms = 60000;
static const int64_t day_s = 86400;

/* ---- calendar ---- */

static int64_t local_s(const struct sl_timezone *zone, int64_t realtime_ms) {
    int64_t utc_s = realtime_ms / 1000;

    return utc_s + (zone != NULL ? sl_timezone_offset_s(zone, utc_s) : 0);
}

static int64_t realtime_of(const struct sl_timezone *zone, int64_t midnight_s) {
    return (zone != NULL ? sl_timezone_to_utc_s(zone, midnight_s) : midnight_s) * 1000;
}

static int64_t end_of_day(const struct sl_timezone *zone, int64_t realtime_ms) {
    struct sl_civil now = sl_civil_of(local_s(zone, realtime_ms));

    return realtime_of(zone, (sl_civil_days(now.year, now.month, now.day) + 1) * day_s);
}

static int64_t end_of_month(const struct sl_timezone *zone, int64_t realtime_ms) {
    struct sl_civil now = sl_civil_of(local_s(zone, realtime_ms));
    int64_t days = now.month == 12 ? sl_civil_days(now.year + 1, 1, 1)
                                   : sl_civil_days(now.year, now.month + 1, 1);

    return realtime_of(zone, days * day_s);
}

/* ---- counting ---- */

/* Adds size x time to a period; what lies after its end belongs to the next one. */
static void add(int64_t *spent_ms, bool is_over, int64_t end_ms, const struct sl_budget_book *book,
                int64_t now_ms) {
    int64_t from_ms = book->counted_ms;

    if (is_over) {
        *spent_ms = 0;
        from_ms = end_ms > from_ms ? end_ms : from_ms;
    }
    *spent_ms += (int64_t)book->size * (now_ms - from_ms);
}

void sl_budget_count(const struct sl_budget *b, struct sl_budget_book *book, int32_t size,
                     int64_t realtime_ms) {
    bool is_new = !book->has_begun;
    bool is_next_day = is_new || realtime_ms >= book->day_end_ms;
    bool is_next_month = is_new || realtime_ms >= book->month_end_ms;

    if (is_new || realtime_ms < book->counted_ms) {
        book->counted_ms = realtime_ms;
    }
    add(&book->day_spent_ms, is_next_day, book->day_end_ms, book, realtime_ms);
    add(&book->month_spent_ms, is_next_month, book->month_end_ms, book, realtime_ms);
    if (is_next_day) {
        book->day_end_ms = end_of_day(b->zone, realtime_ms);
    }
    if (is_next_month) {
        book->month_end_ms = end_of_month(b->zone, realtime_ms);
    }
    book->has_begun = true;
    book->counted_ms = realtime_ms;
    book->size = size > 0 ? size : 0;
}

/* ---- the cap ---- */

/* When limit_minutes is spent at the size there is; the past if it is. */
static int64_t spent_at(int64_t limit_minutes, int64_t spent_ms, const struct sl_budget_book *book,
                        int64_t end_ms) {
    int64_t left_ms = limit_minutes * minute_ms - spent_ms;

    if (left_ms <= 0 || book->size == 0) {
        return left_ms <= 0 ? INT64_MIN : end_ms;
    }
    return sl_time_add(book->counted_ms, left_ms / book->size + (left_ms % book->size != 0));
}

static void spend(struct sl_budget *b, int64_t minutes, const char *period,
                  struct sl_conditions *c) {
    if (b->workers < c->cap) {
        (void)snprintf(b->text, sizeof b->text,
                       "the budget of %" PRId64 " worker-minutes a %s, which is spent", minutes,
                       period);
        c->cap = b->workers;
        c->is_cap_budget = true;
        c->cap_text = b->text;
    }
}

int64_t sl_budget_apply(struct sl_budget *b, const struct sl_budget_book *book, int64_t realtime_ms,
                        struct sl_conditions *c) {
    int64_t next_ms = INT64_MAX;

    if (b->month_minutes > 0) {
        int64_t at_ms = spent_at(b->month_minutes, book->month_spent_ms, book, book->month_end_ms);

        if (at_ms <= realtime_ms) {
            spend(b, b->month_minutes, "month", c);
        }
        next_ms = sl_time_earlier(next_ms, at_ms > realtime_ms ? at_ms : book->month_end_ms);
    }
    if (b->day_minutes > 0) {
        int64_t at_ms = spent_at(b->day_minutes, book->day_spent_ms, book, book->day_end_ms);

        if (at_ms <= realtime_ms) {
            spend(b, b->day_minutes, "day", c);
        }
        next_ms = sl_time_earlier(next_ms, at_ms > realtime_ms ? at_ms : book->day_end_ms);
    }
    return next_ms;
}
