/* Base64 in and out; here because OpenSSL's belongs to net/, and its decoder pads its output. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static int value_of(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

int sl_base64_decode(const char *text, size_t len, struct sl_buffer *out, struct sl_error *err) {
    uint32_t bits = 0;
    size_t digits = 0;
    size_t padding = 0;
    /* Once, as it may be a key; never over the maximum, as the text may be mostly white space. */
    size_t room = out->max - out->len;
    sl_buffer_reserve(out, out->len + (len / 4 * 3 + 3 < room ? len / 4 * 3 + 3 : room));
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\0' && strchr(" \t\r\n", text[i]) != NULL)
            continue;
        if (text[i] == '=' && padding < 2) {
            padding++;
            continue;
        }
        int value = value_of(text[i]);
        if (value < 0 || padding > 0)
            return sl_fail(err, SL_PARSE, "not base64 at character %zu", i + 1);
        bits = bits << 6 | (uint32_t)value;
        digits++;
        if (digits % 4 != 1)
            sl_buffer_putc(out, (char)(unsigned char)(bits >> ((4 - digits % 4) % 4 * 2)));
    }
    if (digits % 4 == 1 || (digits + padding) % 4 != 0)
        return sl_fail(err, SL_PARSE, "base64 that ends in the middle");
    return sl_buffer_check(out, "base64 text", err);
}

void sl_base64_encode(const char *bytes, size_t len, struct sl_buffer *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    sl_buffer_reserve(out, out->len + (len + 2) / 3 * 4); /* once, as it may be a key */
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t bits = (uint32_t)(unsigned char)bytes[i] << 16;
        bits |= left > 1 ? (uint32_t)(unsigned char)bytes[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)(unsigned char)bytes[i + 2] : 0;
        char four[] = {digits[bits >> 18], digits[bits >> 12 & 63],
                       left > 1 ? digits[bits >> 6 & 63] : '=', left > 2 ? digits[bits & 63] : '='};
        sl_buffer_append(out, four, sizeof(four));
    }
}
