/* Base64 (RFC 4648 section 4), as kubeconfig files, keys and Kubernetes secrets carry it. Pure; any
 * thread. */
#ifndef SL_BASE_BASE64_H
#define SL_BASE_BASE64_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends the decoded bytes to out. White space between characters is skipped, as YAML folds long
 * lines. SL_PARSE where it is not base64; the text is not quoted, it may be a key. */
int sl_base64_decode(const char *text, size_t len, struct sl_buffer *out,
                     struct sl_error *err) SL_CHECKED;

/* Appends the text, in one line and padded. A failure sticks in out. */
void sl_base64_encode(const char *bytes, size_t len, struct sl_buffer *out);

#endif
