/* Between the host's write threads and a sender: what the threads put. What the sender takes is in
 * queue_batch.c, the thread that keeps the spool in queue_keeper.c. */
#include "remote_write/queue_internal.h"

#include <stdlib.h>
#include <string.h>

#include "remote_write/value.h"

enum { PACKED_BYTES_MAX = 8 * 1024 * 1024, WAKEUPS = 3 };

static struct sl_wakeup *wakeup_of(struct sl_queue *q, size_t number) {
    struct sl_wakeup *const all[] = {&q->keeper_stop, &q->keeper_work, &q->synced};
    return all[number];
}

static int init_wakeups(struct sl_queue *q, struct sl_error *err) {
    int code = SL_OK;
    while (code == SL_OK && q->wakeup_count < WAKEUPS)
        if ((code = sl_wakeup_init(wakeup_of(q, q->wakeup_count), err)) == SL_OK)
            q->wakeup_count++;
    return code;
}

int sl_queue_new(const struct sl_queue_settings *settings, struct sl_queue **ret,
                 struct sl_error *err) {
    struct sl_queue *q = calloc(1, sizeof(*q));
    if (q == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a queue");
    q->settings = *settings;
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ADAPTIVE_NP); /* the lock is short */
    pthread_mutex_init(&q->lock, &kind);
    pthread_mutexattr_destroy(&kind);
    sl_spool_init(&q->spool, &settings->limits);
    sl_buffer_init(&q->packed, PACKED_BYTES_MAX);
    q->items = calloc(settings->batch_max, sizeof(*q->items));
    int code = q->items == NULL ? sl_fail(err, SL_NOMEM, "out of memory for a batch") : SL_OK;
    if (code == SL_OK)
        code = sl_roster_new(&settings->rules, &q->roster, err);
    if (code == SL_OK)
        code = init_wakeups(q, err);
    if (code == SL_OK) {
        *ret = q;
        return SL_OK;
    }
    sl_queue_free(q);
    return code;
}

void sl_queue_forget_lists(void *context, struct sl_segment *segment) {
    struct sl_queue *q = context;
    for (uint32_t i = 0; segment->owns_lists && i < segment->list_count; i++)
        sl_roster_release(q->roster, sl_segment_list(segment, i));
    segment->owns_lists = false;
    sl_segment_forget_lists(segment);
}

void sl_queue_free(struct sl_queue *q) {
    if (q == NULL || !sl_queue_stop_keeper(q))
        return;
    for (struct sl_segment *each = q->spool.oldest; each != NULL; each = each->next)
        sl_queue_forget_lists(q, each);
    for (struct sl_segment *each = q->spool.trash; each != NULL; each = each->next)
        sl_queue_forget_lists(q, each);
    sl_spool_close(&q->spool);
    sl_roster_free(q->roster);
    sl_buffer_release(&q->packed);
    for (size_t i = 0; i < q->wakeup_count; i++)
        sl_wakeup_release(wakeup_of(q, i));
    free(q->items);
    free(q->places);
    free(q->order);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* ---- locked ---- */

static void refuse(struct sl_queue *q, uint64_t samples, uint64_t *count) {
    q->spool.state.books.accepted += samples;
    *count += samples;
}

/* Everything that a reader of the journal must know before the list's first values. */
static struct sl_segment *define(struct sl_queue *q, struct sl_list *list) {
    if (sl_list_pack(list, &q->packed, NULL) != SL_OK)
        return NULL;
    size_t bytes = sl_segment_define_bytes(q->packed.len) + sl_segment_put_bytes(list->kept);
    struct sl_segment *segment = sl_spool_segment(&q->spool, bytes);
    if (segment == NULL ||
        !sl_segment_define(segment, list, list->kept, q->packed.data, q->packed.len, &list->place))
        return NULL;
    list->segment = segment->number;
    return segment;
}

/* Values for every series of the list; where there is no room for them they are dropped. */
static void journal(struct sl_queue *q, struct sl_list *list, const uint64_t *values,
                    int64_t time_ms) {
    uint32_t samples = sl_segment_samples(values, list->kept);
    if (samples == 0)
        return;
    struct sl_segment *segment = sl_spool_segment(&q->spool, sl_segment_put_bytes(list->kept));
    if (segment != NULL && segment->number != list->segment)
        segment = define(q, list);
    if (segment != NULL && sl_segment_put(segment, list->place, time_ms, values, list->kept))
        sl_spool_accept(&q->spool, samples);
    else
        refuse(q, samples, &q->spool.state.books.dropped_full);
}

/* Whether all series of a list are older than time_ms, and if so, makes them that old. */
static bool advance(struct sl_list *list, int64_t time_ms) {
    if (time_ms <= list->last_ms)
        return false;
    for (size_t i = 0; list->is_shared && i < list->kept; i++)
        if (time_ms <= list->series[i]->last_ms)
            return false;
    for (size_t i = 0; list->is_shared && i < list->kept; i++)
        list->series[i]->last_ms = time_ms;
    list->last_ms = time_ms;
    return true;
}

/* Apart, because a key is large, and seldom needed. */
static struct sl_list *find(struct sl_queue *q, const struct sl_value_id *id, size_t first) {
    struct sl_list_key key;
    return sl_list_key_make(id, first, &key) ? sl_roster_find(q->roster, id, &key) : NULL;
}

static void put_locked(struct sl_queue *q, const struct sl_value_id *id, size_t first,
                       const uint64_t *bits, int64_t time_ms) {
    uint64_t *invalid = &q->spool.state.books.dropped_invalid;
    uint64_t values[SL_LIST_SOURCES_MAX];
    struct sl_list *list = sl_roster_follow(q->roster, id, first);
    if (list == NULL && (list = find(q, id, first)) == NULL) {
        refuse(q, id->source_count, invalid);
        return;
    }
    for (size_t i = 0; i < list->kept; i++) {
        uint64_t value = bits[list->sources[i]];
        values[i] = value == SL_VALUE_NAN_BITS && list->omits_nan ? SL_SEGMENT_NO_VALUE : value;
    }
    refuse(q, list->invalid, invalid);
    if (!advance(list, time_ms))
        refuse(q, sl_segment_samples(values, list->kept), invalid);
    else
        journal(q, list, values, time_ms);
    list->has_ended = false;
}

/* ---- any thread ---- */

size_t sl_queue_put(struct sl_queue *q, const struct sl_value_id *id, size_t first,
                    const uint64_t *bits, int64_t time_ms) {
    pthread_mutex_lock(&q->lock);
    put_locked(q, id, first, bits, time_ms);
    size_t pending = (size_t)q->spool.state.books.pending;
    pthread_mutex_unlock(&q->lock);
    return pending;
}

size_t sl_queue_end_series(struct sl_queue *q, const struct sl_value_id *id, int64_t now_ms) {
    uint64_t stale[SL_LIST_SOURCES_MAX];
    struct sl_list_key key;
    for (size_t i = 0; i < SL_LIST_SOURCES_MAX; i++)
        stale[i] = SL_VALUE_STALE_BITS;
    bool has_key = sl_list_key_make(id, 0, &key);
    pthread_mutex_lock(&q->lock);
    struct sl_list *list = has_key ? sl_roster_next_of(q->roster, &key, NULL) : NULL;
    for (; list != NULL; list = sl_roster_next_of(q->roster, &key, list)) {
        if (list->has_ended || list->kept == 0 || list->last_ms == INT64_MIN)
            continue;
        int64_t time_ms = now_ms > list->last_ms ? now_ms : list->last_ms + 1;
        if (advance(list, time_ms))
            journal(q, list, stale, time_ms);
        list->has_ended = true;
    }
    size_t pending = (size_t)q->spool.state.books.pending;
    pthread_mutex_unlock(&q->lock);
    return pending;
}

void sl_queue_status(struct sl_queue *q, struct sl_queue_status *ret) {
    pthread_mutex_lock(&q->lock);
    *ret = (struct sl_queue_status){
        .books = q->spool.state.books,
        .lists = sl_roster_count(q->roster),
        .disk_bytes = sl_spool_disk_bytes(&q->spool),
        .memory_bytes = sl_spool_memory_bytes(&q->spool),
        .bad_records = q->spool.bad_records,
        .is_on_disk = q->spool.directory_fd >= 0 && !q->spool.disk_failed,
    };
    pthread_mutex_unlock(&q->lock);
}
