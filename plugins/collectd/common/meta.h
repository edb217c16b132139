/* What the remote writer reads of a value list's meta data (src/remote_write/series.h). Any thread.
 */
#ifndef SL_PLUGINS_COLLECTD_META_H
#define SL_PLUGINS_COLLECTD_META_H

#include "collectd.h"
#include "plugin.h"

#include "remote_write/series.h"

enum { SL_META_MAX = SL_LABELS_MAX + 8 };

/* Texts are copies. */
struct sl_meta {
    struct sl_value_meta entries[SL_META_MAX];
    size_t count;
    char **keys; /* of all meta data of the value list */
    int key_count;
};

/* Only the keys that mean something, as text and sorted. meta may be NULL. Entries beyond
 * SL_META_MAX are left out. */
void sl_meta_read(meta_data_t *meta, struct sl_meta *ret);
void sl_meta_release(struct sl_meta *m);

#endif
