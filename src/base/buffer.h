/* A growing byte buffer with a hard maximum and a sticky error.
 *
 * Append as often as you like; the first failure (out of memory, over the maximum) sticks and
 * later appends do nothing. Ask once, at the end, with sl_buffer_check(). The bytes are always
 * followed by a NUL that is not counted, so .data can be read as a string where the content has
 * no NUL of its own. One thread at a time. */
#ifndef SL_BASE_BUFFER_H
#define SL_BASE_BUFFER_H

#include <stddef.h>

#include "base/error.h"

struct sl_buffer {
    char *data; /* never NULL: "" while empty */
    size_t len;
    size_t cap;
    size_t max;
    enum sl_code failed; /* SL_OK, SL_NOMEM or SL_TOOBIG */
};

/* Allocates nothing. max_bytes is the most the content may ever be. */
void sl_buffer_init(struct sl_buffer *b, size_t max_bytes);

/* Frees the content; b is as after sl_buffer_init() with the same maximum. */
void sl_buffer_release(struct sl_buffer *b);

/* The same for content that is secret: wiped, all of its capacity, before it is freed. A buffer
 * for secrets should be sized once by sl_buffer_reserve(): growing leaves copies behind. */
void sl_buffer_wipe(struct sl_buffer *b);

/* Empties b and clears its error, keeps its memory. */
void sl_buffer_reset(struct sl_buffer *b);

void sl_buffer_reserve(struct sl_buffer *b, size_t bytes);
void sl_buffer_append(struct sl_buffer *b, const void *bytes, size_t len);
void sl_buffer_puts(struct sl_buffer *b, const char *text);
void sl_buffer_putc(struct sl_buffer *b, char c);
void sl_buffer_printf(struct sl_buffer *b, const char *format, ...) SL_PRINTF(2, 3);

/* SL_OK, or the first failure with a message that names what was being built. */
int sl_buffer_check(const struct sl_buffer *b, const char *what, struct sl_error *err) SL_CHECKED;

/* Hands the content over as a NUL-terminated string that the caller frees; b is empty after it.
 * NULL if b has failed or memory is out. */
char *sl_buffer_steal(struct sl_buffer *b);

#endif
