/* A piece of the journal: its memory and its file. */
#include "remote_write/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"
#include "remote_write/hash.h"

#define MAGIC UINT64_C(0x00676573772d6c73) /* "sl-wseg" in the byte order of most hosts */

enum { FORMAT = 1, FILE_BYTES_MAX = 1 << 30, BLOCK_BYTES = 4096 };

struct file_head {
    uint64_t magic;
    uint64_t format;
    uint64_t number;
    uint64_t seed;
    uint64_t created_ms;
    uint64_t unused[2];
    uint64_t check;
};

_Static_assert(sizeof(struct file_head) == SL_SEGMENT_HEAD_BYTES, "no padding");

static uint64_t check_of(const struct file_head *head) {
    return sl_hash((const char *)head, offsetof(struct file_head, check));
}

void sl_segment_name(uint64_t number, char name[SL_SEGMENT_NAME_BYTES]) {
    snprintf(name, SL_SEGMENT_NAME_BYTES, "%016" PRIx64 ".seg", number);
}

bool sl_segment_number(const char *name, uint64_t *ret) {
    uint64_t number = 0;
    size_t i = 0;
    for (; i < 16; i++) {
        const char *digits = "0123456789abcdef", *digit = strchr(digits, name[i]);
        if (name[i] == '\0' || digit == NULL)
            return false;
        number = number << 4 | (uint64_t)(digit - digits);
    }
    *ret = number;
    return strcmp(name + i, ".seg") == 0;
}

/* ---- memory ---- */

static struct sl_segment *new_segment(uint64_t number) {
    struct sl_segment *s = calloc(1, sizeof(*s));
    if (s != NULL)
        *s = (struct sl_segment){
            .number = number, .memory = SL_SURVIVOR_INIT, .used = SL_SEGMENT_HEAD_BYTES, .fd = -1};
    return s;
}

static int out_of_memory(struct sl_error *err) {
    return sl_fail(err, SL_NOMEM, "out of memory for a segment");
}

static void write_head(struct sl_segment *s) {
    struct file_head head = {.magic = MAGIC,
                             .format = FORMAT,
                             .number = s->number,
                             .created_ms = (uint64_t)sl_clock_realtime_ms()};
    head.seed = sl_hash((const char *)&head, sizeof(head)) ^ (uint64_t)sl_clock_monotonic_ns();
    head.check = check_of(&head);
    s->seed = head.seed;
    memcpy(s->memory.base, &head, sizeof(head));
}

int sl_segment_make(uint64_t number, size_t size, bool is_journal, struct sl_segment **ret,
                    struct sl_error *err) {
    struct sl_segment *s = new_segment(number);
    if (s == NULL)
        return out_of_memory(err);
    int code = is_journal ? sl_survivor_make(size, &s->memory, err)
                          : sl_survivor_make_private(size, &s->memory, err);
    if (code != SL_OK) {
        free(s);
        return code;
    }
    s->size = size;
    s->is_journal = is_journal;
    s->is_known = true;
    write_head(s);
    *ret = s;
    return SL_OK;
}

static int read_head(struct sl_segment *s, struct sl_error *err) {
    struct file_head head;
    memcpy(&head, s->memory.base, sizeof(head));
    if (head.magic == 0)
        return sl_fail(err, SL_NOTFOUND, "this segment is empty");
    if (head.magic != MAGIC || head.format != FORMAT || head.check != check_of(&head))
        return sl_fail(err, SL_PARSE, "this is no segment of a spool");
    s->seed = head.seed;
    return head.number == s->number ? SL_OK : sl_fail(err, SL_PARSE, "this is another segment");
}

static void close_file(struct sl_segment *s) {
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void sl_segment_forget_memory(struct sl_segment *s) {
    sl_survivor_free(&s->memory);
    close_file(s);
    s->is_known = false;
}

void sl_segment_take_memory(struct sl_segment *s, struct sl_segment *rest) {
    rest->memory = s->memory;
    rest->fd = s->fd;
    s->memory = (struct sl_survivor)SL_SURVIVOR_INIT;
    s->fd = -1;
    s->is_known = false;
}

void sl_segment_free(struct sl_segment *s, int directory_fd) {
    char name[SL_SEGMENT_NAME_BYTES];
    if (s == NULL)
        return;
    sl_segment_name(s->number, name);
    if (directory_fd >= 0 && s->has_file)
        (void)unlinkat(directory_fd, name, 0);
    close_file(s);
    sl_survivor_free(&s->memory);
    sl_segment_forget_lists(s);
    free(s);
}

void sl_segment_leave(struct sl_segment *s) {
    if (sl_segment_unsaved(s) > 0)
        sl_survivor_leave(&s->memory);
    sl_segment_free(s, -1);
}

/* ---- reading the file ---- */

/* Sees to it that fd is open. SL_OK with fd -1: there is no such file. */
static int open_file(struct sl_segment *s, int directory_fd, struct sl_error *err) {
    char name[SL_SEGMENT_NAME_BYTES];
    if (s->fd >= 0)
        return SL_OK;
    sl_segment_name(s->number, name);
    s->fd = openat(directory_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    s->has_file = s->fd >= 0;
    return s->fd >= 0 || errno == ENOENT
               ? SL_OK
               : sl_fail(err, SL_IO, "cannot open %s: %s", name, strerror(errno));
}

void sl_segment_cut(struct sl_segment *s, int directory_fd) {
    size_t size = s->size;
    s->size = s->used;
    if (s->has_file && size > s->used && open_file(s, directory_fd, NULL) == SL_OK && s->fd >= 0)
        (void)!ftruncate(s->fd, (off_t)s->used);
}

/* A block that the disk does not give is left as it is: zeroes, which are no record. */
static int read_range(int fd, char *base, size_t from, size_t to, struct sl_error *err) {
    bool is_bad = false;
    while (from < to) {
        size_t rest = BLOCK_BYTES - from % BLOCK_BYTES, wanted = to - from;
        if (is_bad && wanted > rest)
            wanted = rest;
        ssize_t n = pread(fd, base + from, wanted, (off_t)from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EIO)
            return sl_fail(err, SL_IO, "cannot read a segment: %s", strerror(errno));
        if (n == 0)
            break;
        if (n < 0 && is_bad)
            from += wanted;
        is_bad = n < 0 || is_bad;
        from += n > 0 ? (size_t)n : 0;
    }
    return SL_OK;
}

/* The whole file, or as much of it as was written, however long it is now. */
static int read_file(int directory_fd, uint64_t number, size_t size, struct sl_survivor *ret,
                     struct sl_error *err) {
    char name[SL_SEGMENT_NAME_BYTES];
    struct stat about;
    struct sl_survivor memory = SL_SURVIVOR_INIT;
    sl_segment_name(number, name);
    int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return sl_fail(err, SL_IO, "cannot open %s: %s", name, strerror(errno));
    int code = SL_OK;
    if (fstat(fd, &about) != 0)
        code = sl_fail(err, SL_IO, "cannot look at %s: %s", name, strerror(errno));
    else if (!S_ISREG(about.st_mode) || about.st_size < SL_SEGMENT_HEAD_BYTES ||
             about.st_size > FILE_BYTES_MAX)
        code = sl_fail(err, SL_PARSE, "%s is no segment of a spool", name);
    else
        code = sl_survivor_make_private(size > 0 ? size : (size_t)about.st_size, &memory, err);
    if (code == SL_OK)
        code = read_range(fd, memory.base, 0, memory.size, err);
    close(fd);
    if (code != SL_OK)
        sl_survivor_free(&memory);
    else
        *ret = memory;
    return code;
}

int sl_segment_load(const struct sl_segment *s, int directory_fd, struct sl_survivor *ret,
                    struct sl_error *err) {
    return read_file(directory_fd, s->number, s->size, ret, err);
}

int sl_segment_open(int directory_fd, uint64_t number, struct sl_segment **ret,
                    struct sl_error *err) {
    struct sl_segment *s = new_segment(number);
    if (s == NULL)
        return out_of_memory(err);
    s->is_journal = true;
    int code = read_file(directory_fd, number, 0, &s->memory, err);
    s->size = s->memory.size;
    s->has_file = code == SL_OK;
    if (code == SL_OK)
        code = read_head(s, err);
    if (code != SL_OK)
        sl_segment_free(s, -1);
    else
        *ret = s;
    return code;
}

int sl_segment_find(int directory_fd, uint64_t number, int memory_id, size_t let_go,
                    struct sl_segment **ret, struct sl_error *err) {
    struct sl_segment *s = new_segment(number);
    if (s == NULL)
        return out_of_memory(err);
    s->is_journal = true;
    int code = sl_survivor_find(memory_id, &s->memory, err);
    if (code == SL_OK && s->memory.size < BLOCK_BYTES)
        code = sl_fail(err, SL_NOTFOUND, "this is no segment");
    s->size = s->memory.size;
    if (code == SL_OK)
        code = open_file(s, directory_fd, err);
    if (code == SL_OK)
        code = read_head(s, err);
    if (code == SL_OK && s->fd >= 0 && let_go <= s->size)
        code = read_range(s->fd, s->memory.base, SL_SEGMENT_KEPT_BYTES, let_go, err);
    if (code != SL_OK) {
        sl_survivor_leave(&s->memory);
        sl_segment_free(s, -1);
        return code == SL_IO ? SL_IO : SL_NOTFOUND;
    }
    *ret = s;
    return SL_OK;
}

/* ---- writing the file ---- */

void sl_segment_let_go(struct sl_segment *s, size_t to) {
    size_t from = s->let_go > SL_SEGMENT_KEPT_BYTES ? s->let_go : SL_SEGMENT_KEPT_BYTES;
    sl_survivor_give_back(&s->memory, from, to);
    s->let_go = to;
}

void sl_segment_lose_file(struct sl_segment *s) {
    close_file(s);
    s->has_file = false;
    __atomic_store_n(&s->written, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&s->synced, 0, __ATOMIC_RELAXED);
    if (s->let_go > 0)
        __atomic_store_n(&s->is_damaged, true, __ATOMIC_RELAXED);
}

void sl_segment_put_aside(struct sl_segment *s) {
    close_file(s);
    if (s->synced < s->written)
        __atomic_store_n(&s->written, s->synced, __ATOMIC_RELAXED);
}

static int make_file(struct sl_segment *s, int directory_fd, struct sl_error *err) {
    char name[SL_SEGMENT_NAME_BYTES];
    sl_segment_name(s->number, name);
    s->fd = openat(directory_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->fd < 0 && errno == EEXIST && unlinkat(directory_fd, name, 0) == 0)
        s->fd =
            openat(directory_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->fd < 0)
        return sl_fail(err, sl_file_code(errno), "cannot make %s: %s", name, strerror(errno));
    int failed = EINTR;
    while (failed == EINTR)
        failed = posix_fallocate(s->fd, 0, (off_t)s->size);
    if (failed != 0) {
        close_file(s);
        (void)unlinkat(directory_fd, name, 0);
        return sl_fail(err, sl_file_code(failed), "no room for %zu bytes: %s", s->size,
                       strerror(failed));
    }
    s->has_file = true;
    return SL_OK;
}

/* Is the file as we have left it? */
static bool is_whole(const struct sl_segment *s) {
    struct stat about;
    return fstat(s->fd, &about) == 0 && about.st_nlink > 0 &&
           about.st_size >= (off_t)(s->written > 0 ? s->size : 0);
}

static int write_range(struct sl_segment *s, size_t from, size_t to, struct sl_error *err) {
    while (from < to) {
        ssize_t n = pwrite(s->fd, s->memory.base + from, to - from, (off_t)from);
        if (n < 0 && errno == EINTR)
            continue;
        int failed = n < 0 ? errno : ENOSPC;
        if (n <= 0)
            return sl_fail(err, sl_file_code(failed), "cannot write: %s", strerror(failed));
        from += (size_t)n;
    }
    return SL_OK;
}

int sl_segment_save(struct sl_segment *s, int directory_fd, size_t used, struct sl_error *err) {
    int code = s->written > 0 ? open_file(s, directory_fd, err) : SL_OK;
    if (code == SL_OK && (s->fd >= 0 ? !is_whole(s) : s->written > 0))
        sl_segment_lose_file(s);
    if (code != SL_OK || s->written >= used)
        return code;
    if (s->fd < 0)
        code = make_file(s, directory_fd, err);
    return code == SL_OK ? write_range(s, s->written, used, err) : code;
}

int sl_segment_sync(struct sl_segment *s, int directory_fd, struct sl_error *err) {
    int code = open_file(s, directory_fd, err);
    if (code == SL_OK && s->fd < 0)
        code = sl_fail(err, SL_IO, "a segment has gone from the directory");
    if (code == SL_OK && fdatasync(s->fd) != 0)
        code = sl_fail(err, SL_IO, "cannot write to the disk: %s", strerror(errno));
    if (s->memory.base == NULL)
        close_file(s);
    return code;
}
