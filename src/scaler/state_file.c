/* Reads the file of states. */
#include "scaler/state_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"

enum { MAX_FILE_BYTES = 64 * 1024 * 1024 };

int sl_state_file_load(const char *path, const struct sl_clocks *clocks,
                       const struct sl_state_sink *sink, size_t *ret_bad, struct sl_error *err) {
    struct sl_buffer bytes;
    const char *line = NULL;
    int rc = SL_OK;

    *ret_bad = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return SL_OK;
    }
    sl_buffer_init(&bytes, MAX_FILE_BYTES);
    rc = sl_file_read(path, &bytes, err);
    line = bytes.data;
    while (rc == SL_OK && line < bytes.data + bytes.len) {
        size_t left = (size_t)(bytes.data + bytes.len - line);
        const char *end = memchr(line, '\n', left);
        size_t len = end != NULL ? (size_t)(end - line) : left;

        *ret_bad += sl_state_load(line, len, clocks, sink, NULL) == SL_OK ? 0 : 1;
        line += len + 1;
    }
    sl_buffer_release(&bytes);
    return rc;
}
