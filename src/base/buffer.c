/* A growing byte buffer with a hard maximum and a sticky error. */
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

static char empty[1] = "";

void sl_buffer_init(struct sl_buffer *b, size_t max_bytes) {
    *b = (struct sl_buffer){.data = empty, .max = max_bytes};
}

void sl_buffer_release(struct sl_buffer *b) {
    if (b->cap > 0)
        free(b->data);
    sl_buffer_init(b, b->max);
}

void sl_buffer_wipe(struct sl_buffer *b) {
    if (b->cap > 0)
        sl_wipe(b->data, b->cap);
    sl_buffer_release(b);
}

void sl_buffer_reset(struct sl_buffer *b) {
    b->len = 0;
    b->failed = SL_OK;
    if (b->cap > 0)
        b->data[0] = '\0';
}

/* Makes room for more bytes and the NUL. */
static bool grow(struct sl_buffer *b, size_t more) {
    if (b->failed != SL_OK)
        return false;
    if (more > b->max || b->len > b->max - more) {
        b->failed = SL_TOOBIG;
        return false;
    }
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap - 1 > b->max)
        cap = b->max + 1;
    char *data = realloc(b->cap > 0 ? b->data : NULL, cap);
    if (data == NULL) {
        b->failed = SL_NOMEM;
        return false;
    }
    b->data = data;
    b->cap = cap;
    b->data[b->len] = '\0';
    return true;
}

void sl_buffer_reserve(struct sl_buffer *b, size_t bytes) {
    if (bytes > b->len)
        grow(b, bytes - b->len);
}

void sl_buffer_append(struct sl_buffer *b, const void *bytes, size_t len) {
    if (len == 0 || !grow(b, len))
        return;
    memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void sl_buffer_puts(struct sl_buffer *b, const char *text) {
    sl_buffer_append(b, text, strlen(text));
}

void sl_buffer_putc(struct sl_buffer *b, char c) {
    sl_buffer_append(b, &c, 1);
}

void sl_buffer_printf(struct sl_buffer *b, const char *format, ...) {
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(small)) {
        sl_buffer_append(b, small, (size_t)len);
    } else if (len >= 0 && grow(b, (size_t)len)) {
        vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    } else if (len < 0 && b->failed == SL_OK) {
        b->failed = SL_BUG;
    }
    va_end(again);
}

int sl_buffer_check(const struct sl_buffer *b, const char *what, struct sl_error *err) {
    switch ((int)b->failed) {
    case SL_OK:
        return SL_OK;
    case SL_TOOBIG:
        return sl_fail(err, SL_TOOBIG, "%s is larger than %zu bytes", what, b->max);
    case SL_NOMEM:
        return sl_fail(err, SL_NOMEM, "out of memory for %s", what);
    default:
        return sl_fail(err, b->failed, "internal error while writing %s", what);
    }
}

char *sl_buffer_steal(struct sl_buffer *b) {
    if (b->failed != SL_OK || (b->cap == 0 && !grow(b, 0)))
        return NULL;
    char *data = b->data;
    sl_buffer_init(b, b->max);
    return data;
}
