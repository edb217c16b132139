/* The controller against a scripted API server, driven step by step: what it asks, what it writes,
 * what it says. Time is a variable; only the two tests of the thread have a thread, and they wait
 * for events, not for time. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/file.h"
#include "scaler/controller.h"
#include "scaler/foreign.h"
#include "scaler/status.h"

enum { MAX_POOLS = 40, LOG_BYTES = 16384, MAX_SCRIPT = 8 };

static const int64_t realtime_ms = 1700000000000;
static int64_t test_now_ms;
static int64_t realtime_of_zero_ms;

static int64_t test_clock(void) {
    return test_now_ms;
}

static int64_t test_realtime(void) {
    return realtime_of_zero_ms + test_now_ms;
}

/* ---- the server ---- */

struct fake_pool {
    int32_t size;
    int version;
    bool is_missing;
};

struct fake_server {
    struct fake_pool pools[MAX_POOLS];
    enum sl_code fail_reads;  /* every one, while set */
    enum sl_code fail_writes; /* every one, while set; nothing is written */
    bool lose_answers;        /* writes are carried out and fail with SL_TIMEOUT */
    int steal;                /* before so many writes somebody else sets stolen_size */
    int32_t stolen_size;
    int32_t largest;   /* a webhook's limit; 0: none */
    bool is_listed;    /* each look costs nothing once one has been paid for at that time */
    bool is_cache_old; /* looks say that nothing has changed */
    bool will_lead;    /* from the next look on */
    int64_t listed_ms;
    int looks; /* that cost something */
    int reads;
    int writes;             /* that were tried */
    int tries;              /* dry runs */
    int32_t actual;         /* of every pool */
    int uid;                /* of all pools; 0: not said */
    const char *annotation; /* its value; NULL: they are not read */
    bool is_led_elsewhere;
    char notes[512];              /* what was recorded, a line each */
    struct sl_wakeup *hang_until; /* block in a read until this is signalled */
    struct sl_wakeup *asked;      /* signalled at each read */
};

/* Pools are called "pool-00", "pool-01" ... */
static size_t index_of(const char *worker_pool) {
    return (size_t)((worker_pool[5] - '0') * 10 + worker_pool[6] - '0');
}

static void answer(const struct fake_server *s, const struct fake_pool *p,
                   struct sl_scale_reading *ret) {
    if (s->uid != 0) {
        (void)snprintf(ret->uid, sizeof ret->uid, "uid-%d", s->uid);
    }
    ret->size = p->size;
    ret->actual = s->actual;
    (void)snprintf(ret->version, sizeof ret->version, "%d", p->version);
    if (p->size == SL_SIZE_UNSET) {
        ret->version[0] = '\0';
    }
}

static int fake_read(void *self, const char *in, const char *worker_pool,
                     struct sl_scale_reading *ret, struct sl_error *err) {
    struct fake_server *s = self;
    struct fake_pool *p = &s->pools[index_of(worker_pool)];

    assert_string_equal(in, "ns");
    s->reads++;
    if (s->asked != NULL) {
        sl_wakeup_signal(s->asked);
    }
    if (s->hang_until != NULL) {
        sl_wakeup_wait(s->hang_until, NULL, -1);
        return sl_fail(err, SL_CANCELED, "canceled");
    }
    if (s->fail_reads != SL_OK) {
        return sl_fail(err, s->fail_reads, "GET %s: refused", worker_pool);
    }
    if (p->is_missing) {
        return sl_fail(err, SL_NOTFOUND, "workerpools \"%s\" not found", worker_pool);
    }
    answer(s, p, ret);
    if (s->annotation != NULL) {
        ret->has_annotations = true;
        sl_orders_init(&ret->annotated);
        sl_orders_add_annotation(&ret->annotated, "collectd-spacelift/pause", s->annotation);
    }
    return SL_OK;
}

static int fake_verify(void *self, const char *in, const char *worker_pool, int64_t max_age_ms,
                       struct sl_scale_reading *ret, enum sl_verified *ret_how,
                       struct sl_error *err) {
    struct fake_server *s = self;
    const struct fake_pool *p = &s->pools[index_of(worker_pool)];
    char current[SL_SCALE_VERSION_BYTES];

    assert_int_equal(max_age_ms, 2500);
    (void)snprintf(current, sizeof current, "%d", p->version);
    *ret_how = s->is_listed && s->listed_ms == test_now_ms ? SL_VERIFIED_UNASKED : SL_VERIFIED_SAME;
    s->listed_ms = test_now_ms;
    s->is_led_elsewhere = s->is_led_elsewhere && !s->will_lead;
    s->looks += *ret_how == SL_VERIFIED_SAME ? 1 : 0;
    if (s->is_cache_old || strcmp(current, ret->version) == 0) {
        return SL_OK;
    }
    *ret_how = SL_VERIFIED_BY_READING;
    return fake_read(self, in, worker_pool, ret, err);
}

static bool fake_may_write(void *self) {
    const struct fake_server *s = self;

    return !s->is_led_elsewhere;
}

static void fake_leader(void *self, char *out, size_t size) {
    const struct fake_server *s = self;

    (void)snprintf(out, size, "%s", s->is_led_elsewhere ? "other" : "me");
}

static void fake_record(void *self, const char *in, const char *worker_pool,
                        const struct sl_scale_reading *about, enum sl_note note, const char *text) {
    static const char *const words[] = {
        [SL_NOTE_SCALED_OUT] = "out",
        [SL_NOTE_SCALED_IN] = "in",
        [SL_NOTE_HELD_AT_MAXIMUM] = "max",
        [SL_NOTE_BLIND] = "blind",
        [SL_NOTE_SEES_AGAIN] = "sees",
        [SL_NOTE_FOREIGN_SIZE] = "foreign",
        [SL_NOTE_NOT_CONVERGED] = "stuck",
        [SL_NOTE_CONVERGED] = "converged",
        [SL_NOTE_BAD_ANNOTATION] = "annotation",
    };
    struct fake_server *s = self;
    size_t len = strlen(s->notes);

    (void)in;
    (void)about;
    (void)snprintf(s->notes + len, sizeof s->notes - len, "%s %s: %s\n", words[note], worker_pool,
                   text);
}

static int fake_write(void *self, const char *in, const char *worker_pool, int32_t size,
                      const char *version, struct sl_scale_reading *ret, struct sl_error *err) {
    struct fake_server *s = self;
    struct fake_pool *p = &s->pools[index_of(worker_pool)];
    char current[SL_SCALE_VERSION_BYTES];

    assert_string_equal(in, "ns");
    s->writes++;
    if (s->steal > 0) {
        s->steal--;
        p->size = s->stolen_size;
        p->version++;
    }
    (void)snprintf(current, sizeof current, "%d", p->version);
    if (version[0] != '\0' && strcmp(version, current) != 0) {
        return sl_fail(err, SL_CONFLICT, "the object has been modified");
    }
    if (s->fail_writes != SL_OK) {
        return sl_fail(err, s->fail_writes, "PATCH %s: refused", worker_pool);
    }
    p->size = s->largest > 0 && size > s->largest ? s->largest : size;
    p->version++;
    if (s->lose_answers) {
        return sl_fail(err, SL_TIMEOUT, "PATCH %s: no answer within 10 s", worker_pool);
    }
    answer(s, p, ret);
    return SL_OK;
}

static int fake_try(void *self, const char *in, const char *worker_pool, int32_t size,
                    const char *version, struct sl_error *err) {
    struct fake_server *s = self;

    (void)in;
    (void)size;
    (void)version;
    s->tries++;
    return s->fail_writes == SL_OK ? SL_OK
                                   : sl_fail(err, s->fail_writes, "PATCH %s: refused", worker_pool);
}

/* ---- a controller with what it needs ---- */

struct world {
    struct fake_server server;
    struct sl_pool_options options[MAX_POOLS];
    const struct sl_pool_options *pointers[MAX_POOLS];
    char names[MAX_POOLS][32];
    size_t pool_count;
    struct sl_neighbours neighbours;
    struct sl_wakeup stop;
    struct sl_log log;
    char lines[LOG_BYTES]; /* without DEBUG; each ends with a newline */
    size_t len;
    struct sl_controller *controller;
    int64_t due_ms;
    int64_t real_ms; /* the wall clock when the monotonic one is 0 */
    const char *status_path;
    bool can_verify; /* at less cost than by reading */
};

static void collect_line(void *context, enum sl_log_level level, const char *line) {
    static const char letters[] = "EWNI";
    struct world *w = context;
    int added = 0;

    if (level == SL_LOG_DEBUG) {
        return;
    }
    added = snprintf(w->lines + w->len, sizeof w->lines - w->len, "%c %s\n", letters[level], line);
    assert_true(added > 0 && (size_t)added < sizeof w->lines - w->len);
    w->len += (size_t)added;
}

/* What was said since the last call. */
static void assert_said(struct world *w, const char *expected) {
    assert_string_equal(w->lines, expected);
    w->len = 0;
    w->lines[0] = '\0';
}

static void forget_lines(struct world *w) {
    w->len = 0;
    w->lines[0] = '\0';
}

static char kube_namespace[] = "ns";

static void make_pool(struct world *w, size_t i) {
    (void)snprintf(w->names[i], sizeof w->names[i], "pool-%02zu", i);
    w->options[i] = (struct sl_pool_options){
        .name = w->names[i],
        .kube_namespace = kube_namespace,
        .worker_pool = w->names[i],
        .min_workers = 1,
        .max_workers = 5,
        .target_utilization_percent = 100,
        .scale_in_window_ms = 60000,
        .stale_after_ms = 60000,
        .idle_workers = -1,
        .drift_detection_weight_percent = 100,
    };
    w->pointers[i] = &w->options[i];
    w->server.pools[i] = (struct fake_pool){.size = 1, .version = 1};
}

/* Empty as a static: the tests run one after another. */
static struct world *prepare_world(size_t pool_count) {
    static struct world world;
    struct world *w = &world;

    memset(w, 0, sizeof *w);
    w->log = (struct sl_log){.write = collect_line, .context = w};
    w->pool_count = pool_count;
    w->real_ms = realtime_ms;
    for (size_t i = 0; i < pool_count; i++) {
        make_pool(w, i);
    }
    return w;
}

static void open_world(struct world *w) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_controller_settings settings = {
        .cluster = "prod",
        .pools = w->pointers,
        .pool_count = w->pool_count,
        .ops = {.read_size = fake_read,
                .verify_size = w->can_verify ? fake_verify : NULL,
                .set_size = fake_write,
                .try_size = fake_try,
                .may_write = fake_may_write,
                .leader = fake_leader,
                .record = fake_record,
                .self = &w->server},
        .neighbours = &w->neighbours,
        .log = &w->log,
        .status_path = w->status_path,
        .stop = &w->stop,
        .clock_ms = test_clock,
        .realtime_ms = test_realtime,
    };

    test_now_ms = 1000;
    realtime_of_zero_ms = w->real_ms;
    assert_int_equal(sl_wakeup_init(&w->stop, &err), SL_OK);
    assert_int_equal(sl_neighbours_init(&w->neighbours, &err), SL_OK);
    assert_int_equal(sl_controller_new(&settings, &w->controller, &err), SL_OK);
}

static struct world *make_world(size_t pool_count) {
    struct world *w = prepare_world(pool_count);

    open_world(w);
    return w;
}

static void free_world(struct world *w) {
    sl_controller_stop(w->controller);
    sl_controller_free(w->controller);
    sl_neighbours_release(&w->neighbours);
    sl_wakeup_release(&w->stop);
}

static void step(struct world *w) {
    w->due_ms = sl_controller_step(w->controller);
}

static void submit(struct world *w, size_t i, double pending, double busy) {
    struct sl_pool_values values = {
        .name = w->names[i],
        .id = "01A",
        .runs_pending = pending,
        .workers_busy = busy,
        .time_ms = w->real_ms + test_now_ms,
        .interval_ms = 10000,
    };

    sl_controller_submit(w->controller, i, &values, test_now_ms, w->real_ms + test_now_ms);
}

/* One poll: ten seconds later the reader reports, and the thread wakes up. */
static void poll_pool(struct world *w, size_t i, double pending, double busy) {
    test_now_ms += 10000;
    submit(w, i, pending, busy);
    step(w);
}

/* The same until the thread has nothing more to do; at most limit steps. */
static void run_until(struct world *w, int64_t end_ms) {
    for (int i = 0; i < 1000 && w->due_ms <= end_ms; i++) {
        test_now_ms = w->due_ms > test_now_ms ? w->due_ms : test_now_ms;
        step(w);
    }
    test_now_ms = end_ms;
}

static int32_t size_of(const struct world *w, size_t i) {
    return w->server.pools[i].size;
}

/* ---- the story ---- */

static void test_start_reads_each_size_and_says_so(void **unused) {
    struct world *w = make_world(2);

    (void)unused;
    w->server.pools[1].size = SL_SIZE_UNSET;
    step(w);
    assert_said(
        w, "I pool \"pool-00\": WorkerPool ns/pool-00 has poolSize 1; MinWorkers 1, MaxWorkers 5\n"
           "I pool \"pool-01\": WorkerPool ns/pool-01 has poolSize unset; MinWorkers 1, "
           "MaxWorkers 5\n");
    assert_int_equal(w->server.writes, 0);
    free_world(w);
}

static void test_a_burst_and_back(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    forget_lines(w);
    poll_pool(w, 0, 0, 0);
    assert_said(w, "I pool \"pool-00\": 1 workers: busy 0 + pending 0 = 0, MinWorkers 1\n");
    poll_pool(w, 0, 8, 1);
    assert_int_equal(size_of(w, 0), 5);
    assert_said(w,
                "I pool \"pool-00\": 1 -> 5 workers: busy 1 + pending 8 = 9, held at MaxWorkers 5 "
                "(4 more would be used)\n");
    poll_pool(w, 0, 4, 5);
    poll_pool(w, 0, 2, 5);
    poll_pool(w, 0, 0, 5);
    assert_said(w, ""); /* nothing new */
    poll_pool(w, 0, 0, 2);
    assert_said(w, "I pool \"pool-00\": 5 workers: busy 2 + pending 0 = 2, not smaller for 10 s: "
                   "ScaleInWindow (60 s) has not been watched in full\n");
    poll_pool(w, 0, 0, 1);
    assert_said(w, "I pool \"pool-00\": 5 workers: busy 1 + pending 0 = 1, not below 5 for 40 s: "
                   "that was wanted within ScaleInWindow (60 s)\n");
    run_until(w, 110999);
    assert_int_equal(size_of(w, 0), 5);
    assert_said(w, "");
    run_until(w, 200000); /* no snapshot comes any more: the last is believed for 60 s */
    assert_said(w,
                "I pool \"pool-00\": 5 -> 2 workers: busy 1 + pending 0 = 1, not below 2 for 10 s: "
                "that was wanted within ScaleInWindow (60 s)\n"
                "I pool \"pool-00\": 2 -> 1 workers: busy 1 + pending 0 = 1\n"
                "W pool \"pool-00\": 1 workers: no data from Spacelift for 60 s: holding at 1 "
                "workers\n");
    free_world(w);
}

static void test_the_window_ends_between_two_polls(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    for (int i = 0; i < 7; i++) {
        poll_pool(w, 0, 0, 3);
    }
    test_now_ms += 5000;
    submit(w, 0, 0, 1);
    step(w);
    assert_int_equal(size_of(w, 0), 3);
    test_now_ms = 120000;
    submit(w, 0, 0, 1);
    step(w);
    forget_lines(w);
    run_until(w, 131000);
    assert_int_equal(size_of(w, 0), 1);
    assert_said(w, "I pool \"pool-00\": 3 -> 1 workers: busy 1 + pending 0 = 1\n");
    free_world(w);
}

static void test_steady_state_is_silent_and_writes_nothing(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    poll_pool(w, 0, 0, 1);
    forget_lines(w);
    for (int i = 0; i < 100; i++) {
        poll_pool(w, 0, 0, i % 2);
    }
    assert_said(w, "");
    assert_int_equal(w->server.writes, 0);
    free_world(w);
}

static void test_a_pool_is_read_once_for_each_snapshot(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    for (int i = 0; i < 50; i++) {
        test_now_ms += 1000;
        submit(w, 0, 0, 1);
        step(w);
        step(w);
    }
    assert_int_equal(w->server.reads, 1 + 50);
    free_world(w);
}

static void test_without_data_a_pool_is_read_as_well(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    run_until(w, test_now_ms + 100000);
    assert_in_range(w->server.reads, 6, 8); /* every 15 s: an annotation is found all the same */
    free_world(w);
}

/* ---- two writers ---- */

static void test_conflict_reads_and_decides_again(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    forget_lines(w);
    w->server.steal = 1;
    w->server.stolen_size = 2;
    poll_pool(w, 0, 3, 1);
    assert_int_equal(size_of(w, 0), 4);
    assert_int_equal(w->server.writes, 2);
    assert_said(w, "N pool \"pool-00\": somebody else has changed its size from 1 to 2: another "
                   "autoscaler, GitOps, or a person with kubectl?\n"
                   "I pool \"pool-00\": 2 -> 4 workers: busy 1 + pending 3 = 4\n");
    free_world(w);
}

static void test_conflict_that_leaves_nothing_to_do(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    w->server.steal = 1;
    w->server.stolen_size = 4;
    poll_pool(w, 0, 3, 1);
    assert_int_equal(w->server.writes, 1); /* the newer size is what is wanted */
    assert_int_equal(size_of(w, 0), 4);
    free_world(w);
}

static void test_conflict_without_end_is_given_up_and_told_once(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    forget_lines(w);
    w->server.steal = 1000;
    w->server.stolen_size = 1;
    poll_pool(w, 0, 3, 1);
    assert_int_equal(w->server.writes, 5);
    assert_string_equal(
        w->lines,
        "W pool \"pool-00\": WorkerPool ns/pool-00 in cluster \"prod\" keeps its size: the "
        "object has been modified; next try in 5 s\n");
    w->server.steal = 0;
    forget_lines(w);
    run_until(w, test_now_ms + 20000);
    assert_int_equal(size_of(w, 0), 4);
    assert_said(w, "I pool \"pool-00\": 1 -> 4 workers: busy 1 + pending 3 = 4\n"
                   "I pool \"pool-00\": can be scaled again after 5 s (1 failures)\n");
    free_world(w);
}

static void test_foreign_size_is_noticed(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    poll_pool(w, 0, 0, 1);
    forget_lines(w);
    w->server.pools[0].size = 3;
    w->server.pools[0].version++;
    poll_pool(w, 0, 0, 1);
    assert_said(w, "N pool \"pool-00\": somebody else has changed its size from 1 to 3: another "
                   "autoscaler, GitOps, or a person with kubectl?\n"
                   "I pool \"pool-00\": 3 workers: busy 1 + pending 0 = 1, not smaller for 50 s: "
                   "ScaleInWindow (60 s) has not been watched in full\n");
    free_world(w);
}

static void test_an_unset_size_is_written_without_a_version(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    w->server.pools[0].size = SL_SIZE_UNSET;
    step(w);
    forget_lines(w);
    poll_pool(w, 0, 1, 1);
    assert_int_equal(size_of(w, 0), 2);
    assert_said(w, "I pool \"pool-00\": unset -> 2 workers: busy 1 + pending 1 = 2\n");
    free_world(w);
}

static void test_a_webhook_that_limits_is_told_once(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    forget_lines(w);
    w->server.largest = 3;
    poll_pool(w, 0, 3, 1);
    assert_int_equal(size_of(w, 0), 3);
    assert_said(
        w, "W pool \"pool-00\": WorkerPool ns/pool-00 in cluster \"prod\" keeps its size: asked "
           "for 4 workers, the API server made it 3: does an admission webhook or a policy "
           "limit the WorkerPool?; next try in 5 s\n");
    for (int i = 0; i < 20; i++) {
        poll_pool(w, 0, 3, 1);
    }
    assert_said(w, "");
    assert_in_range(w->server.writes, 3, 8); /* backed off */
    free_world(w);
}

/* ---- a server that fails ---- */

static void test_a_lost_answer_is_read_before_anything_is_written(void **unused) {
    struct world *w = make_world(1);
    int writes = 0;

    (void)unused;
    step(w);
    forget_lines(w);
    w->server.lose_answers = true;
    poll_pool(w, 0, 1, 1);
    writes = w->server.writes;
    assert_said(w,
                "W cluster \"prod\": all its pools keep their sizes (asked for pool \"pool-00\"): "
                "PATCH pool-00: no answer within 10 s; next try in 1 s\n");
    w->server.lose_answers = false;
    run_until(w, test_now_ms + 5000);
    assert_int_equal(w->server.writes, writes); /* it had been carried out */
    assert_int_equal(size_of(w, 0), 2);
    assert_said(w, "I pool \"pool-00\": 1 -> 2 workers: busy 1 + pending 1 = 2\n"
                   "I cluster \"prod\": answers again after 1 s (1 failures)\n");
    free_world(w);
}

static void test_a_write_that_was_not_carried_out_is_repeated(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    w->server.fail_writes = SL_TIMEOUT;
    poll_pool(w, 0, 1, 1);
    assert_int_equal(size_of(w, 0), 1);
    forget_lines(w);
    w->server.fail_writes = SL_OK;
    run_until(w, test_now_ms + 5000);
    assert_int_equal(size_of(w, 0), 2);
    assert_said(w, "I pool \"pool-00\": 1 -> 2 workers: busy 1 + pending 1 = 2\n"
                   "I cluster \"prod\": answers again after 1 s (1 failures)\n");
    free_world(w);
}

static void test_a_server_that_is_down_is_one_message_and_one_try_at_a_time(void **unused) {
    struct world *w = make_world(MAX_POOLS);
    int reads = 0;

    (void)unused;
    step(w);
    forget_lines(w);
    w->server.fail_reads = SL_IO;
    for (int minute = 0; minute < 10; minute++) {
        test_now_ms += 10000;
        for (size_t i = 0; i < MAX_POOLS; i++) {
            submit(w, i, 2, 1);
        }
        reads = w->server.reads;
        step(w);
        assert_true(w->server.reads - reads <= 1);
    }
    assert_said(w,
                "W cluster \"prod\": all its pools keep their sizes (asked for pool \"pool-00\"): "
                "GET pool-00: refused; next try in 1 s\n");
    w->server.fail_reads = SL_OK;
    run_until(w, test_now_ms + 40000);
    for (size_t i = 0; i < MAX_POOLS; i++) {
        assert_int_equal(size_of(w, i), 3);
    }
    assert_non_null(strstr(w->lines, "I cluster \"prod\": answers again after "));
    free_world(w);
}

static void test_a_missing_pool_does_not_block_another(void **unused) {
    struct world *w = make_world(2);

    (void)unused;
    w->server.pools[0].is_missing = true;
    step(w);
    assert_non_null(strstr(w->lines,
                           "W pool \"pool-00\": WorkerPool ns/pool-00 in cluster \"prod\" keeps "
                           "its size: workerpools \"pool-00\" not found; next try in 5 s"));
    forget_lines(w);
    test_now_ms += 1000;
    submit(w, 0, 1, 1);
    submit(w, 1, 1, 1);
    step(w);
    assert_int_equal(size_of(w, 1), 2);
    w->server.pools[0].is_missing = false;
    run_until(w, test_now_ms + 10000);
    assert_int_equal(size_of(w, 0), 2);
    free_world(w);
}

static void test_forbidden_is_not_hammered(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    w->server.fail_writes = SL_FORBIDDEN;
    for (int i = 0; i < 60; i++) { /* ten minutes */
        poll_pool(w, 0, 1, 1);
    }
    assert_in_range(w->server.writes, 3, 12);
    free_world(w);
}

/* ---- data that is none ---- */

static void test_silence_is_told_once_and_shrinks_nothing(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    w->server.pools[0].size = 4;
    step(w);
    poll_pool(w, 0, 0, 4);
    forget_lines(w);
    run_until(w, test_now_ms + 3600000);
    assert_int_equal(size_of(w, 0), 4);
    assert_said(
        w,
        "W pool \"pool-00\": 4 workers: no data from Spacelift for 60 s: holding at 4 workers\n");
    poll_pool(w, 0, 0, 4);
    assert_said(
        w, "I pool \"pool-00\": data from Spacelift again: 4 workers: busy 4 + pending 0 = 4\n");
    assert_int_equal(w->server.writes, 0);
    free_world(w);
}

/* Nothing comes that would wake the thread up: the decision itself must say when it changes. */
static void test_a_fallback_comes_by_itself(void **unused) {
    struct world *w = prepare_world(1);

    (void)unused;
    w->options[0].fallback = SL_FALLBACK_STATIC;
    w->options[0].fallback_workers = 4;
    w->options[0].fallback_failures = 3;
    w->options[0].fallback_after_ms = 300000;
    open_world(w);
    step(w);
    poll_pool(w, 0, 0, 1); /* the last data */
    run_until(w, test_now_ms + 299999);
    assert_int_equal(size_of(w, 0), 1);
    run_until(w, test_now_ms + 1);
    assert_int_equal(size_of(w, 0), 4);
    assert_non_null(strstr(w->lines,
                           "W pool \"pool-00\": 1 -> 4 workers: no data from Spacelift for "
                           "300 s: fallback to 4 workers\n"));
    free_world(w);
}

static void test_no_data_from_the_start_is_told_after_a_while(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    forget_lines(w);
    run_until(w, 60000);
    assert_said(w, "");
    run_until(w, 7200000);
    assert_said(
        w, "W pool \"pool-00\": 1 workers: no data from Spacelift yet: holding at 1 workers\n");
    free_world(w);
}

static void test_a_misspelt_name_is_told_with_the_names_that_come(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    forget_lines(w);
    sl_neighbours_add(&w->neighbours, "pool-O0");
    sl_neighbours_add(&w->neighbours, "public");
    run_until(w, 7200000);
    assert_said(
        w, "W pool \"pool-00\": 1 workers: Spacelift reports other pools, but none of this name: "
           "holding at 1 workers\n"
           "W pool \"pool-00\": check its name; pools that are reported and not configured: "
           "\"pool-O0\", \"public\"\n");
    free_world(w);
}

static void test_the_minimum_needs_no_data(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    w->options[0].min_workers = 1;
    w->server.pools[0].size = 0;
    step(w);
    assert_int_equal(size_of(w, 0), 1);
    free_world(w);
}

static void test_nonsense_shrinks_nothing(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    w->server.pools[0].size = 4;
    step(w);
    for (int i = 0; i < 20; i++) {
        poll_pool(w, 0, -1, __builtin_nan(""));
    }
    assert_int_equal(size_of(w, 0), 4);
    free_world(w);
}

/* ---- many pools, one thread ---- */

static void test_a_change_comes_before_verification(void **unused) {
    struct world *w = make_world(MAX_POOLS);
    int reads = 0;

    (void)unused;
    step(w);
    test_now_ms += 10000;
    for (size_t i = 0; i < MAX_POOLS; i++) {
        submit(w, i, i == MAX_POOLS - 1 ? 2 : 0, 0);
    }
    reads = w->server.reads;
    step(w);
    assert_int_equal(size_of(w, MAX_POOLS - 1), 2);
    assert_int_equal(w->server.reads - reads, 2);  /* its own, and one of the others */
    assert_int_equal(w->due_ms, test_now_ms + 20); /* fifty a second */
    free_world(w);
}

static struct world *make_world_that_verifies(size_t pool_count) {
    struct world *w = prepare_world(pool_count);

    w->can_verify = true;
    open_world(w);
    step(w);
    forget_lines(w);
    return w;
}

static void test_what_is_as_it_was_is_not_read(void **unused) {
    struct world *w = make_world_that_verifies(1);

    (void)unused;
    for (int i = 0; i < 50; i++) {
        poll_pool(w, 0, 0, 1);
    }
    assert_int_equal(w->server.looks, 50);
    assert_int_equal(w->server.reads, 1);
    forget_lines(w);
    w->server.pools[0].size = 4;
    w->server.pools[0].version++;
    poll_pool(w, 0, 0, 1);
    assert_int_equal(w->server.reads, 2);
    assert_said(w, "N pool \"pool-00\": somebody else has changed its size from 1 to 4: another "
                   "autoscaler, GitOps, or a person with kubectl?\n"
                   "I pool \"pool-00\": 4 -> 1 workers: busy 1 + pending 0 = 1\n");
    free_world(w);
}

static void test_one_look_may_do_for_all(void **unused) {
    struct world *w = make_world_that_verifies(MAX_POOLS);

    (void)unused;
    w->server.is_listed = true;
    test_now_ms += 10000;
    for (size_t i = 0; i < MAX_POOLS; i++) {
        submit(w, i, 0, 1);
    }
    step(w);
    assert_int_equal(w->due_ms, test_now_ms + 20);
    w->server.listed_ms = test_now_ms += 20;
    step(w);
    assert_int_equal(w->server.looks, 1);
    assert_int_equal(w->server.reads, MAX_POOLS);
    assert_true(w->due_ms > test_now_ms + 9000);
    free_world(w);
}

/* It may be answered by what was true a moment ago. */
static void test_nothing_is_written_on_a_look(void **unused) {
    struct world *w = make_world_that_verifies(1);

    (void)unused;
    w->server.is_led_elsewhere = true;
    w->server.will_lead = true;
    w->server.is_cache_old = true;
    w->server.pools[0].size = 2; /* by who has led so far */
    w->server.pools[0].version++;
    poll_pool(w, 0, 2, 1);
    assert_int_equal(w->server.looks, 1);
    assert_int_equal(w->server.reads, 2);
    assert_int_equal(size_of(w, 0), 3);
    assert_int_equal(w->server.writes, 1);
    free_world(w);
}

static void test_without_data_looks_go_on(void **unused) {
    struct world *w = make_world_that_verifies(1);

    (void)unused;
    run_until(w, test_now_ms + 100000);
    assert_in_range(w->server.looks, 6, 8);
    assert_int_equal(w->server.reads, 1);
    free_world(w);
}

/* ---- the thread ---- */

/* ---- conditions and the status file ---- */

static struct sl_schedule_options nights = {
    .name = (char[]){"nights"},
    .start = (char[]){"0 22 * * *"},
    .end = (char[]){"0 6 * * *"},
    .time_zone = (char[]){"UTC"},
    .min_workers = 3,
    .max_workers = -1,
};
static struct sl_schedule_options *all_schedules[] = {&nights};

static void test_a_schedule_is_a_floor_and_wakes_the_thread_up(void **unused) {
    struct world *w = prepare_world(1);

    (void)unused;
    w->options[0].schedules = all_schedules;
    w->options[0].schedule_count = 1;
    w->real_ms = 1700000000000 - 1700000000000 % 86400000 + 79200000 - 21000; /* 20 s to 22:00 */
    open_world(w);
    step(w);
    poll_pool(w, 0, 0, 0); /* ten seconds left */
    assert_int_equal(size_of(w, 0), 1);
    forget_lines(w);
    run_until(w, test_now_ms + 10000);
    step(w);
    assert_int_equal(size_of(w, 0), 3);
    assert_said(w, "I pool \"pool-00\": 1 -> 3 workers: busy 0 + pending 0 = 0, at least 3 by "
                   "schedule \"nights\"\n");
    free_world(w);
}

static void test_a_pause_by_option_ends_at_its_time(void **unused) {
    struct world *w = prepare_world(1);
    static char until[] = "2023-11-14T22:14:20Z"; /* 1700000060 */

    (void)unused;
    w->options[0].pause = SL_PAUSE_ALL;
    w->options[0].pause_workers = SL_SIZE_UNSET;
    w->options[0].pause_until = until;
    open_world(w);
    step(w);
    poll_pool(w, 0, 3, 1);
    assert_int_equal(size_of(w, 0), 1);
    run_until(w, 59999);
    assert_int_equal(size_of(w, 0), 1);
    run_until(w, 60000);
    step(w);
    assert_int_equal(size_of(w, 0), 4);
    free_world(w);
}

/* ---- what others do ---- */

/* Nothing is missing yet: the first poll takes a while. */
static void test_a_floor_at_the_start_is_no_alarm(void **unused) {
    struct world *w = prepare_world(1);

    (void)unused;
    w->options[0].boost_workers = 3;
    open_world(w);
    step(w);
    assert_int_equal(size_of(w, 0), 3);
    assert_non_null(
        strstr(w->lines, "I pool \"pool-00\": 1 -> 3 workers: no data from Spacelift yet"));
    poll_pool(w, 0, 0, 1);
    assert_null(strstr(w->lines, "again"));
    assert_non_null(strstr(w->server.notes, "out pool-00: 1 -> 3 workers: "));
    assert_null(strstr(w->server.notes, "blind"));
    assert_null(strstr(w->server.notes, "sees"));
    free_world(w);
}

static void test_a_notification_raises_the_floor_at_once(void **unused) {
    struct world *w = prepare_world(2);
    struct sl_alarm_options on_queue = {
        .name = (char[]){"queue"}, .plugin = (char[]){"amqp"}, .failure_min_workers = 4};
    struct sl_alarm_options *all[] = {&on_queue};
    struct sl_notification n = {SL_SEVERITY_FAILURE, "h", "amqp", "", "", ""};

    (void)unused;
    w->options[0].notifications = all;
    w->options[0].notification_count = 1;
    open_world(w);
    step(w);
    poll_pool(w, 0, 0, 0);
    forget_lines(w);
    sl_controller_hear(w->controller, 0, &n);
    sl_controller_hear(w->controller, 1, &n); /* which has no such block */
    step(w);
    assert_int_equal(size_of(w, 0), 4);
    assert_int_equal(size_of(w, 1), 1);
    assert_said(w, "I pool \"pool-00\": 1 -> 4 workers: busy 0 + pending 0 = 0, at least 4 by a "
                   "failure of notification \"queue\"\n");
    n.severity = SL_SEVERITY_OKAY;
    for (int i = 0; i < 8; i++) {
        poll_pool(w, 0, 0, 0);
    }
    sl_controller_hear(w->controller, 0, &n);
    step(w);
    assert_int_equal(size_of(w, 0), 1);
    free_world(w);
}

static void test_a_notification_needs_no_data_from_spacelift(void **unused) {
    struct world *w = prepare_world(1);
    struct sl_alarm_options any = {.name = (char[]){"any"}, .warning_add_workers = 2};
    struct sl_alarm_options *all[] = {&any};
    struct sl_notification n = {SL_SEVERITY_WARNING, "h", "load", "", "load", ""};

    (void)unused;
    w->options[0].notifications = all;
    w->options[0].notification_count = 1;
    open_world(w);
    step(w);
    sl_controller_hear(w->controller, 0, &n);
    step(w);
    assert_int_equal(size_of(w, 0), 3);
    free_world(w);
}

static void scale_by_hand(struct world *w, int32_t size) {
    w->server.pools[0].size = size;
    w->server.pools[0].version++;
}

static void test_a_foreign_size_is_adopted_for_a_while(void **unused) {
    struct world *w = prepare_world(1);

    (void)unused;
    w->options[0].foreign_size = SL_FOREIGN_ADOPT;
    w->options[0].foreign_hold_ms = 100000;
    open_world(w);
    step(w);
    for (int i = 0; i < 8; i++) {
        poll_pool(w, 0, 0, 0);
    }
    scale_by_hand(w, 4);
    poll_pool(w, 0, 0, 0);
    forget_lines(w);
    for (int i = 0; i < 9; i++) {
        poll_pool(w, 0, 0, 0);
        assert_int_equal(size_of(w, 0), 4);
    }
    poll_pool(w, 0, 4, 1); /* a real need still counts */
    assert_int_equal(size_of(w, 0), 5);
    for (int i = 0; i < 8; i++) {
        poll_pool(w, 0, 0, 0);
    }
    assert_int_equal(size_of(w, 0), 1);
    free_world(w);
}

static void test_a_foreign_size_makes_us_back_off(void **unused) {
    struct world *w = prepare_world(1);

    (void)unused;
    w->options[0].foreign_size = SL_FOREIGN_BACK_OFF;
    w->options[0].foreign_hold_ms = 100000;
    open_world(w);
    step(w);
    poll_pool(w, 0, 0, 0);
    scale_by_hand(w, 2);
    poll_pool(w, 0, 0, 1);
    for (int i = 0; i < 9; i++) {
        poll_pool(w, 0, 3, 1);
        assert_int_equal(size_of(w, 0), 2);
    }
    poll_pool(w, 0, 3, 1);
    assert_int_equal(size_of(w, 0), 4);
    free_world(w);
}

static void test_two_writers_that_fight_are_told(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    poll_pool(w, 0, 0, 2);
    for (int i = 0; i < 3; i++) {
        forget_lines(w);
        scale_by_hand(w, 1);
        poll_pool(w, 0, 0, 2);
        assert_int_equal(size_of(w, 0), 2);
    }
    assert_non_null(strstr(w->lines,
                           "W pool \"pool-00\": somebody else has changed its size 3 times "
                           "within an hour: two writers fight"));
    free_world(w);
}

static void test_a_shadow_decides_and_tells_and_never_writes(void **unused) {
    struct world *w = prepare_world(1);

    (void)unused;
    w->options[0].is_shadow = true;
    open_world(w);
    step(w);
    forget_lines(w);
    poll_pool(w, 0, 3, 1);
    poll_pool(w, 0, 3, 1);
    scale_by_hand(w, 2); /* the other autoscaler: that is as it should be */
    poll_pool(w, 0, 2, 2);
    assert_said(w, "I pool \"pool-00\": shadow: 1 -> 4 workers: busy 1 + pending 3 = 4\n");
    for (int i = 0; i < 7; i++) {
        poll_pool(w, 0, 0, 1);
    }
    assert_non_null(strstr(w->lines, "shadow: 4 -> 1 workers: busy 1 + pending 0 = 1\n"));
    assert_int_equal(w->server.writes, 0);
    assert_int_equal(w->server.tries, 0);
    free_world(w);
}

static void test_a_shadow_asks_the_server_on_request(void **unused) {
    struct world *w = prepare_world(1);

    (void)unused;
    w->options[0].is_shadow = true;
    w->options[0].is_shadow_dry_run = true;
    open_world(w);
    step(w);
    poll_pool(w, 0, 3, 1);
    assert_int_equal(w->server.tries, 1);
    assert_int_equal(w->server.writes, 0);
    assert_int_equal(size_of(w, 0), 1);
    w->server.fail_writes = SL_FORBIDDEN;
    forget_lines(w);
    poll_pool(w, 0, 4, 1);
    assert_non_null(strstr(w->lines, "keeps its size: PATCH pool-00: refused"));
    free_world(w);
}

static void
test_a_pool_that_does_not_follow_is_told_once_and_does_not_stop_decisions(void **unused) {
    struct world *w = prepare_world(1);

    (void)unused;
    w->options[0].converge_timeout_ms = 60000;
    w->server.actual = 1;
    open_world(w);
    step(w);
    poll_pool(w, 0, 2, 1);
    forget_lines(w);
    for (int i = 0; i < 9; i++) {
        poll_pool(w, 0, 2, 1);
    }
    assert_said(w,
                "W pool \"pool-00\": asked for 3 workers, 1 there for 60 s: is there room in the "
                "cluster, or a quota?\n");
    poll_pool(w, 0, 3, 1);
    assert_int_equal(size_of(w, 0), 4);
    forget_lines(w);
    w->server.actual = 4;
    poll_pool(w, 0, 3, 1);
    assert_said(w, "I pool \"pool-00\": the pool has the 4 workers it was asked for\n");
    free_world(w);
}

static void test_a_spent_budget_holds_growth_until_midnight(void **unused) {
    struct world *w = prepare_world(1);
    static char utc[] = "UTC";

    (void)unused;
    w->options[0].budget_day_minutes = 60;
    w->options[0].budget_workers = 2;
    w->options[0].budget_time_zone = utc;
    w->real_ms = 1700006400000 - 1800000; /* half an hour to midnight */
    open_world(w);
    step(w);
    poll_pool(w, 0, 0, 5);
    assert_int_equal(size_of(w, 0), 5);
    for (int i = 0; i < 6 * 12; i++) { /* 12 minutes of 5 workers are 60 */
        poll_pool(w, 0, 0, 5);
    }
    forget_lines(w);
    for (int i = 0; i < 7; i++) {
        poll_pool(w, 0, 1, 3);
    }
    assert_int_equal(size_of(w, 0), 4); /* never below the demand */
    assert_non_null(strstr(w->lines, "the budget of 60 worker-minutes a day, which is spent"));
    for (int i = 0; i < 7; i++) {
        poll_pool(w, 0, 0, 1);
    }
    assert_int_equal(size_of(w, 0), 1);
    poll_pool(w, 0, 9, 1);
    assert_int_equal(size_of(w, 0), 2);
    test_now_ms = 1800000;
    poll_pool(w, 0, 9, 1);
    assert_int_equal(size_of(w, 0), 5);
    free_world(w);
}

static void test_weights_come_from_the_queue(void **unused) {
    struct world *w = prepare_world(1);
    struct sl_pool_values queue = {.kind = SL_VALUES_QUEUE,
                                   .name = "pool-00",
                                   .id = "01A",
                                   .runs_drift = 3,
                                   .runs_blocked = 4,
                                   .interval_ms = 10000};

    (void)unused;
    w->options[0].drift_detection_weight_percent = 0;
    w->options[0].blocked_weight_percent = 50;
    open_world(w);
    step(w);
    poll_pool(w, 0, 3, 1);
    assert_int_equal(size_of(w, 0), 4); /* nothing is known of the queue */
    for (int i = 0; i < 7; i++) {
        queue.time_ms = w->real_ms + test_now_ms;
        sl_controller_submit(w->controller, 0, &queue, test_now_ms, w->real_ms + test_now_ms);
        poll_pool(w, 0, 3, 1);
    }
    assert_int_equal(size_of(w, 0), 3); /* 1 + 3 - 3 + 2 */
    assert_non_null(strstr(w->lines, "3 (in full: the queue is not known, set Queue) = 4"));
    assert_non_null(strstr(w->lines, "busy 1 + pending 3, weighted"));
    for (int i = 0; i < 3; i++) {
        poll_pool(w, 0, 3, 1); /* and no newer queue */
    }
    assert_int_equal(size_of(w, 0), 5); /* MaxWorkers; 1 + 3 + 2 */
    assert_non_null(strstr(w->lines, "busy 1 + pending 3 (drift detection in full: the queue is "));
    free_world(w);
}

static void test_a_boost_by_option_ends_at_its_time(void **unused) {
    struct world *w = prepare_world(1);
    static char until[] = "2023-11-14T22:15:20Z"; /* 1700000120 */

    (void)unused;
    w->options[0].boost_workers = 3;
    w->options[0].boost_until = until;
    open_world(w);
    step(w);
    for (int i = 0; i < 10; i++) {
        poll_pool(w, 0, 0, 0);
        assert_int_equal(size_of(w, 0), 3);
    }
    for (int i = 0; i < 9; i++) {
        poll_pool(w, 0, 0, 0);
    }
    assert_int_equal(size_of(w, 0), 1);
    free_world(w);
}

static void test_the_status_file_says_why(void **unused) {
    struct world *w = prepare_world(2);
    char path[] = "/tmp/sl-test-status-XXXXXX";
    struct sl_cluster_status cluster;
    struct sl_pool_status *pools = NULL;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer bytes;
    static char until[] = "2023-11-14T22:15:20Z"; /* 1700000120 */
    size_t count = 0;

    (void)unused;
    w->options[0].boost_workers = 2;
    w->options[0].boost_until = until;
    (void)close(mkstemp(path));
    w->status_path = path;
    w->server.pools[1].is_missing = true;
    open_world(w);
    step(w);
    poll_pool(w, 0, 8, 1);
    sl_controller_save_status(w->controller);
    sl_buffer_init(&bytes, 1 << 20);
    assert_int_equal(sl_file_read(path, &bytes, &err), SL_OK);
    assert_int_equal(sl_status_read(bytes.data, bytes.len, &cluster, &pools, &count, &err), SL_OK);
    assert_int_equal(count, 2);
    assert_string_equal(cluster.cluster, "prod");
    assert_int_equal(cluster.written_ms, realtime_ms + test_now_ms);
    assert_string_equal(pools[0].pool, "pool-00");
    assert_int_equal(pools[0].size, 5);
    assert_int_equal(pools[0].desired, 5);
    assert_int_equal(pools[0].demand, 9);
    assert_int_equal(pools[0].unmet, 4);
    assert_string_equal(pools[0].clamp, "maximum");
    assert_string_equal(pools[0].why, "busy 1 + pending 8 = 9, held at MaxWorkers 5 (4 more would "
                                      "be used)");
    assert_int_equal(pools[0].next_change_ms, 1700000120000); /* when the floor ends */
    assert_int_equal(pools[0].change_from, 2);
    assert_int_equal(pools[0].change_to, 5);
    assert_int_equal(pools[0].change_ms, realtime_ms + test_now_ms);
    assert_string_equal(pools[1].error, "workerpools \"pool-01\" not found");
    assert_int_equal(pools[1].size, SL_SIZE_UNSET);
    free(pools);
    sl_buffer_release(&bytes);
    free_world(w);
    (void)unlink(path);
}

/* ---- several hosts, annotations, events ---- */

static void test_only_the_leader_writes(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    w->server.is_led_elsewhere = true;
    step(w);
    for (int i = 0; i < 5; i++) {
        poll_pool(w, 0, 3, 1);
    }
    assert_int_equal(w->server.writes, 0);
    assert_true(w->server.reads <= 6);
    forget_lines(w);
    w->server.pools[0].size = 4; /* the leader does his work: nothing to wonder about */
    w->server.pools[0].version++;
    poll_pool(w, 0, 3, 1);
    poll_pool(w, 0, 3, 2);
    assert_null(strstr(w->lines, "somebody else"));
    assert_null(strstr(w->lines, "->"));
    assert_string_equal(w->server.notes, "");
    w->server.is_led_elsewhere = false;
    sl_controller_wake(w->controller);
    step(w);
    assert_int_equal(w->server.writes, 1); /* at once, and after a fresh look */
    assert_int_equal(w->server.pools[0].size, 5);
    assert_non_null(strstr(w->server.notes, "out pool-00: 4 -> 5 workers: "));
    free_world(w);
}

static void test_a_pool_made_anew_has_no_past(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    w->server.uid = 1;
    step(w);
    poll_pool(w, 0, 2, 1);
    assert_int_equal(w->server.pools[0].size, 3);
    forget_lines(w);
    w->server.uid = 2;
    w->server.pools[0].size = 5;
    w->server.pools[0].version++;
    for (int i = 0; i < 3; i++) {
        poll_pool(w, 0, 0, 1);
    }
    assert_non_null(strstr(w->lines, "was deleted and made anew"));
    assert_null(strstr(w->lines, "somebody else"));
    assert_int_equal(w->server.pools[0].size, 5); /* ScaleInWindow begins again */
    free_world(w);
}

static void test_annotations_reach_the_policy(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    w->server.annotation = "true";
    step(w);
    poll_pool(w, 0, 3, 1);
    assert_int_equal(w->server.writes, 0);
    w->server.annotation = NULL; /* not read: what was known holds */
    poll_pool(w, 0, 3, 1);
    assert_int_equal(w->server.writes, 0);
    w->server.annotation = "false";
    poll_pool(w, 0, 3, 1);
    assert_int_equal(w->server.pools[0].size, 4);
    free_world(w);
}

static void test_what_is_told_on_the_pool(void **unused) {
    struct world *w = make_world(1);

    (void)unused;
    step(w);
    poll_pool(w, 0, 9, 1);
    assert_non_null(strstr(w->server.notes, "out pool-00: 1 -> 5 workers: "));
    assert_non_null(strstr(w->server.notes, "max pool-00: "));
    w->server.notes[0] = '\0';
    poll_pool(w, 0, 8, 1); /* the same again is no news */
    assert_string_equal(w->server.notes, "");
    test_now_ms += 3600000;
    step(w);
    assert_non_null(strstr(w->server.notes, "blind pool-00: "));
    w->server.notes[0] = '\0';
    poll_pool(w, 0, 8, 1);
    assert_non_null(strstr(w->server.notes, "sees pool-00: "));
    free_world(w);
}

static void test_thread_works_and_stops(void **unused) {
    struct world *w = make_world(1);
    struct sl_error err = SL_ERROR_INIT;
    struct sl_wakeup asked;

    (void)unused;
    assert_int_equal(sl_wakeup_init(&asked, &err), SL_OK);
    w->server.asked = &asked;
    assert_int_equal(sl_controller_start(w->controller, NULL, &err), SL_OK);
    sl_wakeup_wait(&asked, NULL, 10000);
    assert_true(sl_wakeup_is_signalled(&asked));
    sl_controller_stop(w->controller);
    sl_controller_stop(w->controller);
    sl_wakeup_release(&asked);
    free_world(w);
}

static void test_stop_does_not_wait_for_a_server_that_hangs(void **unused) {
    struct world *w = make_world(1);
    struct sl_error err = SL_ERROR_INIT;
    struct sl_wakeup asked;
    int64_t stopped_ms = 0;

    (void)unused;
    assert_int_equal(sl_wakeup_init(&asked, &err), SL_OK);
    w->server.asked = &asked;
    w->server.hang_until = &w->stop; /* as net/http does */
    assert_int_equal(sl_controller_start(w->controller, NULL, &err), SL_OK);
    sl_wakeup_wait(&asked, NULL, 10000);
    submit(w, 0, 1, 1); /* returns while the server hangs */
    stopped_ms = sl_clock_monotonic_ms();
    sl_controller_stop(w->controller);
    assert_in_range(sl_clock_monotonic_ms() - stopped_ms, 0, 10000); /* it hangs for ever */
    assert_said(w, "");
    sl_wakeup_release(&asked);
    free_world(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_reads_each_size_and_says_so),
        cmocka_unit_test(test_a_burst_and_back),
        cmocka_unit_test(test_the_window_ends_between_two_polls),
        cmocka_unit_test(test_steady_state_is_silent_and_writes_nothing),
        cmocka_unit_test(test_a_pool_is_read_once_for_each_snapshot),
        cmocka_unit_test(test_without_data_a_pool_is_read_as_well),
        cmocka_unit_test(test_what_is_as_it_was_is_not_read),
        cmocka_unit_test(test_one_look_may_do_for_all),
        cmocka_unit_test(test_nothing_is_written_on_a_look),
        cmocka_unit_test(test_without_data_looks_go_on),
        cmocka_unit_test(test_conflict_reads_and_decides_again),
        cmocka_unit_test(test_conflict_that_leaves_nothing_to_do),
        cmocka_unit_test(test_conflict_without_end_is_given_up_and_told_once),
        cmocka_unit_test(test_foreign_size_is_noticed),
        cmocka_unit_test(test_an_unset_size_is_written_without_a_version),
        cmocka_unit_test(test_a_webhook_that_limits_is_told_once),
        cmocka_unit_test(test_a_lost_answer_is_read_before_anything_is_written),
        cmocka_unit_test(test_a_write_that_was_not_carried_out_is_repeated),
        cmocka_unit_test(test_a_server_that_is_down_is_one_message_and_one_try_at_a_time),
        cmocka_unit_test(test_a_missing_pool_does_not_block_another),
        cmocka_unit_test(test_forbidden_is_not_hammered),
        cmocka_unit_test(test_silence_is_told_once_and_shrinks_nothing),
        cmocka_unit_test(test_a_fallback_comes_by_itself),
        cmocka_unit_test(test_no_data_from_the_start_is_told_after_a_while),
        cmocka_unit_test(test_a_misspelt_name_is_told_with_the_names_that_come),
        cmocka_unit_test(test_the_minimum_needs_no_data),
        cmocka_unit_test(test_nonsense_shrinks_nothing),
        cmocka_unit_test(test_a_change_comes_before_verification),
        cmocka_unit_test(test_a_schedule_is_a_floor_and_wakes_the_thread_up),
        cmocka_unit_test(test_a_pause_by_option_ends_at_its_time),
        cmocka_unit_test(test_the_status_file_says_why),
        cmocka_unit_test(test_a_boost_by_option_ends_at_its_time),
        cmocka_unit_test(test_a_floor_at_the_start_is_no_alarm),
        cmocka_unit_test(test_a_notification_raises_the_floor_at_once),
        cmocka_unit_test(test_a_notification_needs_no_data_from_spacelift),
        cmocka_unit_test(test_a_foreign_size_is_adopted_for_a_while),
        cmocka_unit_test(test_a_foreign_size_makes_us_back_off),
        cmocka_unit_test(test_two_writers_that_fight_are_told),
        cmocka_unit_test(test_a_shadow_decides_and_tells_and_never_writes),
        cmocka_unit_test(test_a_shadow_asks_the_server_on_request),
        cmocka_unit_test(test_a_pool_that_does_not_follow_is_told_once_and_does_not_stop_decisions),
        cmocka_unit_test(test_a_spent_budget_holds_growth_until_midnight),
        cmocka_unit_test(test_weights_come_from_the_queue),
        cmocka_unit_test(test_only_the_leader_writes),
        cmocka_unit_test(test_a_pool_made_anew_has_no_past),
        cmocka_unit_test(test_annotations_reach_the_policy),
        cmocka_unit_test(test_what_is_told_on_the_pool),
        cmocka_unit_test(test_thread_works_and_stops),
        cmocka_unit_test(test_stop_does_not_wait_for_a_server_that_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
