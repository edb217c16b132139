/* How near two names are. */
#include "base/nearest.h"

#include <stddef.h>
#include <string.h>

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

unsigned sl_edit_distance(const char *a, const char *b) {
    unsigned row[SL_NEAR_LONGEST + 1];
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > SL_NEAR_LONGEST || b_len > SL_NEAR_LONGEST)
        return SL_NEAR_LONGEST;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            diagonal = row[j];
            unsigned insert = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < insert ? change : insert;
        }
    }
    return row[b_len];
}

void sl_nearest_offer(struct sl_nearest *n, const char *candidate) {
    unsigned distance = sl_edit_distance(candidate, n->wanted);
    if (distance > SL_NEAR_ENOUGH || (n->best != NULL && distance >= n->distance))
        return;
    n->best = candidate;
    n->distance = distance;
}
