/* Between the host's write threads and a sender. */
#include "remote_write/queue.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "remote_write/encode.h"

enum {
    BUCKETS_AT_START = 256, /* a power of two, as every later number */
    SWEPT_AT_ONCE = 32,     /* buckets; keeps the lock short */
    FORGET_AFTER_MS = 3600 * 1000,
    KEY_BYTES = 2048, /* five identifiers of 127 bytes, meta data, two numbers */
    BLOCK_BYTES_MAX = 64 * 1024,
};

/* One label block of a series, and the batch it was last put into. */
struct block {
    uint32_t start;
    uint32_t len;
    uint64_t batch;
};

struct sl_series {
    struct sl_series *next; /* in its bucket */
    uint64_t hash;
    uint64_t last_put;  /* the running number of its newest sample */
    int64_t last_ms;    /* the time of that */
    int64_t used_ms;    /* when it was swept over and found to have been written since */
    uint64_t swept_put; /* last_put then */
    size_t key_len;
    size_t source_count;
    char *key;
    char *labels;
    struct block blocks[];
};

struct sl_queue {
    pthread_mutex_t lock;
    struct sl_series_rules rules;
    struct sl_series **buckets;
    size_t bucket_count;
    size_t series_count;
    size_t swept; /* the next bucket to sweep */

    /* A ring that starts over at 0 whenever it is empty, so that a large capacity that is rarely
     * needed is rarely touched. */
    struct sl_sample *ring;
    size_t capacity;
    size_t head; /* the oldest */
    size_t count;

    uint64_t put;     /* running number of the newest sample */
    uint64_t gone;    /* of the newest that has left the ring */
    uint64_t settled; /* nobody holds a sample up to this one */
    size_t in_hand;   /* taken and not settled */
    struct sl_queue_counts counts;
};

int sl_queue_new(size_t capacity, const struct sl_series_rules *rules, struct sl_queue **ret,
                 struct sl_error *err) {
    struct sl_queue *q = calloc(1, sizeof(*q));
    if (q == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a queue");
    pthread_mutex_init(&q->lock, NULL);
    q->capacity = capacity;
    q->bucket_count = BUCKETS_AT_START;
    q->buckets = calloc(q->bucket_count, sizeof(struct sl_series *));
    q->ring = calloc(capacity, sizeof(*q->ring));
    q->rules = *rules;
    if (q->buckets == NULL || q->ring == NULL) {
        sl_queue_free(q);
        return sl_fail(err, SL_NOMEM, "out of memory for a queue of %zu samples: lower Capacity",
                       capacity);
    }
    *ret = q;
    return SL_OK;
}

static void free_series(struct sl_series *s) {
    free(s->key);
    free(s->labels);
    free(s);
}

void sl_queue_free(struct sl_queue *q) {
    if (q == NULL)
        return;
    for (size_t i = 0; q->buckets != NULL && i < q->bucket_count; i++) {
        for (struct sl_series *s = q->buckets[i], *next; s != NULL; s = next) {
            next = s->next;
            free_series(s);
        }
    }
    free(q->buckets);
    free(q->ring);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* ---- series ---- */

struct key {
    char bytes[KEY_BYTES];
    size_t len;
    uint64_t hash;
};

static void add_to_key(struct key *k, const char *text) {
    size_t room = sizeof(k->bytes) - k->len - 1;
    size_t len = strnlen(text, room);
    memcpy(k->bytes + k->len, text, len);
    k->len += len;
    k->bytes[k->len++] = '\0';
}

/* FNV-1a, eight bytes at a time: it only has to spread what the operator's own hosts are called. */
static uint64_t hash_of(const char *bytes, size_t len) {
    uint64_t hash = 0xcbf29ce484222325;
    for (; len >= 8; bytes += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * 0x100000001b3;
        hash ^= hash >> 29;
    }
    for (; len > 0; bytes++, len--)
        hash = (hash ^ (unsigned char)*bytes) * 0x100000001b3;
    return hash ^ hash >> 32;
}

static void make_key(const struct sl_value_id *id, size_t first, struct key *k) {
    uint32_t numbers[] = {(uint32_t)first, (uint32_t)id->source_count};
    memcpy(k->bytes, numbers, sizeof(numbers));
    k->len = sizeof(numbers);
    /* The name that varies least often comes last only because it may be long. */
    add_to_key(k, id->host);
    add_to_key(k, id->plugin);
    add_to_key(k, id->plugin_instance);
    add_to_key(k, id->type);
    add_to_key(k, id->type_instance);
    for (size_t i = 0; i < id->meta_count; i++) {
        add_to_key(k, id->meta[i].key);
        add_to_key(k, id->meta[i].value);
    }
    k->hash = hash_of(k->bytes, k->len);
}

/* The label block of one data source; nothing where there is no series. */
static void put_block(const struct sl_value_id *id, size_t source,
                      const struct sl_series_rules *rules, struct sl_buffer *out) {
    struct sl_buffer bytes;
    struct sl_packed packed;
    struct sl_label label;
    sl_buffer_init(&bytes, BLOCK_BYTES_MAX);
    if (sl_series_pack(id, source, rules, &bytes) == SL_SERIES_KEPT &&
        sl_packed_read(bytes.data, bytes.len, &packed, NULL) == SL_OK)
        for (const char *at = packed.labels; sl_packed_next(&packed, &at, &label);)
            sl_encode_label(out, label.name, label.name_len, label.value, label.value_len);
    sl_buffer_release(&bytes);
}

/* NULL: out of memory, or names beyond every limit. */
static struct sl_series *new_series(const struct sl_queue *q, const struct sl_value_id *id,
                                    const struct key *k) {
    struct sl_series *s = calloc(1, sizeof(*s) + id->source_count * sizeof(struct block));
    struct sl_buffer labels;
    if (s == NULL)
        return NULL;
    sl_buffer_init(&labels, BLOCK_BYTES_MAX * id->source_count);
    for (size_t i = 0; i < id->source_count; i++) {
        s->blocks[i].start = (uint32_t)labels.len;
        put_block(id, i, &q->rules, &labels);
        s->blocks[i].len = (uint32_t)labels.len - s->blocks[i].start;
    }
    s->labels = sl_buffer_steal(&labels);
    sl_buffer_release(&labels);
    s->key = malloc(k->len);
    if (s->labels == NULL || s->key == NULL) {
        free_series(s);
        return NULL;
    }
    memcpy(s->key, k->bytes, k->len);
    s->key_len = k->len;
    s->hash = k->hash;
    s->source_count = id->source_count;
    s->last_ms = INT64_MIN;
    return s;
}

/* Half as many buckets as series at most; without memory it only gets slower. */
static void grow_buckets(struct sl_queue *q) {
    size_t count = q->bucket_count * 2;
    struct sl_series **buckets;
    if (q->series_count < q->bucket_count || (buckets = calloc(count, sizeof(*buckets))) == NULL)
        return;
    for (size_t i = 0; i < q->bucket_count; i++) {
        for (struct sl_series *s = q->buckets[i], *next; s != NULL; s = next) {
            next = s->next;
            s->next = buckets[s->hash & (count - 1)];
            buckets[s->hash & (count - 1)] = s;
        }
    }
    free(q->buckets);
    q->buckets = buckets;
    q->bucket_count = count;
}

static struct sl_series *find_or_add(struct sl_queue *q, const struct sl_value_id *id,
                                     const struct key *k) {
    struct sl_series *s = q->buckets[k->hash & (q->bucket_count - 1)];
    for (; s != NULL; s = s->next)
        if (s->hash == k->hash && s->key_len == k->len && memcmp(s->key, k->bytes, k->len) == 0)
            return s;
    if (q->series_count >= SL_LIMIT_SERIES || (s = new_series(q, id, k)) == NULL)
        return NULL;
    grow_buckets(q);
    struct sl_series **bucket = &q->buckets[k->hash & (q->bucket_count - 1)];
    s->next = *bucket;
    *bucket = s;
    q->series_count++;
    return s;
}

/* A series is forgotten when it was not written between two sweeps an hour apart and nobody holds
 * a sample of it. */
static void sweep(struct sl_queue *q, int64_t now_ms) {
    for (size_t n = 0; n < SWEPT_AT_ONCE; n++) {
        struct sl_series **at = &q->buckets[q->swept++ & (q->bucket_count - 1)];
        while (*at != NULL) {
            struct sl_series *s = *at;
            if (s->swept_put != s->last_put) {
                s->swept_put = s->last_put;
                s->used_ms = now_ms;
            } else if (now_ms - s->used_ms >= FORGET_AFTER_MS && s->last_put <= q->settled) {
                *at = s->next;
                free_series(s);
                q->series_count--;
                continue;
            }
            at = &s->next;
        }
    }
}

const char *sl_series_block(struct sl_series *series, uint32_t source, size_t *ret_len,
                            uint64_t **ret_batch) {
    struct block *block = &series->blocks[source];
    *ret_len = block->len;
    *ret_batch = &block->batch;
    return series->labels + block->start;
}

/* ---- samples ---- */

static void push(struct sl_queue *q, const struct sl_sample *sample) {
    if (q->count == q->capacity) {
        q->head = (q->head + 1) % q->capacity;
        q->count--;
        q->gone++;
        q->counts.dropped_full++;
    }
    if (q->count == 0)
        q->head = 0;
    q->ring[(q->head + q->count) % q->capacity] = *sample;
    q->count++;
    q->put++;
}

size_t sl_queue_put(struct sl_queue *q, const struct sl_value_id *id, size_t first,
                    const double *values, int64_t timestamp_ms) {
    struct key k;
    make_key(id, first, &k);
    pthread_mutex_lock(&q->lock);
    struct sl_series *s = find_or_add(q, id, &k);
    for (size_t i = 0; i < id->source_count; i++) {
        if (isnan(values[i]) && sl_series_omits_nan(id, i))
            continue;
        q->counts.accepted++;
        if (s == NULL || timestamp_ms <= s->last_ms || s->blocks[i].len == 0) {
            q->counts.dropped_invalid++;
            continue;
        }
        push(q, &(struct sl_sample){s, values[i], timestamp_ms, (uint32_t)i});
        s->last_put = q->put;
    }
    if (s != NULL && timestamp_ms > s->last_ms)
        s->last_ms = timestamp_ms;
    size_t waiting = q->count;
    pthread_mutex_unlock(&q->lock);
    return waiting;
}

size_t sl_queue_take(struct sl_queue *q, struct sl_sample *out, size_t max) {
    pthread_mutex_lock(&q->lock);
    size_t count = q->count < max ? q->count : max;
    for (size_t done = 0; done < count;) {
        size_t run = q->capacity - q->head;
        if (run > count - done)
            run = count - done;
        memcpy(out + done, q->ring + q->head, run * sizeof(*out));
        q->head = (q->head + run) % q->capacity;
        done += run;
    }
    if (q->in_hand == 0)
        q->settled = q->gone;
    q->count -= count;
    q->gone += count;
    q->in_hand += count;
    pthread_mutex_unlock(&q->lock);
    return count;
}

void sl_queue_settle(struct sl_queue *q, size_t count, enum sl_fate fate, int64_t now_ms) {
    pthread_mutex_lock(&q->lock);
    q->in_hand -= count;
    if (q->in_hand == 0)
        q->settled = q->gone;
    if (fate == SL_FATE_ACKED)
        q->counts.acked += count;
    else
        q->counts.rejected += count;
    sweep(q, now_ms);
    pthread_mutex_unlock(&q->lock);
}

void sl_queue_count(struct sl_queue *q, struct sl_queue_counts *ret) {
    pthread_mutex_lock(&q->lock);
    *ret = q->counts;
    ret->pending = q->count + q->in_hand;
    pthread_mutex_unlock(&q->lock);
}
