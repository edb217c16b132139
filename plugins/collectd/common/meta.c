/* What the remote writer reads of a value list's meta data. */
#include "common/meta.h"

#include <stdlib.h>
#include <string.h>

/* Sorted, so that the order in which somebody sets the keys makes no other series. */
static void insert(struct sl_meta *m, const char *key, char *value) {
    size_t at = m->count++;
    for (; at > 0 && strcmp(m->entries[at - 1].key, key) > 0; at--)
        m->entries[at] = m->entries[at - 1];
    m->entries[at] = (struct sl_value_meta){key, value};
}

void sl_meta_read(meta_data_t *meta, struct sl_meta *ret) {
    ret->count = 0;
    ret->keys = NULL;
    ret->key_count = meta != NULL ? meta_data_toc(meta, &ret->keys) : 0;
    for (int i = 0; i < ret->key_count && ret->count < SL_META_MAX; i++) {
        char *value = NULL;
        if (sl_series_wants_meta(ret->keys[i]) &&
            meta_data_as_string(meta, ret->keys[i], &value) == 0 && value != NULL)
            insert(ret, ret->keys[i], value);
    }
}

void sl_meta_release(struct sl_meta *m) {
    for (size_t i = 0; i < m->count; i++)
        free((void *)(uintptr_t)m->entries[i].value);
    for (int i = 0; i < m->key_count; i++)
        free(m->keys[i]);
    free(m->keys);
}
