/* Which worker pools an account's owner wants to see. */
#include "spacelift/filter.h"

#include <fnmatch.h>

static bool matches(const struct sl_option_list *patterns, const char *text) {
    for (size_t i = 0; text != NULL && i < patterns->count; i++)
        if (fnmatch(patterns->items[i], text, 0) == 0)
            return true;
    return false;
}

static bool matches_label(const struct sl_option_list *patterns, const struct sl_pool_facts *pool) {
    for (size_t i = 0; i < pool->label_count; i++)
        if (matches(patterns, pool->labels[i]))
            return true;
    return false;
}

bool sl_pool_filter_matches(const struct sl_pool_filter *filter, const struct sl_pool_facts *pool) {
    const struct sl_pool_patterns *in = &filter->include;
    const struct sl_pool_patterns *out = &filter->exclude;
    return (in->names.count == 0 || matches(&in->names, pool->name)) &&
           (in->ids.count == 0 || matches(&in->ids, pool->id)) &&
           (in->labels.count == 0 || matches_label(&in->labels, pool)) &&
           (in->spaces.count == 0 || matches(&in->spaces, pool->space)) &&
           !matches(&out->names, pool->name) && !matches(&out->ids, pool->id) &&
           !matches_label(&out->labels, pool) && !matches(&out->spaces, pool->space);
}

bool sl_pool_filter_needs_labels(const struct sl_pool_filter *filter) {
    return filter->include.labels.count + filter->include.spaces.count +
               filter->exclude.labels.count + filter->exclude.spaces.count >
           0;
}
