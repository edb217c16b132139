/* The states of a cluster's pools in one file, a line each, written by sl_file_replace(). Blocks on
 * the file system. */
#ifndef SL_SCALER_STATE_FILE_H
#define SL_SCALER_STATE_FILE_H

#include "scaler/state.h"

/* Puts each line that can be read into the sink. A file that is not there is no error.
 * *ret_bad: how many lines could not be read. */
int sl_state_file_load(const char *path, const struct sl_clocks *clocks,
                       const struct sl_state_sink *sink, size_t *ret_bad,
                       struct sl_error *err) SL_CHECKED;

#endif
