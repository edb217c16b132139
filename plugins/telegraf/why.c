/* spacelift-pool why POOL: the last decision on one pool, explained. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "configuration.h"
#include "os/clock.h"
#include "print.h"
#include "status_files.h"

/* By its name in Spacelift, or that of its WorkerPool; from `skip` matches on. */
static const struct sl_pool_status *find(const struct sl_status_files *files, const char *name,
                                         size_t skip, const struct sl_status_cluster **ret) {
    for (size_t i = 0; i < files->count; i++) {
        for (size_t j = 0; j < files->each[i].pool_count; j++) {
            const struct sl_pool_status *p = &files->each[i].pools[j];
            if (strcmp(p->pool, name) != 0 && strcmp(p->worker_pool, name) != 0)
                continue;
            *ret = &files->each[i];
            if (skip-- == 0)
                return p;
        }
    }
    return NULL;
}

static int fail_unknown(const struct sl_status_files *files, const char *name,
                        struct sl_error *err) {
    struct sl_nearest near = {.wanted = name};
    for (size_t i = 0; i < files->count; i++)
        for (size_t j = 0; j < files->each[i].pool_count; j++)
            sl_nearest_offer(&near, files->each[i].pools[j].pool);
    if (near.best != NULL)
        return sl_fail(err, SL_NOTFOUND, "the agent has no pool \"%s\", did you mean \"%s\"?", name,
                       near.best);
    return sl_fail(err, SL_NOTFOUND,
                   "the agent has no pool \"%s\"; spacelift-pool status shows those it has", name);
}

static void print_json(const struct sl_status_files *files, const char *name,
                       struct sl_buffer *out) {
    const struct sl_status_cluster *c;
    const struct sl_pool_status *p;
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_array_begin(&w, NULL);
    for (size_t i = 0; (p = find(files, name, i, &c)) != NULL; i++) {
        sl_json_object_begin(&w, NULL);
        sl_json_put_string(&w, "cluster", c->cluster.cluster);
        sl_status_write_pool(p, &w);
        sl_json_object_end(&w);
    }
    sl_json_array_end(&w);
    sl_buffer_putc(out, '\n');
}

static enum sl_exit print(const struct sl_status_files *files, const char *name,
                          const struct sl_output_settings *output) {
    int64_t now_ms = sl_clock_realtime_ms();
    const struct sl_status_cluster *c;
    const struct sl_pool_status *p;
    enum sl_exit status = SL_EXIT_OK;
    struct sl_buffer text;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    for (size_t i = 0; (p = find(files, name, i, &c)) != NULL; i++) {
        if (output->form == SL_OUTPUT_TEXT)
            sl_status_print_why(c, p, sl_colours_of(output), now_ms, sl_status_utc_offset_s(now_ms),
                                &text);
        if (sl_status_health(c, now_ms) != SL_STATUS_FINE)
            status = SL_EXIT_FAILED;
    }
    if (output->form == SL_OUTPUT_JSON)
        print_json(files, name, &text);
    if (!sl_print(&text))
        status = SL_EXIT_FAILED;
    sl_buffer_release(&text);
    return status;
}

static enum sl_exit run(const struct sl_arguments *arguments) {
    const char *name = arguments->words[0];
    struct sl_output_settings output = {.form = 0};
    struct sl_status_files files = {.count = 0};
    const struct sl_status_cluster *unused;
    struct sl_error err = SL_ERROR_INIT;
    char *directory = NULL;
    int code = sl_arguments_read(arguments, sl_colour_block.options, &output, &err);
    if (code == SL_OK)
        code = sl_status_directory(arguments, &directory, &err);
    if (code == SL_OK)
        code = sl_status_load(directory, &files, &err);
    if (code == SL_OK && find(&files, name, 0, &unused) == NULL)
        code = fail_unknown(&files, name, &err);
    enum sl_exit status =
        code == SL_OK ? print(&files, name, &output) : sl_complain(arguments, &err);
    sl_status_release(&files);
    free(directory);
    return status;
}

const struct sl_command sl_command_why = {
    .name = "why",
    .words = "POOL",
    .min_words = 1,
    .max_words = 1,
    .summary = "explain the size of one pool: the last decision, the last change, what comes next",
    .help = "Explains the last decision of the running workerpool_scaler on the pool with this "
            "name (in Spacelift,\nor of its WorkerPool): what it counted, what bent the size, who "
            "changed it last, and when it can\nchange next. Exit status 1 if the agent does not "
            "run, or cannot do its work.",
    .groups =
        {
            {"Where", &sl_status_block, NULL},
            {"Configuration", &sl_general_block, NULL},
            {"Output", &sl_colour_block, NULL},
        },
    .run = run,
};
