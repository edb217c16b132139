/* spacelift-pool check: everything that can be wrong before 3 a.m. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net/http.h"
#include "print.h"

/* ---- lines ---- */

void sl_check_area(struct sl_check *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->area, sizeof(c->area), format, args);
    va_end(args);
}

static struct sl_check_line *add_line(struct sl_check *c, enum sl_check_verdict verdict) {
    struct sl_check_line *grown = realloc(c->lines, (c->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        c->is_out_of_memory = true;
        return NULL;
    }
    c->lines = grown;
    struct sl_check_line *line = &c->lines[c->count++];
    *line = (struct sl_check_line){.verdict = verdict};
    memcpy(line->area, c->area, sizeof(line->area));
    return line;
}

void sl_check_say(struct sl_check *c, enum sl_check_verdict verdict, const char *remedy,
                  const char *format, ...) {
    struct sl_check_line *line = add_line(c, verdict);
    va_list args;
    if (line == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(line->text, sizeof(line->text), format, args);
    va_end(args);
    (void)snprintf(line->remedy, sizeof(line->remedy), "%s", remedy != NULL ? remedy : "");
}

static void take_log(void *context, enum sl_log_level level, const char *text) {
    struct sl_check *c = context;
    if (level <= SL_LOG_WARNING)
        sl_check_say(c, SL_CHECK_WARNING, NULL, "%s", text);
}

struct sl_log sl_check_log(struct sl_check *c) {
    return (struct sl_log){.write = take_log, .context = c};
}

/* ---- files that are nobody's area ---- */

static void check_files(struct sl_check *c) {
    const char *config = c->configuration->general.config;
    const char *state = c->configuration->scaler.state_directory;
    bool has_password = false;
    struct stat st;
    for (size_t i = 0; i < c->configuration->node_count; i++)
        has_password |= sl_secret_is_set(&c->configuration->nodes[i].http.password);
    sl_check_area(c, "files");
    if (config != NULL && has_password && stat(config, &st) == 0 && (st.st_mode & 077) != 0)
        sl_check_say(c, SL_CHECK_WARNING, "chmod 600 it, or use PasswordFile",
                     "%s holds a password and can be read by others", config);
    if (state == NULL || c->configuration->scaler.pool_count == 0)
        return;
    if (stat(state, &st) != 0)
        sl_check_say(c, SL_CHECK_OK, NULL, "StateDirectory %s will be made", state);
    else if (!S_ISDIR(st.st_mode))
        sl_check_say(c, SL_CHECK_FAILED, "name a folder", "StateDirectory %s is no folder", state);
    else if ((st.st_mode & 022) != 0)
        sl_check_say(c, SL_CHECK_WARNING, "chmod 700 it",
                     "others may write into StateDirectory %s, and so change what is decided",
                     state);
    else
        sl_check_say(c, SL_CHECK_OK, NULL, "StateDirectory %s is there", state);
}

/* ---- printing ---- */

static const char *const verdicts[] = {"ok", "skipped", "warning", "failed"};

static size_t count_of(const struct sl_check *c, enum sl_check_verdict verdict) {
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        n += c->lines[i].verdict == verdict;
    return n;
}

static void print_text(const struct sl_check *c, const struct sl_colours *colours,
                       struct sl_buffer *out) {
    const char *const marks[] = {colours->good, colours->dim, colours->warn, colours->bad};
    for (size_t i = 0; i < c->count; i++) {
        const struct sl_check_line *line = &c->lines[i];
        bool has_remedy = line->remedy[0] != '\0';
        sl_buffer_printf(out, "%s%-7s%s  %s: %s%s%s%s%s\n", marks[line->verdict],
                         verdicts[line->verdict], colours->plain, line->area, line->text,
                         has_remedy ? "; to do: " : "", has_remedy ? colours->bold : "",
                         line->remedy, has_remedy ? colours->plain : "");
    }
    size_t failed = count_of(c, SL_CHECK_FAILED), warned = count_of(c, SL_CHECK_WARNING);
    sl_buffer_printf(out, "\n%zu ok, %zu skipped, %zu warning%s, %s%zu failed%s\n",
                     count_of(c, SL_CHECK_OK), count_of(c, SL_CHECK_SKIPPED), warned,
                     warned == 1 ? "" : "s", failed > 0 ? colours->bad : colours->good, failed,
                     colours->plain);
}

static void print_json(const struct sl_check *c, struct sl_buffer *out) {
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_object_begin(&w, NULL);
    for (int v = SL_CHECK_OK; v <= SL_CHECK_FAILED; v++)
        sl_json_put_int64(&w, verdicts[v], (int64_t)count_of(c, (enum sl_check_verdict)v));
    sl_json_array_begin(&w, "checks");
    for (size_t i = 0; i < c->count; i++) {
        sl_json_object_begin(&w, NULL);
        sl_json_put_string(&w, "verdict", verdicts[c->lines[i].verdict]);
        sl_json_put_string(&w, "area", c->lines[i].area);
        sl_json_put_string(&w, "text", c->lines[i].text);
        sl_json_put_string(&w, "to_do", c->lines[i].remedy);
        sl_json_object_end(&w);
    }
    sl_json_array_end(&w);
    sl_json_object_end(&w);
    sl_buffer_putc(out, '\n');
}

static enum sl_exit print(const struct sl_check *c, const struct sl_output_settings *output) {
    struct sl_buffer text;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    if (output->form == SL_OUTPUT_JSON)
        print_json(c, &text);
    else
        print_text(c, sl_colours_of(output), &text);
    bool ok = sl_print(&text) && !c->is_out_of_memory && count_of(c, SL_CHECK_FAILED) == 0;
    sl_buffer_release(&text);
    return ok ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static void forget_pools(struct sl_check *c) {
    for (size_t i = 0; i < c->pool_count; i++) {
        free(c->pools[i].id);
        free(c->pools[i].name);
    }
    free(c->pools);
    c->pools = NULL;
    c->pool_count = 0;
}

/* ---- the subcommand ---- */

/* Accounts of the file, or one that options or the environment describe. None at all is no mistake
 * on a host that only scales, or only writes. */
static int load_accounts(const struct sl_arguments *arguments, struct sl_configuration *c,
                         struct sl_error *err) {
    bool has_more = c->scaler.pool_count > 0 || c->node_count > 0 || arguments->word_count > 0;
    bool is_meant = c->account_count > 0 || !has_more || c->general.account != NULL ||
                    sl_arguments_has(arguments, sl_account_block.options);
    int code = sl_configuration_accounts(c, arguments, err);
    if (code == SL_OK || is_meant || (c->account_count > 0 && c->accounts[0].url != NULL))
        return code;
    while (c->account_count > 0)
        sl_account_release(&c->accounts[--c->account_count]);
    return SL_OK;
}

static int load(const struct sl_arguments *arguments, struct sl_configuration *c,
                struct sl_error *err) {
    int code = sl_configuration_load(arguments, c, err);
    if (code == SL_OK)
        code = load_accounts(arguments, c, err);
    if (code == SL_OK && (c->scaler.pool_count > 0 || arguments->word_count > 0)) {
        code = sl_configuration_scaler(c, arguments, err);
        if (code == SL_OK)
            code = sl_scaler_config_check(&c->scaler, err);
    }
    return code == SL_OK ? sl_http_global_init(err) : code;
}

int sl_check_configuration(struct sl_check *c, const struct sl_arguments *arguments,
                           struct sl_error *err) {
    struct sl_configuration configuration = {.accounts = NULL};
    c->configuration = &configuration;
    int code = load(arguments, &configuration, err);
    if (code == SL_OK) {
        check_files(c);
        sl_check_accounts(c);
        sl_check_clusters(c);
        sl_check_nodes(c);
    }
    c->configuration = NULL;
    forget_pools(c);
    sl_configuration_release(&configuration);
    return code;
}

static int check_all(struct sl_check *c, const struct sl_arguments *arguments,
                     struct sl_error *err) {
    struct sl_general_options general = {.config = NULL};
    const struct sl_option *table = sl_general_block.options;
    int code = sl_arguments_read(arguments, table, &general, err);
    if (code == SL_OK)
        code = general.config != NULL && sl_check_is_telegraf(general.config)
                   ? sl_check_telegraf(c, general.config, err)
                   : sl_check_configuration(c, arguments, err);
    sl_option_release(table, &general);
    return code;
}

static enum sl_exit run(const struct sl_arguments *arguments) {
    struct sl_check check = {.configuration = NULL};
    struct sl_output_settings output = {.form = 0};
    struct sl_error err = SL_ERROR_INIT;
    int code = sl_arguments_read(arguments, sl_colour_block.options, &output, &err);
    if (code == SL_OK)
        code = check_all(&check, arguments, &err);
    enum sl_exit status = code == SL_OK ? print(&check, &output) : sl_complain(arguments, &err);
    free(check.lines);
    return status;
}

const struct sl_command sl_command_check = {
    .name = "check",
    .words = "[POOL]",
    .max_words = 1,
    .summary = "test everything that can be wrong: keys, rights, names, sizes, receivers",
    .help =
        "Reads the configuration that collectd or Telegraf will read and asks every server that "
        "is in it: does\nthe endpoint answer, is the key good and what may it read, does each "
        "pool exist under its name,\nmay the account resize it (each rule of its Role), what "
        "size has it and would it get, does another\nautoscaler fight for it, does each "
        "receiver take remote write. Nothing is changed anywhere.\n\n"
        "A line for each: ok, skipped, warning or failed, and what to do. Exit status 1 if "
        "anything failed.",
    .groups =
        {
            {"Configuration", &sl_general_block, NULL},
            {"Spacelift account", &sl_account_block, NULL},
            {"Cluster", &sl_scaler_cluster_block, "cluster"},
            {"Pool", &sl_scaler_pool_block, NULL},
            {"Output", &sl_colour_block, NULL},
        },
    .run = run,
};
