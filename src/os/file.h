/* Files, read whole and with a cap; made once, replaced, or appended to. Any thread; blocks on the
 * file system.
 */
#ifndef SL_OS_FILE_H
#define SL_OS_FILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"

/* Appends the file to out (whose maximum is the cap). Only regular files; errors name the path,
 * what was tried and the system's reason. */
int sl_file_read(const char *path, struct sl_buffer *out, struct sl_error *err) SL_CHECKED;

/* A secret from a file, trimmed; SL_CONFIG where it is empty. A file that others than its owner can
 * read (its group may, where the owner is another user than this process's) gets a warning through
 * log (may be NULL), with the chmod that mends it. Copies are wiped. */
int sl_file_read_secret(const char *path, struct sl_secret *ret, const struct sl_log *log,
                        struct sl_error *err) SL_CHECKED;

/* A file that is not there yet, with this mode from its first moment on, and on the disk when this
 * returns. SL_CONFIG: there is one already; it is left alone. */
int sl_file_create(const char *path, unsigned mode, const char *bytes, size_t len,
                   struct sl_error *err) SL_CHECKED;

/* Appends; makes the file (mode 0600) where it is missing. What has been written before a failure
 * stays. */
int sl_file_append(const char *path, const char *bytes, size_t len,
                   struct sl_error *err) SL_CHECKED;

/* Replaces the file's content: written beside it (PATH.new, mode 0600) and renamed, so that nobody
 * ever reads half of it. Makes its directory (mode 0700, only the last part of the path). Not
 * forced to the disk: after a power cut it may be the old content, or empty. SL_IO; SL_CONFIG: the
 * path is too long; what the buffer failed with. */
int sl_file_replace(const char *path, const struct sl_buffer *bytes,
                    struct sl_error *err) SL_CHECKED;

/* The code of an error of the system: SL_TOOBIG where there is no room (a full disk, no inode, a
 * quota), SL_IO for all else. */
int sl_file_code(int system_error);

#endif
