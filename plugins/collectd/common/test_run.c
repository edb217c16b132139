/* The daemon's command line. */
#include "common/test_run.h"

#include <stdio.h>
#include <string.h>

enum { COMMAND_LINE_BYTES = 16384 };

/* Letters as getopt(3) takes them: "-fT", "-C FILE", "-CFILE". */
static bool has_test_letter(const char *word, bool *ret_takes_next) {
    *ret_takes_next = false;
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        if (*letter == 'T') {
            return true;
        }
        if (*letter == 'C' || *letter == 'P') {
            *ret_takes_next = letter[1] == '\0';
            return false;
        }
    }
    return false;
}

bool sl_is_test_run(void) {
    char words[COMMAND_LINE_BYTES] = "";
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t len = file != NULL ? fread(words, 1, sizeof words - 1, file) : 0;
    bool is_name = true; /* the daemon's own, and what belongs to an option */

    if (file != NULL) {
        (void)fclose(file);
    }
    for (const char *word = words; word < words + len; word += strlen(word) + 1) {
        bool is_option = !is_name && word[0] == '-';

        is_name = false;
        if (is_option && strcmp(word, "--") == 0) {
            return false;
        }
        if (is_option && has_test_letter(word, &is_name)) {
            return true;
        }
    }
    return false;
}
