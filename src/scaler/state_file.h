/* The states of a cluster's pools in one file, a line each. Written beside it and renamed, so that
 * nobody ever reads half of it. Blocks on the file system. */
#ifndef SL_SCALER_STATE_FILE_H
#define SL_SCALER_STATE_FILE_H

#include "scaler/state.h"

/* Calls put for each line that can be read, with its key. A file that is not there is no error.
 * *ret_bad: how many lines could not be read. */
int sl_state_file_load(const char *path, const struct sl_clocks *clocks,
                       void (*put)(void *context, const char *key,
                                   const struct sl_scaler_state *state),
                       void *context, size_t *ret_bad, struct sl_error *err) SL_CHECKED;

/* Replaces the file's content; makes its directory (mode 0700, only the last part of the path). */
int sl_state_file_save(const char *path, const struct sl_buffer *lines,
                       struct sl_error *err) SL_CHECKED;

#endif
