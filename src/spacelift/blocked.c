/* Judges runs that are not ready, stack by stack. */
#include "spacelift/blocked.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

void sl_blocked_release(struct sl_blocked *b) {
    for (size_t i = 0; i < b->count; i++) {
        free(b->runs[i].id);
        free(b->runs[i].stack_id);
    }
    free(b->runs);
    *b = (struct sl_blocked){.runs = NULL};
}

int sl_blocked_add(struct sl_blocked *b, struct sl_answer *page, struct sl_error *err) {
    b->counts[SL_BLOCKED_APPROVAL] += page->queue.needs_approval;
    if (page->held_count == 0)
        return SL_OK;
    struct sl_held_run *runs = realloc(b->runs, (b->count + page->held_count) * sizeof(*runs));
    if (runs == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for runs");
    memcpy(runs + b->count, page->held, page->held_count * sizeof(*runs));
    b->runs = runs;
    b->count += page->held_count;
    page->held_count = 0;
    return SL_OK;
}

const char *sl_blocked_next_stack(struct sl_blocked *b) {
    if (b->judged == b->count)
        return NULL;
    if (b->stacks == SL_LIMIT_BLOCKED_STACKS) {
        b->counts[SL_BLOCKED_UNKNOWN] += (int64_t)(b->count - b->judged);
        b->judged = b->count;
        b->is_truncated = true;
        return NULL;
    }
    b->stacks++;
    return b->runs[b->judged].stack_id;
}

static int reason_of(const struct sl_held_run *run, const struct sl_answer *stack) {
    if (!stack->has_stack)
        return SL_BLOCKED_UNKNOWN;
    if (stack->locked_by != NULL && stack->locked_by[0] != '\0')
        return SL_BLOCKED_LOCK;
    if (stack->blocker != NULL && strcmp(stack->blocker, run->id) != 0)
        return SL_BLOCKED_RUN;
    return SL_BLOCKED_DEPENDENCY;
}

/* All runs of the stack come to the front, counted. */
void sl_blocked_judge(struct sl_blocked *b, const struct sl_answer *stack) {
    const char *id = b->runs[b->judged].stack_id;
    for (size_t i = b->judged; i < b->count; i++) {
        if (strcmp(b->runs[i].stack_id, id) != 0)
            continue;
        struct sl_held_run run = b->runs[i];
        b->counts[reason_of(&run, stack)]++;
        b->runs[i] = b->runs[b->judged];
        b->runs[b->judged++] = run;
    }
}

void sl_blocked_values(const struct sl_known_pool *pool, const struct sl_blocked *b,
                       const struct sl_values_out *out) {
    sl_pool_values(SL_TYPE_WORKER_POOL_BLOCKED, pool, b->counts, SL_BLOCKED_REASONS, out);
}
