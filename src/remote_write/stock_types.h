/* What the best known types of collectd's types.db mean, for the receiver's metadata. A data set
 * says counter or gauge, but neither unit nor purpose. Constant data; any thread. */
#ifndef SL_REMOTE_WRITE_STOCK_TYPES_H
#define SL_REMOTE_WRITE_STOCK_TYPES_H

struct sl_stock_type {
    const char *type;
    const char *unit; /* base unit as Prometheus names it; "" where it has none */
    const char *help;
};

/* NULL: not in the table. */
const struct sl_stock_type *sl_stock_type_find(const char *type);

#endif
