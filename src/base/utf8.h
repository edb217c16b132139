/* UTF-8 from strangers. Pure; any thread. */
#ifndef SL_BASE_UTF8_H
#define SL_BASE_UTF8_H

#include "base/buffer.h"

/* Appends text, with each byte that is not part of a well-formed character (RFC 3629: no overlong
 * forms, no surrogates) replaced by U+FFFD, and cut before a character that would make it longer
 * than max_bytes. */
void sl_utf8_append(struct sl_buffer *out, const char *text, size_t max_bytes);

#endif
