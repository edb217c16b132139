/* "did you mean ...?" Pure; any thread. */
#ifndef SL_BASE_NEAREST_H
#define SL_BASE_NEAREST_H

enum {
    SL_NEAR_LONGEST = 64, /* names are compared up to this length */
    SL_NEAR_ENOUGH = 3,   /* a name that far away is worth suggesting */
};

/* Levenshtein's distance without regard to case; SL_NEAR_LONGEST for names that are too long. */
unsigned sl_edit_distance(const char *a, const char *b);

#endif
