/* The order of samples within a message: what is alike stands together. Value lists that differ in
 * nothing but their host have the same references and, often, values of the same size, and the
 * sources of one list have their time and nearly all labels in common, so that the compression
 * finds more: up to a tenth of the bytes of 200 hosts. Within lists that are alike, and for every
 * series, the order is that of arrival. The same batch has the same order in every
 * process.
 *
 * Pure; the sender's thread. */
#ifndef SL_REMOTE_WRITE_BATCH_ORDER_H
#define SL_REMOTE_WRITE_BATCH_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys hold the order in their upper half and a running number in the lower. */
static inline uint64_t sl_order_key(uint32_t order, uint32_t number) {
    return (uint64_t)order << 32 | number;
}

/* Sorts by the order, stable; keys and scratch have room for count. */
void sl_order_sort(uint64_t *keys, uint64_t *scratch, size_t count);

#endif
