/* A short list of names under a lock of its own. */
#include "scaler/neighbours.h"

#include <stdio.h>
#include <string.h>

int sl_neighbours_init(struct sl_neighbours *n, struct sl_error *err) {
    memset(n, 0, sizeof *n);
    if (pthread_mutex_init(&n->lock, NULL) != 0) {
        return sl_fail(err, SL_NOMEM, "cannot make a lock");
    }
    return SL_OK;
}

void sl_neighbours_release(struct sl_neighbours *n) {
    (void)pthread_mutex_destroy(&n->lock);
}

void sl_neighbours_add(struct sl_neighbours *n, const char *name) {
    size_t i = 0;

    (void)pthread_mutex_lock(&n->lock);
    while (i < n->count && strncmp(n->names[i], name, SL_NEIGHBOUR_BYTES - 1) != 0) {
        i++;
    }
    if (i == SL_NEIGHBOURS) {
        n->has_more = true;
    } else if (i == n->count) {
        (void)snprintf(n->names[i], SL_NEIGHBOUR_BYTES, "%s", name);
        n->count++;
    }
    (void)pthread_mutex_unlock(&n->lock);
}

bool sl_neighbours_list(struct sl_neighbours *n, char *out, size_t size) {
    size_t len = 0;
    size_t count = 0;

    out[0] = '\0';
    (void)pthread_mutex_lock(&n->lock);
    count = n->count;
    for (size_t i = 0; i < count && len < size; i++) {
        int added = snprintf(out + len, size - len, "%s\"%s\"", i > 0 ? ", " : "", n->names[i]);

        len += added > 0 ? (size_t)added : 0;
    }
    if (n->has_more && len < size) {
        (void)snprintf(out + len, size - len, " and others");
    }
    (void)pthread_mutex_unlock(&n->lock);
    return count > 0;
}
