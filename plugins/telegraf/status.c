/* spacelift-pool status: every pool of the agent on this host. */
#include <stdlib.h>

#include "configuration.h"
#include "os/clock.h"
#include "print.h"
#include "status_files.h"

static void print_json(const struct sl_status_files *files, int64_t now_ms, struct sl_buffer *out) {
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_array_begin(&w, NULL);
    for (size_t i = 0; i < files->count; i++)
        sl_status_print_json(&files->each[i], now_ms, &w);
    sl_json_array_end(&w);
    sl_buffer_putc(out, '\n');
}

static enum sl_exit print(const struct sl_status_files *files,
                          const struct sl_output_settings *output) {
    int64_t now_ms = sl_clock_realtime_ms();
    enum sl_exit status = SL_EXIT_OK;
    struct sl_buffer text;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    if (output->form == SL_OUTPUT_JSON)
        print_json(files, now_ms, &text);
    for (size_t i = 0; i < files->count; i++) {
        if (output->form == SL_OUTPUT_TEXT && i > 0)
            sl_buffer_putc(&text, '\n');
        if (output->form == SL_OUTPUT_TEXT)
            sl_status_print_table(&files->each[i], NULL, sl_colours_of(output), 0, now_ms, &text);
        if (sl_status_health(&files->each[i], now_ms) != SL_STATUS_FINE)
            status = SL_EXIT_FAILED;
    }
    if (!sl_print(&text))
        status = SL_EXIT_FAILED;
    sl_buffer_release(&text);
    return status;
}

static enum sl_exit run(const struct sl_arguments *arguments) {
    struct sl_output_settings output = {.form = 0};
    struct sl_status_files files = {.count = 0};
    struct sl_error err = SL_ERROR_INIT;
    char *directory = NULL;
    int code = sl_arguments_read(arguments, sl_colour_block.options, &output, &err);
    if (code == SL_OK)
        code = sl_status_directory(arguments, &directory, &err);
    if (code == SL_OK)
        code = sl_status_load(directory, &files, &err);
    enum sl_exit status = code == SL_OK ? print(&files, &output) : sl_complain(arguments, &err);
    sl_status_release(&files);
    free(directory);
    return status;
}

const struct sl_command sl_command_status = {
    .name = "status",
    .summary = "show every pool of the agent that runs on this host, and why it has its size",
    .help = "Shows what the running workerpool_scaler knows and has decided, a line for each pool. "
            "Exit status 1\nif the agent does not run, or cannot do its work.",
    .groups =
        {
            {"Where", &sl_status_block, NULL},
            {"Configuration", &sl_general_block, NULL},
            {"Output", &sl_colour_block, NULL},
        },
    .run = run,
};
