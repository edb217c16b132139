/* UTF-8 from strangers. */
#include "base/utf8.h"

#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

/* The length of the well-formed character at s, 0 if there is none. */
static size_t character_length(const unsigned char *s) {
    size_t length;
    unsigned char low = 0x80; /* what the second byte may be */
    unsigned char high = 0xbf;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        length = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        length = 3;
        low = s[0] == 0xe0 ? 0xa0 : 0x80;
        high = s[0] == 0xed ? 0x9f : 0xbf;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        length = 4;
        low = s[0] == 0xf0 ? 0x90 : 0x80;
        high = s[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    return length;
}

void sl_utf8_append(struct sl_buffer *out, const char *text, size_t max_bytes) {
    const unsigned char *s = (const unsigned char *)text;
    size_t used = 0;
    while (*s != '\0') {
        size_t length = character_length(s);
        const void *bytes = length > 0 ? (const void *)s : replacement;
        size_t size = length > 0 ? length : sizeof(replacement) - 1;
        if (used + size > max_bytes)
            return;
        sl_buffer_append(out, bytes, size);
        used += size;
        s += length > 0 ? length : 1;
    }
}
