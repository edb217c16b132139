/* Worker-minutes per day and month, as they are counted (poolSize x time, which is what is billed),
 * and the cap when they are spent. Days and months begin at midnight of a time zone. Pure; one
 * thread at a time. */
#ifndef SL_SCALER_BUDGET_H
#define SL_SCALER_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sl_conditions;
struct sl_timezone;

enum { SL_BUDGET_TEXT_BYTES = 96 };

/* All zero is a book not begun. Times on the wall clock. */
struct sl_budget_book {
    bool has_begun;
    int64_t counted_ms;   /* up to when */
    int32_t size;         /* since then */
    int64_t day_end_ms;   /* midnight */
    int64_t day_spent_ms; /* worker-milliseconds of the day that ends then */
    int64_t month_end_ms;
    int64_t month_spent_ms;
};

struct sl_budget {
    int64_t day_minutes; /* 0: no limit */
    int64_t month_minutes;
    int32_t workers;                 /* the cap when one is spent */
    const struct sl_timezone *zone;  /* NULL: UTC */
    char text[SL_BUDGET_TEXT_BYTES]; /* of the limit that is spent, set by sl_budget_apply() */
};

/* Counts up to realtime_ms what the pool has had since the last call, and from now on size. A clock
 * put back counts nothing. */
void sl_budget_count(const struct sl_budget *b, struct sl_budget_book *book, int32_t size,
                     int64_t realtime_ms);

/* Lowers the cap of c where a limit is spent. Returns the moment (wall clock) at which that may
 * change if the size does not: the limit is spent, or a new day begins. */
int64_t sl_budget_apply(struct sl_budget *b, const struct sl_budget_book *book, int64_t realtime_ms,
                        struct sl_conditions *c);

#endif
