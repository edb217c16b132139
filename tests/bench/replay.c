/* The command line of the replay (replay/replay.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "scaler/options.h"
#include "replay/replay.h"

enum { MAX_LIST = 16, TABLE_BYTES = 1024 * 1024 };

static const char usage[] =
    "usage: replay [--min N] [--max N] [--interval S] [--startup S]... [--set \"Option value, "
    "...\"]... "
    "[--synthetic] [TRACE.csv]...\n"
    "\n"
    "Replays queues through the tutorial's policy, the same chain repaired, the EC2 autoscaler's\n"
    "rules and ours, and prints for each: mean and p95 wait in seconds, worker-hours of poolSize\n"
    "and of the workers that exist (a busy worker above poolSize still does), changes per hour.\n"
    "\n"
    "  --min N      MinWorkers (1)\n"
    "  --max N      MaxWorkers (100)\n"
    "  --interval S how often ours is asked (10)\n"
    "  --startup S  seconds until a new worker takes runs; may be given several times (5 45 180)\n"
    "  --set TEXT   a row of ours with these options of a <Pool>; may be given several times.\n"
    "               One with the defaults is always there.\n"
    "  --synthetic  also the made-up queues: steady, large, bursts, long runs\n"
    "  TRACE.csv    arrival_s,duration_s; arrivals ascending. A file that is not there is "
    "skipped\n";

struct arguments {
    int32_t min_workers;
    int32_t max_workers;
    int64_t interval_s;
    int64_t startup_s[MAX_LIST];
    size_t startups;
    const char *sets[MAX_LIST];
    size_t set_count;
    bool has_synthetic;
    int first_file; /* of argv */
    struct sl_replay_row rows[MAX_LIST];
    char names[MAX_LIST][64];
};

static bool fail(const struct sl_error *err) {
    fprintf(stderr, "replay: %s\n", err->text);
    return false;
}

/* ---- rows of ours ---- */

/* "Name value, Name value" */
static bool set_options(struct sl_pool_options *pool, const char *text, struct sl_error *err) {
    while (*text != '\0') {
        char name[64];
        char value[64];
        int used = 0;

        if (sscanf(text, "%63[A-Za-z] %63[^,]%n", name, value, &used) != 2) {
            (void)sl_fail(err, SL_CONFIG, "\"%s\" is not \"Option value\"", text);
            return false;
        }
        if (sl_option_set(sl_scaler_pool_block.options, pool, NULL, name, value, err) != SL_OK) {
            return false;
        }
        text += used;
        text += strspn(text, ", ");
    }
    return true;
}

static bool add_row(struct arguments *a, size_t index, const char *set) {
    struct sl_pool_options pool = {0};
    struct sl_error err = SL_ERROR_INIT;
    bool ok = sl_option_defaults(sl_scaler_pool_block.options, &pool, &err) == SL_OK &&
              set_options(&pool, set, &err);

    pool.min_workers = a->min_workers;
    pool.max_workers = a->max_workers;
    a->rows[index].policy = sl_pool_policy(&pool);
    ok = ok && sl_policy_check(&a->rows[index].policy, &err) == SL_OK;
    (void)snprintf(a->names[index], sizeof a->names[index], "ours, %s",
                   set[0] != '\0' ? set : "defaults");
    a->rows[index].name = a->names[index];
    sl_option_release(sl_scaler_pool_block.options, &pool);
    return ok || fail(&err);
}

/* ---- tables ---- */

static bool replay_all(const char *name, const struct sl_trace *trace, const struct arguments *a) {
    for (size_t i = 0; i < a->startups; i++) {
        struct sl_replay_settings settings = {
            .min_workers = a->min_workers,
            .max_workers = a->max_workers,
            .startup_ms = a->startup_s[i] * 1000,
            .interval_ms = a->interval_s * 1000,
            .ours = a->rows,
            .our_count = a->set_count + 1,
        };
        struct sl_error err = SL_ERROR_INIT;
        struct sl_buffer table;
        int rc = SL_OK;

        sl_buffer_init(&table, TABLE_BYTES);
        rc = sl_replay_table(name, trace, &settings, &table, &err);
        fputs(table.data, stdout);
        (void)fflush(stdout);
        sl_buffer_release(&table);
        if (rc != SL_OK) {
            return fail(&err);
        }
    }
    return true;
}

static bool replay_file(const char *path, const struct arguments *a) {
    struct sl_trace trace = {0};
    struct sl_error err = SL_ERROR_INIT;
    const char *base = strrchr(path, '/');
    struct sl_buffer bytes;
    bool ok = true;

    sl_buffer_init(&bytes, SL_TRACE_MAX_BYTES);
    if (sl_file_read(path, &bytes, &err) != SL_OK ||
        sl_trace_parse(bytes.data, bytes.len, &trace, &err) != SL_OK) {
        printf("\nskipped: %s: %s\n", path, err.text);
    } else {
        ok = replay_all(base != NULL ? base + 1 : path, &trace, a);
    }
    sl_trace_release(&trace);
    sl_buffer_release(&bytes);
    return ok;
}

static bool replay_made_up(const struct arguments *a) {
    for (size_t i = 0; i < sl_trace_made_up_count(); i++) {
        struct sl_trace trace = {0};
        struct sl_error err = SL_ERROR_INIT;
        const char *name = NULL;
        bool ok = sl_trace_make_up(i, &trace, &name, &err) == SL_OK || fail(&err);

        ok = ok && replay_all(name, &trace, a);
        sl_trace_release(&trace);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* ---- the command line ---- */

static bool read_number(const char *text, int64_t min, int64_t max, int64_t *ret) {
    char *end = NULL;
    long long number = 0;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max) {
        fprintf(stderr, "replay: \"%s\" is not a number from %" PRId64 " to %" PRId64 "\n", text,
                min, max);
        return false;
    }
    *ret = number;
    return true;
}

static bool set_argument(struct arguments *a, const char *name, const char *value) {
    int64_t number = 0;

    if (value == NULL) {
        return false;
    }
    if (strcmp(name, "--set") == 0 && a->set_count + 1 < MAX_LIST) {
        a->sets[a->set_count++] = value;
        return true;
    }
    if (!read_number(value, 0, 100000, &number)) {
        return false;
    }
    if (strcmp(name, "--min") == 0) {
        a->min_workers = (int32_t)number;
    } else if (strcmp(name, "--max") == 0) {
        a->max_workers = (int32_t)number;
    } else if (strcmp(name, "--interval") == 0 && number > 0) {
        a->interval_s = number;
    } else if (strcmp(name, "--startup") == 0 && a->startups < MAX_LIST) {
        a->startup_s[a->startups++] = number;
    } else {
        return false;
    }
    return true;
}

static bool read_arguments(struct arguments *a, int argc, char **argv) {
    static const int64_t startups[] = {5, 45, 180};

    *a =
        (struct arguments){.min_workers = 1, .max_workers = 100, .interval_s = 10, .first_file = 1};
    while (a->first_file < argc && strncmp(argv[a->first_file], "--", 2) == 0) {
        const char *name = argv[a->first_file++];

        if (strcmp(name, "--synthetic") == 0) {
            a->has_synthetic = true;
        } else if (a->first_file == argc || !set_argument(a, name, argv[a->first_file++])) {
            return false;
        }
    }
    if (a->startups == 0) {
        memcpy(a->startup_s, startups, sizeof startups);
        a->startups = sizeof startups / sizeof startups[0];
    }
    return a->max_workers > 0 && a->min_workers <= a->max_workers &&
           (a->has_synthetic || a->first_file < argc);
}

int main(int argc, char **argv) {
    static struct arguments a;

    if (!read_arguments(&a, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    for (size_t i = 0; i <= a.set_count; i++) {
        if (!add_row(&a, i, i == 0 ? "" : a.sets[i - 1])) {
            return 2;
        }
    }
    if (a.has_synthetic && !replay_made_up(&a)) {
        return 1;
    }
    for (int i = a.first_file; i < argc; i++) {
        if (!replay_file(argv[i], &a)) {
            return 1;
        }
    }
    return 0;
}
