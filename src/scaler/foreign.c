/* What is done about a size that somebody else wrote. */
#include "scaler/foreign.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/times.h"
#include "scaler/policy.h"

static const int64_t hour_ms = 3600000;

/* Of back-off: a day, whatever it has doubled to. */
static const int64_t longest_ms = 24 * 3600000;

static int64_t hold_of(enum sl_foreign_rule rule, int32_t count, int64_t hold_ms) {
    for (int32_t i = 1; rule == SL_FOREIGN_BACK_OFF && i < count && hold_ms < longest_ms; i++) {
        hold_ms *= 2;
    }
    return rule == SL_FOREIGN_BACK_OFF && hold_ms > longest_ms ? longest_ms : hold_ms;
}

void sl_foreign_describe(struct sl_foreign *f) {
    (void)snprintf(f->text, sizeof f->text, "somebody else, who has set it to %" PRId32, f->size);
}

bool sl_foreign_note(struct sl_foreign *f, enum sl_foreign_rule rule, int32_t size, int64_t hold_ms,
                     int64_t now_ms) {
    int64_t together_ms = rule == SL_FOREIGN_BACK_OFF
                              ? sl_time_add(sl_time_since(f->until_ms, f->first_ms), hour_ms)
                              : hour_ms;

    if (f->count == 0 || sl_time_since(now_ms, f->first_ms) >= together_ms) {
        f->count = 0;
        f->first_ms = now_ms;
    }
    f->count = f->count < INT32_MAX ? f->count + 1 : f->count;
    f->size = size;
    f->at_ms = now_ms;
    f->until_ms = sl_time_add(now_ms, hold_of(rule, f->count, hold_ms));
    sl_foreign_describe(f);
    return f->count == SL_FOREIGN_FIGHT;
}

int64_t sl_foreign_apply(struct sl_foreign *f, enum sl_foreign_rule rule, int64_t now_ms,
                         struct sl_conditions *c) {
    if (f->count == 0 || now_ms >= f->until_ms || rule == SL_FOREIGN_OVERRIDE) {
        return INT64_MAX;
    }
    if (rule == SL_FOREIGN_ADOPT) {
        c->has_adopted = f->size >= 0;
        c->adopted_size = f->size;
        return f->until_ms;
    }
    if (!c->is_paused) { /* a person's pause may say a size */
        c->is_paused = true;
        c->paused_size = SL_SIZE_UNSET;
        c->order_text = f->text;
    }
    return f->until_ms;
}
