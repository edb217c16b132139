/* Output for people. */
#include "print.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "base/secret.h"

static const char *const forms[] = {"text", "json", NULL};
static const char *const colours[] = {"auto", "always", "never", NULL};

enum { COLOUR_AUTO, COLOUR_ALWAYS };

#define OUTPUT_ROW                                                                                 \
    {                                                                                              \
        .name = "Output", .type = SL_OPTION_CHOICE,                                                \
        .offset = offsetof(struct sl_output_settings, form), .fallback = "text", .choices = forms, \
        .help = "Text for people, or one JSON document for programs."                              \
    }

static const struct sl_option output_options[] = {OUTPUT_ROW, {.name = NULL}};

static const struct sl_option colour_options[] = {
    OUTPUT_ROW,
    {.name = "Color",
     .type = SL_OPTION_CHOICE,
     .offset = offsetof(struct sl_output_settings, colour),
     .fallback = "auto",
     .choices = colours,
     .help = "Colours: on a terminal, unless the environment variable NO_COLOR is set; always; or "
             "never."},
    {.name = NULL},
};

const struct sl_option_block sl_output_block = {.name = "output", .options = output_options};
const struct sl_option_block sl_colour_block = {.name = "output", .options = colour_options};

enum sl_exit sl_complain(const struct sl_arguments *arguments, const struct sl_error *err) {
    fprintf(stderr, "spacelift-pool %s: %s\n", arguments->command->name, err->text);
    return sl_exit_of(err->code);
}

bool sl_print(const struct sl_buffer *text) {
    struct sl_error err = SL_ERROR_INIT;
    if (sl_buffer_check(text, "the output", &err) != SL_OK) {
        fprintf(stderr, "spacelift-pool: %s\n", err.text);
        return false;
    }
    if ((fwrite(text->data, 1, text->len, stdout) != text->len || fflush(stdout) != 0) &&
        errno != EPIPE) {
        fprintf(stderr, "spacelift-pool: cannot write the output: %s\n", strerror(errno));
        return false;
    }
    return true;
}

int sl_read_input(const char *path, struct sl_buffer *out, struct sl_error *err) {
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(path, "re");
    if (in == NULL)
        return sl_fail(err, SL_CONFIG, "cannot open %s: %s", path, strerror(errno));
    char chunk[8192];
    size_t n;
    while (out->failed == SL_OK && (n = fread(chunk, 1, sizeof(chunk), in)) > 0)
        sl_buffer_append(out, chunk, n);
    int code = sl_buffer_check(out, path, err);
    if (code == SL_OK && ferror(in))
        code = sl_fail(err, SL_CONFIG, "cannot read %s: %s", path, strerror(errno));
    sl_wipe(chunk, sizeof(chunk));
    if (!is_stdin)
        fclose(in);
    return code;
}

static bool has_colours(int wanted) {
    const char *term = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");
    if (wanted != COLOUR_AUTO)
        return wanted == COLOUR_ALWAYS;
    return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0 &&
           (no_color == NULL || no_color[0] == '\0');
}

const struct sl_colours *sl_colours_of(const struct sl_output_settings *settings) {
    return settings->form == SL_OUTPUT_TEXT && has_colours(settings->colour) ? &sl_colours_ansi
                                                                             : &sl_colours_none;
}
