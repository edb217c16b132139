/* spacelift-pool watch: the pools as they change. In a terminal a picture that is drawn again every
 * second on the terminal's other screen, and left with q or Ctrl-C; elsewhere a line whenever
 * something has changed. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "configuration.h"
#include "os/clock.h"
#include "print.h"
#include "status_files.h"

enum { REFRESH_MS = 1000, DEFAULT_COLUMNS = 100, DEFAULT_ROWS = 24, MOST_POOLS = 1000 };

#define OTHER_SCREEN "\033[?1049h\033[?25l"
#define FIRST_SCREEN "\033[?25h\033[?1049l"
#define HOME         "\033[H"
#define CLEAR_LINE   "\033[K"
#define CLEAR_BELOW  "\033[J"

struct watch {
    const char *directory;
    const struct sl_colours *colours;
    bool is_terminal;
    int signals; /* a signalfd */
    struct sl_status_marks *marks;
    struct sl_buffer before; /* without a terminal: what was printed last */
    struct termios old;      /* of standard input */
    bool has_old;
};

static struct winsize screen(void) {
    struct winsize size = {.ws_col = 0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){.ws_col = DEFAULT_COLUMNS, .ws_row = DEFAULT_ROWS};
    return size;
}

/* q without Enter. */
static void read_keys_at_once(struct watch *w) {
    if (tcgetattr(STDIN_FILENO, &w->old) != 0)
        return;
    struct termios raw = w->old;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    w->has_old = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* Every signal that would end us is read as an event, so that the terminal is always put back. */
static int catch_signals(struct watch *w, struct sl_error *err) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGWINCH);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
        (w->signals = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
        return sl_fail(err, SL_IO, "cannot wait for signals: %s", strerror(errno));
    return SL_OK;
}

/* False: time to go. */
static bool wait_for_next(const struct watch *w) {
    struct pollfd fds[] = {
        {.fd = w->signals, .events = POLLIN},
        {.fd = w->has_old ? STDIN_FILENO : -1, .events = POLLIN},
    };
    int ready = poll(fds, sizeof(fds) / sizeof(fds[0]), REFRESH_MS);
    if (ready <= 0)
        return ready == 0 || errno == EINTR;
    struct signalfd_siginfo info;
    if (fds[0].revents != 0 && read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        return info.ssi_signo == SIGWINCH;
    char key = 0;
    if (fds[1].revents != 0)
        return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q' && key != 4;
    return true;
}

static void draw_files(struct watch *w, const struct sl_status_files *files, int64_t now_ms,
                       struct sl_buffer *out) {
    size_t mark = 0;
    for (size_t i = 0; i < files->count; i++) {
        const struct sl_status_cluster *c = &files->each[i];
        bool fits = w->is_terminal && mark + c->pool_count <= MOST_POOLS;
        for (size_t j = 0; fits && j < c->pool_count; j++)
            sl_status_mark(&w->marks[mark + j], &c->pools[j]);
        if (i > 0)
            sl_buffer_putc(out, '\n');
        sl_status_print_table(c, fits ? &w->marks[mark] : NULL, w->colours,
                              w->is_terminal ? screen().ws_col : 0, now_ms, out);
        mark += c->pool_count;
    }
}

/* Over the old picture, line by line, so that nothing flickers; no more lines than there are, or it
 * would scroll. The last one is ours. */
static void show_picture(const struct watch *w, const struct sl_buffer *text,
                         struct sl_buffer *frame) {
    size_t rows = screen().ws_row, shown = 0, left = 0;
    sl_buffer_puts(frame, HOME);
    for (const char *line = text->data; *line != '\0'; line += line[0] == '\n') {
        size_t len = strcspn(line, "\n");
        if (shown + 2 < rows) {
            sl_buffer_append(frame, line, len);
            sl_buffer_puts(frame, CLEAR_LINE "\r\n");
            shown++;
        } else {
            left++;
        }
        line += len;
    }
    sl_buffer_printf(frame, CLEAR_LINE "\r\n%sq to leave", w->colours->dim);
    if (left > 0)
        sl_buffer_printf(frame, "; %zu more lines in a taller window", left);
    sl_buffer_printf(frame, "%s" CLEAR_LINE CLEAR_BELOW, w->colours->plain);
}

/* The line about the cluster ages all the time; what follows it is news. */
static bool is_news(struct watch *w, const struct sl_status_files *files) {
    struct sl_buffer now;
    sl_buffer_init(&now, SL_PRINT_MAX_BYTES);
    for (size_t i = 0; i < files->count; i++) {
        const struct sl_status_cluster *c = &files->each[i];
        sl_buffer_printf(&now, "%d %s\n",
                         sl_status_health(c, c->cluster.written_ms) == SL_STATUS_FINE,
                         c->cluster.error);
        for (size_t j = 0; j < c->pool_count; j++) {
            const struct sl_pool_status *p = &c->pools[j];
            sl_buffer_printf(&now, "%lld %lld %lld %lld %s\n", (long long)p->size,
                             (long long)p->desired, (long long)p->busy, (long long)p->pending,
                             p->error);
        }
    }
    bool is = strcmp(now.data, w->before.data) != 0;
    sl_buffer_release(&w->before);
    w->before = now;
    return is;
}

static bool show(struct watch *w) {
    struct sl_status_files files;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer text, frame;
    int64_t now_ms = sl_clock_realtime_ms();
    bool ok = true;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    sl_buffer_init(&frame, SL_PRINT_MAX_BYTES);
    int code = sl_status_load(w->directory, &files, &err);
    if (code == SL_OK)
        draw_files(w, &files, now_ms, &text);
    else
        sl_buffer_printf(&text, "%s%s%s\n", w->colours->bad, err.text, w->colours->plain);
    if (w->is_terminal) {
        show_picture(w, &text, &frame);
        ok = sl_print(&frame);
    } else if (code != SL_OK || is_news(w, &files)) {
        ok = sl_print(&text);
    }
    sl_status_release(&files);
    sl_buffer_release(&frame);
    sl_buffer_release(&text);
    return ok && !ferror(stdout);
}

static void put_terminal_back(const struct watch *w) {
    if (w->is_terminal) {
        fputs(FIRST_SCREEN, stdout);
        fflush(stdout);
    }
    if (w->has_old)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &w->old);
}

static int watch(const char *directory, const struct sl_output_settings *output,
                 struct sl_error *err) {
    struct sl_status_files files;
    struct watch w = {
        .directory = directory,
        .colours = sl_colours_of(output),
        .is_terminal = isatty(STDOUT_FILENO) == 1,
        .signals = -1,
    };
    /* What cannot work from the start is said on the ordinary screen. */
    int code = sl_status_load(directory, &files, err);
    sl_status_release(&files);
    if (code == SL_OK && (w.marks = calloc(MOST_POOLS, sizeof(*w.marks))) == NULL)
        code = sl_fail(err, SL_NOMEM, "out of memory");
    if (code == SL_OK)
        code = catch_signals(&w, err);
    if (code == SL_OK) {
        sl_buffer_init(&w.before, SL_PRINT_MAX_BYTES);
        if (w.is_terminal) {
            read_keys_at_once(&w);
            fputs(OTHER_SCREEN, stdout);
        }
        while (show(&w) && wait_for_next(&w))
            continue;
        put_terminal_back(&w);
        sl_buffer_release(&w.before);
        (void)close(w.signals);
    }
    free(w.marks);
    return code;
}

static enum sl_exit run(const struct sl_arguments *arguments) {
    struct sl_output_settings output = {.form = 0};
    struct sl_error err = SL_ERROR_INIT;
    char *directory = NULL;
    int code = sl_arguments_read(arguments, sl_colour_block.options, &output, &err);
    if (code == SL_OK && output.form == SL_OUTPUT_JSON)
        code = sl_fail(&err, SL_CONFIG, "--output json is for status: watch is for eyes");
    if (code == SL_OK)
        code = sl_status_directory(arguments, &directory, &err);
    if (code == SL_OK)
        code = watch(directory, &output, &err);
    free(directory);
    return code == SL_OK ? SL_EXIT_OK : sl_complain(arguments, &err);
}

const struct sl_command sl_command_watch = {
    .name = "watch",
    .summary = "show the pools live: sizes, queues and reasons as they change",
    .help = "Shows what status shows, once a second, with the demand of the last minute as a "
            "picture. q or Ctrl-C\nends it. Where the output is no terminal: what status shows, "
            "whenever something has changed.",
    .groups =
        {
            {"Where", &sl_status_block, NULL},
            {"Configuration", &sl_general_block, NULL},
            {"Output", &sl_colour_block, NULL},
        },
    .run = run,
};
