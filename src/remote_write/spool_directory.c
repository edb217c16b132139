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

#include "os/file.h"

enum { FILES_MAX = 100000 };

struct numbers {
    uint64_t *items;
    size_t count;
};

/* ---- the directory ---- */

static int make_folder(const char *path, struct sl_error *err) {
    return mkdir(path, 0700) == 0 || errno == EEXIST
               ? SL_OK
               : sl_fail(err, sl_file_code(errno), "cannot make %s: %s", path, strerror(errno));
}

/* path and the folder it is in, where they are missing. */
static int make_folders(const char *path, struct sl_error *err) {
    char *parent = strdup(path);
    char *slash = parent != NULL ? strrchr(parent, '/') : NULL;
    int code = SL_OK;
    if (slash != NULL && slash != parent) {
        *slash = '\0';
        code = make_folder(parent, err);
    }
    free(parent);
    return code == SL_OK ? make_folder(path, err) : code;
}

/* The directory, and the file in it that is locked. */
struct opened {
    int directory_fd;
    int lock_fd;
};

static void close_opened(const struct opened *o) {
    if (o->lock_fd >= 0)
        close(o->lock_fd);
    if (o->directory_fd >= 0)
        close(o->directory_fd);
}

static int open_directory(const char *path, struct opened *ret, struct sl_error *err) {
    struct opened o = {-1, -1};
    int code = make_folders(path, err);
    if (code != SL_OK)
        return code;
    o.directory_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (o.directory_fd < 0)
        return sl_fail(err, SL_IO, "cannot open %s: %s", path, strerror(errno));
    o.lock_fd = openat(o.directory_fd, "lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (o.lock_fd < 0)
        code = sl_fail(err, sl_file_code(errno), "cannot open %s/lock: %s", path, strerror(errno));
    else if (flock(o.lock_fd, LOCK_EX | LOCK_NB) != 0)
        code = sl_fail(err, SL_IO, "cannot lock %s: %s", path,
                       errno == EWOULDBLOCK ? "another process uses it" : strerror(errno));
    if (code == SL_OK)
        *ret = o;
    else
        close_opened(&o);
    return code;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int add_number(struct numbers *n, uint64_t number, struct sl_error *err) {
    uint64_t *items = realloc(n->items, (n->count + 1) * sizeof(*items));
    if (items == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a spool");
    n->items = items;
    items[n->count++] = number;
    return SL_OK;
}

static int list_files(int directory_fd, struct numbers *ret, struct sl_error *err) {
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
        if (sl_segment_number(entry->d_name, &number) && ret->count < FILES_MAX)
            code = add_number(ret, number, err);
    }
    closedir(dir);
    return code;
}

/* Those that are files, and those that are memory of a dead process; some are both. */
static int list_numbers(const struct sl_spool *s, struct numbers *ret, struct sl_error *err) {
    int code = list_files(s->directory_fd, ret, err);
    const struct sl_spool_memory *memory;
    for (size_t i = 0; code == SL_OK && (memory = sl_spool_state_memory(s->state_file, i)) != NULL;
         i++)
        if (memory->number != 0)
            code = add_number(ret, memory->number, err);
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

/* The memory of it, which has more in it than the file, or else the file. */
static int find_segment(struct sl_spool *s, uint64_t number, struct sl_segment **ret) {
    const struct sl_spool_memory *memory;
    for (size_t i = 0; (memory = sl_spool_state_memory(s->state_file, i)) != NULL; i++) {
        if (memory->number != number)
            continue;
        if (sl_segment_find(s->directory_fd, number, (int)(memory->id - 1), (size_t)memory->let_go,
                            ret, NULL) == SL_OK) {
            /* All of it is in memory again, and the file may be made anew. */
            sl_spool_state_remember(s->state_file, number, (int)(memory->id - 1), 0);
            return SL_OK;
        }
        sl_spool_state_forget(s->state_file, number);
    }
    return sl_segment_open(s->directory_fd, number, ret, NULL);
}

/* From now on it is as if this process had made it, but nothing more is put into it. */
static void adopt(const struct sl_spool *s, struct sl_segment *segment) {
    sl_segment_cut(segment, s->directory_fd);
    if (segment->memory.id >= 0)
        return; /* all of it is saved anew */
    segment->written = segment->used;
    segment->synced = 0;
    sl_segment_forget_memory(segment);
}

static void give_up_finished(struct sl_spool *s, struct sl_segment *segment) {
    sl_spool_state_forget(s->state_file, segment->number);
    sl_segment_free(segment, s->directory_fd);
}

static void take_over(struct sl_spool *s, uint64_t number) {
    struct sl_segment *segment = NULL;
    s->next_number = number + 1;
    int code = find_segment(s, number, &segment);
    if (code != SL_OK) {
        s->bad_records += code != SL_NOTFOUND;
        remove_file(s, number, code != SL_NOTFOUND);
        return;
    }
    if (number < s->state.segment) {
        give_up_finished(s, segment);
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
        give_up_finished(s, segment);
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
    adopt(s, segment);
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

static int open_it(struct sl_spool *s, const char *path, const struct opened *o,
                   struct numbers *numbers, struct sl_error *err) {
    s->directory_fd = o->directory_fd;
    s->lock_fd = o->lock_fd;
    int code = sl_spool_state_open(s->directory_fd, &s->state_file, &s->state, err);
    if (code == SL_OK)
        code = list_numbers(s, numbers, err);
    if (code != SL_OK) {
        (void)(err != NULL && sl_error_prefix(err, "%s", path));
        sl_spool_state_close(s->state_file, true);
        close_opened(o);
        s->state_file = NULL;
        s->directory_fd = s->lock_fd = -1;
    }
    return code;
}

int sl_spool_open(struct sl_spool *s, const char *path, struct sl_error *err) {
    struct opened o;
    struct numbers numbers = {.count = 0};
    s->path = strdup(path);
    int code = s->path == NULL ? sl_fail(err, SL_NOMEM, "out of memory for a spool")
                               : open_directory(path, &o, err);
    if (code == SL_OK)
        code = open_it(s, path, &o, &numbers, err);
    if (code == SL_OK) {
        s->state.books.pending = 0;
        for (size_t i = 0; i < numbers.count; i++)
            if (i == 0 || numbers.items[i] != numbers.items[i - 1])
                take_over(s, numbers.items[i]);
        if (s->next_number <= s->state.segment)
            s->next_number = s->state.segment + 1;
        balance(s);
        if (sl_spool_state_is_doubtful(s->state_file))
            s->doubtful = s->next_number - 1;
        (void)sl_spool_segment(s, SL_SEGMENT_HEAD_BYTES);
        sl_spool_state_write(s->state_file, &s->state);
        s->has_new_files = true;
    }
    free(numbers.items);
    return code;
}

/* ---- later ---- */

/* The memory of everything that is there, for the next process. */
static void remember_all(struct sl_spool *s) {
    for (struct sl_segment *each = s->oldest; each != NULL; each = each->next)
        if (each->memory.base != NULL)
            sl_spool_state_remember(s->state_file, each->number, each->memory.id, each->let_go);
    sl_spool_state_write(s->state_file, &s->state);
}

/* The directory could not be opened at the start. What it holds is older than what is in memory,
 * and some of that may have been sent: a receiver would refuse the old. */
static int open_late(struct sl_spool *s, pthread_mutex_t *lock, struct sl_error *err) {
    struct opened o;
    struct numbers numbers = {.count = 0};
    struct sl_spool later = {.directory_fd = -1};
    int code = open_directory(s->path, &o, err);
    if (code == SL_OK)
        code = open_it(&later, s->path, &o, &numbers, err);
    if (code == SL_OK && numbers.count > 0) {
        code = sl_fail(err, SL_IO,
                       "%s holds samples from before, which only a start takes over: "
                       "restart collectd",
                       s->path);
        sl_spool_state_close(later.state_file, true);
        close_opened(&o);
    }
    if (code == SL_OK) {
        pthread_mutex_lock(lock);
        s->directory_fd = o.directory_fd;
        s->lock_fd = o.lock_fd;
        s->state_file = later.state_file;
        remember_all(s);
        pthread_mutex_unlock(lock);
    }
    free(numbers.items);
    return code;
}

static int open_again(struct sl_spool *s, pthread_mutex_t *lock, struct sl_error *err) {
    struct opened o, before = {s->directory_fd, s->lock_fd};
    int code = open_directory(s->path, &o, err);
    if (code != SL_OK)
        return code;
    code = sl_spool_state_move(s->state_file, o.directory_fd, err);
    if (code != SL_OK) {
        close_opened(&o);
        return code;
    }
    pthread_mutex_lock(lock);
    s->directory_fd = o.directory_fd;
    s->lock_fd = o.lock_fd;
    /* What is only a file may be there too: a file system that has been mounted anew. */
    for (struct sl_segment *each = s->oldest; each != NULL; each = each->next)
        if (each->memory.base != NULL)
            sl_segment_put_aside(each);
    pthread_mutex_unlock(lock);
    close_opened(&before);
    return SL_OK;
}

void sl_spool_put_aside(struct sl_spool *s, pthread_mutex_t *lock) {
    struct opened before = {s->directory_fd, s->lock_fd};
    if (s->state_file == NULL)
        return;
    pthread_mutex_lock(lock);
    s->directory_fd = s->lock_fd = -1;
    for (struct sl_segment *each = s->oldest; each != NULL; each = each->next)
        if (each->memory.base != NULL)
            sl_segment_put_aside(each);
    pthread_mutex_unlock(lock);
    (void)!sl_spool_state_move(s->state_file, -1, NULL);
    close_opened(&before);
}

/* Has the directory been removed, or another one put in its place (another file system, too)? */
static bool is_gone(const struct sl_spool *s) {
    struct stat mine, now;
    if (fstat(s->directory_fd, &mine) != 0 || mine.st_nlink == 0)
        return true;
    return stat(s->path, &now) == 0 && (now.st_dev != mine.st_dev || now.st_ino != mine.st_ino);
}

int sl_spool_look_at_directory(struct sl_spool *s, pthread_mutex_t *lock, struct sl_error *err) {
    if (s->state_file == NULL)
        return open_late(s, lock, err);
    return s->directory_fd < 0 || is_gone(s) ? open_again(s, lock, err) : SL_OK;
}

/* ---- the end ---- */

void sl_spool_close(struct sl_spool *s) {
    bool is_needed = false;
    for (struct sl_segment *each = s->trash, *next; each != NULL; each = next) {
        next = each->next;
        sl_segment_free(each, s->directory_fd);
    }
    if (s->ready != NULL)
        sl_spool_state_forget(s->state_file, s->ready->number);
    sl_segment_free(s->ready, s->directory_fd);
    for (struct sl_segment *each = s->oldest, *next; each != NULL; each = next) {
        next = each->next;
        if (each->memory.base != NULL && sl_segment_unsaved(each) > 0)
            is_needed = true;
        sl_segment_cut(each, s->directory_fd);
        if (s->state_file != NULL)
            sl_segment_leave(each);
        else
            sl_segment_free(each, -1);
    }
    if (s->state_file != NULL) {
        sl_spool_state_write(s->state_file, &s->state);
        is_needed = is_needed || sl_spool_state_end(s->state_file, &s->state, NULL) != SL_OK;
    }
    sl_spool_state_close(s->state_file, is_needed);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    if (s->directory_fd >= 0)
        close(s->directory_fd);
    free(s->path);
    *s = (struct sl_spool){.directory_fd = -1, .lock_fd = -1};
}
