/* Replaces files on a thread of its own, so that a disk that hangs holds up nobody who has
 * something to write. Of several texts for one file only the newest matters: it takes the place of
 * one that still waits.
 *
 * Any thread, unless it says otherwise; nothing here waits for a disk but sl_scribe_finish(). */
#ifndef SL_OS_SCRIBE_H
#define SL_OS_SCRIBE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct sl_scribe;

/* For so many files at most. Starts the thread. SL_NOMEM, SL_IO. */
int sl_scribe_new(size_t files, struct sl_scribe **ret, struct sl_error *err) SL_CHECKED;

/* Hands over what text holds (sl_file_replace() gets it, its failure included), and leaves text
 * empty. Returns how the write of that file before this one has ended: SL_OK, also where there was
 * none; SL_TIMEOUT: it goes on, for five seconds already; SL_NOMEM: a file too many. */
int sl_scribe_put(struct sl_scribe *s, const char *path, struct sl_buffer *text,
                  struct sl_error *err) SL_CHECKED;

/* Writes what waits, then frees the scribe. Returns after patience_ms even if it is not done:
 * false, and the thread and what it needs stay as long as the disk hangs. From one thread, once,
 * when nobody else uses it any more. err: the first failure among the last writes of all files. */
bool sl_scribe_finish(struct sl_scribe *s, int64_t patience_ms, struct sl_error *err) SL_CHECKED;

#endif
