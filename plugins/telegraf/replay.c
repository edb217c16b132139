/* spacelift-pool replay: a recorded queue through two policies, side by side. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "configuration.h"
#include "print.h"
#include "replay/replay.h"
#include "replay/picture.h"
#include "replay/source.h"

struct replay_settings {
    char *pool;
    char *against;
    char *svg;
    int64_t startup_ms;
    int64_t interval_ms;
    int64_t run_time_ms;
    double price;
};

#define AT(member) offsetof(struct replay_settings, member)

static const struct sl_option replay_options[] = {
    {.name = "Pool",
     .type = SL_OPTION_STRING,
     .offset = AT(pool),
     .example = "my-amazing-worker-pool",
     .help = "Which pool: of a recording that has several, and of the configuration file."},
    {.name = "Against",
     .type = SL_OPTION_STRING,
     .offset = AT(against),
     .fallback = "tutorial",
     .example = "old.conf",
     .help = "What to compare with: tutorial, its chain of exporter, Prometheus, KEDA and HPA; "
             "chain, the same with a better query; ec2, the rules of Spacelift's autoscaler for "
             "EC2; or a configuration file with a <Pool>, such as spacelift-pool migrate prints."},
    {.name = "Startup",
     .type = SL_OPTION_SECONDS,
     .offset = AT(startup_ms),
     .fallback = "15",
     .min = 0,
     .max = 3600,
     .unit = "s",
     .help = "How long a new worker takes until it can run something."},
    {.name = "Every",
     .type = SL_OPTION_SECONDS,
     .offset = AT(interval_ms),
     .fallback = "10",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .help = "How often the queue is read and decided upon, by our policies."},
    {.name = "RunTime",
     .type = SL_OPTION_SECONDS,
     .offset = AT(run_time_ms),
     .fallback = "300",
     .min = 1,
     .max = 86400,
     .unit = "s",
     .help = "How long a run takes, where the recording knows the queue alone and not the busy "
             "workers."},
    {.name = "WorkerHourPrice",
     .type = SL_OPTION_NUMBER,
     .offset = AT(price),
     .min = 0,
     .max = 1000000,
     .example = "0.35",
     .help = "What an hour of a worker costs, for a price beside the hours."},
    {.name = "SVG",
     .type = SL_OPTION_PATH,
     .offset = AT(svg),
     .example = "replay.svg",
     .help = "Where to draw the picture as well; a file that is there is replaced."},
    {.name = NULL},
};

static const struct sl_option_block replay_block = {.name = "replay", .options = replay_options};

enum { SIDES = 2, TITLE_BYTES = 128, FIGURES_BYTES = 256 };

struct side {
    char title[TITLE_BYTES];
    char figures[FIGURES_BYTES];
    struct sl_contender contender;
    struct sl_replay_result result;
    struct sl_replay_picture picture;
};

struct replay {
    struct replay_settings settings;
    struct sl_output_settings output;
    struct sl_trace trace;
    struct sl_source_facts facts;
    struct side sides[SIDES];
    struct sl_replay_result bound;
};

/* ---- policies ---- */

static struct sl_pool_options *choose_pool(const struct sl_scaler_config *config, const char *name,
                                           const char *file, struct sl_error *err) {
    for (size_t i = 0; name != NULL && i < config->pool_count; i++)
        if (strcmp(config->pools[i]->name, name) == 0)
            return config->pools[i];
    if (name == NULL && config->pool_count == 1)
        return config->pools[0];
    if (name != NULL)
        (void)sl_fail(err, SL_CONFIG, "%s has no <Pool \"%s\">", file, name);
    else if (config->pool_count == 0)
        (void)sl_fail(err, SL_CONFIG, "%s has no <Pool>", file);
    else
        (void)sl_fail(err, SL_CONFIG, "%s has several pools: choose one with --pool", file);
    return NULL;
}

static int use_pool(struct replay *r, struct side *side, const struct sl_pool_options *pool,
                    const char *title, struct sl_error *err) {
    struct sl_policy policy = sl_pool_policy(pool);
    int code = sl_policy_check(&policy, err);
    (void)snprintf(side->title, sizeof(side->title), "%s", title);
    if (code == SL_OK)
        side->contender = sl_contender_ours(side->title, &policy, r->settings.interval_ms);
    return code;
}

/* The first policy: the pool of --config, changed by what the command line says of it; or what the
 * command line says alone. */
static int take_ours(struct replay *r, const struct sl_arguments *arguments, struct sl_error *err) {
    const struct sl_option *table = sl_scaler_pool_block.options;
    struct sl_configuration c;
    struct sl_pool_options *pool = NULL;
    int code = sl_configuration_load(arguments, &c, err);
    if (code == SL_OK && c.general.config != NULL) {
        pool = choose_pool(&c.scaler, r->settings.pool, c.general.config, err);
        code = pool != NULL ? SL_OK : SL_CONFIG;
    } else if (code == SL_OK) {
        code = sl_scaler_config_add_pool(
            &c.scaler, r->settings.pool != NULL ? r->settings.pool : "pool", &pool, err);
    }
    if (code == SL_OK)
        code = sl_arguments_apply(arguments, table, pool, err);
    if (code == SL_OK)
        code = sl_option_check(table, pool, SL_OPTION_AS_FLAG, err);
    if (code == SL_OK)
        code = use_pool(r, &r->sides[0], pool,
                        c.general.config != NULL ? c.general.config : "these options", err);
    sl_configuration_release(&c);
    return code;
}

static int take_file(struct replay *r, struct sl_error *err) {
    const char *path = r->settings.against;
    struct sl_configuration c = {.accounts = NULL};
    int code = sl_configuration_read(path, &c, err);
    const struct sl_pool_options *pool = NULL;
    if (code == SL_OK) {
        pool = choose_pool(&c.scaler, r->settings.pool, path, err);
        code = pool != NULL ? use_pool(r, &r->sides[1], pool, path, err) : SL_CONFIG;
    }
    sl_configuration_release(&c);
    return code;
}

static int take_other(struct replay *r, struct sl_error *err) {
    static const struct {
        const char *name;
        struct sl_contender (*make)(int32_t min_workers, int32_t max_workers);
    } known[] = {
        {"tutorial", sl_contender_tutorial},
        {"chain", sl_contender_repaired_chain},
        {"ec2", sl_contender_ec2},
    };
    const struct sl_contender *ours = &r->sides[0].contender;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, r->settings.against) != 0)
            continue;
        /* None of the three knows a minimum of 0 without more to it. */
        r->sides[1].contender = known[i].make(ours->min_workers, ours->max_workers);
        (void)snprintf(r->sides[1].title, sizeof(r->sides[1].title), "%s",
                       r->sides[1].contender.name);
        return SL_OK;
    }
    if (access(r->settings.against, F_OK) != 0)
        return sl_fail(err, SL_CONFIG,
                       "--against %s: neither tutorial, chain or ec2, nor a configuration file",
                       r->settings.against);
    return take_file(r, err);
}

/* ---- the recording ---- */

static int read_recording(struct replay *r, const char *path, struct sl_error *err) {
    struct sl_source_settings settings = {
        .pool = r->settings.pool,
        .run_time_ms = r->settings.run_time_ms,
    };
    struct sl_buffer bytes;
    sl_buffer_init(&bytes, SL_TRACE_MAX_BYTES);
    int code = sl_read_input(path, &bytes, err);
    if (code == SL_OK) {
        code = sl_source_parse(bytes.data, bytes.len, &settings, &r->trace, &r->facts, err);
        if (code != SL_OK) {
            sl_error_prefix(err, "%s", path);
            err->code = SL_CONFIG; /* the same file will fail again */
        }
    }
    sl_buffer_release(&bytes);
    return code == SL_OK ? SL_OK : (int)err->code;
}

/* ---- running ---- */

static void put_figures(struct replay *r, struct side *side) {
    const struct sl_replay_result *x = &side->result;
    int n = snprintf(side->figures, sizeof(side->figures),
                     "wait %.0f s on average, %.0f s p95; %.1f worker-hours; %.1f changes an hour",
                     x->mean_wait_s, x->p95_wait_s, x->worker_hours, x->changes_per_hour);
    if (r->settings.price > 0 && n > 0 && (size_t)n < sizeof(side->figures))
        (void)snprintf(side->figures + n, sizeof(side->figures) - (size_t)n, "; %.2f",
                       x->worker_hours * r->settings.price);
}

static int run_both(struct replay *r, struct sl_error *err) {
    int64_t span_ms = 0;
    for (size_t i = 0; i < r->trace.count; i++) {
        int64_t end_ms = r->trace.runs[i].arrival_ms + r->trace.runs[i].duration_ms;
        span_ms = end_ms > span_ms ? end_ms : span_ms;
    }
    for (size_t i = 0; i < SIDES; i++) {
        struct side *side = &r->sides[i];
        sl_replay_picture_init(&side->picture, span_ms + 60000);
        int code = sl_replay_draw(&r->trace, &side->contender, r->settings.startup_ms,
                                  &side->picture, &side->result, err);
        if (code != SL_OK)
            return code;
        put_figures(r, side);
    }
    const struct sl_contender *ours = &r->sides[0].contender;
    return sl_replay_bound(&r->trace, ours->min_workers, ours->max_workers, &r->bound, err);
}

/* ---- printing ---- */

static void put_row(const struct replay *r, const char *title, const struct sl_replay_result *x,
                    struct sl_buffer *out) {
    bool is_bound = x == &r->bound;
    sl_buffer_printf(out, "%-40.40s %10.1f %10.1f %13.1f", title, x->mean_wait_s, x->p95_wait_s,
                     x->worker_hours);
    if (r->settings.price > 0)
        sl_buffer_printf(out, " %10.2f", x->worker_hours * r->settings.price);
    if (is_bound)
        sl_buffer_printf(out, " %11s %10s\n", "-", "-");
    else
        sl_buffer_printf(out, " %11.1f %10.2f\n", x->size_hours, x->changes_per_hour);
}

static size_t width(void) {
    struct winsize size = {.ws_col = 0};
    bool has = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    return has && size.ws_col > 0 ? size.ws_col : 100;
}

static void collect_panels(const struct replay *r, struct sl_replay_panel panels[SIDES]) {
    for (size_t i = 0; i < SIDES; i++) {
        panels[i].title = r->sides[i].title;
        panels[i].figures = r->sides[i].figures;
        panels[i].picture = r->sides[i].picture;
    }
}

static void print_text(const struct replay *r, const struct sl_replay_panel *panels,
                       struct sl_buffer *out) {
    const struct sl_colours *colours = sl_colours_of(&r->output);
    sl_buffer_printf(out, "%zu runs in %.1f hours; a worker starts in %g s\n", r->trace.count,
                     (double)r->sides[0].picture.span_ms / 3600000,
                     (double)r->settings.startup_ms / 1000);
    if (r->facts.is_run_time_assumed)
        sl_buffer_printf(out,
                         "%sonly the queue was recorded: each run is taken to last %g s "
                         "(--run-time)%s\n",
                         colours->warn, (double)r->settings.run_time_ms / 1000, colours->plain);
    sl_buffer_printf(out, "\n%s%-40s %10s %10s %13s%s %11s %10s%s\n", colours->dim, "POLICY",
                     "MEAN WAIT", "P95 WAIT", "WORKER-HOURS",
                     r->settings.price > 0 ? "      PRICE" : "", "POOLSIZE-H", "CHANGES/H",
                     colours->plain);
    for (size_t i = 0; i < SIDES; i++)
        put_row(r, r->sides[i].title, &r->sides[i].result, out);
    put_row(r, "nobody can do better (knows the future)", &r->bound, out);
    sl_replay_print_panels(panels, SIDES, width(), colours, out);
}

static void put_result(const struct sl_replay_result *x, struct sl_json_writer *w) {
    sl_json_put_double(w, "mean_wait_s", x->mean_wait_s);
    sl_json_put_double(w, "p95_wait_s", x->p95_wait_s);
    sl_json_put_double(w, "worker_hours", x->worker_hours);
    sl_json_put_double(w, "pool_size_hours", x->size_hours);
    sl_json_put_double(w, "changes_per_hour", x->changes_per_hour);
}

static void print_json(const struct replay *r, struct sl_buffer *out) {
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_object_begin(&w, NULL);
    sl_json_put_int64(&w, "runs", (int64_t)r->trace.count);
    sl_json_put_bool(&w, "run_time_assumed", r->facts.is_run_time_assumed);
    sl_json_array_begin(&w, "policies");
    for (size_t i = 0; i < SIDES; i++) {
        sl_json_object_begin(&w, NULL);
        sl_json_put_string(&w, "policy", r->sides[i].title);
        put_result(&r->sides[i].result, &w);
        sl_json_object_end(&w);
    }
    sl_json_array_end(&w);
    sl_json_object_begin(&w, "bound");
    put_result(&r->bound, &w);
    sl_json_object_end(&w);
    sl_json_object_end(&w);
    sl_buffer_putc(out, '\n');
}

static int write_svg(const struct replay *r, const struct sl_replay_panel *panels,
                     const char *recording, struct sl_error *err) {
    struct sl_buffer svg;
    if (r->settings.svg == NULL)
        return SL_OK;
    sl_buffer_init(&svg, SL_PRINT_MAX_BYTES);
    sl_replay_print_svg(recording, panels, SIDES, &svg);
    int code = sl_buffer_check(&svg, r->settings.svg, err);
    FILE *file = code == SL_OK ? fopen(r->settings.svg, "we") : NULL;
    if (code == SL_OK && file == NULL)
        code = sl_fail(err, SL_CONFIG, "cannot write %s: %m", r->settings.svg);
    if (code == SL_OK && fwrite(svg.data, 1, svg.len, file) != svg.len)
        code = sl_fail(err, SL_IO, "cannot write %s: %m", r->settings.svg);
    if (file != NULL && fclose(file) != 0 && code == SL_OK)
        code = sl_fail(err, SL_IO, "cannot write %s: %m", r->settings.svg);
    sl_buffer_release(&svg);
    return code;
}

/* ---- the subcommand ---- */

static int replay(struct replay *r, const struct sl_arguments *arguments, struct sl_buffer *out,
                  struct sl_error *err) {
    const char *recording = arguments->words[0];
    struct sl_replay_panel *panels = calloc(SIDES, sizeof(*panels)); /* large */
    int code = panels != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory");
    if (code == SL_OK)
        code = sl_arguments_read(arguments, replay_options, &r->settings, err);
    if (code == SL_OK)
        code = sl_arguments_read(arguments, sl_colour_block.options, &r->output, err);
    if (code == SL_OK)
        code = take_ours(r, arguments, err);
    if (code == SL_OK)
        code = take_other(r, err);
    if (code == SL_OK)
        code = read_recording(r, recording, err);
    if (code == SL_OK)
        code = run_both(r, err);
    if (code == SL_OK) {
        collect_panels(r, panels);
        code = write_svg(r, panels, recording, err);
    }
    if (code == SL_OK && r->output.form == SL_OUTPUT_JSON)
        print_json(r, out);
    else if (code == SL_OK)
        print_text(r, panels, out);
    free(panels);
    return code;
}

static enum sl_exit run(const struct sl_arguments *arguments) {
    struct replay *r = calloc(1, sizeof(*r));
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer text;
    enum sl_exit status = SL_EXIT_FAILED;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    int code =
        r != NULL ? replay(r, arguments, &text, &err) : sl_fail(&err, SL_NOMEM, "out of memory");
    if (code != SL_OK)
        status = sl_complain(arguments, &err);
    else if (sl_print(&text))
        status = SL_EXIT_OK;
    sl_buffer_release(&text);
    if (r != NULL) {
        sl_trace_release(&r->trace);
        sl_option_release(replay_options, &r->settings);
    }
    free(r);
    return status;
}

const struct sl_command sl_command_replay = {
    .name = "replay",
    .words = "RECORDING",
    .min_words = 1,
    .max_words = 1,
    .summary = "try a policy on a recorded queue: waiting, cost and changes, with a picture",
    .help = "Plays a recorded queue through a policy and through another one beside it, and says "
            "how long runs\nwait, what the workers cost and how often the size changes. The policy "
            "is the plugin's own; it\nstands in --config or on the command line. WORKER-HOURS are "
            "of workers that exist: a busy one above\npoolSize goes on to the end of its "
            "run.\n\n"
            "RECORDING is a CSV file of runs (arrival_s,duration_s) or of the queue "
            "(time,pending,busy), the JSON\nof a Prometheus range query over "
            "spacelift_worker_pool_runs_pending and ..._workers_busy, or\nSpacelift's usage "
            "export (aspect run-minutes); - is standard input.",
    .groups =
        {
            {"Replay", &replay_block, NULL},
            {"Configuration", &sl_general_block, NULL},
            {"The policy", &sl_scaler_pool_block, NULL},
            {"Output", &sl_colour_block, NULL},
        },
    .run = run,
};
