/* Files, read whole and with a cap; made once, replaced, or appended to. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

enum { PATH_BYTES = 1024 };

static int read_all(int fd, const char *path, struct sl_buffer *out, struct sl_error *err) {
    for (;;) {
        char chunk[4096];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n > 0)
            sl_buffer_append(out, chunk, (size_t)n);
        sl_wipe(chunk, n > 0 ? (size_t)n : 0);
        if (n == 0 || out->failed != SL_OK)
            return sl_buffer_check(out, path, err);
        if (n < 0 && errno != EINTR)
            return sl_fail(err, SL_IO, "cannot read %s: %s", path, strerror(errno));
    }
}

static int open_regular(const char *path, struct stat *ret_stat, struct sl_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        sl_fail(err, SL_IO, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, ret_stat) < 0 || !S_ISREG(ret_stat->st_mode)) {
        sl_fail(err, SL_IO, "%s is not a regular file", path);
        close(fd);
        return -1;
    }
    return fd;
}

int sl_file_read(const char *path, struct sl_buffer *out, struct sl_error *err) {
    struct stat st;
    int fd = open_regular(path, &st, err);
    if (fd < 0)
        return SL_IO;
    int code = read_all(fd, path, out, err);
    close(fd);
    return code;
}

int sl_file_read_secret(const char *path, struct sl_secret *ret, const struct sl_log *log,
                        struct sl_error *err) {
    struct stat st;
    int fd = open_regular(path, &st, err);
    if (fd < 0)
        return SL_IO;
    /* Owned by root and read through a group is how packages hand secrets to a service's user. */
    mode_t others = st.st_uid == geteuid() ? S_IRWXG | S_IRWXO : S_IWGRP | S_IRWXO;
    if ((st.st_mode & others) != 0)
        sl_log(log, SL_LOG_WARNING, "%s can be read by others than its owner: chmod 600 %s", path,
               path);

    struct sl_buffer text;
    sl_buffer_init(&text, SL_LIMIT_SECRET_FILE_BYTES);
    struct sl_secret secret = SL_SECRET_INIT;
    /* Sized once, so that growing leaves no copy behind. */
    sl_buffer_reserve(&text, SL_LIMIT_SECRET_FILE_BYTES);
    int code = read_all(fd, path, &text, err);
    if (code == SL_OK)
        code = sl_secret_set_trimmed(&secret, text.data, text.len, err);
    if (code == SL_OK && secret.len == 0)
        code = sl_fail(err, SL_CONFIG, "%s is empty: it must hold the secret", path);
    if (code == SL_OK) {
        sl_secret_release(ret);
        *ret = secret;
    } else {
        sl_secret_release(&secret);
    }
    sl_buffer_wipe(&text);
    close(fd);
    return code;
}

static bool write_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

int sl_file_create(const char *path, unsigned mode, const char *bytes, size_t len,
                   struct sl_error *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0 && errno == EEXIST)
        return sl_fail(err, SL_CONFIG, "%s is there already, and is not overwritten", path);
    if (fd < 0)
        return sl_fail(err, SL_IO, "cannot make %s: %s", path, strerror(errno));
    int code = SL_OK;
    /* fchmod: whatever the umask is. */
    if (fchmod(fd, (mode_t)mode) != 0 || !write_all(fd, bytes, len) || fsync(fd) != 0)
        code = sl_fail(err, SL_IO, "cannot write %s: %s", path, strerror(errno));
    if (close(fd) != 0 && code == SL_OK)
        code = sl_fail(err, SL_IO, "cannot write %s: %s", path, strerror(errno));
    if (code != SL_OK)
        (void)unlink(path);
    return code;
}

int sl_file_append(const char *path, const char *bytes, size_t len, struct sl_error *err) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sl_fail(err, SL_IO, "cannot write %s: %s", path, strerror(errno));
    int code = SL_OK;
    if (!write_all(fd, bytes, len))
        code = sl_fail(err, SL_IO, "cannot write %s: %s", path, strerror(errno));
    if (close(fd) != 0 && code == SL_OK)
        code = sl_fail(err, SL_IO, "cannot write %s: %s", path, strerror(errno));
    return code;
}

static int make_directory_of(const char *path, struct sl_error *err) {
    char directory[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return SL_OK;
    (void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return sl_fail(err, SL_IO, "cannot make the directory %s: %s", directory, strerror(errno));
    return SL_OK;
}

int sl_file_replace(const char *path, const struct sl_buffer *bytes, struct sl_error *err) {
    char beside[PATH_BYTES];
    int code = sl_buffer_check(bytes, path, err);
    if (code != SL_OK)
        return code;
    if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
        return sl_fail(err, SL_CONFIG, "the path %s is too long", path);
    code = make_directory_of(path, err);
    if (code != SL_OK)
        return code;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sl_fail(err, SL_IO, "cannot write %s: %s", beside, strerror(errno));
    if (!write_all(fd, bytes->data, bytes->len))
        code = sl_fail(err, SL_IO, "cannot write %s: %s", beside, strerror(errno));
    if (close(fd) != 0 && code == SL_OK)
        code = sl_fail(err, SL_IO, "cannot write %s: %s", beside, strerror(errno));
    if (code == SL_OK && rename(beside, path) != 0)
        code = sl_fail(err, SL_IO, "cannot rename %s to %s: %s", beside, path, strerror(errno));
    if (code != SL_OK)
        (void)unlink(beside);
    return code;
}

int sl_file_code(int system_error) {
    bool is_full = system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
    return is_full ? SL_TOOBIG : SL_IO;
}
