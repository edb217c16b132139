/* spacelift-pool scale: resizes WorkerPools by what Telegraf writes, for its outputs.exec (a run
 * for each batch) and outputs.execd (stays). Options, batches and the end of input; what is decided
 * and how it is written is src/scaler, as in collectd's plugin. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/version.h"
#include "batch.h"
#include "configuration.h"
#include "format/line_protocol.h"
#include "log.h"
#include "loop.h"
#include "net/http.h"
#include "os/clock.h"
#include "scaler/scaler.h"

struct scale_options {
    bool is_execd;
    int64_t deadline_ms;
};

#define AT(member) offsetof(struct scale_options, member)

static const struct sl_option scale_options[] = {
    {.name = "Execd",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(is_execd),
     .help = "Stay until the end of input. For Telegraf's outputs.execd; without it for "
             "outputs.exec: one batch, then the end."},
    {.name = "Deadline",
     .type = SL_OPTION_SECONDS,
     .offset = AT(deadline_ms),
     .fallback = "4.5",
     .min = 0.1,
     .max = 3600,
     .unit = "s",
     .help =
         "Without --execd: how long all of it may take. Below the timeout of outputs.exec, which "
         "is 5 s. What is not done by then is not done; Telegraf sends the batch again."},
    {.name = NULL},
};

static const struct sl_option_block scale_block = {.name = "scale", .options = scale_options};

enum {
    INPUT_MAX_BYTES = 2 * SL_LINE_MAX_BYTES,
    /* A batch has no end mark: it ends when nothing comes for so long... */
    SILENCE_MS = 200,
    /* ... or has come for so long. */
    BATCH_MAX_MS = 1000,
};

struct scale {
    struct sl_scaler *scaler;
    const struct sl_log *log;
    struct sl_batch batch;
    char input[INPUT_MAX_BYTES + 1];
    size_t used;
    bool is_skipping; /* a line that is too long, up to its newline */
    struct sl_complaint bad_lines;
};

/* ---- input ---- */

static void complain_line(struct scale *s, const struct sl_error *err) {
    if (sl_complaint_failed(&s->bad_lines, "line", sl_clock_monotonic_ms()))
        sl_log(s->log, SL_LOG_WARNING,
               "a line is not line protocol and is passed over: %s (data_format must be "
               "\"influx\")",
               err->text);
}

static void take_line(struct scale *s, char *line, size_t len) {
    struct sl_error err = SL_ERROR_INIT;
    if (s->is_skipping) {
        s->is_skipping = false;
        return;
    }
    if (len > 0 && line[len - 1] == '\n')
        len--;
    char after = line[len];
    line[len] = '\0';
    if (memchr(line, '\0', len) != NULL)
        sl_fail(&err, SL_PARSE, "it holds a zero byte");
    else
        (void)!sl_batch_take(&s->batch, line, sl_clock_realtime_ms(), &err);
    line[len] = after;
    if (err.code != SL_OK)
        complain_line(s, &err);
}

/* Every whole line that has come; at the end of input the last one needs no newline. */
static void take_lines(struct scale *s, bool is_end) {
    size_t at = 0;
    for (;;) {
        size_t len = sl_line_length(s->input + at, s->used - at);
        if (len == 0)
            break;
        take_line(s, s->input + at, len);
        at += len;
    }
    if (is_end && s->used > at) {
        take_line(s, s->input + at, s->used - at);
        at = s->used;
    }
    memmove(s->input, s->input + at, s->used - at);
    s->used -= at;
    if (s->used > SL_LINE_MAX_BYTES) { /* no newline in sight */
        s->is_skipping = true;
        s->used = 0;
    }
}

/* False at the end of input. */
static bool read_some(struct scale *s) {
    ssize_t n = read(STDIN_FILENO, s->input + s->used, INPUT_MAX_BYTES - s->used);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    s->used += n > 0 ? (size_t)n : 0;
    take_lines(s, n <= 0);
    return n > 0;
}

static void put(void *context, const struct sl_pool_values *values) {
    struct scale *s = context;
    sl_scaler_take(s->scaler, values, sl_clock_monotonic_ms(), sl_clock_realtime_ms());
}

/* ---- the two ways to run ---- */

/* One batch: its last word on each pool counts. */
static int run_once(struct scale *s, int64_t deadline_ms, struct sl_error *err) {
    int64_t end_ms = sl_clock_monotonic_ms() + deadline_ms;
    sl_scaler_resume(s->scaler);
    while (read_some(s)) {
    }
    sl_batch_flush(&s->batch, put, s);
    if (s->batch.lines == 0 && s->batch.bad_lines > 0)
        return sl_fail(err, SL_PARSE,
                       "nothing on standard input is line protocol: outputs.exec needs "
                       "data_format = \"influx\"");
    int64_t left_ms = end_ms - sl_clock_monotonic_ms();
    return sl_scaler_run_once(s->scaler, left_ms > 0 ? left_ms : 0, err);
}

/* Until the end of input or a signal: then stop at once, nothing half done is finished. */
static int run_until_end(struct scale *s, struct sl_error *err) {
    sigset_t set;
    sl_loop_signals(&set);
    int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd < 0)
        return sl_fail(err, SL_IO, "cannot watch signals: %s", strerror(errno));
    int code = sl_scaler_start(s->scaler, err);
    int64_t first_ms = 0; /* of the batch */
    while (code == SL_OK) {
        struct pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                   {.fd = signal_fd, .events = POLLIN}};
        int ready = poll(watched, 2, s->batch.count > 0 ? SILENCE_MS : -1);
        if (ready > 0 && watched[1].revents != 0 && sl_loop_is_end(signal_fd))
            break;
        if (ready > 0 && watched[0].revents != 0) {
            if (s->batch.count == 0)
                first_ms = sl_clock_monotonic_ms();
            if (!read_some(s))
                break;
        }
        if (ready == 0 || sl_clock_monotonic_ms() - first_ms >= BATCH_MAX_MS)
            sl_batch_flush(&s->batch, put, s);
    }
    sl_scaler_stop(s->scaler);
    close(signal_fd);
    return code;
}

/* ---- options ---- */

static int prepare(const struct sl_arguments *arguments, struct scale_options *options,
                   struct sl_configuration *c, struct sl_error *err) {
    int code = sl_arguments_read(arguments, scale_options, options, err);
    if (code == SL_OK &&
        options->is_execd) /* a single run may be ended by SIGTERM: nothing is lost */
        code = sl_loop_block_signals(err);
    if (code == SL_OK)
        code = sl_configuration_load(arguments, c, err);
    if (code == SL_OK)
        code = sl_configuration_scaler(c, arguments, err);
    return code == SL_OK ? sl_http_global_init(err) : code;
}

/* Whatever is wrong: Telegraf must not meet a broken pipe, or block, because nobody reads. */
static void drain_input(void) {
    char bytes[4096];
    ssize_t n;
    do
        n = read(STDIN_FILENO, bytes, sizeof(bytes));
    while (n > 0 || (n < 0 && errno == EINTR));
}

static enum sl_exit run_scale(const struct sl_arguments *arguments) {
    static struct scale scale; /* large */
    struct scale_options options = {.is_execd = false};
    struct sl_configuration configuration = {.accounts = NULL};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_log log = {.write = sl_split_telegraf};
    scale.log = &log;

    int code = prepare(arguments, &options, &configuration, &err);
    if (code == SL_OK)
        code = sl_scaler_new(&configuration.scaler, &log, &scale.scaler, &err);
    if (code != SL_OK && !options.is_execd)
        drain_input();
    if (code == SL_OK && options.is_execd) {
        sl_log(&log, SL_LOG_INFO, "spacelift-pool %s", sl_version());
        code = run_until_end(&scale, &err);
    } else if (code == SL_OK) {
        code = run_once(&scale, options.deadline_ms, &err);
    }
    if (code != SL_OK)
        sl_log(&log, SL_LOG_ERROR, "%s", err.text);
    sl_batch_release(&scale.batch);
    sl_scaler_free(scale.scaler);
    sl_configuration_release(&configuration);
    if (options.is_execd)
        sl_loop_linger();
    return sl_exit_of(code);
}

const struct sl_command sl_command_scale = {
    .name = "scale",
    .words = "[POOL]",
    .max_words = 1,
    .summary = "resize Kubernetes WorkerPools by what Telegraf writes",
    .help =
        "Takes Telegraf's line protocol on standard input and gives each WorkerPool the size that "
        "its queue\nneeds: for outputs.exec, or with --execd for outputs.execd. The pools stand in "
        "a "
        "configuration file, as\nfor collectd's plugin workerpool_scaler; a single POOL, by its "
        "name "
        "in Spacelift, can be described on\nthe command line.",
    .groups =
        {
            {"Scaling", &scale_block, NULL},
            {"Configuration", &sl_general_block, NULL},
            {"Scaler", &sl_scaler_plugin_block, NULL},
            {"Kubernetes cluster", &sl_scaler_cluster_block, NULL},
            {"Pool", &sl_scaler_pool_block, NULL},
        },
    .run = run_scale,
};
