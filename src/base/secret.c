/* Text that must not be seen. */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

void sl_wipe(void *memory, size_t len) {
    if (memory != NULL && len > 0)
        explicit_bzero(memory, len);
}

int sl_secret_set(struct sl_secret *s, const char *text, size_t len, struct sl_error *err) {
    char *copy = malloc(len + 1);
    if (copy == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a secret");
    memcpy(copy, text, len);
    copy[len] = '\0';
    sl_secret_release(s);
    *s = (struct sl_secret){.text = copy, .len = len};
    return SL_OK;
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int sl_secret_set_trimmed(struct sl_secret *s, const char *text, size_t len, struct sl_error *err) {
    while (len > 0 && is_blank(text[len - 1]))
        len--;
    while (len > 0 && is_blank(*text)) {
        text++;
        len--;
    }
    return sl_secret_set(s, text, len, err);
}

void sl_secret_release(struct sl_secret *s) {
    if (s->text != NULL) {
        sl_wipe(s->text, s->len);
        free(s->text);
    }
    *s = (struct sl_secret)SL_SECRET_INIT;
}

bool sl_secret_is_set(const struct sl_secret *s) {
    return s->text != NULL;
}

bool sl_secret_equal(const struct sl_secret *a, const struct sl_secret *b) {
    if (a->text == NULL || b->text == NULL || a->len != b->len)
        return a->text == b->text;
    unsigned char difference = 0;
    for (size_t i = 0; i < a->len; i++)
        difference |= (unsigned char)(a->text[i] ^ b->text[i]);
    return difference == 0;
}
