/* Memory that outlives its process. */
#include "os/survivor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>

enum {
    OWNER_ONLY = 0600,
    PERMISSIONS = 0777,
    PAGE_BYTES = 4096,
    TRIES = 25,
    PAUSE_NS = 20 * 1000 * 1000,
};

int sl_survivor_make_private(size_t size, struct sl_survivor *ret, struct sl_error *err) {
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return sl_fail(err, SL_NOMEM, "no memory for %zu bytes: %s", size, strerror(errno));
    *ret = (struct sl_survivor){.id = -1, .base = base, .size = size};
    return SL_OK;
}

static char *attach(int id) {
    void *base = shmat(id, NULL, 0);
    return (intptr_t)base == -1 ? NULL : base;
}

/* Without SHM_NORESERVE: all of it is promised now, so that no page is refused later. */
int sl_survivor_make(size_t size, struct sl_survivor *ret, struct sl_error *err) {
    int id = shmget(IPC_PRIVATE, size, IPC_CREAT | OWNER_ONLY);
    char *base = id >= 0 ? attach(id) : NULL;
    if (base == NULL) {
        if (id >= 0)
            (void)shmctl(id, IPC_RMID, NULL);
        return sl_survivor_make_private(size, ret, err);
    }
    *ret = (struct sl_survivor){.id = id, .base = base, .size = size};
    return SL_OK;
}

/* Is it ours? One that is attached belongs to a process that lives, or to one that is just ending
 * while somebody looks at its memory (ps does). */
static bool is_ours(int id, struct shmid_ds *ret) {
    for (int tries = 0; tries < TRIES; tries++) {
        if (shmctl(id, IPC_STAT, ret) != 0 || ret->shm_perm.uid != geteuid() ||
            (ret->shm_perm.mode & PERMISSIONS) != OWNER_ONLY)
            return false;
        if (ret->shm_nattch == 0)
            return true;
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return false;
}

int sl_survivor_find(int id, struct sl_survivor *ret, struct sl_error *err) {
    struct shmid_ds about;
    if (id < 0 || !is_ours(id, &about))
        return sl_fail(err, SL_NOTFOUND, "no memory of ours has the number %d", id);
    char *base = attach(id);
    if (base == NULL)
        return sl_fail(err, SL_NOTFOUND, "cannot attach memory %d: %s", id, strerror(errno));
    *ret = (struct sl_survivor){.id = id, .base = base, .size = about.shm_segsz};
    return SL_OK;
}

bool sl_survivor_outlives(const struct sl_survivor *m) {
    char forced = '0';
    int fd = m->id >= 0 ? open("/proc/sys/kernel/shm_rmid_forced", O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)!read(fd, &forced, 1);
        close(fd);
    }
    return m->id >= 0 && forced != '1';
}

void sl_survivor_give_back(struct sl_survivor *m, size_t from, size_t to) {
    from = (from + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    to &= ~(size_t)(PAGE_BYTES - 1);
    if (m->base != NULL && from < to)
        (void)madvise(m->base + from, to - from, m->id >= 0 ? MADV_REMOVE : MADV_DONTNEED);
}

void sl_survivor_leave(struct sl_survivor *m) {
    if (m->base != NULL && m->id >= 0)
        (void)shmdt(m->base);
    else if (m->base != NULL)
        (void)munmap(m->base, m->size);
    *m = (struct sl_survivor)SL_SURVIVOR_INIT;
}

void sl_survivor_free(struct sl_survivor *m) {
    if (m->base != NULL && m->id >= 0)
        (void)shmctl(m->id, IPC_RMID, NULL);
    sl_survivor_leave(m);
}
