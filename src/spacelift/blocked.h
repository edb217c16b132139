/* The runs of one pool that are not ready, and what holds each.
 *
 * The API does not say it. By https://docs.spacelift.io/concepts/run a queued run is "blocked by
 * another run holding a lock on the stack", or else it "could need: approval, dependent stacks to
 * finish, external dependencies to finish". Its needsApproval, and lockedBy and blocker of its
 * stack can be read (spacectl's stack list, the Terraform provider's wait for a stack to be
 * unblocked); what none of them explains waits for a dependency. Pure; one thread at a time. */
#ifndef SL_SPACELIFT_BLOCKED_H
#define SL_SPACELIFT_BLOCKED_H

#include "spacelift/answer.h"
#include "spacelift/values.h"

struct sl_blocked {
    struct sl_held_run *runs;
    size_t count;
    size_t judged; /* those in front of it have been counted */
    int64_t counts[SL_BLOCKED_REASONS];
    unsigned stacks; /* asked for so far */
    bool is_truncated;
};

/* All zero is empty. */
void sl_blocked_release(struct sl_blocked *b);

/* Takes the runs of a page. */
int sl_blocked_add(struct sl_blocked *b, struct sl_answer *page, struct sl_error *err) SL_CHECKED;

/* The stack to ask for next; NULL when all runs are counted. Beyond SL_LIMIT_BLOCKED_STACKS the
 * rest counts as unknown. Valid until the next call of any of these. */
const char *sl_blocked_next_stack(struct sl_blocked *b);

/* What was answered for that stack; one without has_stack where it cannot be seen. */
void sl_blocked_judge(struct sl_blocked *b, const struct sl_answer *stack);

void sl_blocked_values(const struct sl_known_pool *pool, const struct sl_blocked *b,
                       const struct sl_values_out *out);

#endif
