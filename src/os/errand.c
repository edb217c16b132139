/* A thread that does one thing whenever it is asked to. */
#include "os/errand.h"

#include <stdlib.h>

#include "os/thread.h"

struct sl_errand {
    struct sl_errand_work what;
    struct sl_wakeup work;
    struct sl_wakeup stop;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t done;
    uint64_t asked;
    uint64_t begun;
    uint64_t finished;
    struct sl_error result; /* of the newest */
};

int sl_errand_new(const struct sl_errand_work *work, struct sl_errand **ret, struct sl_error *err) {
    struct sl_errand *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a thread");
    e->what = *work;
    e->work.fd = e->stop.fd = -1;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->done, NULL);
    int code = sl_wakeup_init(&e->work, err);
    if (code == SL_OK)
        code = sl_wakeup_init(&e->stop, err);
    if (code != SL_OK)
        sl_errand_free(e);
    else
        *ret = e;
    return code;
}

const struct sl_wakeup *sl_errand_stop_signal(const struct sl_errand *e) {
    return &e->stop;
}

static void *run(void *arg) {
    struct sl_errand *e = arg;
    if (e->what.on_start != NULL)
        e->what.on_start(e->what.context);
    for (;;) {
        sl_wakeup_wait(&e->work, &e->stop, -1);
        if (sl_wakeup_is_signalled(&e->stop))
            break;
        sl_wakeup_clear(&e->work);
        pthread_mutex_lock(&e->lock);
        uint64_t number = e->asked;
        bool is_new = number != e->begun; /* the wake-up may come after what it tells of */
        e->begun = number;
        pthread_mutex_unlock(&e->lock);
        if (!is_new)
            continue;
        struct sl_error result = SL_ERROR_INIT;
        int code = e->what.run(e->what.context, &result);
        result.code = code;
        pthread_mutex_lock(&e->lock);
        e->finished = number;
        e->result = result;
        pthread_cond_broadcast(&e->done);
        pthread_mutex_unlock(&e->lock);
    }
    pthread_mutex_lock(&e->lock);
    e->finished = UINT64_MAX;
    sl_fail(&e->result, SL_CANCELED, "canceled");
    pthread_cond_broadcast(&e->done);
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

int sl_errand_start(struct sl_errand *e, struct sl_error *err) {
    int code = sl_thread_start(&e->thread, e->what.name, run, e, err);
    e->has_thread = code == SL_OK;
    return code;
}

static uint64_t ask(struct sl_errand *e) {
    pthread_mutex_lock(&e->lock);
    uint64_t number = ++e->asked;
    pthread_mutex_unlock(&e->lock);
    sl_wakeup_signal(&e->work);
    return number;
}

void sl_errand_request(struct sl_errand *e) {
    (void)ask(e);
}

int sl_errand_run(struct sl_errand *e, struct sl_error *err) {
    uint64_t number = ask(e);
    pthread_mutex_lock(&e->lock);
    while (e->finished < number)
        pthread_cond_wait(&e->done, &e->lock);
    struct sl_error result = e->result;
    pthread_mutex_unlock(&e->lock);
    if (result.code != SL_OK && err != NULL)
        *err = result;
    return (int)result.code;
}

bool sl_errand_is_asked_again(struct sl_errand *e) {
    pthread_mutex_lock(&e->lock);
    bool is_asked = e->asked != e->begun;
    pthread_mutex_unlock(&e->lock);
    return is_asked;
}

void sl_errand_end(struct sl_errand *e) {
    sl_wakeup_signal(&e->stop);
    if (e->has_thread)
        pthread_join(e->thread, NULL);
    e->has_thread = false;
}

void sl_errand_free(struct sl_errand *e) {
    if (e == NULL)
        return;
    if (e->stop.fd >= 0)
        sl_errand_end(e);
    sl_wakeup_release(&e->work);
    sl_wakeup_release(&e->stop);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->done);
    free(e);
}
