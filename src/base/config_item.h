/* A configuration as a tree, and the way from the tree to a struct by an option table.
 *
 * The tree is what collectd's own parser makes (its oconfig): the plugins turn oconfig into it, the
 * program parses the same syntax itself (base/config_file.h). From here on both are one. No I/O;
 * one thread at a time. */
#ifndef SL_BASE_CONFIG_ITEM_H
#define SL_BASE_CONFIG_ITEM_H

#include <stddef.h>

#include "base/option.h"

enum sl_config_type { SL_CONFIG_STRING, SL_CONFIG_NUMBER, SL_CONFIG_BOOLEAN };

struct sl_config_value {
    enum sl_config_type type;
    char *text;    /* of a string */
    double number; /* of a number */
    bool boolean;
};

/* `Key value value`, or `<Key value> children </Key>`. All zero is an empty root. */
struct sl_config_item {
    char *key; /* NULL: the root */
    struct sl_config_value *values;
    size_t value_count;
    struct sl_config_item *children;
    size_t child_count;
};

/* All copy what they are given. *ret is valid until the next child of the same parent. SL_NOMEM. */
int sl_config_add_child(struct sl_config_item *parent, const char *key, struct sl_config_item **ret,
                        struct sl_error *err) SL_CHECKED;
int sl_config_add_string(struct sl_config_item *item, const char *text,
                         struct sl_error *err) SL_CHECKED;
int sl_config_add_number(struct sl_config_item *item, double number,
                         struct sl_error *err) SL_CHECKED;
int sl_config_add_boolean(struct sl_config_item *item, bool value, struct sl_error *err) SL_CHECKED;

/* Moves child, which is not the root's own, to the end of root's children; child is empty after it.
 */
int sl_config_take(struct sl_config_item *root, struct sl_config_item *child,
                   struct sl_error *err) SL_CHECKED;

/* Frees everything below item; item is an empty root after it. */
void sl_config_release(struct sl_config_item *item);

/* Called for each inner block, with its row ("Account"), its label ("acme", never NULL: "" where it
 * has none) and its tree. What it returns other than SL_OK ends the reading. */
typedef int sl_config_inner_fn(void *context, const struct sl_option_block *block,
                               const char *label, const struct sl_config_item *item,
                               struct sl_error *err);

/* Reads item by block's table into the zeroed target: defaults, then each option, inner blocks to
 * inner (may be NULL if the table has none), then the check for required options. where is for
 * messages. SL_CONFIG names block, option and what is wrong. */
int sl_config_read_block(const struct sl_option_block *block, const char *where,
                         const struct sl_config_item *item, void *target, sl_config_inner_fn *inner,
                         void *context, struct sl_error *err) SL_CHECKED;

/* `Account "acme"`: a block as messages name it. */
enum { SL_CONFIG_WHERE_BYTES = 160 };
void sl_config_where(const struct sl_option_block *block, const char *label, char *out,
                     size_t size);

#endif
