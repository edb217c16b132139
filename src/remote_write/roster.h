/* The value lists that the host has written, each with the series that its data sources are: names
 * are made once, when a list is first seen.
 *
 * Pure. One thread at a time. */
#ifndef SL_REMOTE_WRITE_ROSTER_H
#define SL_REMOTE_WRITE_ROSTER_H

#include "remote_write/segment.h"
#include "remote_write/series.h"
#include "remote_write/series_set.h"

/* Value lists with more data sources are put in slices of this many. */
enum { SL_LIST_SOURCES_MAX = SL_SEGMENT_VALUES_MAX, SL_LIST_TEXTS = 5 };

struct sl_list {
    struct sl_list *next;     /* in its bucket */
    struct sl_list *follower; /* what was written after it the last time: a guess for the next */
    uint64_t follower_age;    /* the guess is good while nothing has been forgotten since */
    uint64_t hash;
    uint64_t segment; /* where it was last defined, and as what */
    uint32_t place;
    uint8_t source_count; /* of the value list */
    uint8_t kept;         /* of them are series */
    uint8_t invalid;      /* of them cannot be */
    bool is_shared;       /* a series of it belongs to another list as well */
    bool has_ended;       /* its stale markers are on their way */
    bool is_used;         /* since the last sweep */
    bool omits_nan;       /* NaN in it is no value (series.h) */
    int64_t last_ms;      /* time of its newest values */
    int64_t swept_ms;     /* when a sweep last found it used */
    int64_t start_ms;     /* since when it counts, as its writer says; 0: it does not */
    uint32_t key_len;
    uint32_t identity_len; /* the key's first part: host to type instance */
    char *key;
    uint16_t texts[SL_LIST_TEXTS]; /* where in the key each begins, host to type instance */
    uint8_t *sources;              /* kept times: which data source */
    struct sl_series *series[];    /* kept times */
};

/* A list's identity, ready for the search. */
enum { SL_LIST_KEY_BYTES = 32 * 1024 };

struct sl_list_key {
    char bytes[SL_LIST_KEY_BYTES];
    size_t len;
    size_t identity_len;
};

struct sl_roster;

/* rules are kept as they are; what they point to must live as long. */
int sl_roster_new(const struct sl_series_rules *rules, struct sl_roster **ret,
                  struct sl_error *err) SL_CHECKED;
void sl_roster_free(struct sl_roster *r);

/* first: the number of id's first data source within its value list. False: the names are longer
 * than any host's. Any thread. */
bool sl_list_key_make(const struct sl_value_id *id, size_t first, struct sl_list_key *ret);

/* The list that came after the last one the last time, if it is this one; first is as above. It
 * takes a look at each text, no more: hosts write the same lists in the same order, interval after
 * interval. NULL: it is to be found. */
struct sl_list *sl_roster_follow(struct sl_roster *r, const struct sl_value_id *id, size_t first);

/* NULL: there are too many, or no memory. */
struct sl_list *sl_roster_find(struct sl_roster *r, const struct sl_value_id *id,
                               const struct sl_list_key *key);

/* The lists of one identity, whatever meta data they came with: the one after `after`, NULL for the
 * first. */
struct sl_list *sl_roster_next_of(struct sl_roster *r, const struct sl_list_key *key,
                                  const struct sl_list *after);

/* Goes on through the roster and forgets lists that have not been written for an hour, unless a
 * segment from oldest_segment on knows them. Call it now and then. */
void sl_roster_sweep(struct sl_roster *r, uint64_t oldest_segment, int64_t now_ms);

size_t sl_roster_count(const struct sl_roster *r);

/* The packed forms as a segment wants them, and back: SL_PARSE for what is none. A list that was
 * read back belongs to the caller, who gives it to sl_roster_release(). */
int sl_list_pack(const struct sl_list *list, struct sl_buffer *out,
                 struct sl_error *err) SL_CHECKED;
int sl_roster_read(struct sl_roster *r, const struct sl_record *define, struct sl_list **ret,
                   struct sl_error *err) SL_CHECKED;
void sl_roster_release(struct sl_roster *r, struct sl_list *list);

#endif
