/* Prints what the option tables say of a plugin: its example configuration, or the OPTIONS section
 * of its manual page. The build runs it, so that neither can say something else than the parser
 * does. Never installed. */
#include <stdio.h>
#include <string.h>

#include "base/option.h"
#include "remote_write/options.h"
#include "scaler/options.h"
#include "scrape/options.h"
#include "spacelift/options.h"

enum { EXIT_USAGE = 2, OUTPUT_MAX_BYTES = 1 << 20 };

static const struct sl_option_block *const plugins[] = {
    &sl_spacelift_plugin_block,
    &sl_scaler_plugin_block,
    &sl_remote_write_plugin_block,
    &sl_scrape_plugin_block,
};

enum { PLUGIN_COUNT = sizeof(plugins) / sizeof(plugins[0]) };

static const struct {
    const char *name;
    void (*print)(const struct sl_option_block *, struct sl_buffer *);
} forms[] = {
    {"conf", sl_option_print_conf},
    {"man", sl_option_print_man},
};

enum { FORM_COUNT = sizeof(forms) / sizeof(forms[0]) };

static int usage(void) {
    fputs("usage: print_options conf|man PLUGIN\n"
          "prints the example configuration or the OPTIONS of the manual page of one of:\n",
          stderr);
    for (size_t i = 0; i < PLUGIN_COUNT; i++)
        fprintf(stderr, "  %s\n", plugins[i]->name);
    return EXIT_USAGE;
}

static int write_out(struct sl_buffer *text) {
    struct sl_error err = SL_ERROR_INIT;
    if (sl_buffer_check(text, "the output", &err) != SL_OK) {
        fprintf(stderr, "print_options: %s\n", err.text);
        return 1;
    }
    if (fwrite(text->data, 1, text->len, stdout) != text->len || fflush(stdout) != 0) {
        perror("print_options: cannot write");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    size_t form = 0, plugin = 0;
    if (argc != 3)
        return usage();
    while (form < FORM_COUNT && strcmp(argv[1], forms[form].name) != 0)
        form++;
    while (plugin < PLUGIN_COUNT && strcmp(argv[2], plugins[plugin]->name) != 0)
        plugin++;
    if (form == FORM_COUNT || plugin == PLUGIN_COUNT)
        return usage();

    struct sl_buffer text;
    sl_buffer_init(&text, OUTPUT_MAX_BYTES);
    forms[form].print(plugins[plugin], &text);
    int status = write_out(&text);
    sl_buffer_release(&text);
    return status;
}
