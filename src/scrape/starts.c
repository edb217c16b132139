/* Since when counters, histograms and summaries of one scrape count. */
#include "scrape/starts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In seconds; a number outside is something else that is called NAME_created. */
#define EARLIEST 1.0
#define LATEST   1e11

static const char created[] = "_created";

/* The suffixes of a family's samples, by its type. */
static const struct {
    const char *type;
    const char *suffixes[3];
} families[] = {
    {"counter", {"_total", NULL, NULL}},
    {"histogram", {"_bucket", "_sum", "_count"}},
    {"summary", {"_sum", "_count", NULL}},
};

void sl_scrape_starts_release(struct sl_scrape_starts *s) {
    free(s->items);
    *s = (struct sl_scrape_starts){.items = NULL};
}

static bool ends_with(const char *name, size_t len, const char *suffix) {
    size_t suffix_len = strlen(suffix);
    return len > suffix_len && memcmp(name + len - suffix_len, suffix, suffix_len) == 0;
}

/* Length of the name without its suffix; 0: no sample of such a family. */
static size_t family_length(const struct sl_exposition_sample *sample, bool *ret_is_created) {
    size_t len = strlen(sample->name);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (strcmp(sample->type, families[i].type) != 0)
            continue;
        *ret_is_created = ends_with(sample->name, len, created);
        if (*ret_is_created)
            return len - strlen(created);
        for (size_t n = 0; n < 3 && families[i].suffixes[n] != NULL; n++)
            if (ends_with(sample->name, len, families[i].suffixes[n]))
                return len - strlen(families[i].suffixes[n]);
        return len;
    }
    return 0;
}

/* FNV-1a with an end mark, so that "ab","c" is not "a","bc". */
static uint64_t hash_text(uint64_t hash, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Labels in any order; le and quantile tell samples of one family apart. */
static uint64_t key_of(const struct sl_exposition_sample *sample, size_t family_len) {
    uint64_t start = UINT64_C(0xcbf29ce484222325);
    uint64_t sum = hash_text(start, sample->name, family_len);
    for (size_t i = 0; i < sample->label_count; i++) {
        const struct sl_exposition_label *label = &sample->labels[i];
        if (strcmp(label->name, "le") == 0 || strcmp(label->name, "quantile") == 0)
            continue;
        uint64_t hash = hash_text(start, label->name, strlen(label->name));
        hash = hash_text(hash, label->value, strlen(label->value));
        sum += (hash ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return sum;
}

void sl_scrape_starts_note(struct sl_scrape_starts *s, const struct sl_exposition_sample *sample) {
    bool is_created = false;
    size_t len = family_length(sample, &is_created);
    if (len == 0 || !is_created || !(sample->value >= EARLIEST && sample->value <= LATEST))
        return;
    if (s->count == s->room) {
        size_t room = s->room > 0 ? 2 * s->room : 16;
        struct sl_scrape_start *items = realloc(s->items, room * sizeof(*items));
        if (items == NULL)
            return;
        s->items = items;
        s->room = room;
    }
    s->items[s->count++] =
        (struct sl_scrape_start){key_of(sample, len), (int64_t)round(sample->value * 1000)};
}

static int compare(const void *a, const void *b) {
    uint64_t x = ((const struct sl_scrape_start *)a)->key;
    uint64_t y = ((const struct sl_scrape_start *)b)->key;
    return (x > y) - (x < y);
}

void sl_scrape_starts_sort(struct sl_scrape_starts *s) {
    if (s->count > 1)
        qsort(s->items, s->count, sizeof(*s->items), compare);
}

int64_t sl_scrape_starts_of(const struct sl_scrape_starts *s,
                            const struct sl_exposition_sample *sample) {
    bool is_created = false;
    size_t len = s->count > 0 ? family_length(sample, &is_created) : 0;
    if (len == 0 || is_created)
        return 0;
    struct sl_scrape_start wanted = {.key = key_of(sample, len)};
    const struct sl_scrape_start *found =
        bsearch(&wanted, s->items, s->count, sizeof(*s->items), compare);
    return found != NULL ? found->time_ms : 0;
}
