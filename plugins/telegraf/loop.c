/* The loop of spacelift-pool read. */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/memory.h"

enum {
    OUTGOING_MAX_BYTES = 256 * 1024 * 1024,
    /* After the end of input Telegraf waits 5 s, then sends SIGTERM. */
    LEAVE_WITHIN_MS = 4000,
    LEAVE_AT_ONCE_MS = 500,
    LINGER_MS = 100,
    CHUNK_BYTES = 4096, /* PIPE_BUF: a pipe that has room takes as much without blocking */
};

enum { STDIN, SIGNALS, ENDED, STDOUT, WATCHED };

struct loop {
    struct sl_gather *gather;
    struct sl_wakeup *ended;
    const struct sl_loop_settings *settings;
    const struct sl_log *log;
    int signal_fd;
    struct sl_buffer outgoing;
    size_t sent;
    int64_t next_ms;     /* of --every; INT64_MAX: never */
    bool is_leaving;     /* nothing more is asked for */
    bool is_stopping;    /* what is under way is not waited for either */
    bool is_output_gone; /* nobody reads any more */
    bool is_trimmed;
    int64_t leave_by_ms;
    struct sl_complaint stalled;
};

void sl_loop_signals(sigset_t *set) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(set, numbers[i]);
}

int sl_loop_block_signals(struct sl_error *err) {
    sigset_t set;
    sl_loop_signals(&set);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0)
        return sl_fail(err, SL_IO, "cannot block signals: %s", strerror(errno));
    return SL_OK;
}

bool sl_loop_is_end(int signal_fd) {
    struct signalfd_siginfo info;
    bool is_end = false;
    while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        is_end = is_end || info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
    return is_end;
}

void sl_loop_linger(void) {
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    poll(NULL, 0, LINGER_MS);
}

static void ask(struct loop *l) {
    for (size_t i = 0; i < sl_gather_accounts(l->gather); i++)
        sl_gather_request(l->gather, i);
}

static void leave(struct loop *l, int64_t within_ms) {
    int64_t by_ms = sl_clock_monotonic_ms() + within_ms;
    if (!l->is_leaving || by_ms < l->leave_by_ms)
        l->leave_by_ms = by_ms;
    l->is_leaving = true;
}

/* Any number of newlines is one gather: they have queued up while we were busy. */
static void take_input(struct loop *l) {
    char bytes[512];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n > 0 && memchr(bytes, '\n', (size_t)n) != NULL)
        ask(l);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        leave(l, LEAVE_WITHIN_MS);
}

static void take_signals(struct loop *l) {
    struct signalfd_siginfo info;
    bool is_asked = false;
    while (read(l->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
            l->is_stopping = true;
            leave(l, LEAVE_AT_ONCE_MS);
        } else {
            is_asked = true;
        }
    }
    if (is_asked && !l->is_leaving)
        ask(l);
}

static void write_some(struct loop *l) {
    size_t left = l->outgoing.len - l->sent;
    ssize_t n =
        write(STDOUT_FILENO, l->outgoing.data + l->sent, left < CHUNK_BYTES ? left : CHUNK_BYTES);
    if (n > 0)
        l->sent += (size_t)n;
    else if (n < 0 && errno != EINTR && errno != EAGAIN)
        l->is_output_gone = true;
}

static void tell_stalled(struct loop *l, size_t replaced) {
    int64_t now_ms = sl_clock_monotonic_ms();
    if (replaced > 0 && sl_complaint_failed(&l->stalled, "stalled", now_ms))
        sl_log(l->log, SL_LOG_WARNING,
               "standard output is not read: older reports give way to newer ones");
    else if (replaced == 0 && sl_complaint_succeeded(&l->stalled, now_ms, NULL, NULL))
        sl_log(l->log, SL_LOG_NOTICE, "standard output is read again");
}

/* Once: the first reports are out, and now there is time. */
static bool is_first_done(struct loop *l) {
    bool is_first = !l->is_trimmed && l->outgoing.cap > 0;
    l->is_trimmed = l->is_trimmed || is_first;
    return is_first;
}

/* The next reports, when the last ones are out. */
static void refill(struct loop *l) {
    size_t replaced;
    if (l->sent < l->outgoing.len)
        return;
    sl_buffer_reset(&l->outgoing);
    l->sent = 0;
    if (sl_gather_take(l->gather, &l->outgoing, &replaced) > 0)
        tell_stalled(l, replaced);
    else if (l->settings->is_execd && is_first_done(l)) {
        sl_memory_trim_heap();
        sl_memory_trim_own_code();
    }
    if (l->outgoing.failed != SL_OK) {
        sl_log(l->log, SL_LOG_ERROR, "out of memory: a report is lost");
        sl_buffer_reset(&l->outgoing);
    }
}

/* How long poll() may sleep, in ms; -1: until something happens. */
static int sleep_ms(const struct loop *l, int64_t now_ms) {
    int64_t until_ms = l->next_ms;
    if (l->is_leaving && l->leave_by_ms < until_ms)
        until_ms = l->leave_by_ms;
    if (until_ms == INT64_MAX)
        return -1;
    return until_ms <= now_ms ? 0 : (int)(until_ms - now_ms < 60000 ? until_ms - now_ms : 60000);
}

static void wait_for_something(struct loop *l) {
    bool reads = l->settings->is_execd && !l->is_leaving;
    bool writes = l->sent < l->outgoing.len;
    struct pollfd watched[WATCHED] = {
        [STDIN] = {.fd = reads ? STDIN_FILENO : -1, .events = POLLIN},
        [SIGNALS] = {.fd = l->signal_fd, .events = POLLIN},
        [ENDED] = {.fd = l->ended->fd, .events = POLLIN},
        [STDOUT] = {.fd = STDOUT_FILENO, .events = writes ? POLLOUT : 0},
    };
    if (poll(watched, WATCHED, sleep_ms(l, sl_clock_monotonic_ms())) < 0)
        return;
    if (watched[SIGNALS].revents != 0)
        take_signals(l);
    if (watched[STDIN].revents != 0)
        take_input(l);
    if (watched[ENDED].revents != 0)
        sl_wakeup_clear(l->ended);
    if ((watched[STDOUT].revents & (POLLERR | POLLNVAL)) != 0)
        l->is_output_gone = true;
    else if (writes && watched[STDOUT].revents != 0)
        write_some(l);
}

static void keep_time(struct loop *l) {
    int64_t now_ms = sl_clock_monotonic_ms();
    if (now_ms < l->next_ms)
        return;
    if (!l->is_leaving)
        ask(l);
    l->next_ms = l->is_leaving ? INT64_MAX : now_ms + l->settings->every_ms;
}

/* Runs until all is done, nobody reads, or time is over. False in the last case. */
static bool run(struct loop *l) {
    for (;;) {
        bool is_idle = sl_gather_advance(l->gather);
        refill(l);
        bool is_written = l->sent == l->outgoing.len;
        if (l->is_output_gone || (l->is_leaving && is_written && (is_idle || l->is_stopping)))
            return true;
        if (l->is_leaving && sl_clock_monotonic_ms() >= l->leave_by_ms)
            return false;
        wait_for_something(l);
        keep_time(l);
    }
}

static enum sl_exit conclude(struct loop *l, bool is_done) {
    uint64_t good, bad;
    sl_gather_counts(l->gather, &good, &bad);
    if (l->settings->is_execd)
        return SL_EXIT_OK;
    if (l->is_output_gone)
        sl_log(l->log, SL_LOG_ERROR, "standard output cannot be written to");
    else if (l->is_stopping)
        sl_log(l->log, SL_LOG_ERROR,
               "ended by a signal before the answers came: Telegraf's timeout must be longer than "
               "--deadline");
    else if (!is_done)
        sl_log(l->log, SL_LOG_ERROR,
               "no answer within %.15g s: raise --deadline, and Telegraf's timeout above it",
               (double)l->settings->deadline_ms / 1000);
    bool is_good = is_done && !l->is_output_gone && !l->is_stopping && (good > 0 || bad == 0);
    return is_good ? SL_EXIT_OK : SL_EXIT_FAILED;
}

enum sl_exit sl_loop_run(struct sl_gather *g, struct sl_wakeup *ended,
                         const struct sl_loop_settings *settings, const struct sl_log *log) {
    sigset_t set;
    sl_loop_signals(&set);
    struct loop l = {.gather = g,
                     .ended = ended,
                     .settings = settings,
                     .log = log,
                     .next_ms = INT64_MAX,
                     .signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (l.signal_fd < 0) {
        sl_log(log, SL_LOG_ERROR, "cannot watch signals: %s", strerror(errno));
        return SL_EXIT_FAILED;
    }
    sl_buffer_init(&l.outgoing, OUTGOING_MAX_BYTES);
    if (!settings->is_execd) {
        ask(&l);
        leave(&l, settings->deadline_ms > 0 ? settings->deadline_ms : INT64_MAX / 2);
    } else if (settings->every_ms > 0) {
        l.next_ms = sl_clock_monotonic_ms();
    }
    enum sl_exit status = conclude(&l, run(&l));
    sl_buffer_release(&l.outgoing);
    close(l.signal_fd);
    return status;
}
