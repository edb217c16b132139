/* Lets go of what only the start needed. */
#include "os/memory.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

static bool has_text_relocations(const struct dl_phdr_info *object) {
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *entry = (const void *)(object->dlpi_addr + part->p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++)
            if (entry->d_tag == DT_TEXTREL ||
                (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0))
                return true;
    }
    return false;
}

static int trim_object(struct dl_phdr_info *object, size_t size, void *unused) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size, (void)unused;
    if (has_text_relocations(object))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W) != 0)
            continue;
        uintptr_t begin = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
        uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

void sl_memory_trim_own_code(void) {
    int saved = errno;
    (void)dl_iterate_phdr(trim_object, NULL);
    errno = saved;
}

void sl_memory_trim_heap(void) {
    (void)malloc_trim(0);
}
