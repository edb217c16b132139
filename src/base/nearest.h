/* "did you mean ...?" Pure; any thread. */
#ifndef SL_BASE_NEAREST_H
#define SL_BASE_NEAREST_H

enum {
    SL_NEAR_LONGEST = 64, /* names are compared up to this length */
    SL_NEAR_ENOUGH = 3,   /* a name that far away is worth suggesting */
};

/* Levenshtein's distance without regard to case; SL_NEAR_LONGEST for names that are too long. */
unsigned sl_edit_distance(const char *a, const char *b);

/* The nearest of many, if any is near enough. Begin with {.wanted = ...}; best is NULL until one
 * was offered. Candidates must outlive it. */
struct sl_nearest {
    const char *wanted;
    const char *best;
    unsigned distance;
};
void sl_nearest_offer(struct sl_nearest *n, const char *candidate);

#endif
