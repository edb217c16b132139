/* spacelift-pool read: the queues of an account, for Telegraf's inputs.exec and inputs.execd. */
#include <string.h>

#include "base/version.h"
#include "configuration.h"
#include "gather.h"
#include "log.h"
#include "loop.h"
#include "net/http.h"
#include "os/memory.h"

struct read_options {
    int output;
    bool is_execd;
    int64_t every_ms;
    int64_t deadline_ms;
};

#define AT(member) offsetof(struct read_options, member)

static const struct sl_option read_options[] = {
    {.name = "Output",
     .type = SL_OPTION_CHOICE,
     .offset = AT(output),
     .fallback = "influx",
     .choices = sl_format_names,
     .help = "In which form: Telegraf's line protocol, Prometheus' text exposition, or one JSON "
             "document."},
    {.name = "Execd",
     .type = SL_OPTION_BOOLEAN,
     .offset = AT(is_execd),
     .help = "Stay, and gather at each newline on standard input and at SIGHUP, SIGUSR1 and "
             "SIGUSR2; leave at the end of input. For Telegraf's inputs.execd."},
    {.name = "Every",
     .type = SL_OPTION_SECONDS,
     .offset = AT(every_ms),
     .min = 1,
     .max = 86400,
     .unit = "s",
     .example = "30",
     .help = "With --execd: gather by itself at this interval, for inputs.execd with signal = "
             "\"none\"."},
    {.name = "Deadline",
     .type = SL_OPTION_SECONDS,
     .offset = AT(deadline_ms),
     .fallback = "4.5",
     .min = 0.1,
     .max = 86400,
     .unit = "s",
     .help =
         "Without --execd: how long all of it may take. Below the timeout of inputs.exec, which "
         "is 5 s, so that the message says why it took so long."},
    {.name = NULL},
};

static const struct sl_option_block read_block = {.name = "read", .options = read_options};

/* What is read once says first what failed: Telegraf shows one line. What was said while the
 * configuration was read comes after it. */
struct first_line {
    bool is_set_up;
    struct sl_buffer later;
};

static void say_failures_first(void *context, enum sl_log_level level, const char *line) {
    struct first_line *f = context;
    if (level > SL_LOG_WARNING)
        return;
    if (f->is_set_up)
        sl_stderr_plain(NULL, SL_LOG_ERROR, line);
    else
        sl_buffer_printf(&f->later, "%s%s", f->later.len > 0 ? "; " : "", line);
}

static enum sl_exit complain(const struct sl_log *log, const struct sl_error *err) {
    sl_log(log, SL_LOG_ERROR, "%s", err->text);
    return sl_exit_of((int)err->code);
}

static enum sl_exit read_accounts(struct sl_configuration *c, const struct read_options *o,
                                  const struct sl_log *log, struct first_line *first) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_gather *gather;
    struct sl_wakeup ended;
    int code = sl_wakeup_init(&ended, &err);
    if (code == SL_OK) {
        code = sl_gather_new(c, (enum sl_format)o->output, log, &ended, &gather, &err);
        if (code != SL_OK)
            sl_wakeup_release(&ended);
    }
    first->is_set_up = true;
    if (code != SL_OK)
        return complain(log, &err);
    struct sl_loop_settings settings = {
        .is_execd = o->is_execd, .every_ms = o->every_ms, .deadline_ms = o->deadline_ms};
    enum sl_exit status = sl_loop_run(gather, &ended, &settings, log);
    sl_gather_free(gather);
    sl_wakeup_release(&ended);
    return status;
}

static enum sl_exit run_read(const struct sl_arguments *arguments) {
    struct read_options options = {.is_execd = false};
    struct sl_configuration configuration = {.accounts = NULL};
    struct first_line first = {.is_set_up = false};
    struct sl_error err = SL_ERROR_INIT;
    sl_buffer_init(&first.later, 4096);
    struct sl_log log = {.write = say_failures_first, .context = &first};

    int code = sl_loop_block_signals(&err);
    if (code == SL_OK)
        code = sl_arguments_read(arguments, read_options, &options, &err);
    if (code == SL_OK && options.is_execd)
        log = (struct sl_log){.write = sl_stderr_telegraf};
    if (code == SL_OK && options.is_execd)
        sl_log(&log, SL_LOG_INFO, "spacelift-pool %s", sl_version());
    if (code == SL_OK)
        code = sl_configuration_load(arguments, &configuration, &err);
    if (code == SL_OK)
        code = sl_configuration_accounts(&configuration, arguments, &err);
    if (code == SL_OK)
        code = sl_http_global_init(&err);
    if (!options.is_execd)
        sl_http_stay_small();
    enum sl_exit status;
    if (code == SL_OK) {
        status = read_accounts(&configuration, &options, &log, &first);
    } else {
        first.is_set_up = true;
        status = complain(&log, &err);
    }
    if (first.later.len > 0)
        sl_stderr_plain(NULL, SL_LOG_ERROR, first.later.data);
    sl_buffer_release(&first.later);
    sl_configuration_release(&configuration);
    if (options.is_execd)
        sl_loop_linger();
    sl_memory_trim_own_code(); /* the libraries' own ends touch as much again */
    return status;
}

const struct sl_command sl_command_read = {
    .name = "read",
    .summary = "read worker pools and print them for Telegraf, Prometheus or a program",
    .help =
        "Reads the worker pools of one or several Spacelift accounts and prints their queues and "
        "workers:\nonce, for Telegraf's inputs.exec, or with --execd whenever inputs.execd asks.",
    .groups =
        {
            {"Reading", &read_block, NULL},
            {"Configuration", &sl_general_block, NULL},
            {"Spacelift account", &sl_account_block, NULL},
        },
    .run = run_read,
};
