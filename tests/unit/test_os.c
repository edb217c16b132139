/* Files, wake-ups, threads, clocks. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/child.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/memory.h"
#include "os/scribe.h"
#include "os/thread.h"
#include "os/wakeup.h"

/* ---- files ---- */

static char folder[] = "/tmp/sl-test-os-XXXXXX";

static int make_folder(void **unused) {
    (void)unused;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **unused) {
    (void)unused;
    return rmdir(folder);
}

static const char *file_of(const char *text, size_t len, mode_t mode) {
    static char path[64];
    snprintf(path, sizeof(path), "%s/file", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static void test_file(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer b;
    sl_buffer_init(&b, 5);
    const char *path = file_of("12345", 5, 0600);
    assert_int_equal(sl_file_read(path, &b, &err), SL_OK);
    assert_string_equal(b.data, "12345");
    sl_buffer_reset(&b);
    (void)file_of("123456", 6, 0600);
    assert_int_equal(sl_file_read(path, &b, &err), SL_TOOBIG);
    assert_non_null(strstr(err.text, path));
    sl_buffer_release(&b);
    unlink(path);
}

static void test_file_that_cannot_be_read(void **unused) {
    (void)unused;
    static const struct {
        const char *path;
        const char *words;
    } cases[] = {
        {"/nonexistent/x", "No such file"},
        {"/tmp", "regular file"},
        {"/dev/null", "regular file"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_buffer b;
        sl_buffer_init(&b, 100);
        assert_int_not_equal(sl_file_read(cases[i].path, &b, &err), SL_OK);
        if (strstr(err.text, cases[i].path) == NULL || strstr(err.text, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].path, err.text);
        sl_buffer_release(&b);
    }
}

static void keep_line(void *context, enum sl_log_level level, const char *line) {
    assert_int_equal(level, SL_LOG_WARNING);
    sl_buffer_puts(context, line);
}

static void test_secret_file(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_secret secret = SL_SECRET_INIT;
    struct sl_buffer said;
    sl_buffer_init(&said, 2000);
    struct sl_log log = {.write = keep_line, .context = &said};
    const char *path = file_of(" top secret \n", 13, 0600);
    assert_int_equal(sl_file_read_secret(path, &secret, &log, &err), SL_OK);
    assert_string_equal(secret.text, "top secret");
    assert_string_equal(said.data, "");
    (void)file_of("top secret", 10, 0644);
    assert_int_equal(sl_file_read_secret(path, &secret, &log, &err), SL_OK);
    assert_non_null(strstr(said.data, path));
    assert_non_null(strstr(said.data, "chmod"));
    assert_null(strstr(said.data, "top secret"));
    (void)file_of(" \n", 2, 0600);
    assert_int_equal(sl_file_read_secret(path, &secret, NULL, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "empty"));
    sl_secret_release(&secret);
    sl_buffer_release(&said);
    unlink(path);
}

static void test_file_is_made_once(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer b;
    char path[64];
    struct stat st;
    snprintf(path, sizeof(path), "%s/new", folder);
    mode_t before = umask(0);
    assert_int_equal(sl_file_create(path, 0600, "first", 5, &err), SL_OK);
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(sl_file_create(path, 0600, "second", 6, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, path));
    sl_buffer_init(&b, 100);
    assert_int_equal(sl_file_read(path, &b, &err), SL_OK);
    assert_string_equal(b.data, "first");
    sl_buffer_release(&b);
    unlink(path);
    assert_int_equal(sl_file_create("/no/such/folder/x", 0600, "", 0, &err), SL_IO);
}

/* ---- wake-ups ---- */

static void test_wakeup_signalled_before_is_not_lost(void **unused) {
    (void)unused;
    struct sl_wakeup a, b;
    assert_int_equal(sl_wakeup_init(&a, NULL), SL_OK);
    assert_int_equal(sl_wakeup_init(&b, NULL), SL_OK);
    sl_wakeup_signal(&b);
    sl_wakeup_signal(&b);
    sl_wakeup_wait(&a, &b, -1); /* would hang if the signal were lost */
    sl_wakeup_wait(&a, &b, INT64_MAX);
    assert_false(sl_wakeup_is_signalled(&a));
    assert_true(sl_wakeup_is_signalled(&b));
    sl_wakeup_clear(&b);
    assert_false(sl_wakeup_is_signalled(&b));
    sl_wakeup_release(&a);
    sl_wakeup_release(&b);
}

static void test_wakeup_times_out(void **unused) {
    (void)unused;
    struct sl_wakeup a;
    assert_int_equal(sl_wakeup_init(&a, NULL), SL_OK);
    int64_t begin_ms = sl_clock_monotonic_ms();
    sl_wakeup_wait(&a, NULL, 0);
    sl_wakeup_wait(&a, NULL, 30);
    assert_true(sl_clock_monotonic_ms() - begin_ms >= 29);
    sl_wakeup_release(&a);
}

/* ---- threads ---- */

struct seen {
    struct sl_wakeup go;
    bool blocks_all;
};

static void *look(void *arg) {
    struct seen *seen = arg;
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    seen->blocks_all = sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGUSR1) == 1 &&
                       sigismember(&now, SIGINT) == 1;
    sl_wakeup_wait(&seen->go, NULL, -1);
    return arg;
}

static void test_thread_blocks_signals_and_the_starter_does_not(void **unused) {
    (void)unused;
    struct seen seen = {.blocks_all = false};
    pthread_t thread;
    void *result = NULL;
    sigset_t mine;
    assert_int_equal(sl_wakeup_init(&seen.go, NULL), SL_OK);
    assert_int_equal(sl_thread_start(&thread, "sl-test", look, &seen, NULL), SL_OK);
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    assert_int_equal(sigismember(&mine, SIGTERM), 0);
    sl_wakeup_signal(&seen.go);
    pthread_join(thread, &result);
    assert_ptr_equal(result, &seen);
    assert_true(seen.blocks_all);
    sl_wakeup_release(&seen.go);
}

static void test_clocks_agree_on_their_units(void **unused) {
    (void)unused;
    int64_t ns = sl_clock_monotonic_ns();
    int64_t ms = sl_clock_monotonic_ms();
    assert_in_range(ms - ns / 1000000, 0, 1000);
    assert_true(sl_clock_realtime_ms() > 1577836800000); /* 2020 */
}

/* ---- a child ---- */

static int run_shell(const char *script, int64_t timeout_ms, const struct sl_wakeup *stop,
                     struct sl_buffer *out, struct sl_error *err) {
    char shell[] = "sh";
    char dash[] = "-c";
    char text[512];
    char variable[] = "SL_CHILD=yes";
    char *argv[] = {shell, dash, text, NULL};
    char *environment[] = {variable, NULL};
    struct sl_child_settings settings = {
        .argv = argv,
        .environment = environment,
        .hidden_prefix = "SL_HIDDEN_",
        .timeout_ms = timeout_ms,
    };
    (void)snprintf(text, sizeof(text), "%s", script);
    return sl_child_run(&settings, stop, out, NULL, err);
}

static void test_child(void **unused) {
    (void)unused;
    static const struct {
        const char *script;
        enum sl_code code;
        const char *words; /* of the output, or of the error */
    } cases[] = {
        {"echo $SL_CHILD $SL_HIDDEN_KEY", SL_OK, "yes\n"},
        {"cat; echo end", SL_OK, "end\n"}, /* standard input is empty */
        {"ls /proc/self/fd | wc -l", SL_OK, "4\n"},
        {"trap '' TERM; echo why >&2; exit 3", SL_IO, "status 3: why"},
        {"echo eyJhbGciOiJSUzI1NiIsImtpZCI6IkFBQUFBQUFB >&2; exit 1", SL_IO, "(40 bytes)"},
        {"kill -9 $$", SL_IO, "signal 9"},
        {"kill -s TERM $$", SL_IO, "signal 15"}, /* the test's own mask blocks it */
        {"sleep 60", SL_TIMEOUT, "killed"},
        {"yes", SL_TOOBIG, ""},
        {"exec >&- 2>&-; sleep 60", SL_TIMEOUT, "killed"},
        {"sleep 60 & echo on", SL_OK, "on\n"}, /* somebody keeps the pipe */
    };
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    setenv("SL_HIDDEN_KEY", "secret", 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_buffer out;
        sl_buffer_init(&out, 10000);
        int code =
            run_shell(cases[i].script, cases[i].code == SL_TIMEOUT ? 200 : 20000, NULL, &out, &err);
        if (code != (int)cases[i].code)
            fail_msg("%s: %d %s", cases[i].script, code, err.text);
        if (code == SL_OK)
            assert_string_equal(out.data, cases[i].words);
        else if (strstr(err.text, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].script, err.text);
        sl_buffer_release(&out);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void test_child_is_not_there(void **unused) {
    (void)unused;
    char name[] = "/no/such/program";
    char *argv[] = {name, NULL};
    struct sl_child_settings settings = {.argv = argv, .timeout_ms = 1000};
    struct sl_buffer out;
    struct sl_error err = SL_ERROR_INIT;
    sl_buffer_init(&out, 100);
    assert_int_equal(sl_child_run(&settings, NULL, &out, NULL, &err), SL_NOTFOUND);
    assert_non_null(strstr(err.text, name));
    sl_buffer_release(&out);
}

static void test_child_ends_with_stop(void **unused) {
    (void)unused;
    struct sl_wakeup stop;
    struct sl_buffer out;
    sl_buffer_init(&out, 100);
    assert_int_equal(sl_wakeup_init(&stop, NULL), SL_OK);
    sl_wakeup_signal(&stop);
    int64_t begin_ms = sl_clock_monotonic_ms();
    assert_int_equal(run_shell("sleep 60", 60000, &stop, &out, NULL), SL_CANCELED);
    assert_true(sl_clock_monotonic_ms() - begin_ms < 5000);
    sl_wakeup_release(&stop);
    sl_buffer_release(&out);
}

/* collectd ignores SIGCHLD. */
static void test_child_reaped_by_the_host(void **unused) {
    (void)unused;
    struct sl_buffer out;
    sl_buffer_init(&out, 100);
    char said[SL_CHILD_SAID_BYTES];
    char shell[] = "sh";
    char dash[] = "-c";
    char text[] = "echo token; echo trouble >&2; exit 3";
    char *argv[] = {shell, dash, text, NULL};
    struct sl_child_settings settings = {.argv = argv, .timeout_ms = 20000};
    signal(SIGCHLD, SIG_IGN);
    assert_int_equal(sl_child_run(&settings, NULL, &out, said, NULL), SL_OK);
    signal(SIGCHLD, SIG_DFL);
    assert_string_equal(out.data, "token\n");
    assert_string_equal(said, "trouble");
    sl_buffer_release(&out);
}

static void *wait_for_it(void *wakeup) {
    sl_wakeup_wait(wakeup, NULL, -1);
    return NULL;
}

static void test_a_thread_that_hangs_is_left_behind(void **unused) {
    static struct sl_wakeup wakeup; /* the thread may outlive the test by a moment */
    struct sl_error err = SL_ERROR_INIT;
    pthread_t hangs;
    pthread_t ends;

    (void)unused;
    assert_int_equal(sl_wakeup_init(&wakeup, &err), SL_OK);
    assert_int_equal(sl_thread_start(&hangs, "hangs", wait_for_it, &wakeup, &err), SL_OK);
    assert_false(sl_thread_join(hangs, 10));
    sl_wakeup_signal(&wakeup);
    assert_int_equal(sl_thread_start(&ends, "ends", wait_for_it, &wakeup, &err), SL_OK);
    assert_true(sl_thread_join(ends, 20000));
}

/* ---- files that others write ---- */

static void put(struct sl_scribe *s, const char *path, const char *text) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer b;
    sl_buffer_init(&b, 100);
    sl_buffer_puts(&b, text);
    assert_int_equal(sl_scribe_put(s, path, &b, &err), SL_OK);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.max, 100);
    sl_buffer_release(&b);
}

static void expect_file(const char *path, const char *text) {
    struct sl_buffer b;
    sl_buffer_init(&b, 100);
    assert_int_equal(sl_file_read(path, &b, NULL), SL_OK);
    assert_string_equal(b.data, text);
    sl_buffer_release(&b);
    assert_int_equal(unlink(path), 0);
}

static void test_a_scribe_writes_all_before_it_ends(void **unused) {
    char one[64], other[64];
    struct sl_error err = SL_ERROR_INIT;
    struct sl_scribe *s = NULL;
    (void)unused;
    snprintf(one, sizeof(one), "%s/one", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    assert_int_equal(sl_scribe_new(2, &s, &err), SL_OK);
    put(s, one, "1");
    put(s, other, "2");
    put(s, one, "3");
    assert_true(sl_scribe_finish(s, 20000, &err));
    assert_int_equal(err.code, SL_OK);
    expect_file(one, "3");
    expect_file(other, "2");
}

/* A FIFO without a reader stands for a disk that hangs. */
static void hang_at(char *path, size_t size, const char *name) {
    snprintf(path, size, "%s/%s.new", folder, name);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void test_a_disk_that_hangs_holds_up_nobody(void **unused) {
    char disk[64], one[64], other[64];
    struct sl_error err = SL_ERROR_INIT;
    struct sl_scribe *s = NULL;
    (void)unused;
    hang_at(disk, sizeof(disk), "one");
    snprintf(one, sizeof(one), "%s/one", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    assert_int_equal(sl_scribe_new(2, &s, &err), SL_OK);
    put(s, one, "1");
    for (int i = 0; i < 1000; i++)
        put(s, other, i < 999 ? "old" : "newest");
    assert_false(sl_scribe_finish(s, 20, &err));
    int reader = open(disk, O_RDONLY); /* the disk answers again */
    assert_true(reader >= 0);
    while (access(other, F_OK) != 0)
        poll(NULL, 0, 1);
    close(reader);
    expect_file(other, "newest");
    assert_int_equal(unlink(one), 0);
}

static void test_a_scribe_says_what_failed(void **unused) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_scribe *s = NULL;
    struct sl_buffer b;
    (void)unused;
    sl_buffer_init(&b, 100);
    assert_int_equal(sl_scribe_new(1, &s, &err), SL_OK);
    while (sl_scribe_put(s, "/proc/not/there/file", &b, &err) == SL_OK)
        poll(NULL, 0, 1);
    assert_int_equal(err.code, SL_IO);
    assert_non_null(strstr(err.text, "/proc/not/there"));
    assert_int_equal(sl_scribe_put(s, "/proc/another", &b, &err), SL_NOMEM);
    err = (struct sl_error)SL_ERROR_INIT;
    assert_true(sl_scribe_finish(s, 20000, &err));
    assert_int_equal(err.code, SL_IO);
    sl_buffer_release(&b);
}

/* What is this process's own stays, although the mapping is one of a file and read-only by now. */
static void test_trimming_loses_nothing(void **unused) {
    long page = sysconf(_SC_PAGESIZE);
    FILE *file = tmpfile();
    char *mapped = NULL;

    (void)unused;
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), page * 2), 0);
    mapped = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0);
    assert_ptr_not_equal(mapped, MAP_FAILED);
    mapped[page] = 'x';
    assert_int_equal(mprotect(mapped, (size_t)page * 2, PROT_READ), 0);
    sl_memory_trim_code();
    assert_int_equal(mapped[page], 'x');
    assert_int_equal(mapped[0], 0);
    munmap(mapped, (size_t)page * 2);
    fclose(file);
}

static long resident_pages(void) {
    char line[128] = "";
    char *at = NULL;
    FILE *file = fopen("/proc/self/statm", "r");

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    (void)strtol(line, &at, 10);
    return strtol(at, NULL, 10);
}

static void test_trimming_lets_go_of_code(void **unused) {
    (void)unused;
    sl_memory_trim_code();
    long before = resident_pages();
    FILE *file = fopen("/proc/self/exe", "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    const char *mapped = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    assert_ptr_not_equal(mapped, MAP_FAILED);
    unsigned sum = 0;
    for (size_t i = 0; i < size; i += 512)
        sum += (unsigned char)mapped[i];
    assert_true(sum > 0);
    long touched = resident_pages();
    assert_true(touched - before >= (long)(size / (size_t)sysconf(_SC_PAGESIZE)) / 2);
    sl_memory_trim_code();
    assert_true(resident_pages() < touched);
    munmap((void *)(uintptr_t)mapped, size);
    fclose(file);
}

/* Of every object that is loaded; and all of it still runs. */
static void test_trimming_own_code(void **unused) {
    char *text = NULL;

    (void)unused;
    long before = resident_pages();
    errno = ERANGE;
    sl_memory_trim_own_code();
    assert_int_equal(errno, ERANGE);
    assert_true(resident_pages() < before);
    assert_true(asprintf(&text, "%.1f", 0.5) == 3);
    assert_string_equal(text, "0.5");
    free(text);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_that_cannot_be_read),
        cmocka_unit_test(test_secret_file),
        cmocka_unit_test(test_file_is_made_once),
        cmocka_unit_test(test_wakeup_signalled_before_is_not_lost),
        cmocka_unit_test(test_wakeup_times_out),
        cmocka_unit_test(test_thread_blocks_signals_and_the_starter_does_not),
        cmocka_unit_test(test_a_thread_that_hangs_is_left_behind),
        cmocka_unit_test(test_a_scribe_writes_all_before_it_ends),
        cmocka_unit_test(test_a_disk_that_hangs_holds_up_nobody),
        cmocka_unit_test(test_a_scribe_says_what_failed),
        cmocka_unit_test(test_clocks_agree_on_their_units),
        cmocka_unit_test(test_trimming_loses_nothing),
        cmocka_unit_test(test_trimming_lets_go_of_code),
        cmocka_unit_test(test_trimming_own_code),
        cmocka_unit_test(test_child),
        cmocka_unit_test(test_child_is_not_there),
        cmocka_unit_test(test_child_ends_with_stop),
        cmocka_unit_test(test_child_reaped_by_the_host),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
