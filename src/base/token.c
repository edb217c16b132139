/* The claims of a JSON Web Token. */
#include "base/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json_document.h"
#include "base/limits.h"

/* RFC 4648 section 5 without padding, to section 4 with it. */
static int decode_part(const char *text, size_t len, struct sl_buffer *out, struct sl_error *err) {
    struct sl_buffer usual;
    sl_buffer_init(&usual, SL_LIMIT_SECRET_FILE_BYTES + 4);
    for (size_t i = 0; i < len; i++)
        sl_buffer_putc(&usual, text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    for (size_t i = len; i % 4 != 0; i++)
        sl_buffer_putc(&usual, '=');
    int code = sl_buffer_check(&usual, "a token", err);
    if (code == SL_OK)
        code = sl_base64_decode(usual.data, usual.len, out, err);
    sl_buffer_release(&usual);
    return code;
}

static const char *audience_of(const struct sl_json *claims) {
    const struct sl_json *aud = sl_json_get(claims, "aud");
    if (sl_json_is_array(aud))
        aud = sl_json_size(aud) == 1 ? sl_json_at(aud, 0) : NULL;
    const char *url = sl_json_string(aud);
    bool is_url =
        url != NULL && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
    return is_url ? url : NULL;
}

static int read_claims(const struct sl_json *claims, struct sl_token *ret, struct sl_error *err) {
    struct sl_token token = {.audience = NULL};
    const char *audience = audience_of(claims);
    if (!sl_json_int64(sl_json_get(claims, "exp"), &token.expires_s) || token.expires_s <= 0)
        return sl_fail(err, SL_CONFIG, "the token does not say when it expires: it has no exp");
    if (audience != NULL && (token.audience = strdup(audience)) == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a token");
    *ret = token;
    return SL_OK;
}

int sl_token_parse(const char *text, size_t len, struct sl_token *ret, struct sl_error *err) {
    const char *first = memchr(text, '.', len);
    const char *claims_text = first != NULL ? first + 1 : text;
    size_t rest = len - (size_t)(claims_text - text);
    const char *second = first != NULL ? memchr(claims_text, '.', rest) : NULL;
    if (second == NULL)
        return sl_fail(err, SL_CONFIG, "it holds no token of three parts with dots between them");
    struct sl_buffer json;
    struct sl_json *claims = NULL;
    sl_buffer_init(&json, SL_LIMIT_SECRET_FILE_BYTES);
    int code = decode_part(claims_text, (size_t)(second - claims_text), &json, NULL);
    if (code == SL_OK)
        code = sl_json_parse(json.data, json.len, &claims, NULL);
    code = code == SL_OK ? read_claims(claims, ret, err)
                         : sl_fail(err, SL_CONFIG, "the second part of the token is no JSON");
    sl_json_free(claims);
    sl_buffer_wipe(&json);
    return code;
}

void sl_token_release(struct sl_token *token) {
    free(token->audience);
    *token = (struct sl_token){.audience = NULL};
}

int64_t sl_token_expiry(const struct sl_secret *text) {
    struct sl_token token = {.audience = NULL};
    if (!sl_secret_is_set(text) || sl_token_parse(text->text, text->len, &token, NULL) != SL_OK)
        return 0;
    int64_t expires_s = token.expires_s;
    sl_token_release(&token);
    return expires_s;
}
