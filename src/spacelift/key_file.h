/* The file that Spacelift's web page downloads when an API key is made, in every layout it has had.
 * Pure; any thread.
 *
 * Until July 2025 the fourth line was the secret, which is what the tutorial's `sed '4q;d'` takes;
 * since then the fourth line is the key's ID, and that command silently stores the wrong word
 * (spacelift-io/user-documentation docs/integrations/api.md). A file with nothing but the secret is
 * accepted too, as the exporter's --api-key-secret-file is. */
#ifndef SL_SPACELIFT_KEY_FILE_H
#define SL_SPACELIFT_KEY_FILE_H

#include <stddef.h>

#include "base/error.h"
#include "base/secret.h"

enum { SL_KEY_ID_BYTES = 256 };

/* ret_id ("" where the file does not say it) may be NULL. SL_CONFIG: none of the layouts; the
 * message quotes nothing of the file. */
int sl_key_file_parse(const char *text, size_t len, struct sl_secret *ret_secret,
                      char ret_id[SL_KEY_ID_BYTES], struct sl_error *err) SL_CHECKED;

#endif
