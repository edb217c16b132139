/* Strings that stand once in memory. */
#include "remote_write/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "remote_write/hash.h"

enum { BUCKETS_AT_START = 256 };

struct sl_symbols {
    struct sl_symbol **buckets; /* a power of two of them */
    size_t bucket_count;
    size_t count;
};

int sl_symbols_new(struct sl_symbols **ret, struct sl_error *err) {
    struct sl_symbols *all = calloc(1, sizeof(*all));
    if (all != NULL) {
        all->bucket_count = BUCKETS_AT_START;
        all->buckets = calloc(BUCKETS_AT_START, sizeof(*all->buckets));
    }
    if (all == NULL || all->buckets == NULL) {
        free(all);
        return sl_fail(err, SL_NOMEM, "out of memory for a table of symbols");
    }
    *ret = all;
    return SL_OK;
}

void sl_symbols_free(struct sl_symbols *all) {
    if (all == NULL)
        return;
    for (size_t i = 0; i < all->bucket_count; i++) {
        for (struct sl_symbol *s = all->buckets[i], *next; s != NULL; s = next) {
            next = s->next;
            free(s);
        }
    }
    free(all->buckets);
    free(all);
}

static struct sl_symbol **bucket_of(const struct sl_symbols *all, uint32_t hash) {
    return &all->buckets[hash & (all->bucket_count - 1)];
}

/* Without memory it only gets slower. */
static void grow(struct sl_symbols *all) {
    struct sl_symbols wider = {.bucket_count = all->bucket_count * 2, .count = all->count};
    wider.buckets = calloc(wider.bucket_count, sizeof(*wider.buckets));
    if (wider.buckets == NULL)
        return;
    for (size_t i = 0; i < all->bucket_count; i++) {
        for (struct sl_symbol *s = all->buckets[i], *next; s != NULL; s = next) {
            next = s->next;
            s->next = *bucket_of(&wider, s->hash);
            *bucket_of(&wider, s->hash) = s;
        }
    }
    free(all->buckets);
    *all = wider;
}

struct sl_symbol *sl_symbols_take(struct sl_symbols *all, const char *bytes, size_t len) {
    uint32_t hash = (uint32_t)sl_hash(bytes, len);
    for (struct sl_symbol *s = *bucket_of(all, hash); s != NULL; s = s->next) {
        if (s->hash == hash && s->len == len && memcmp(s->bytes, bytes, len) == 0) {
            s->users++;
            return s;
        }
    }
    struct sl_symbol *s = malloc(sizeof(*s) + len);
    if (s == NULL)
        return NULL;
    *s = (struct sl_symbol){.users = 1, .hash = hash, .len = (uint32_t)len};
    if (len > 0)
        memcpy(s->bytes, bytes, len);
    if (all->count++ >= all->bucket_count)
        grow(all);
    s->next = *bucket_of(all, hash);
    *bucket_of(all, hash) = s;
    return s;
}

void sl_symbols_drop(struct sl_symbols *all, struct sl_symbol *symbol) {
    if (symbol == NULL || --symbol->users > 0)
        return;
    struct sl_symbol **at = bucket_of(all, symbol->hash);
    while (*at != symbol)
        at = &(*at)->next;
    *at = symbol->next;
    all->count--;
    free(symbol);
}
