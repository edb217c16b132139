/* Where the sender stands in its spool, and its books. */
#include "remote_write/spool_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"
#include "os/survivor.h"
#include "remote_write/hash.h"

#define MAGIC UINT64_C(0x3265746174737773)

enum {
    SLOTS = 2,
    SLOT_STRIDE = 4096, /* in the file: two that no disk writes at once */
    FILE_BYTES = SLOTS * SLOT_STRIDE,
    PLACES = 500,
};

struct slot {
    uint64_t magic;
    uint64_t turn; /* the higher one is the newer */
    struct sl_spool_state state;
    uint64_t page_id; /* in the file: where the memory is, and one more; 0: nowhere */
    uint64_t page_seed;
    uint64_t check;
};

struct page {
    uint64_t magic;
    uint64_t seed;
    struct slot slots[SLOTS];
    struct sl_spool_memory places[PLACES]; /* a number of 0: free */
};

struct sl_spool_state_file {
    int fd;
    struct sl_survivor memory;
    uint64_t turn;       /* of the memory */
    uint64_t saved_turn; /* of the file; the keeper's */
    bool is_doubtful;    /* there was memory that is newer than the file, and it is lost */
};

static uint64_t check_of(const struct slot *slot) {
    return sl_hash((const char *)slot, offsetof(struct slot, check));
}

static struct page *page_of(const struct sl_spool_state_file *file) {
    return (struct page *)(void *)file->memory.base;
}

/* Of two slots the newer one that is whole; false: neither is. */
static bool newest_of(const struct slot slots[SLOTS], struct slot *ret) {
    bool found = false;
    for (int i = 0; i < SLOTS; i++) {
        const struct slot *each = &slots[i];
        if (each->magic != MAGIC || each->check != check_of(each) ||
            (found && each->turn < ret->turn))
            continue;
        *ret = *each;
        found = true;
    }
    return found;
}

/* ---- the file ---- */

static int open_state(int directory_fd, int *ret, struct sl_error *err) {
    int fd = openat(directory_fd, "state", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sl_fail(err, sl_file_code(errno), "cannot open state: %s", strerror(errno));
    int failed = EINTR;
    while (failed == EINTR)
        failed = posix_fallocate(fd, 0, FILE_BYTES);
    if (failed != 0) {
        close(fd);
        return sl_fail(err, sl_file_code(failed), "no room for state: %s", strerror(failed));
    }
    *ret = fd;
    return SL_OK;
}

static int write_slot(int fd, const struct slot *slot, struct sl_error *err) {
    ssize_t n = -1;
    do
        n = pwrite(fd, slot, sizeof(*slot), (off_t)(slot->turn % SLOTS * SLOT_STRIDE));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(*slot)
               ? SL_OK
               : sl_fail(err, SL_IO, "cannot write state: %s", strerror(n < 0 ? errno : ENOSPC));
}

static bool read_slots(int fd, struct slot *ret) {
    struct slot slots[SLOTS] = {{.magic = 0}};
    for (int i = 0; i < SLOTS; i++)
        if (pread(fd, &slots[i], sizeof(slots[i]), i * SLOT_STRIDE) != sizeof(slots[i]))
            slots[i].magic = 0;
    return newest_of(slots, ret);
}

/* ---- the memory ---- */

static int make_page(struct sl_spool_state_file *file, struct sl_error *err) {
    int code = sl_survivor_make(sizeof(struct page), &file->memory, err);
    if (code != SL_OK)
        return code;
    struct page *page = page_of(file);
    uint64_t words[] = {(uint64_t)sl_clock_monotonic_ns(), (uint64_t)sl_clock_realtime_ms(),
                        (uint64_t)getpid(), (uint64_t)(uintptr_t)file};
    page->seed = sl_hash((const char *)words, sizeof(words));
    page->magic = MAGIC;
    return SL_OK;
}

/* What the last process knew when it ended, if its memory is still there. */
static bool find_page(struct sl_spool_state_file *file, struct slot *newest) {
    struct slot slot;
    if (newest->page_id == 0 ||
        sl_survivor_find((int)(newest->page_id - 1), &file->memory, NULL) != SL_OK)
        return false;
    const struct page *page = page_of(file);
    if (file->memory.size >= sizeof(struct page) && page->magic == MAGIC &&
        page->seed == newest->page_seed && newest_of(page->slots, &slot)) {
        *newest = slot;
        return true;
    }
    sl_survivor_leave(&file->memory);
    return false;
}

int sl_spool_state_open(int directory_fd, struct sl_spool_state_file **ret,
                        struct sl_spool_state *state, struct sl_error *err) {
    struct slot newest = {.magic = 0};
    struct sl_spool_state_file *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for a spool");
    *file = (struct sl_spool_state_file){.fd = -1, .memory = SL_SURVIVOR_INIT};
    int code = open_state(directory_fd, &file->fd, err);
    bool was_found = code == SL_OK && read_slots(file->fd, &newest);
    file->saved_turn = newest.turn;
    bool has_page = was_found && find_page(file, &newest);
    file->is_doubtful = newest.page_id != 0 && !has_page;
    if (code == SL_OK && !has_page)
        code = make_page(file, err);
    file->turn = newest.turn;
    if (code == SL_OK)
        code = sl_spool_state_save(file, &newest.state, false, err);
    if (code != SL_OK) {
        sl_spool_state_close(file, has_page);
        return code;
    }
    *state = newest.state;
    *ret = file;
    return SL_OK;
}

bool sl_spool_state_is_doubtful(const struct sl_spool_state_file *file) {
    return file->is_doubtful;
}

bool sl_spool_state_is_lasting(const struct sl_spool_state_file *file) {
    return sl_survivor_outlives(&file->memory);
}

void sl_spool_state_write(struct sl_spool_state_file *file, const struct sl_spool_state *state) {
    if (file == NULL)
        return;
    struct slot slot = {.magic = MAGIC, .turn = ++file->turn, .state = *state};
    slot.check = check_of(&slot);
    page_of(file)->slots[slot.turn % SLOTS] = slot;
}

/* ---- which memory ---- */

const struct sl_spool_memory *sl_spool_state_memory(const struct sl_spool_state_file *file,
                                                    size_t place) {
    return file != NULL && place < PLACES ? &page_of(file)->places[place] : NULL;
}

static struct sl_spool_memory *place_of(struct sl_spool_state_file *file, uint64_t number) {
    for (size_t i = 0; file != NULL && i < PLACES; i++)
        if (page_of(file)->places[i].number == number)
            return &page_of(file)->places[i];
    return NULL;
}

/* The number comes last, and goes first: a process can end between any two of these. */
void sl_spool_state_remember(struct sl_spool_state_file *file, uint64_t number, int id,
                             size_t let_go) {
    struct sl_spool_memory *place = id >= 0 ? place_of(file, number) : NULL;
    if (place == NULL && id >= 0)
        place = place_of(file, 0);
    if (place == NULL)
        return; /* it ends with the process then, but for what has been saved */
    __atomic_store_n(&place->id, (uint64_t)id + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&place->let_go, let_go, __ATOMIC_RELEASE);
    __atomic_store_n(&place->number, number, __ATOMIC_RELEASE);
}

void sl_spool_state_forget(struct sl_spool_state_file *file, uint64_t number) {
    struct sl_spool_memory *place = place_of(file, number);
    if (place != NULL)
        __atomic_store_n(&place->number, 0, __ATOMIC_RELEASE);
}

/* ---- the keeper ---- */

int sl_spool_state_save(struct sl_spool_state_file *file, const struct sl_spool_state *state,
                        bool to_disk, struct sl_error *err) {
    struct slot slot = {.magic = MAGIC, .turn = file->saved_turn + 1, .state = *state};
    if (file->memory.id >= 0) {
        slot.page_id = (uint64_t)file->memory.id + 1;
        slot.page_seed = page_of(file)->seed;
    }
    slot.check = check_of(&slot);
    int code = write_slot(file->fd, &slot, err);
    if (code != SL_OK)
        return code;
    file->saved_turn++;
    return !to_disk || fdatasync(file->fd) == 0
               ? SL_OK
               : sl_fail(err, SL_IO, "cannot write state to the disk: %s", strerror(errno));
}

int sl_spool_state_end(struct sl_spool_state_file *file, const struct sl_spool_state *state,
                       struct sl_error *err) {
    int id = file->memory.id;
    file->memory.id = -1;
    int code = sl_spool_state_save(file, state, false, err);
    file->memory.id = id;
    return code;
}

int sl_spool_state_move(struct sl_spool_state_file *file, int directory_fd, struct sl_error *err) {
    int fd = -1;
    int code = directory_fd >= 0 ? open_state(directory_fd, &fd, err) : SL_OK;
    if (code != SL_OK)
        return code;
    if (file->fd >= 0)
        close(file->fd);
    file->fd = fd;
    return SL_OK;
}

void sl_spool_state_close(struct sl_spool_state_file *file, bool is_needed) {
    if (file == NULL)
        return;
    if (is_needed)
        sl_survivor_leave(&file->memory);
    else
        sl_survivor_free(&file->memory);
    if (file->fd >= 0)
        close(file->fd);
    free(file);
}
