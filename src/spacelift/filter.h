/* Which worker pools an account's owner wants to see. Pure; any thread. */
#ifndef SL_SPACELIFT_FILTER_H
#define SL_SPACELIFT_FILTER_H

#include "base/option.h"

/* Shell globs (fnmatch(3): * ? [...] and backslash), case sensitive. */
struct sl_pool_patterns {
    struct sl_option_list names;
    struct sl_option_list ids;
    struct sl_option_list labels;
    struct sl_option_list spaces;
};

/* A pool is in if it matches at least one pattern of each kind that include has any of, and none
 * of exclude. */
struct sl_pool_filter {
    struct sl_pool_patterns include;
    struct sl_pool_patterns exclude;
};

/* What a pool is filtered by. */
struct sl_pool_facts {
    const char *name;
    const char *id;
    const char *space; /* NULL: not known, matches nothing */
    char *const *labels;
    size_t label_count;
};

bool sl_pool_filter_matches(const struct sl_pool_filter *filter, const struct sl_pool_facts *pool);

/* Whether labels and space must be asked for. */
bool sl_pool_filter_needs_labels(const struct sl_pool_filter *filter);

#endif
