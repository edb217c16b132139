/* The journal of one receiver: its directory, and what an earlier process has left in it. */
#include "remote_write/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 100000 };

struct numbers {
    uint64_t *items;
    size_t count;
};

/* ---- the directory ---- */

/* path and the folder it is in, where they are missing. */
static void make_folders(const char *path) {
    char *parent = strdup(path);
    char *slash = parent != NULL ? strrchr(parent, '/') : NULL;
    if (slash != NULL && slash != parent) {
        *slash = '\0';
        (void)mkdir(parent, 0700);
    }
    free(parent);
    (void)mkdir(path, 0700);
}

static int open_directory(struct sl_spool *s, const char *path, struct sl_error *err) {
    make_folders(path);
    s->directory_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->directory_fd < 0)
        return sl_fail(err, SL_IO, "cannot open %s: %s", path, strerror(errno));
    s->lock_fd = openat(s->directory_fd, "lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0)
        return sl_fail(err, SL_IO, "cannot open %s/lock: %s", path, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return sl_fail(err, SL_IO, "cannot lock %s: %s", path,
                       errno == EWOULDBLOCK ? "another process uses it" : strerror(errno));
    return SL_OK;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int list_numbers(int directory_fd, struct numbers *ret, struct sl_error *err) {
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        int failed = errno;
        if (fd >= 0)
            close(fd);
        return sl_fail(err, SL_IO, "cannot list it: %s", strerror(failed));
    }
    int code = SL_OK;
    uint64_t number;
    for (struct dirent *entry; code == SL_OK && (entry = readdir(dir)) != NULL;) {
        if (!sl_segment_number(entry->d_name, &number) || ret->count >= FILES_MAX)
            continue;
        uint64_t *items = realloc(ret->items, (ret->count + 1) * sizeof(*items));
        if (items == NULL) {
            code = sl_fail(err, SL_NOMEM, "out of memory for a spool");
            break;
        }
        ret->items = items;
        items[ret->count++] = number;
    }
    closedir(dir);
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof(*ret->items), compare);
    return code;
}

/* ---- what is there ---- */

/* What stands in a segment: all samples that count, and those of them that are settled and those of
 * the batch under way, by the cursor (zeroes: it is in another segment). */
struct tally {
    struct sl_spool_state cursor;
    uint64_t settled;
    uint64_t batch;
};

static void count_values(struct sl_segment *segment, size_t at, const struct sl_record *record,
                         struct tally *t) {
    uint32_t samples = sl_segment_samples(record->values, record->count);
    segment->samples += samples;
    if (at < t->cursor.from)
        t->settled += samples;
    else if (at < t->cursor.to)
        t->batch += samples;
}

/* The places hold what a list has been defined with, and one more, so that nothing is NULL. */
static void count_samples(struct sl_spool *s, struct sl_segment *segment, struct tally *t) {
    struct sl_record record;
    uint64_t end = t->cursor.end > 0 ? t->cursor.end : UINT64_MAX;
    for (size_t at = SL_SEGMENT_HEAD_BYTES; at < end; at = record.end) {
        sl_segment_read(segment, at, &record);
        uintptr_t count = (uintptr_t)record.count + 1;
        if (record.kind == SL_RECORD_END)
            break;
        if (record.kind == SL_RECORD_DEFINE)
            (void)sl_segment_set_list(segment, record.list, (void *)count);
        else if (record.kind == SL_RECORD_VALUES &&
                 (uintptr_t)sl_segment_list(segment, record.list) == count)
            count_values(segment, at, &record, t);
        else
            s->bad_records++;
    }
    sl_segment_forget_lists(segment);
}

static void remove_file(const struct sl_spool *s, uint64_t number, bool is_kept) {
    char name[SL_SEGMENT_NAME_BYTES], other[SL_SEGMENT_NAME_BYTES + 4];
    sl_segment_name(number, name);
    memcpy(other, name, sizeof(name));
    memcpy(other + strlen(name), ".bad", 5);
    (void)(is_kept ? renameat(s->directory_fd, name, s->directory_fd, other)
                   : unlinkat(s->directory_fd, name, 0));
}

static void take_over(struct sl_spool *s, uint64_t number) {
    struct sl_segment *segment = NULL;
    s->next_number = number + 1;
    if (number < s->state.segment) {
        remove_file(s, number, false);
        return;
    }
    int code = sl_segment_open(s->directory_fd, number, &segment, NULL);
    if (code != SL_OK) {
        s->bad_records += code != SL_NOTFOUND;
        remove_file(s, number, code != SL_NOTFOUND);
        return;
    }
    sl_segment_find_end(segment);
    bool is_first = s->oldest == NULL;
    bool has_cursor = is_first && number == s->state.segment;
    struct tally tally = {.settled = 0};
    if (has_cursor)
        tally.cursor = s->state;
    count_samples(s, segment, &tally);
    if (segment->samples == tally.settled) {
        sl_segment_free(segment, s->directory_fd);
        return;
    }
    if (is_first && !has_cursor) {
        s->state.from = s->state.to = SL_SEGMENT_HEAD_BYTES;
        s->state.end = 0;
    }
    if (is_first) {
        s->state.segment = number;
        s->settled_samples = tally.settled;
        s->batch_samples = tally.batch;
        s->is_pinned = tally.batch > 0; /* it may have been delivered: it must not be dropped */
    }
    s->state.books.pending += segment->samples - tally.settled;
    sl_segment_cut(segment);
    segment->is_synced = false;
    sl_spool_append(s, segment);
}

/* What a batch under way held is found again by reading it. */
static void balance(struct sl_spool *s) {
    struct sl_books *b = &s->state.books;
    uint64_t accepted =
        b->acked + b->rejected + b->dropped_full + b->dropped_age + b->dropped_invalid + b->pending;
    s->corrected = accepted < b->accepted ? b->accepted - accepted : 0;
    b->accepted = accepted;
}

int sl_spool_open(struct sl_spool *s, const char *path, struct sl_error *err) {
    struct numbers numbers = {.count = 0};
    int code = open_directory(s, path, err);
    if (code == SL_OK)
        code = sl_spool_state_open(s->directory_fd, &s->state_file, &s->state, err);
    if (code == SL_OK)
        code = list_numbers(s->directory_fd, &numbers, err);
    if (code == SL_OK) {
        s->state.books.pending = 0;
        for (size_t i = 0; i < numbers.count; i++)
            take_over(s, numbers.items[i]);
        if (s->next_number <= s->state.segment)
            s->next_number = s->state.segment + 1;
        balance(s);
        (void)sl_spool_segment(s, SL_SEGMENT_HEAD_BYTES);
        sl_spool_state_write(s->state_file, &s->state);
        (void)fsync(s->directory_fd);
    } else {
        sl_spool_close(s);
    }
    free(numbers.items);
    return code;
}

static void free_chain(struct sl_segment *segment) {
    while (segment != NULL) {
        struct sl_segment *next = segment->next;
        sl_segment_cut(segment);
        sl_segment_free(segment, -1);
        segment = next;
    }
}

void sl_spool_close(struct sl_spool *s) {
    if (s->state_file != NULL)
        sl_spool_state_write(s->state_file, &s->state);
    free_chain(s->oldest);
    for (struct sl_segment *each = s->trash, *next; each != NULL; each = next) {
        next = each->next;
        sl_segment_free(each, s->directory_fd);
    }
    sl_segment_free(s->ready, s->directory_fd);
    sl_spool_state_close(s->state_file);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    if (s->directory_fd >= 0)
        close(s->directory_fd);
    s->oldest = s->current = s->trash = s->ready = NULL;
    s->state_file = NULL;
    s->directory_fd = s->lock_fd = -1;
}
