/* Reads and replaces the file of states. */
#include "scaler/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

enum { MAX_FILE_BYTES = 64 * 1024 * 1024, PATH_BYTES = 1024 };

int sl_state_file_load(const char *path, const struct sl_clocks *clocks,
                       void (*put)(void *context, const char *key,
                                   const struct sl_scaler_state *state),
                       void *context, size_t *ret_bad, struct sl_error *err) {
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
        char key[SL_STATE_KEY_BYTES];
        struct sl_scaler_state state;

        if (sl_state_load(line, len, clocks, key, &state, NULL) == SL_OK) {
            put(context, key, &state);
        } else {
            (*ret_bad)++;
        }
        line += len + 1;
    }
    sl_buffer_release(&bytes);
    return rc;
}

static int make_directory(const char *path, struct sl_error *err) {
    char directory[PATH_BYTES];
    const char *slash = strrchr(path, '/');

    if (slash == NULL || slash == path) {
        return SL_OK;
    }
    (void)snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        return sl_fail(err, SL_IO, "cannot make the directory %s: %s", directory, strerror(errno));
    }
    return SL_OK;
}

static bool write_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

int sl_state_file_save(const char *path, const struct sl_buffer *lines, struct sl_error *err) {
    char beside[PATH_BYTES];
    bool ok = false;
    int fd = -1;
    int rc = sl_buffer_check(lines, path, err);

    if (rc == SL_OK) {
        rc = make_directory(path, err);
    }
    if (rc != SL_OK) {
        return rc;
    }
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        return sl_fail(err, SL_CONFIG, "the path %s is too long", path);
    }
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return sl_fail(err, SL_IO, "cannot write %s: %s", beside, strerror(errno));
    }
    ok = write_all(fd, lines->data, lines->len);
    ok = close(fd) == 0 && ok;
    if (!ok || rename(beside, path) != 0) {
        rc = sl_fail(err, SL_IO, "cannot write %s: %s", path, strerror(errno));
        (void)unlink(beside);
    }
    return rc;
}
