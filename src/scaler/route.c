/* Names as collectd spells them, sorted, because a write callback that compares with every pool
 * would grow with the account. */
#include "scaler/route.h"

#include <stdlib.h>
#include <string.h>

/* DATA_MAX_NAME_LEN of collectd, with the NUL. */
enum { IDENTIFIER_BYTES = 128 };

struct sl_route {
    char key[IDENTIFIER_BYTES];
    size_t index;
    const struct sl_pool_options *pool;
};

/* As plugins/collectd/spacelift.c and collectd's escape_slashes() (src/utils/common/common.c) make
 * an identifier: cut between UTF-8 characters, without control characters, a leading slash gone,
 * the others '_', a lone one "root". Does not change a name that has been through it. */
static void make_key(const char *name, char *key) {
    size_t len = strnlen(name, IDENTIFIER_BYTES - 1);

    while (name[len] != '\0' && len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80) {
        len--;
    }
    if (len == 1 && name[0] == '/') {
        name = "root";
        len = strlen(name);
    } else if (name[0] == '/') {
        name++;
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];

        key[i] = c == '/' || c < 0x20 || c == 0x7f ? '_' : name[i];
    }
    key[len] = '\0';
}

static int compare_routes(const void *a, const void *b) {
    const struct sl_route *left = a;
    const struct sl_route *right = b;

    return strcmp(left->key, right->key);
}

int sl_route_new(const struct sl_scaler_config *config, struct sl_route **ret,
                 struct sl_error *err) {
    struct sl_route *routes = calloc(config->pool_count, sizeof *routes);

    if (routes == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory for %zu pools", config->pool_count);
    }
    for (size_t i = 0; i < config->pool_count; i++) {
        routes[i].pool = config->pools[i];
        routes[i].index = i;
        make_key(config->pools[i]->name, routes[i].key);
    }
    qsort(routes, config->pool_count, sizeof *routes, compare_routes);
    *ret = routes;
    return SL_OK;
}

static bool is_about(const struct sl_pool_options *pool, const struct sl_pool_values *values) {
    if (values->true_name != NULL && strcmp(values->true_name, pool->name) != 0) {
        return false;
    }
    return pool->worker_pool_id == NULL ||
           strncmp(pool->worker_pool_id, values->id, IDENTIFIER_BYTES - 1) == 0;
}

size_t sl_route_find(const struct sl_route *routes, size_t count,
                     const struct sl_pool_values *values) {
    struct sl_route wanted = {.index = 0};
    size_t low = 0;
    size_t high = count;

    make_key(values->true_name != NULL ? values->true_name : values->name, wanted.key);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_routes(&routes[middle], &wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < count && compare_routes(&routes[low], &wanted) == 0; low++) {
        if (is_about(routes[low].pool, values)) {
            return routes[low].index;
        }
    }
    return count;
}
