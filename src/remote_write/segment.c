/* A piece of the journal: what stands in it. Its files are in segment_file.c. */
#include "remote_write/segment.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_LISTS = 1024,
    LISTS_MAX = 1 << 24,
    CHUNKS_MAX = LISTS_MAX / CHUNK_LISTS,
    WORD = 8,
    WORDS_MAX = 63, /* of VALUES; DEFINE says its length itself */
};

_Static_assert(2 + SL_SEGMENT_VALUES_MAX <= WORDS_MAX, "a value list fits a record");

static size_t align(size_t bytes) {
    return (bytes + WORD - 1) & ~(size_t)(WORD - 1);
}

size_t sl_segment_define_bytes(size_t packed_len) {
    return 2 * WORD + align(packed_len);
}

size_t sl_segment_put_bytes(uint32_t count) {
    return (2 + (size_t)count) * WORD;
}

size_t sl_segment_room(const struct sl_segment *s) {
    return __atomic_load_n(&s->is_damaged, __ATOMIC_RELAXED) ? 0 : s->size - s->used;
}

/* ---- one record ---- */

struct head {
    uint32_t check;
    uint32_t kind_words_list;
};

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Over whole words, with the checksum's own 32 bits taken as zero. Never 0. */
static uint32_t checksum(uint64_t seed, size_t at, const char *record, size_t bytes) {
    struct head head;
    uint64_t word;
    memcpy(&head, record, sizeof(head));
    uint64_t hash = mix(mix(seed, at), head.kind_words_list);
    for (size_t i = WORD; i < bytes; i += WORD) {
        memcpy(&word, record + i, WORD);
        hash = mix(hash, word);
    }
    return (uint32_t)hash | 1;
}

static uint32_t pack_head(enum sl_record_kind kind, size_t words, uint32_t list) {
    return (uint32_t)kind << 30 | (uint32_t)words << 24 | list;
}

static void *place(const struct sl_segment *s, size_t at) {
    return s->memory.base + at;
}

static void publish(struct sl_segment *s, size_t bytes, uint32_t kind_words_list) {
    char *record = place(s, s->used);
    struct head head = {.kind_words_list = kind_words_list};
    memcpy(record, &head, sizeof(head));
    head.check = checksum(s->seed, s->used, record, bytes);
    memcpy(record, &head, sizeof(head));
    __atomic_store_n(&s->used, s->used + bytes, __ATOMIC_RELEASE);
}

/* What is no journal is never read by anybody who does not know its lists. */
bool sl_segment_define(struct sl_segment *s, void *list, uint32_t count, const char *packed,
                       size_t packed_len, uint32_t *ret_list) {
    size_t bytes = sl_segment_define_bytes(packed_len);
    uint32_t sizes[] = {(uint32_t)packed_len, count};
    if (bytes > sl_segment_room(s) || !sl_segment_set_list(s, s->list_count, list))
        return false;
    if (s->is_journal) {
        char *body = place(s, s->used + WORD);
        memset(body + align(sizeof(sizes) + packed_len) - WORD, 0, WORD);
        memcpy(body, sizes, sizeof(sizes));
        memcpy(body + sizeof(sizes), packed, packed_len);
        publish(s, bytes, pack_head(SL_RECORD_DEFINE, 0, s->list_count));
        s->define_bytes += bytes;
    }
    *ret_list = s->list_count++;
    return true;
}

bool sl_segment_put(struct sl_segment *s, uint32_t list, int64_t time_ms, const uint64_t *values,
                    uint32_t count) {
    size_t bytes = sl_segment_put_bytes(count);
    if (bytes > sl_segment_room(s))
        return false;
    char *body = place(s, s->used + WORD);
    memcpy(body, &time_ms, WORD);
    memcpy(body + WORD, values, WORD * (size_t)count);
    publish(s, bytes, pack_head(SL_RECORD_VALUES, 2 + count, list));
    s->samples += sl_segment_samples(values, count);
    return true;
}

/* ---- reading: nothing on a disk is trusted ---- */

/* False: no good record begins here. */
static bool read_at(const struct sl_segment *s, size_t at, size_t limit, struct sl_record *ret) {
    struct head head;
    uint32_t sizes[2];
    if (limit - at < 2 * WORD)
        return false;
    const char *record = place(s, at);
    memcpy(&head, record, sizeof(head));
    memcpy(sizes, record + WORD, sizeof(sizes));
    size_t words = head.kind_words_list >> 24 & WORDS_MAX, bytes = words * WORD;
    *ret = (struct sl_record){.kind = (enum sl_record_kind)(head.kind_words_list >> 30),
                              .list = head.kind_words_list & (LISTS_MAX - 1)};
    if (ret->kind == SL_RECORD_DEFINE && words == 0 && sizes[0] <= limit)
        bytes = sl_segment_define_bytes(sizes[0]);
    else if (ret->kind != SL_RECORD_VALUES || words < 3)
        return false;
    if (bytes > limit - at || head.check != checksum(s->seed, at, record, bytes))
        return false;
    ret->end = at + bytes;
    if (ret->kind == SL_RECORD_VALUES) {
        ret->count = (uint32_t)words - 2;
        memcpy(&ret->time_ms, record + WORD, WORD);
        ret->values = (const uint64_t *)(const void *)(record + 2 * WORD);
        return ret->count <= SL_SEGMENT_VALUES_MAX;
    }
    ret->count = sizes[1];
    ret->packed = record + 2 * WORD;
    ret->packed_len = sizes[0];
    return ret->count <= SL_SEGMENT_VALUES_MAX;
}

static void read_to(const struct sl_segment *s, size_t at, size_t limit, struct sl_record *ret) {
    if (at >= limit) {
        *ret = (struct sl_record){.kind = SL_RECORD_END, .end = limit};
        return;
    }
    if (read_at(s, at, limit, ret))
        return;
    size_t next = at + WORD;
    struct sl_record good;
    while (next < limit && !read_at(s, next, limit, &good))
        next += WORD;
    *ret = (struct sl_record){.kind = SL_RECORD_BAD, .end = next < limit ? next : limit};
}

void sl_segment_read(const struct sl_segment *s, size_t at, struct sl_record *ret) {
    read_to(s, at, __atomic_load_n(&s->used, __ATOMIC_ACQUIRE), ret);
}

void sl_segment_find_end(struct sl_segment *s) {
    struct sl_record record;
    size_t limit = s->size & ~(size_t)(WORD - 1);
    size_t good = SL_SEGMENT_HEAD_BYTES;
    for (size_t at = good; at < limit; at = record.end) {
        read_to(s, at, limit, &record);
        if (record.kind != SL_RECORD_BAD)
            good = record.end;
    }
    s->used = good;
}

/* ---- what the places stand for ---- */

void *sl_segment_list(const struct sl_segment *s, uint32_t list) {
    void **chunk = s->chunks != NULL && list < LISTS_MAX ? s->chunks[list / CHUNK_LISTS] : NULL;
    return chunk != NULL ? chunk[list % CHUNK_LISTS] : NULL;
}

bool sl_segment_set_list(struct sl_segment *s, uint32_t list, void *value) {
    if (list >= LISTS_MAX)
        return false;
    if (s->chunks == NULL && (s->chunks = calloc(CHUNKS_MAX, sizeof(*s->chunks))) == NULL)
        return false;
    void ***chunk = &s->chunks[list / CHUNK_LISTS];
    if (*chunk == NULL && (*chunk = calloc(CHUNK_LISTS, sizeof(**chunk))) == NULL)
        return false;
    (*chunk)[list % CHUNK_LISTS] = value;
    return true;
}

void sl_segment_forget_lists(struct sl_segment *s) {
    for (size_t i = 0; s->chunks != NULL && i < CHUNKS_MAX; i++)
        free(s->chunks[i]);
    free(s->chunks);
    s->chunks = NULL;
    s->list_count = 0;
}
