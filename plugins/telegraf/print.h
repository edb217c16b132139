/* What the subcommands for people share: the form of their output, words for an error, colours. */
#ifndef SL_PLUGINS_TELEGRAF_PRINT_H
#define SL_PLUGINS_TELEGRAF_PRINT_H

#include "base/buffer.h"
#include "base/colours.h"
#include "base/json_writer.h"
#include "command.h"

enum { SL_PRINT_MAX_BYTES = 16 * 1024 * 1024 };

enum sl_output_form { SL_OUTPUT_TEXT, SL_OUTPUT_JSON };

struct sl_output_settings {
    int form;   /* enum sl_output_form */
    int colour; /* for sl_colours_of() */
};

/* Groups of struct sl_output_settings: --output alone, and --output with --color. */
extern const struct sl_option_block sl_output_block;
extern const struct sl_option_block sl_colour_block;

/* "spacelift-pool NAME: text" on standard error, and the status that goes with it. */
enum sl_exit sl_complain(const struct sl_arguments *arguments, const struct sl_error *err);

/* Writes text to standard output. False, and said, where that fails; a reader that went away
 * (head, less) is no failure. */
bool sl_print(const struct sl_buffer *text);

/* A file, or standard input for "-": also a pipe, as a shell's <(...) is. */
int sl_read_input(const char *path, struct sl_buffer *out, struct sl_error *err) SL_CHECKED;

/* Colours only on a terminal that has them (TERM) and where nobody minds (NO_COLOR,
 * https://no-color.org), or as --color says. */
const struct sl_colours *sl_colours_of(const struct sl_output_settings *settings);

#endif
