/* Lets go of what only the start needed. */
#include "os/memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct mapping {
    uintptr_t begin;
    uintptr_t end;
    bool is_constant; /* of a file, and not writable */
};

/* "7f12a000-7f12b000 r-xp 00001000 fe:00 1234   /usr/lib/libcurl.so.4"; false for other lines. */
static bool read_mapping(const char *line, struct mapping *ret) {
    char *at = NULL;
    uintptr_t begin = strtoul(line, &at, 16);
    uintptr_t end = 0;

    if (at == line || *at != '-') {
        return false;
    }
    end = strtoul(at + 1, &at, 16);
    if (*at != ' ' || strlen(at) < 5) {
        return false;
    }
    *ret = (struct mapping){begin, end, at[2] != 'w' && strchr(at, '/') != NULL};
    return true;
}

void sl_memory_trim_code(void) {
    static const char own_pages[] = "Anonymous:";
    FILE *maps = fopen("/proc/self/smaps", "re");
    struct mapping now = {0};
    char *line = NULL;
    size_t size = 0;
    int saved = errno;

    while (maps != NULL && getline(&line, &size, maps) > 0) {
        if (read_mapping(line, &now)) {
            continue;
        }
        if (now.is_constant && strncmp(line, own_pages, sizeof own_pages - 1) == 0 &&
            strtoul(line + sizeof own_pages - 1, NULL, 10) == 0) {
            /* MADV_DONTNEED wants no const; nothing is written. */
            (void)madvise((void *)now.begin, now.end - now.begin, MADV_DONTNEED);
        }
    }
    if (maps != NULL) {
        (void)fclose(maps);
    }
    free(line);
    errno = saved;
}

void sl_memory_trim_heap(void) {
    (void)malloc_trim(0);
}
