/* Wakes a thread: an eventfd. */
#include "os/wakeup.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "os/clock.h"

int sl_wakeup_init(struct sl_wakeup *w, struct sl_error *err) {
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0)
        return sl_fail(err, SL_IO, "cannot make an eventfd: %s", strerror(errno));
    return SL_OK;
}

void sl_wakeup_release(struct sl_wakeup *w) {
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

void sl_wakeup_signal(struct sl_wakeup *w) {
    /* EAGAIN means the counter is full: signalled all the same. */
    while (eventfd_write(w->fd, 1) < 0 && errno == EINTR)
        ;
}

void sl_wakeup_clear(struct sl_wakeup *w) {
    eventfd_t count;
    while (eventfd_read(w->fd, &count) < 0 && errno == EINTR)
        ;
}

bool sl_wakeup_is_signalled(const struct sl_wakeup *w) {
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

void sl_wakeup_wait(const struct sl_wakeup *a, const struct sl_wakeup *b, int64_t timeout_ms) {
    struct pollfd fds[2] = {
        {.fd = a->fd, .events = POLLIN},
        {.fd = b != NULL ? b->fd : -1, .events = POLLIN},
    };
    int64_t deadline_ms = -1;
    /* A time too far away to be counted is no limit. */
    if (timeout_ms >= 0 &&
        __builtin_add_overflow(sl_clock_monotonic_ms(), timeout_ms, &deadline_ms))
        deadline_ms = -1;
    for (;;) {
        int64_t left_ms = deadline_ms < 0 ? -1 : deadline_ms - sl_clock_monotonic_ms();
        if (deadline_ms >= 0 && left_ms < 0)
            left_ms = 0;
        int wait_ms = left_ms > INT_MAX ? INT_MAX : (int)left_ms;
        int ready = poll(fds, 2, wait_ms);
        if (ready > 0 || (ready == 0 && wait_ms == left_ms) || (ready < 0 && errno != EINTR))
            return;
    }
}
