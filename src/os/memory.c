/* Lets go of what only the start needed. */
#include "os/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of a read-only segment of a file nothing can be lost: its pages are read from the file again. */
static int trim_object(struct dl_phdr_info *info, size_t size, void *unused) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    (void)unused;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
            continue;
        uintptr_t begin = ((uintptr_t)info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end =
            ((uintptr_t)info->dlpi_addr + segment->p_vaddr + segment->p_filesz) & ~(page - 1);
        if (end > begin)
            (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

void sl_memory_trim(void) {
    (void)malloc_trim(0);
    (void)dl_iterate_phdr(trim_object, NULL);
}
