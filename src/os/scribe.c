/* Replaces files on a thread of its own. */
#include "os/scribe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/file.h"
#include "os/thread.h"

enum { HANGS_MS = 5000 };

struct file {
    char *path;
    struct sl_buffer text; /* the newest */
    bool is_waiting;       /* ... and not yet taken by the thread */
    struct sl_error last;  /* how its last write has ended */
};

struct sl_scribe {
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t news;
    pthread_t thread;
    struct file *files;
    size_t count;
    size_t max;
    struct file *at; /* what is being written; NULL: nothing */
    int64_t since_ms;
    bool is_ending;
    bool has_ended;
    bool is_left_behind; /* by finish: the thread frees the scribe, whenever its disk answers */
};

/* In turn, so that none waits for ever behind one that is written all the time. */
static struct file *next_waiting(struct sl_scribe *s, size_t *turn) {
    for (size_t i = 0; i < s->count; i++) {
        struct file *f = &s->files[(*turn + i) % s->count];
        if (f->is_waiting) {
            *turn = (size_t)(f - s->files) + 1;
            return f;
        }
    }
    return NULL;
}

/* Under the lock, which is open while the disk is at work. */
static void write_one(struct sl_scribe *s, struct file *f) {
    struct sl_buffer text = f->text;
    struct sl_error err = SL_ERROR_INIT;
    sl_buffer_init(&f->text, text.max);
    f->is_waiting = false;
    s->at = f;
    s->since_ms = sl_clock_monotonic_ms();
    pthread_mutex_unlock(&s->lock);
    (void)!sl_file_replace(f->path, &text, &err);
    sl_buffer_release(&text);
    pthread_mutex_lock(&s->lock);
    s->at = NULL;
    f->last = err;
}

static void release(struct sl_scribe *s) {
    for (size_t i = 0; i < s->count; i++) {
        free(s->files[i].path);
        sl_buffer_release(&s->files[i].text);
    }
    free(s->files);
    pthread_cond_destroy(&s->news);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void *run(void *context) {
    struct sl_scribe *s = context;
    size_t turn = 0;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct file *f = next_waiting(s, &turn);
        if (f != NULL)
            write_one(s, f);
        else if (s->is_ending)
            break;
        else
            pthread_cond_wait(&s->news, &s->lock);
    }
    s->has_ended = true;
    bool is_left_behind = s->is_left_behind;
    pthread_mutex_unlock(&s->lock);
    if (is_left_behind)
        release(s);
    return NULL;
}

int sl_scribe_new(size_t files, struct sl_scribe **ret, struct sl_error *err) {
    struct sl_scribe *s = calloc(1, sizeof(*s));
    struct file *places = calloc(files + 1, sizeof(*places));
    if (s == NULL || places == NULL) {
        free(s);
        free(places);
        return sl_fail(err, SL_NOMEM, "out of memory for %zu files", files);
    }
    s->files = places;
    s->max = files;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->news, NULL);
    int code = sl_thread_start(&s->thread, "sl-scribe", run, s, err);
    if (code != SL_OK)
        release(s);
    else
        *ret = s;
    return code;
}

/* NULL: there is no room. */
static struct file *find_or_add(struct sl_scribe *s, const char *path) {
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->files[i].path, path) == 0)
            return &s->files[i];
    char *copy = s->count < s->max ? strdup(path) : NULL;
    if (copy == NULL)
        return NULL;
    struct file *f = &s->files[s->count++];
    f->path = copy;
    sl_buffer_init(&f->text, 0);
    return f;
}

/* Under the lock. A disk that hangs holds up the file being written and all that wait behind it. */
static int outcome(const struct sl_scribe *s, const struct file *f, struct sl_error *err) {
    bool hangs = s->at != NULL && (s->at == f || f->is_waiting) &&
                 sl_clock_monotonic_ms() - s->since_ms >= HANGS_MS;
    if (hangs)
        return sl_fail(err, SL_TIMEOUT,
                       "cannot write %s: its disk has not answered for %d s, look at it", f->path,
                       HANGS_MS / 1000);
    if (f->last.code != SL_OK && err != NULL)
        *err = f->last;
    return f->last.code;
}

int sl_scribe_put(struct sl_scribe *s, const char *path, struct sl_buffer *text,
                  struct sl_error *err) {
    pthread_mutex_lock(&s->lock);
    struct file *f = find_or_add(s, path);
    int code = f != NULL ? outcome(s, f, err)
                         : sl_fail(err, SL_NOMEM, "cannot write %s: out of memory", path);
    if (f != NULL) {
        struct sl_buffer older = f->text;
        f->text = *text;
        f->is_waiting = true;
        *text = older;
        text->max = f->text.max;
        pthread_cond_signal(&s->news);
    }
    pthread_mutex_unlock(&s->lock);
    sl_buffer_reset(text);
    return code;
}

bool sl_scribe_finish(struct sl_scribe *s, int64_t patience_ms, struct sl_error *err) {
    pthread_mutex_lock(&s->lock);
    s->is_ending = true;
    pthread_cond_signal(&s->news);
    pthread_mutex_unlock(&s->lock);
    if (!sl_thread_join(s->thread, patience_ms)) {
        pthread_mutex_lock(&s->lock);
        bool has_ended = s->has_ended; /* a moment ago */
        s->is_left_behind = !has_ended;
        pthread_mutex_unlock(&s->lock);
        if (!has_ended)
            return false;
    }
    for (size_t i = 0; i < s->count && err->code == SL_OK; i++)
        *err = s->files[i].last;
    release(s);
    return true;
}
