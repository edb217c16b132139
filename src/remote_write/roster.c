/* The value lists that the host has written. */
#include "remote_write/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "remote_write/hash.h"

enum {
    BUCKETS_AT_START = 256, /* a power of two, as every later number */
    SWEPT_AT_ONCE = 32,     /* buckets; keeps the lock short */
    FORGET_AFTER_MS = 3600 * 1000,
    PACKED_BYTES_MAX = 1024 * 1024,
};

struct sl_roster {
    struct sl_series_rules rules;
    struct sl_series_set *set;
    struct sl_list **buckets;
    size_t bucket_count;
    size_t count;
    size_t swept;         /* the next bucket to sweep */
    uint64_t age;         /* counts what has been forgotten */
    struct sl_list *last; /* found */
    struct sl_buffer packed;
};

int sl_roster_new(const struct sl_series_rules *rules, struct sl_roster **ret,
                  struct sl_error *err) {
    struct sl_roster *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a roster");
    r->rules = *rules;
    sl_buffer_init(&r->packed, PACKED_BYTES_MAX);
    r->bucket_count = BUCKETS_AT_START;
    r->buckets = calloc(r->bucket_count, sizeof(*r->buckets));
    int code = r->buckets != NULL ? sl_series_set_new(&r->set, err)
                                  : sl_fail(err, SL_NOMEM, "out of memory for a roster");
    if (code != SL_OK)
        sl_roster_free(r);
    else
        *ret = r;
    return code;
}

void sl_roster_free(struct sl_roster *r) {
    if (r == NULL)
        return;
    for (size_t i = 0; r->buckets != NULL && i < r->bucket_count; i++) {
        for (struct sl_list *list = r->buckets[i], *next; list != NULL; list = next) {
            next = list->next;
            free(list);
        }
    }
    free(r->buckets);
    sl_series_set_free(r->set);
    sl_buffer_release(&r->packed);
    free(r);
}

size_t sl_roster_count(const struct sl_roster *r) {
    return r->count;
}

/* ---- keys ---- */

static void add_text(struct sl_list_key *k, const char *text) {
    size_t room = sizeof(k->bytes) - k->len;
    size_t len = strnlen(text, room);
    if (len < room)
        memcpy(k->bytes + k->len, text, len + 1);
    k->len += len < room ? len + 1 : room;
}

/* What stands behind the texts of a key: two that differ in nothing else are two lists. */
struct numbers {
    uint16_t first, count;
};

static struct numbers numbers_of(const struct sl_value_id *id, size_t first) {
    return (struct numbers){(uint16_t)first, (uint16_t)id->source_count};
}

bool sl_list_key_make(const struct sl_value_id *id, size_t first, struct sl_list_key *k) {
    const struct numbers numbers = numbers_of(id, first);
    k->len = 0;
    add_text(k, id->host);
    add_text(k, id->plugin);
    add_text(k, id->plugin_instance);
    add_text(k, id->type);
    add_text(k, id->type_instance);
    k->identity_len = k->len;
    if (k->len + sizeof(numbers) < sizeof(k->bytes))
        memcpy(k->bytes + k->len, &numbers, sizeof(numbers));
    k->len += sizeof(numbers);
    for (size_t i = 0; i < id->meta_count && k->len < sizeof(k->bytes); i++) {
        add_text(k, id->meta[i].key);
        if (k->len < sizeof(k->bytes))
            add_text(k, id->meta[i].value);
    }
    if (k->len >= sizeof(k->bytes))
        return false;
    return true;
}

static uint64_t hash_of(const struct sl_list_key *k) {
    return sl_hash(k->bytes, k->identity_len);
}

static bool is_key_of(const struct sl_list *list, const struct sl_list_key *k) {
    return list->key_len == k->len && memcmp(list->key, k->bytes, k->len) == 0;
}

/* ---- lists ---- */

static struct sl_list *new_list(size_t series_max, size_t key_len) {
    size_t head = sizeof(struct sl_list) + series_max * sizeof(struct sl_series *);
    struct sl_list *list = calloc(1, head + series_max + key_len);
    if (list == NULL)
        return NULL;
    list->sources = (uint8_t *)list + head;
    list->key = (char *)list + head + series_max;
    list->key_len = (uint32_t)key_len;
    list->last_ms = INT64_MIN;
    return list;
}

/* Two lists with one series keep its time together from now on. */
static void share(struct sl_list *list, struct sl_series *series) {
    struct sl_list *owner = series->owner;
    if (owner != NULL && owner != list) {
        owner->is_shared = true;
        if (owner->last_ms > series->last_ms)
            series->last_ms = owner->last_ms;
    }
    if (owner == NULL)
        series->owner = list;
    list->is_shared = list->is_shared || series->users > 1;
}

static void release_list(struct sl_roster *r, struct sl_list *list) {
    for (size_t i = 0; i < list->kept; i++) {
        struct sl_series *series = list->series[i];
        if (series->owner == list) {
            series->owner = NULL;
            series->last_ms = list->last_ms > series->last_ms ? list->last_ms : series->last_ms;
        }
        sl_series_drop(r->set, series);
    }
    free(list);
}

void sl_roster_release(struct sl_roster *r, struct sl_list *list) {
    if (list != NULL)
        release_list(r, list);
}

/* False: out of memory. */
static bool add_source(struct sl_roster *r, const struct sl_value_id *id, size_t source,
                       struct sl_list *list) {
    struct sl_packed packed;
    sl_buffer_reset(&r->packed);
    enum sl_series_fate fate = sl_series_pack(id, source, &r->rules, &r->packed);
    if (fate == SL_SERIES_KEPT && r->packed.failed == SL_OK &&
        sl_packed_read(r->packed.data, r->packed.len, &packed, NULL) == SL_OK) {
        struct sl_series *series = sl_series_take(r->set, &packed);
        if (series == NULL)
            return false;
        share(list, series);
        list->omits_nan = list->omits_nan || sl_series_omits_nan(id, source);
        list->sources[list->kept] = (uint8_t)source;
        list->series[list->kept++] = series;
    } else if (fate != SL_SERIES_DROPPED) {
        list->invalid++;
    }
    return true;
}

static struct sl_list *make_list(struct sl_roster *r, const struct sl_value_id *id,
                                 const struct sl_list_key *key) {
    struct sl_list *list = new_list(id->source_count, key->len);
    if (list == NULL)
        return NULL;
    memcpy(list->key, key->bytes, key->len);
    for (size_t i = 1; i < SL_LIST_TEXTS; i++)
        list->texts[i] =
            (uint16_t)(list->texts[i - 1] + strlen(list->key + list->texts[i - 1]) + 1);
    list->identity_len = (uint32_t)key->identity_len;
    list->hash = hash_of(key);
    list->source_count = (uint8_t)id->source_count;
    list->start_ms = sl_series_start_ms(id);
    for (size_t i = 0; i < id->source_count; i++) {
        if (!add_source(r, id, i, list)) {
            release_list(r, list);
            return NULL;
        }
    }
    return list;
}

static struct sl_list **bucket_of(const struct sl_roster *r, uint64_t hash) {
    return &r->buckets[hash & (r->bucket_count - 1)];
}

/* Without memory it only gets slower. */
static void grow(struct sl_roster *r) {
    size_t count = r->bucket_count * 2;
    struct sl_list **buckets;
    if (r->count < r->bucket_count || (buckets = calloc(count, sizeof(*buckets))) == NULL)
        return;
    for (size_t i = 0; i < r->bucket_count; i++) {
        for (struct sl_list *list = r->buckets[i], *next; list != NULL; list = next) {
            next = list->next;
            list->next = buckets[list->hash & (count - 1)];
            buckets[list->hash & (count - 1)] = list;
        }
    }
    free(r->buckets);
    r->buckets = buckets;
    r->bucket_count = count;
}

static struct sl_list *search(struct sl_roster *r, const struct sl_value_id *id,
                              const struct sl_list_key *key) {
    uint64_t hash = hash_of(key);
    struct sl_list *list = *bucket_of(r, hash);
    for (; list != NULL; list = list->next)
        if (list->hash == hash && is_key_of(list, key))
            return list;
    if (r->count >= SL_LIMIT_SERIES || (list = make_list(r, id, key)) == NULL)
        return NULL;
    grow(r);
    list->next = *bucket_of(r, hash);
    *bucket_of(r, hash) = list;
    r->count++;
    return list;
}

/* What followed the last time is fetched into the cache while the caller is still busy with this
 * one. */
static void note(struct sl_roster *r, struct sl_list *list) {
    r->last = list;
    if (list == NULL)
        return;
    list->is_used = true;
    if (list->follower_age == r->age && list->follower != NULL) {
        __builtin_prefetch(list->follower);
        __builtin_prefetch((const char *)list->follower + 64);
        __builtin_prefetch((const char *)list->follower + 128);
    }
}

struct sl_list *sl_roster_follow(struct sl_roster *r, const struct sl_value_id *id, size_t first) {
    const char *const texts[SL_LIST_TEXTS] = {id->host, id->plugin, id->plugin_instance, id->type,
                                              id->type_instance};
    const struct numbers numbers = numbers_of(id, first);
    struct sl_list *last = r->last;
    struct sl_list *list = last != NULL && last->follower_age == r->age ? last->follower : NULL;
    if (list == NULL || id->meta_count > 0 ||
        list->key_len != list->identity_len + sizeof(numbers) ||
        memcmp(list->key + list->identity_len, &numbers, sizeof(numbers)) != 0)
        return NULL;
    for (size_t i = SL_LIST_TEXTS; i-- > 0;)
        if (strcmp(list->key + list->texts[i], texts[i]) != 0)
            return NULL;
    note(r, list);
    return list;
}

struct sl_list *sl_roster_find(struct sl_roster *r, const struct sl_value_id *id,
                               const struct sl_list_key *key) {
    struct sl_list *list = search(r, id, key);
    if (r->last != NULL) {
        r->last->follower = list;
        r->last->follower_age = r->age;
    }
    note(r, list);
    return list;
}

struct sl_list *sl_roster_next_of(struct sl_roster *r, const struct sl_list_key *key,
                                  const struct sl_list *after) {
    uint64_t hash = hash_of(key);
    struct sl_list *list = after == NULL ? *bucket_of(r, hash) : after->next;
    for (; list != NULL; list = list->next)
        if (list->hash == hash && list->identity_len == key->identity_len &&
            memcmp(list->key, key->bytes, key->identity_len) == 0)
            return list;
    return NULL;
}

/* What a sweep finds unused for an hour is forgotten. */
void sl_roster_sweep(struct sl_roster *r, uint64_t oldest_segment, int64_t now_ms) {
    for (size_t n = 0; n < SWEPT_AT_ONCE; n++) {
        struct sl_list **at = &r->buckets[r->swept++ & (r->bucket_count - 1)];
        while (*at != NULL) {
            struct sl_list *list = *at;
            if (list->is_used) {
                list->is_used = false;
                list->swept_ms = now_ms;
            } else if (now_ms - list->swept_ms >= FORGET_AFTER_MS &&
                       list->segment < oldest_segment) {
                *at = list->next;
                release_list(r, list);
                r->count--;
                r->age++;
                r->last = NULL;
                continue;
            }
            at = &list->next;
        }
    }
}

/* ---- as a segment keeps them ---- */

int sl_list_pack(const struct sl_list *list, struct sl_buffer *out, struct sl_error *err) {
    size_t len = sizeof(list->start_ms);
    for (size_t i = 0; i < list->kept; i++)
        len += sizeof(uint32_t) + sl_series_packed_length(list->series[i]);
    sl_buffer_reset(out);
    sl_buffer_reserve(out, len);
    int code = sl_buffer_check(out, "what a value list is", err);
    if (code != SL_OK)
        return code;
    char *to = out->data;
    for (size_t i = 0; i < list->kept; i++) {
        uint32_t size = (uint32_t)sl_series_packed_length(list->series[i]);
        memcpy(to, &size, sizeof(size));
        to = sl_series_put_packed(list->series[i], to + sizeof(size));
    }
    memcpy(to, &list->start_ms, sizeof(list->start_ms));
    out->len = len;
    return SL_OK;
}

int sl_roster_read(struct sl_roster *r, const struct sl_record *define, struct sl_list **ret,
                   struct sl_error *err) {
    struct sl_list *list = new_list(define->count, 0);
    if (list == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a value list");
    const char *at = define->packed, *end = at + define->packed_len;
    int code = SL_OK;
    for (uint32_t i = 0; i < define->count && code == SL_OK; i++) {
        struct sl_packed packed;
        uint32_t size = 0;
        if ((size_t)(end - at) >= sizeof(size))
            memcpy(&size, at, sizeof(size));
        if (size == 0 || size > (size_t)(end - at) - sizeof(size)) {
            code = sl_fail(err, SL_PARSE, "a value list that does not fit its record");
            break;
        }
        code = sl_packed_read(at + sizeof(size), size, &packed, err);
        at += sizeof(size) + size;
        if (code == SL_OK && (list->series[i] = sl_series_take(r->set, &packed)) == NULL)
            code = sl_fail(err, SL_NOMEM, "out of memory for a series");
        if (code == SL_OK)
            list->kept++;
    }
    if (code == SL_OK && (size_t)(end - at) >= sizeof(list->start_ms))
        memcpy(&list->start_ms, at, sizeof(list->start_ms));
    if (code == SL_OK)
        *ret = list;
    else
        release_list(r, list);
    return code;
}
