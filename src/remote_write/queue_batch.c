/* What the sender takes from the queue, batch by batch. */
#include "remote_write/queue_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "remote_write/batch_order.h"
#include "remote_write/value.h"

/* One host has few series that are alike, and its times, as they came, are. */
enum { SORT_FROM = 500 };

enum { FETCH_AHEAD = 8, FETCH_BYTES = sizeof(struct sl_series) + 80, CACHE_LINE_BYTES = 64 };

/* A segment that an earlier process has left, or that was let go: reads it and what its lists are.
 * Nobody else touches them; the lock is for the series, which all share. */
static int load(struct sl_queue *q, struct sl_segment *segment, struct sl_error *err) {
    struct sl_survivor memory = SL_SURVIVOR_INIT;
    pthread_mutex_lock(&q->lock);
    bool is_there = segment->memory.base != NULL;
    int directory_fd = is_there ? -1 : sl_spool_directory(&q->spool);
    pthread_mutex_unlock(&q->lock);
    int code = SL_OK;
    if (!is_there)
        code = directory_fd >= 0 ? sl_segment_load(segment, directory_fd, &memory, err)
                                 : sl_fail(err, SL_IO, "its directory cannot be used");
    if (directory_fd >= 0)
        close(directory_fd);
    pthread_mutex_lock(&q->lock);
    if (!is_there && code == SL_OK)
        segment->memory = memory;
    pthread_mutex_unlock(&q->lock);
    struct sl_record record;
    segment->owns_lists = code == SL_OK;
    for (size_t at = SL_SEGMENT_HEAD_BYTES; code == SL_OK; at = record.end) {
        struct sl_list *list = NULL;
        sl_segment_read(segment, at, &record);
        if (record.kind == SL_RECORD_END)
            break;
        if (record.kind != SL_RECORD_DEFINE || sl_segment_list(segment, record.list) != NULL)
            continue;
        pthread_mutex_lock(&q->lock);
        if (sl_roster_read(q->roster, &record, &list, NULL) == SL_OK &&
            !sl_segment_set_list(segment, record.list, list)) {
            sl_roster_release(q->roster, list);
            code = sl_fail(err, SL_NOMEM, "out of memory for a spool");
        }
        pthread_mutex_unlock(&q->lock);
        if (code == SL_OK && record.list >= segment->list_count)
            segment->list_count = record.list + 1;
    }
    segment->is_known = code == SL_OK;
    return code;
}

/* The next values from *at on that are whole; false: there are none before limit. */
static bool read_values(const struct sl_segment *segment, size_t *at, size_t limit,
                        struct sl_batch_item *ret, size_t *ret_end) {
    struct sl_record record;
    for (; *at < limit; *at = record.end) {
        sl_segment_read(segment, *at, &record);
        if (record.kind == SL_RECORD_END)
            return false;
        const struct sl_list *list =
            record.kind == SL_RECORD_VALUES ? sl_segment_list(segment, record.list) : NULL;
        if (list == NULL || list->kept != record.count)
            continue;
        *ret = (struct sl_batch_item){list, record.time_ms, record.values,
                                      sl_segment_samples(record.values, record.count)};
        *ret_end = record.end;
        return true;
    }
    return false;
}

/* Drops what is too old, so that a batch begins with what is not. */
static size_t skip_old(struct sl_queue *q, const struct sl_segment *segment, size_t limit,
                       int64_t now_ms) {
    size_t at = (size_t)q->spool.state.from, end = at, begin = at;
    uint64_t samples = 0;
    struct sl_batch_item item;
    if (q->settings.max_age_ms <= 0)
        return at;
    while (read_values(segment, &at, limit, &item, &end) &&
           item.time_ms < now_ms - q->settings.max_age_ms) {
        samples += item.samples;
        at = begin = end;
    }
    if (samples > 0) {
        pthread_mutex_lock(&q->lock);
        q->spool.state.books.dropped_age += samples;
        sl_spool_settle(&q->spool, begin, samples);
        pthread_mutex_unlock(&q->lock);
    }
    return begin;
}

/* True if the batch has a sample of one of the series already; else stamps them. */
static bool is_in_batch(struct sl_queue *q, const struct sl_list *list) {
    for (size_t i = 0; i < list->kept; i++)
        if (list->series[i]->batch == q->batch)
            return true;
    for (size_t i = 0; i < list->kept; i++)
        list->series[i]->batch = q->batch;
    return false;
}

static size_t collect(struct sl_queue *q, const struct sl_segment *segment, size_t at, size_t limit,
                      size_t max, struct sl_batch *ret) {
    size_t end = at, count = 0, samples = 0;
    bool is_cut = false;
    q->batch++;
    ret->newest_ms = INT64_MIN;
    while (count < q->settings.batch_max &&
           read_values(segment, &at, limit, &q->items[count], &end)) {
        const struct sl_batch_item *item = &q->items[count];
        is_cut = (samples + item->samples > max && samples > 0) || is_in_batch(q, item->list);
        if (is_cut)
            break;
        ret->newest_ms = item->time_ms > ret->newest_ms ? item->time_ms : ret->newest_ms;
        samples += item->samples;
        count++;
        at = end;
    }
    ret->items = q->items;
    ret->count = count;
    ret->samples = samples;
    ret->to = at;
    ret->is_certain = (is_cut || count == q->settings.batch_max) && max >= q->settings.batch_max &&
                      at <= __atomic_load_n(&segment->synced, __ATOMIC_RELAXED);
    return count;
}

/* One that cannot be read would stand in the way of all others, and is given up in the end. Its
 * file system may only be away, and come back with it: as long as the spool cannot be written that
 * is what one waits for, and for a while longer, because nobody may have noticed yet. */
static bool is_lost(struct sl_queue *q, int code, const struct sl_error *err) {
    int64_t now_ms = sl_clock_monotonic_ms();
    bool is_news = q->unreadable_since_ms == 0;
    pthread_mutex_lock(&q->lock);
    bool is_away = q->spool.directory_fd < 0 || q->spool.disk_failed;
    pthread_mutex_unlock(&q->lock);
    if (is_news || is_away)
        q->unreadable_since_ms = now_ms;
    if (code == SL_PARSE ||
        (!is_away && now_ms - q->unreadable_since_ms >= q->settings.unreadable_ms))
        return true;
    if (is_news)
        sl_log(
            &q->settings.log, SL_LOG_ERROR,
            "node \"%s\": nothing is sent, because the spool %s cannot be read: %s; mount or mend "
            "its file system: it is tried every second, and given up only if the spool can be "
            "written and still not be read for %" PRId64 " s",
            q->settings.name, q->settings.path, err->text, q->settings.unreadable_ms / 1000);
    return false;
}

/* The oldest segment, ready to be read; NULL: nothing waits, or it cannot be read now. */
static struct sl_segment *pin(struct sl_queue *q) {
    for (;;) {
        struct sl_error err = SL_ERROR_INIT;
        pthread_mutex_lock(&q->lock);
        struct sl_segment *segment = sl_spool_pin(&q->spool);
        bool is_loaded = segment == NULL || (segment->memory.base != NULL && segment->is_known);
        pthread_mutex_unlock(&q->lock);
        int code = is_loaded ? SL_OK : load(q, segment, &err);
        if (code == SL_OK) {
            if (q->unreadable_since_ms != 0)
                sl_log(&q->settings.log, SL_LOG_INFO, "node \"%s\": the spool %s is read again",
                       q->settings.name, q->settings.path);
            q->unreadable_since_ms = 0;
            return segment;
        }
        if (!is_lost(q, code, &err))
            return NULL;
        q->unreadable_since_ms = 0;
        sl_log(&q->settings.log, SL_LOG_ERROR,
               "node \"%s\": a part of the spool cannot be read and is given up: %s",
               q->settings.name, err.text);
        pthread_mutex_lock(&q->lock);
        sl_queue_forget_lists(q, segment);
        sl_segment_forget_memory(segment);
        sl_spool_give_up(&q->spool);
        pthread_mutex_unlock(&q->lock);
    }
}

static void unpin(struct sl_queue *q) {
    pthread_mutex_lock(&q->lock);
    sl_spool_unpin(&q->spool);
    pthread_mutex_unlock(&q->lock);
}

/* False: out of memory. */
static bool make_room(struct sl_queue *q, size_t samples) {
    if (samples <= q->places_max)
        return true;
    free(q->places);
    free(q->order);
    q->places = malloc(samples * sizeof(*q->places));
    q->order = malloc(2 * samples * sizeof(*q->order));
    q->places_max = q->places != NULL && q->order != NULL ? samples : 0;
    return q->places_max > 0;
}

static bool put_in_order(struct sl_queue *q, struct sl_batch *batch) {
    if (!make_room(q, batch->samples))
        return false;
    uint32_t n = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct sl_batch_item *item = &batch->items[i];
        const struct sl_list *list = item->list;
        uint32_t order = list->kept > 0 ? list->series[0]->order : 0;
        for (uint32_t source = 0; source < list->kept; source++) {
            if (item->bits[source] == SL_SEGMENT_NO_VALUE)
                continue;
            q->places[n] = (struct sl_batch_place){list->series[source], item->bits[source],
                                                   item->time_ms, list->start_ms};
            q->order[n] = sl_order_key(order, n);
            n++;
        }
    }
    if (n >= SORT_FROM)
        sl_order_sort(q->order, q->order + n, n);
    batch->places = q->places;
    batch->order = q->order;
    return true;
}

bool sl_queue_next(struct sl_queue *q, size_t max, int64_t now_ms, struct sl_batch *ret) {
    for (;;) {
        struct sl_segment *segment = pin(q);
        if (segment == NULL)
            return false;
        pthread_mutex_lock(&q->lock);
        size_t from = (size_t)q->spool.state.from, to = (size_t)q->spool.state.to;
        size_t limit = sl_spool_oldest_end(&q->spool);
        bool is_last = segment == q->spool.current;
        pthread_mutex_unlock(&q->lock);
        bool is_repeated = to > from;
        if (is_repeated)
            limit = to; /* as it was before the process was started anew */
        else
            from = skip_old(q, segment, limit, now_ms);
        size_t count = collect(q, segment, from, limit, is_repeated ? SIZE_MAX : max, ret);
        ret->may_be_old = segment->number <= q->spool.doubtful;
        if (count > 0 && !put_in_order(q, ret)) {
            unpin(q);
            return false; /* out of memory: later */
        }
        pthread_mutex_lock(&q->lock);
        if (count > 0)
            sl_spool_begin_batch(&q->spool, ret->to, ret->samples);
        else
            sl_spool_settle(&q->spool, ret->to, 0);
        pthread_mutex_unlock(&q->lock);
        if (count > 0)
            return true;
        unpin(q);
        if (is_last)
            return false;
    }
}

void sl_queue_undo(struct sl_queue *q) {
    pthread_mutex_lock(&q->lock);
    sl_spool_begin_batch(&q->spool, (size_t)q->spool.state.from, 0);
    pthread_mutex_unlock(&q->lock);
}

void sl_queue_settle(struct sl_queue *q, const struct sl_batch *batch, const struct sl_fates *fates,
                     int64_t now_ms) {
    pthread_mutex_lock(&q->lock);
    struct sl_books *books = &q->spool.state.books;
    books->acked += fates->acked;
    books->rejected += fates->rejected;
    books->dropped_age += fates->dropped_age;
    sl_spool_settle(&q->spool, batch->to, batch->samples);
    sl_spool_unpin(&q->spool);
    sl_roster_sweep(q->roster, q->spool.state.segment, now_ms);
    pthread_mutex_unlock(&q->lock);
}

/* ---- a message of it ---- */

/* Since when a series counts: what its writer says, or what has been seen, whichever is later.
 *
 * When a counter has gone back it has been reset since its last sample: that is the earliest moment
 * at which it can have begun. Before a reset has been seen nothing is known, and nothing is said:
 * a start that is wrong would count what was counted before us. */
static int64_t seen_start_of(struct sl_series *series, uint64_t bits, int64_t time_ms) {
    double value, before;
    memcpy(&value, &bits, sizeof(value));
    memcpy(&before, &series->sent_bits, sizeof(before));
    if (series->sent_ms < time_ms) {
        if (series->sent_ms != INT64_MIN && value < before)
            series->start_ms = series->sent_ms;
        series->sent_ms = time_ms;
        series->sent_bits = bits;
    }
    return series->start_ms;
}

static int64_t start_of(const struct sl_batch_place *place) {
    int64_t said_ms = place->start_ms <= place->time_ms ? place->start_ms : 0;
    if (place->series->kind != SL_KIND_COUNTER)
        return said_ms;
    int64_t seen_ms = seen_start_of(place->series, place->bits, place->time_ms);
    return said_ms > seen_ms ? said_ms : seen_ms;
}

static const struct sl_batch_place *place_at(const struct sl_batch *batch, size_t n) {
    return &batch->places[(uint32_t)batch->order[n < batch->samples ? n : 0]];
}

/* What is needed soon is asked for: series that are alike are far from each other in memory, and
 * waiting for them would be a quarter of the work. (In a function of its own gcc would drop it.) */
void sl_batch_encode(const struct sl_batch *batch, struct sl_encoder *encoder) {
    for (size_t n = 0; n < batch->samples; n++) {
        __builtin_prefetch(place_at(batch, n + 2 * FETCH_AHEAD));
        const char *soon = (const char *)place_at(batch, n + FETCH_AHEAD)->series;
        for (size_t i = 0; i < FETCH_BYTES; i += CACHE_LINE_BYTES)
            __builtin_prefetch(soon + i);
        const struct sl_batch_place *place = place_at(batch, n);
        struct sl_sample sample = {.bits = place->bits, .time_ms = place->time_ms};
        if (sample.bits != SL_VALUE_STALE_BITS)
            sample.start_ms = start_of(place);
        sl_encoder_add(encoder, place->series, &sample);
    }
}
