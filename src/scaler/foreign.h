/* A size that somebody else wrote: kubectl, GitOps, a leftover HPA or ScaledObject. Pure; one
 * thread at a time. */
#ifndef SL_SCALER_FOREIGN_H
#define SL_SCALER_FOREIGN_H

#include <stdint.h>

#include "base/error.h"

struct sl_conditions;

enum sl_foreign_rule {
    SL_FOREIGN_OVERRIDE, /* decide as if nothing had been */
    SL_FOREIGN_ADOPT,    /* for a while their size holds instead of MinWorkers and schedules */
    SL_FOREIGN_BACK_OFF, /* for a while write nothing, longer each time */
};

enum { SL_FOREIGN_TEXT_BYTES = 96, SL_FOREIGN_FIGHT = 3 };

/* All zero: nobody ever did. */
struct sl_foreign {
    int32_t size; /* theirs */
    int64_t at_ms;
    int64_t until_ms; /* what the rule says holds until then */
    int64_t first_ms; /* of the changes that are counted together */
    int32_t count;    /* within an hour of the first */
    char text[SL_FOREIGN_TEXT_BYTES];
};

/* hold_ms: how long a rule holds. Returns true where it is the third within an hour: two writers
 * fight. */
bool sl_foreign_note(struct sl_foreign *f, enum sl_foreign_rule rule, int32_t size, int64_t hold_ms,
                     int64_t now_ms);

/* Writes the text anew, from the size. */
void sl_foreign_describe(struct sl_foreign *f);

/* Puts what the rule says into c. Returns until when (monotonic); INT64_MAX: it says nothing. */
int64_t sl_foreign_apply(struct sl_foreign *f, enum sl_foreign_rule rule, int64_t now_ms,
                         struct sl_conditions *c);

#endif
