/* What Telegraf will do to the command by the settings beside it: when it runs it, when it kills
 * it, how it reads it, and under which names the values go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "format/dropin.h"

enum {
    TIMEOUT_DEFAULT_MS = 5000, /* plugins/inputs/exec, plugins/outputs/exec */
    KILL_GRACE_MS = 5000,      /* from SIGTERM to SIGKILL: internal/exec_unix.go */
};

/* One command and the table it stands in. */
struct subject {
    struct sl_check *check;
    const struct sl_dropin_block *block;
    const struct sl_arguments *arguments;
    bool is_read;
    bool stays; /* inputs.execd, outputs.execd */
};

static const char *setting(const struct subject *s, enum sl_dropin_setting which) {
    return s->block->settings[which];
}

/* What was typed for this option; NULL: nothing. */
static const char *typed(const struct subject *s, const char *name) {
    const char *text = NULL;
    for (size_t i = 0; i < s->arguments->given_count; i++)
        if (strcmp(s->arguments->given[i].option->name, name) == 0)
            text = s->arguments->given[i].text;
    return text;
}

static bool is_switched_on(const struct subject *s, const char *name) {
    const char *text = typed(s, name);
    return text != NULL && strcmp(text, "false") != 0;
}

static void check_table(const struct subject *s) {
    bool is_input = strncmp(s->block->table, "inputs.", 7) == 0;
    bool has_execd = is_switched_on(s, "Execd");
    if (is_input != s->is_read)
        sl_check_say(s->check, SL_CHECK_FAILED,
                     is_input ? "read is for inputs" : "use outputs.exec", "%s runs \"%s\"",
                     s->block->table, s->is_read ? "read" : "scale");
    else if (has_execd && !s->stays)
        sl_check_say(s->check, SL_CHECK_FAILED, "leave --execd out, or use the table with a d",
                     "with --execd the command never ends, and %s waits for its end",
                     s->block->table);
    else if (!has_execd && s->stays)
        sl_check_say(s->check, SL_CHECK_FAILED, "add --execd",
                     "without --execd the command ends after one turn, and %s starts it again and "
                     "again",
                     s->block->table);
}

/* inputs.exec alone has another default than line protocol. */
static void check_format(const struct subject *s) {
    static const struct {
        const char *output, *format;
    } pairs[] = {{"influx", "influx"}, {"prometheus", "prometheus"}, {"json", "json"}};
    bool is_exec = strcmp(s->block->table, "inputs.exec") == 0;
    const char *format = setting(s, SL_DROPIN_DATA_FORMAT);
    const char *output = s->is_read ? typed(s, "Output") : NULL;
    const char *wanted = pairs[0].format;
    for (size_t i = 0; output != NULL && i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(pairs[i].output, output) == 0)
            wanted = pairs[i].format;
    const char *given = format != NULL ? format : is_exec ? "json" : "influx";
    /* json_v2, influx_upstream: other readers of the same text. */
    if (strncmp(given, wanted, strlen(wanted)) == 0 ||
        (strcmp(wanted, "json") == 0 && strncmp(given, "xpath_json", 10) == 0))
        return;
    char remedy[SL_CHECK_REMEDY_BYTES];
    (void)snprintf(remedy, sizeof(remedy), "data_format = \"%s\"", wanted);
    sl_check_say(s->check, SL_CHECK_FAILED, remedy,
                 "data_format is \"%s\"%s, but the command %s %s", given,
                 format == NULL ? " where nothing is said" : "", s->is_read ? "prints" : "reads",
                 strcmp(wanted, "influx") == 0 ? "line protocol" : wanted);
}

/* False: not set. Says so if it is no duration. */
static bool duration(const struct subject *s, enum sl_dropin_setting which, int64_t *ret_ms) {
    const char *text = setting(s, which);
    if (text == NULL)
        return false;
    if (sl_dropin_duration(text, ret_ms))
        return true;
    sl_check_say(s->check, SL_CHECK_FAILED, "a duration as \"30s\"", "%s = \"%s\" is no duration",
                 sl_dropin_setting_names[which], text);
    return false;
}

static void check_times(const struct subject *s) {
    int64_t timeout_ms = TIMEOUT_DEFAULT_MS, interval_ms = 0;
    bool has_timeout = duration(s, SL_DROPIN_TIMEOUT, &timeout_ms);
    bool has_interval = duration(s, SL_DROPIN_INTERVAL, &interval_ms);
    const char *deadline = typed(s, "Deadline");
    double deadline_s = deadline != NULL ? strtod(deadline, NULL) : 4.5;
    if (s->stays)
        return;
    if (deadline_s * 1000 >= (double)timeout_ms)
        sl_check_say(s->check, SL_CHECK_FAILED, "a timeout above --deadline",
                     "Telegraf kills the command after %.15g s%s, before its --deadline of %.15g s "
                     "lets it say what took so long",
                     (double)timeout_ms / 1000, has_timeout ? "" : " where no timeout is set",
                     deadline_s);
    else if (has_interval && timeout_ms + KILL_GRACE_MS > interval_ms)
        sl_check_say(s->check, SL_CHECK_WARNING, "a longer interval, or a shorter timeout",
                     "a command that hangs is killed after %.15g s and %d s more: the interval of "
                     "%.15g s is over by then",
                     (double)timeout_ms / 1000, KILL_GRACE_MS / 1000, (double)interval_ms / 1000);
}

/* Dashboards, rules and scale know the values by the names of the official exporter. */
static void check_names(const struct subject *s) {
    static const enum sl_dropin_setting changes[] = {SL_DROPIN_NAME_OVERRIDE, SL_DROPIN_NAME_PREFIX,
                                                     SL_DROPIN_NAME_SUFFIX};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const char *value = setting(s, changes[i]);
        if (value == NULL || value[0] == '\0')
            continue;
        sl_check_say(s->check, s->is_read ? SL_CHECK_WARNING : SL_CHECK_FAILED, "leave it out here",
                     "%s = \"%s\" gives the values another name%s",
                     sl_dropin_setting_names[changes[i]], value,
                     s->is_read ? " than dashboards, rules and scale know"
                                : ", and scale knows only spacelift_worker_pool");
    }
}

static void check_rest(const struct subject *s) {
    const char *sign = setting(s, SL_DROPIN_SIGNAL);
    const char *batch = setting(s, SL_DROPIN_USE_BATCH_FORMAT);
    if (strcmp(s->block->table, "inputs.execd") == 0 &&
        (sign == NULL || strcmp(sign, "none") == 0) && typed(s, "Every") == NULL)
        sl_check_say(s->check, SL_CHECK_FAILED, "signal = \"STDIN\"",
                     "nobody asks the command for a reading: signal is \"none\"%s, and --every is "
                     "not given",
                     sign == NULL ? " where nothing is said" : "");
    if (strcmp(s->block->table, "outputs.execd") == 0 &&
        setting(s, SL_DROPIN_RESTART_DELAY) == NULL)
        sl_check_say(s->check, SL_CHECK_WARNING, "restart_delay = \"10s\"",
                     "without restart_delay a command that fails is started thousands of times a "
                     "second");
    if (strcmp(s->block->table, "outputs.exec") == 0 && batch != NULL &&
        strcmp(batch, "false") == 0)
        sl_check_say(s->check, SL_CHECK_WARNING, "use_batch_format = true",
                     "a process is started for each value");
}

void sl_check_settings(struct sl_check *c, const struct sl_dropin_block *block,
                       const struct sl_arguments *arguments) {
    const struct subject s = {.check = c,
                              .block = block,
                              .arguments = arguments,
                              .is_read = strcmp(arguments->command->name, "read") == 0,
                              .stays = strchr(block->table, '.') != NULL &&
                                       strcmp(strchr(block->table, '.'), ".execd") == 0};
    if (!s.is_read && strcmp(arguments->command->name, "scale") != 0) {
        sl_check_say(c, SL_CHECK_FAILED, "read for inputs, scale for outputs", "%s runs \"%s\"",
                     block->table, arguments->command->name);
        return;
    }
    check_table(&s);
    check_format(&s);
    check_times(&s);
    check_names(&s);
    check_rest(&s);
}
