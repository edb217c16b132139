/* Text that must not be seen: kept apart from other strings, wiped when it goes, and never put
 * into an error, a log line or argv. One thread at a time. */
#ifndef SL_BASE_SECRET_H
#define SL_BASE_SECRET_H

#include <stddef.h>

#include "base/error.h"

struct sl_secret {
    char *text; /* NUL-terminated; NULL while unset */
    size_t len;
};

#define SL_SECRET_INIT                                                                             \
    { .text = NULL, .len = 0 }

/* Replaces the old text, which is wiped, by a copy. SL_NOMEM keeps the old text. */
int sl_secret_set(struct sl_secret *s, const char *text, size_t len,
                  struct sl_error *err) SL_CHECKED;
void sl_secret_release(struct sl_secret *s);
bool sl_secret_is_set(const struct sl_secret *s);

/* Compares in constant time. */
bool sl_secret_equal(const struct sl_secret *a, const struct sl_secret *b);

/* A copy without white space at either end, as in a file that an editor ended with a newline. */
int sl_secret_set_trimmed(struct sl_secret *s, const char *text, size_t len,
                          struct sl_error *err) SL_CHECKED;

/* explicit_bzero() of any memory; a function so that no compiler drops it. */
void sl_wipe(void *memory, size_t len);

#endif
