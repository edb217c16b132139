/* Where the sender stands in its spool, and its books. */
#include "remote_write/spool_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "remote_write/hash.h"

#define MAGIC UINT64_C(0x3165746174737773)

enum { FILE_BYTES = 4096, SLOTS = 2 };

struct slot {
    uint64_t magic;
    uint64_t turn; /* the higher one is the newer */
    struct sl_spool_state state;
    uint64_t check;
};

struct sl_spool_state_file {
    int fd;
    struct slot *slots;
    uint64_t turn;
};

static uint64_t check_of(const struct slot *slot) {
    return sl_hash((const char *)slot, offsetof(struct slot, check));
}

static void read_newest(struct sl_spool_state_file *file, struct sl_spool_state *ret) {
    *ret = (struct sl_spool_state){.segment = 0};
    for (int i = 0; i < SLOTS; i++) {
        struct slot slot = file->slots[i];
        if (slot.magic == MAGIC && slot.check == check_of(&slot) && slot.turn >= file->turn) {
            file->turn = slot.turn;
            *ret = slot.state;
        }
    }
}

int sl_spool_state_open(int directory_fd, struct sl_spool_state_file **ret,
                        struct sl_spool_state *state, struct sl_error *err) {
    struct sl_spool_state_file *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a spool");
    int code = SL_OK;
    file->fd = openat(directory_fd, "state", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd < 0)
        code = sl_fail(err, SL_IO, "cannot open state: %s", strerror(errno));
    int failed = code == SL_OK ? posix_fallocate(file->fd, 0, FILE_BYTES) : 0;
    if (failed != 0)
        code = sl_fail(err, SL_IO, "no room for state: %s", strerror(failed));
    if (code == SL_OK) {
        void *map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
        if (map == MAP_FAILED)
            code = sl_fail(err, SL_IO, "cannot map state: %s", strerror(errno));
        else
            file->slots = map;
    }
    if (code != SL_OK) {
        sl_spool_state_close(file);
        return code;
    }
    read_newest(file, state);
    *ret = file;
    return SL_OK;
}

void sl_spool_state_write(struct sl_spool_state_file *file, const struct sl_spool_state *state) {
    if (file == NULL)
        return;
    struct slot slot = {.magic = MAGIC, .turn = ++file->turn, .state = *state};
    slot.check = check_of(&slot);
    memcpy(&file->slots[slot.turn % SLOTS], &slot, sizeof(slot));
}

int sl_spool_state_fd(const struct sl_spool_state_file *file) {
    return file->fd;
}

void sl_spool_state_close(struct sl_spool_state_file *file) {
    if (file == NULL)
        return;
    if (file->slots != NULL)
        munmap(file->slots, FILE_BYTES);
    if (file->fd >= 0)
        close(file->fd);
    free(file);
}
