/* Strings that stand once in memory, however many series use them: a label's name or value, a help
 * text, a unit. A request's symbol table (remote write 2.0) is made by stamping the symbols that it
 * uses, so no string is hashed or compared after its series has been made.
 *
 * Pure. One thread at a time, but for the stamp of the batch, which is the sender's own. */
#ifndef SL_REMOTE_WRITE_SYMBOLS_H
#define SL_REMOTE_WRITE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sl_symbol {
    struct sl_symbol *next; /* in its bucket */
    uint64_t batch;         /* the last batch that used it, and its number there */
    uint32_t number;
    uint32_t users;
    uint32_t hash;
    uint32_t len;
    char bytes[];
};

struct sl_symbols;

int sl_symbols_new(struct sl_symbols **ret, struct sl_error *err) SL_CHECKED;
void sl_symbols_free(struct sl_symbols *all);

/* The one symbol of these bytes, which has a user more; NULL: out of memory. */
struct sl_symbol *sl_symbols_take(struct sl_symbols *all, const char *bytes, size_t len);

/* One user less; the last one frees it. NULL is allowed. */
void sl_symbols_drop(struct sl_symbols *all, struct sl_symbol *symbol);

#endif
