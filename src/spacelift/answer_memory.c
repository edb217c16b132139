/* What answers and their parser hold, and the letting go of it. */
#include <stdlib.h>

#include "spacelift/answer_internal.h"

static void drop_pool(struct sl_worker_pool *pool) {
    free(pool->id);
    free(pool->name);
    for (size_t i = 0; i < pool->group_count; i++)
        free(pool->groups[i].value);
    free(pool->groups);
    *pool = (struct sl_worker_pool){.id = NULL};
}

void sl_answer_drop_records(struct sl_answer_parser *p) {
    drop_pool(&p->pool);
    for (size_t i = 0; i < p->label_count; i++)
        free(p->labels[i]);
    p->label_count = 0;
    char **texts[] = {&p->space,  &p->label,  &p->worker.metadata,
                      &p->cursor, &p->run.id, &p->run.stack_id};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
}

void sl_answer_release(struct sl_answer *answer) {
    for (size_t i = 0; i < answer->pool_count; i++)
        drop_pool(&answer->pools[i]);
    free(answer->pools);
    free(answer->points);
    sl_queue_release(&answer->queue);
    for (size_t i = 0; i < answer->held_count; i++) {
        free(answer->held[i].id);
        free(answer->held[i].stack_id);
    }
    free(answer->held);
    free(answer->locked_by);
    free(answer->blocker);
    sl_secret_release(&answer->jwt);
    *answer = (struct sl_answer){.pools = NULL};
}

void sl_queue_release(struct sl_queue *queue) {
    free(queue->end_cursor);
    *queue = (struct sl_queue){.end_cursor = NULL};
}

void sl_queue_add(struct sl_queue *queue, struct sl_queue *page) {
    queue->has_pool = page->has_pool;
    queue->waiting += page->waiting;
    queue->blocked += page->blocked;
    queue->needs_approval += page->needs_approval;
    queue->drift_detection += page->drift_detection;
    queue->prioritized += page->prioritized;
    queue->in_progress += page->in_progress;
    if (page->oldest_wait_s > queue->oldest_wait_s)
        queue->oldest_wait_s = page->oldest_wait_s;
    for (size_t i = 0; i < SL_WAIT_BUCKET_COUNT; i++)
        queue->waits[i] += page->waits[i];
    for (size_t i = 0; i < SL_RUN_TYPES; i++)
        queue->by_type[i] += page->by_type[i];
    for (size_t i = 0; i < SL_RUN_STATES; i++)
        queue->by_state[i] += page->by_state[i];
    free(queue->end_cursor);
    queue->end_cursor = page->end_cursor;
    page->end_cursor = NULL;
}
