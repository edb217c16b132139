/* A piece of the journal: its file, or its memory. */
#include "remote_write/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "remote_write/hash.h"

#define MAGIC UINT64_C(0x00676573772d6c73) /* "sl-wseg" in the byte order of most hosts */

enum { FORMAT = 1, FILE_BYTES_MAX = 1 << 30 };

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

static struct sl_segment *new_segment(uint64_t number, size_t size) {
    struct sl_segment *s = calloc(1, sizeof(*s));
    if (s != NULL)
        *s = (struct sl_segment){
            .number = number, .size = size, .fd = -1, .used = SL_SEGMENT_HEAD_BYTES};
    return s;
}

int sl_segment_map(struct sl_segment *s, struct sl_error *err) {
    int flags = s->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *base = mmap(NULL, s->size, PROT_READ | PROT_WRITE, flags, s->fd, 0);
    if (base == MAP_FAILED)
        return sl_fail(err, SL_NOMEM, "cannot map %zu bytes: %s", s->size, strerror(errno));
    s->base = base;
    return SL_OK;
}

void sl_segment_unmap(struct sl_segment *s) {
    if (s->base != NULL)
        munmap(s->base, s->size);
    s->base = NULL;
}

void sl_segment_free(struct sl_segment *s, int directory_fd) {
    char name[SL_SEGMENT_NAME_BYTES];
    if (s == NULL)
        return;
    sl_segment_name(s->number, name);
    if (directory_fd >= 0 && s->fd >= 0)
        (void)unlinkat(directory_fd, name, 0);
    sl_segment_unmap(s);
    if (s->fd >= 0)
        close(s->fd);
    sl_segment_forget_lists(s);
    free(s);
}

static int open_file(int directory_fd, struct sl_segment *s, int flags, struct sl_error *err) {
    char name[SL_SEGMENT_NAME_BYTES];
    sl_segment_name(s->number, name);
    s->fd = openat(directory_fd, name, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    return s->fd >= 0 ? SL_OK : sl_fail(err, SL_IO, "cannot open %s: %s", name, strerror(errno));
}

static void write_head(struct sl_segment *s) {
    struct file_head head = {.magic = MAGIC,
                             .format = FORMAT,
                             .number = s->number,
                             .created_ms = (uint64_t)sl_clock_realtime_ms()};
    head.seed = sl_hash((const char *)&head, sizeof(head)) ^ (uint64_t)sl_clock_monotonic_ns();
    head.check = check_of(&head);
    s->seed = head.seed;
    memcpy(s->base, &head, sizeof(head));
}

/* posix_fallocate: a page that could not be written when it is touched would be a SIGBUS. */
int sl_segment_make(int directory_fd, uint64_t number, size_t size, struct sl_segment **ret,
                    struct sl_error *err) {
    struct sl_segment *s = new_segment(number, size);
    if (s == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a segment");
    int code = SL_OK;
    if (directory_fd >= 0) {
        code = open_file(directory_fd, s, O_CREAT | O_EXCL, err);
        int failed = code == SL_OK ? posix_fallocate(s->fd, 0, (off_t)size) : 0;
        if (failed != 0)
            code = sl_fail(err, SL_IO, "no room for %zu bytes: %s", size, strerror(failed));
    }
    if (code == SL_OK)
        code = sl_segment_map(s, err);
    if (code != SL_OK) {
        sl_segment_free(s, directory_fd);
        return code;
    }
    write_head(s);
    *ret = s;
    return SL_OK;
}

static int read_head(struct sl_segment *s, struct sl_error *err) {
    struct file_head head;
    memcpy(&head, s->base, sizeof(head));
    if (head.magic == 0)
        return sl_fail(err, SL_NOTFOUND, "this segment is empty");
    if (head.magic != MAGIC || head.format != FORMAT || head.check != check_of(&head))
        return sl_fail(err, SL_PARSE, "this is no segment of a spool");
    s->seed = head.seed;
    return SL_OK;
}

int sl_segment_open(int directory_fd, uint64_t number, struct sl_segment **ret,
                    struct sl_error *err) {
    struct sl_segment *s = new_segment(number, 0);
    struct stat stat;
    if (s == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a segment");
    int code = open_file(directory_fd, s, 0, err);
    if (code == SL_OK && fstat(s->fd, &stat) != 0)
        code = sl_fail(err, SL_IO, "cannot look at a segment: %s", strerror(errno));
    if (code == SL_OK && (!S_ISREG(stat.st_mode) || stat.st_size < SL_SEGMENT_HEAD_BYTES ||
                          stat.st_size > FILE_BYTES_MAX))
        code = sl_fail(err, SL_PARSE, "this is no segment of a spool");
    if (code == SL_OK) {
        s->size = (size_t)stat.st_size;
        code = sl_segment_map(s, err);
    }
    if (code == SL_OK)
        code = read_head(s, err);
    if (code != SL_OK)
        sl_segment_free(s, -1);
    else
        *ret = s;
    return code;
}

/* What is cut off is given back to the file system; the mapping must not be touched there. */
void sl_segment_cut(struct sl_segment *s) {
    if (s->fd < 0)
        return;
    sl_segment_unmap(s);
    if (ftruncate(s->fd, (off_t)s->used) == 0)
        s->size = s->used;
}
