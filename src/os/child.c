/* Runs a program. */
#include "os/child.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"
#include "os/clock.h"

extern char **environ;

enum {
    LOOK_MS = 20,        /* how often the child's end is looked for: it may leave the pipes open */
    REAP_MS = 300,       /* after SIGKILL; stopping must not take longer */
    STDERR_BYTES = 4096, /* kept */
    LONG_WORD = 32,      /* as long as a token: not quoted */
};

struct child {
    const char *name;
    pid_t pid;
    int out_fd;
    int err_fd;
    bool has_ended;
    int status; /* -1: somebody else took it */
    struct sl_buffer said;
};

/* ---- environment ---- */

static bool is_same_name(const char *a, const char *b) {
    size_t len = strcspn(a, "=");

    return strncmp(a, b, len) == 0 && b[len] == '=';
}

static bool is_passed_on(const struct sl_child_settings *s, const char *variable) {
    if (s->hidden_prefix != NULL &&
        strncmp(variable, s->hidden_prefix, strlen(s->hidden_prefix)) == 0) {
        return false;
    }
    for (size_t i = 0; s->environment != NULL && s->environment[i] != NULL; i++) {
        if (is_same_name(s->environment[i], variable)) {
            return false;
        }
    }
    return true;
}

/* Only the array is allocated. */
static char **make_environment(const struct sl_child_settings *s) {
    size_t count = 1;
    size_t n = 0;
    char **made = NULL;

    for (size_t i = 0; s->environment != NULL && s->environment[i] != NULL; i++) {
        count++;
    }
    for (size_t i = 0; environ != NULL && environ[i] != NULL; i++) {
        count++;
    }
    made = calloc(count, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    for (size_t i = 0; s->environment != NULL && s->environment[i] != NULL; i++) {
        made[n++] = s->environment[i];
    }
    for (size_t i = 0; environ != NULL && environ[i] != NULL && n + 1 < count; i++) {
        if (is_passed_on(s, environ[i])) {
            made[n++] = environ[i];
        }
    }
    return made;
}

/* ---- start ---- */

/* What the daemon has open without close-on-exec is none of the child's business. Closing one that
 * has gone meanwhile is no error. */
static int close_the_rest(posix_spawn_file_actions_t *actions) {
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry = NULL;
    int failure = 0;

    if (folder == NULL) {
        return 0;
    }
    while (failure == 0 && (entry = readdir(folder)) != NULL) {
        long fd = strtol(entry->d_name, NULL, 10);

        if (fd > STDERR_FILENO && fd != dirfd(folder)) {
            failure = posix_spawn_file_actions_addclose(actions, (int)fd);
        }
    }
    (void)closedir(folder);
    return failure;
}

static int set_files(posix_spawn_file_actions_t *actions, int out_fd, int err_fd) {
    int failure = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    if (failure == 0) {
        failure = posix_spawn_file_actions_adddup2(actions, out_fd, STDOUT_FILENO);
    }
    if (failure == 0) {
        failure = posix_spawn_file_actions_adddup2(actions, err_fd, STDERR_FILENO);
    }
    return failure == 0 ? close_the_rest(actions) : failure;
}

/* A group of its own, so that a shell script's children die with it; no blocked or ignored signal
 * is inherited. */
static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none;
    sigset_t all;
    int failure = posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    if (failure == 0) {
        failure = posix_spawnattr_setpgroup(attributes, 0);
    }
    if (failure == 0) {
        failure = posix_spawnattr_setsigmask(attributes, &none);
    }
    if (failure == 0) {
        failure = posix_spawnattr_setsigdefault(attributes, &all);
    }
    return failure;
}

static int spawn(const struct sl_child_settings *s, int out_fd, int err_fd, pid_t *ret) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **environment = make_environment(s);
    int failure = ENOMEM;

    if (environment == NULL) {
        return ENOMEM;
    }
    if (posix_spawn_file_actions_init(&actions) == 0) {
        if (posix_spawnattr_init(&attributes) == 0) {
            failure = set_files(&actions, out_fd, err_fd);
            if (failure == 0) {
                failure = set_attributes(&attributes);
            }
            if (failure == 0) {
                failure =
                    posix_spawnp(ret, s->argv[0], &actions, &attributes, s->argv, environment);
            }
            (void)posix_spawnattr_destroy(&attributes);
        }
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    free(environment);
    return failure;
}

static int start(const struct sl_child_settings *s, struct child *c, struct sl_error *err) {
    int out[2] = {-1, -1};
    int said[2] = {-1, -1};
    int failure = 0;

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(said, O_CLOEXEC) < 0) {
        failure = errno;
    } else {
        failure = spawn(s, out[1], said[1], &c->pid);
    }
    for (int i = 0; i < 2; i++) {
        int fd = i == 0 ? out[1] : said[1];

        if (fd >= 0) {
            (void)close(fd);
        }
    }
    c->out_fd = out[0];
    c->err_fd = said[0];
    if (failure != 0) {
        return sl_fail(err, failure == ENOENT ? SL_NOTFOUND : SL_IO, "cannot run %s: %s",
                       s->argv[0], strerror(failure));
    }
    (void)fcntl(c->out_fd, F_SETFL, O_NONBLOCK);
    (void)fcntl(c->err_fd, F_SETFL, O_NONBLOCK);
    return SL_OK;
}

/* ---- while it runs ---- */

static void look_for_end(struct child *c) {
    int status = 0;
    pid_t pid = 0;

    if (c->has_ended) {
        return;
    }
    do {
        pid = waitpid(c->pid, &status, WNOHANG);
    } while (pid < 0 && errno == EINTR);
    if (pid != 0) {
        c->has_ended = true;
        c->status = pid > 0 ? status : -1;
    }
}

/* Takes what is there. Closes and forgets the end of a pipe that has no more. */
static void drain(int *fd, struct sl_buffer *into) {
    char chunk[4096];
    ssize_t n = 1;

    while (*fd >= 0 && n > 0) {
        n = read(*fd, chunk, sizeof chunk);
        if (n > 0) {
            sl_buffer_append(into, chunk, (size_t)n);
            sl_wipe(chunk, (size_t)n);
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            (void)close(*fd);
            *fd = -1;
        } else if (errno == EINTR) {
            n = 1;
        }
    }
}

static void kill_all(struct child *c) {
    int64_t until_ms = sl_clock_monotonic_ms() + REAP_MS;

    if (!c->has_ended) {
        (void)kill(-c->pid, SIGKILL);
    }
    for (look_for_end(c); !c->has_ended && sl_clock_monotonic_ms() < until_ms; look_for_end(c)) {
        (void)poll(NULL, 0, 1);
    }
}

static int wait_for_end(const struct sl_child_settings *s, struct child *c,
                        const struct sl_wakeup *stop, struct sl_buffer *out, struct sl_error *err) {
    int64_t until_ms = sl_clock_monotonic_ms() + s->timeout_ms;

    for (;;) {
        struct pollfd fds[] = {
            {.fd = c->out_fd, .events = POLLIN},
            {.fd = c->err_fd, .events = POLLIN},
            {.fd = stop != NULL ? stop->fd : -1, .events = POLLIN},
        };

        (void)poll(fds, sizeof fds / sizeof fds[0], LOOK_MS);
        look_for_end(c);
        drain(&c->out_fd, out);
        drain(&c->err_fd, &c->said);
        if (stop != NULL && sl_wakeup_is_signalled(stop)) {
            return sl_fail(err, SL_CANCELED, "%s was ended by a stop", c->name);
        }
        if (out->failed != SL_OK) {
            return sl_buffer_check(out, c->name, err);
        }
        if (c->has_ended) {
            return SL_OK;
        }
        if (sl_clock_monotonic_ms() >= until_ms) {
            return sl_fail(err, SL_TIMEOUT, "%s did not end within %lld ms and was killed", c->name,
                           (long long)s->timeout_ms);
        }
    }
}

/* ---- after its end ---- */

/* The first line, its long words left out. */
static void quote(const struct sl_buffer *said, char *out, size_t size) {
    const char *at = said->data;
    size_t len = 0;

    at += strspn(at, " \t\r\n");
    out[0] = '\0';
    while (*at != '\0' && *at != '\n' && len + 1 < size) {
        size_t word = strcspn(at, " \t\r\n\"'=:,");
        int n = 0;

        if (word == 0) {
            n = snprintf(out + len, size - len, "%c", isspace((unsigned char)*at) ? ' ' : *at);
            at++;
        } else {
            n = word < LONG_WORD ? snprintf(out + len, size - len, "%.*s", (int)word, at)
                                 : snprintf(out + len, size - len, "(%zu bytes)", word);
            at += word;
        }
        len += n > 0 ? (size_t)n : 0;
    }
}

static int judge(const struct child *c, const char *said, struct sl_error *err) {
    if (c->status == -1 || (WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0)) {
        return SL_OK;
    }
    if (WIFSIGNALED(c->status)) {
        return sl_fail(err, SL_IO, "%s was killed by signal %d%s%s", c->name, WTERMSIG(c->status),
                       said[0] != '\0' ? ": " : "", said);
    }
    return sl_fail(err, SL_IO, "%s ended with status %d%s%s", c->name, WEXITSTATUS(c->status),
                   said[0] != '\0' ? ": " : "", said);
}

int sl_child_run(const struct sl_child_settings *settings, const struct sl_wakeup *stop,
                 struct sl_buffer *out, char said[SL_CHILD_SAID_BYTES], struct sl_error *err) {
    char line[SL_CHILD_SAID_BYTES];
    struct child c = {.name = settings->argv[0], .out_fd = -1, .err_fd = -1};
    int code = SL_OK;

    sl_buffer_init(&c.said, STDERR_BYTES);
    code = start(settings, &c, err);
    if (code == SL_OK) {
        code = wait_for_end(settings, &c, stop, out, err);
        kill_all(&c);
    }
    if (c.out_fd >= 0) {
        (void)close(c.out_fd);
    }
    if (c.err_fd >= 0) {
        (void)close(c.err_fd);
    }
    quote(&c.said, line, sizeof line);
    if (said != NULL) {
        memcpy(said, line, sizeof line);
    }
    if (code == SL_OK) {
        code = judge(&c, line, err);
    }
    sl_buffer_wipe(&c.said);
    return code;
}
