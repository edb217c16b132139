/* main() of a fuzz target in an ordinary build: runs the target once over every file of its corpus,
 * tests/fuzz/corpus/NAME, so that what was once found stays found. Says so in TAP. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each file gets an allocation of just its size, so that a sanitizer sees a read past its end. */
static int run_file(const char *path) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = 0;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET) != 0 || (data = malloc((size_t)size)) == NULL ||
        fread(data, 1, (size_t)size, file) != (size_t)size) {
        printf("# cannot read %s\n", path);
        return -1;
    }
    fclose(file);
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return 0;
}

static int run_folder(const char *folder) {
    DIR *dir = opendir(folder);
    int count = 0;

    for (struct dirent *entry = NULL; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[4096];

        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (run_file(path) != 0) {
            count = -1;
            break;
        }
        count++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

int main(int argc, char **argv) {
    const char *tree = getenv("top_srcdir");
    const char *name = argc > 0 ? strstr(argv[0], "fuzz_") : NULL;
    char folder[4000];
    int count = 0;

    for (const char *next = name; next != NULL; next = strstr(next + 1, "fuzz_")) {
        name = next;
    }
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", tree != NULL ? tree : ".",
             name != NULL ? name + strlen("fuzz_") : "");
    printf("1..1\n");
    fflush(stdout);
    count = run_folder(folder);
    printf("%s 1 - %d files of %s\n", count > 0 ? "ok" : "not ok", count, folder);
    return count > 0 ? 0 : 1;
}
