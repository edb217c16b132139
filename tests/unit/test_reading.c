/* From answers to value lists: each document, what is counted, how it is named; which pools are
 * wanted; what files of keys and tokens hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spacelift/filter.h"
#include "spacelift/profile.h"
#include "base/token.h"
#include "spacelift/blocked.h"
#include "spacelift/values.h"

enum { NOW_S = 1700000000 };

/* ---- value lists as text: "TYPE[PLUGIN INSTANCE|TYPE INSTANCE] DS=VALUE ..." ---- */

static void print(void *context, const struct sl_values *v) {
    struct sl_buffer *text = context;
    sl_buffer_printf(text, "%s[%s|%s]", v->type->name, v->plugin_instance, v->type_instance);
    for (size_t i = 0; i < v->type->count; i++)
        sl_buffer_printf(text, " %s=%.10g", v->type->metrics[i].ds, v->values[i]);
    sl_buffer_putc(text, '\n');
}

static int read_answer(enum sl_document document, const char *text,
                       const struct sl_pool_filter *filter, struct sl_answer *ret,
                       struct sl_error *err) {
    struct sl_answer_settings settings = {
        .filter = filter, .metadata_key = "asg_id", .now_s = NOW_S};
    struct sl_answer_parser *p = sl_answer_parser_new(document, &settings);
    int code = sl_answer_parser_feed(p, text, strlen(text), err);
    if (code == SL_OK)
        code = sl_answer_parser_finish(p, ret, err);
    sl_answer_parser_free(p);
    return code;
}

static void check(enum sl_document document, const char *answer_text, const char *expected) {
    struct sl_answer answer = {.pools = NULL}, pools = {.pools = NULL};
    struct sl_known_pools known = {.items = NULL};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer text;
    sl_buffer_init(&text, 10000);
    assert_int_equal(
        read_answer(SL_DOCUMENT_WORKER_POOLS,
                    "{\"data\":{\"workerPools\":[{\"id\":\"01-B\",\"name\":\"b\",\"pendingRuns\":0,"
                    "\"busyWorkers\":0,\"workers\":[]},{\"id\":\"01A\",\"name\":\"a/1\","
                    "\"pendingRuns\":0,\"busyWorkers\":0,\"workers\":[]}]}}",
                    NULL, &pools, &err),
        SL_OK);
    assert_int_equal(sl_known_pools_set(&known, &pools, NULL), SL_OK);
    if (read_answer(document, answer_text, NULL, &answer, &err) != SL_OK)
        fail_msg("%s: %s", answer_text, err.text);
    struct sl_values_out out = {
        .put = print, .context = &text, .account = "acc", .realtime_ms = NOW_S * INT64_C(1000)};
    if (document == SL_DOCUMENT_QUEUE)
        sl_queue_values(&known.items[1], &answer.queue, &out);
    else
        sl_answer_values(document, &answer, &known, &out);
    assert_string_equal(text.len > 0 ? text.data : "", expected);
    sl_buffer_release(&text);
    sl_answer_release(&answer);
    sl_answer_release(&pools);
    sl_known_pools_release(&known);
}

static void test_account_documents(void **unused) {
    (void)unused;
    check(SL_DOCUMENT_USAGE,
          "{\"data\":{\"usage\":{\"billingPeriodStart\":1752000000,\"billingPeriodEnd\":1754678400,"
          "\"usedPrivateMinutes\":12345,\"usedPublicMinutes\":678,\"usedSeats\":42}}}",
          "billing_period[acc|] start=1752000000 end=1754678400 used_private=740700 "
          "used_public=40680 used_seats=42\n");
    check(
        SL_DOCUMENT_BILLING_DETAILS,
        "{\"data\":{\"usage\":{\"usedWorkers\":9,\"allowedSeats\":null,\"pricePerWorker\":12500}}}",
        "billing_details[acc|] used_workers=9 allowed_seats=nan allowed_minutes=nan "
        "price_seat=nan price_worker=12500 price_run_minute=nan subscription=nan "
        "upcoming_invoice=nan\n");
    check(SL_DOCUMENT_SEATS,
          "{\"data\":{\"seats\":{\"user\":{\"limit\":-1,\"inUse\":42},"
          "\"apiKey\":{\"limit\":10,\"inUse\":3}}}}",
          "account_seats[acc|] users=42 users_limit=nan api_keys=3 api_keys_limit=10\n");
    check(SL_DOCUMENT_PUBLIC_WORKER_POOL, "{\"data\":{\"publicWorkerPool\":null}}", "");
}

/* As the exporter: points without a label are no state; of the others the first one counts. */
static void test_aggregates(void **unused) {
    (void)unused;
    check(SL_DOCUMENT_AGGREGATES,
          "{\"data\":{\"metrics\":{\"stacksCountByState\":[{\"value\":128,\"labels\":[\"FINISHED\","
          "\"x\"]},{\"value\":7,\"labels\":[]}],\"resourcesCountByDrift\":[{\"value\":1e+3,"
          "\"labels\":[\"IN_SYNC\"]}],\"avgStackSizeByResourceCount\":[{\"value\":23.5,\"labels\":["
          "]},"
          "{\"value\":1,\"labels\":[]}],\"averageRunDuration\":[{\"value\":187000000000,"
          "\"labels\":[]}],\"medianRunDuration\":[]}}}",
          "current_stacks_count_by_state[acc|FINISHED] value=128\n"
          "current_resources_count_by_drift[acc|IN_SYNC] value=1000\n"
          "current_avg_stack_size[acc|] value=23.5\n"
          "current_run_duration[acc|] average_ns=1.87e+11 median_ns=nan average=187 median=nan\n");
    check(
        SL_DOCUMENT_AGGREGATES,
        "{\"data\":{\"metrics\":{\"stacksCountByState\":[],\"resourcesCountByDrift\":[],"
        "\"avgStackSizeByResourceCount\":[],\"averageRunDuration\":[],\"medianRunDuration\":[]}}}",
        "");
}

static void test_workers(void **unused) {
    (void)unused;
    check(
        SL_DOCUMENT_WORKERS,
        "{\"data\":{\"workerPools\":[{\"id\":\"01-B\",\"workers\":["
        "{\"busy\":false,\"drained\":false,\"createdAt\":1699999990,\"metadata\":\"{\\\"asg_id\\\":"
        "\\\"g-1\\\"}\"},"
        "{\"busy\":true,\"drained\":true,\"createdAt\":1699999000,\"metadata\":\"\"},"
        "{\"busy\":true,\"drained\":false,\"createdAt\":1699999500,\"metadata\":\"{\\\"asg_id\\\":"
        "\\\"g-1\\\"}\"}]},"
        "{\"id\":\"01A\",\"workers\":[]},{\"id\":\"unwanted\",\"workers\":[]}]}}",
        "worker_pool_workers[b|01-B] idle=1 draining=1 age_newest=10 age_oldest=1000\n"
        "worker_pool_workers_by_metadata[b|01_B-g-1] workers=2\n"
        "worker_pool_workers_by_metadata[b|01_B-unknown] workers=1\n"
        "worker_pool_workers[a/1|01A] idle=0 draining=0 age_newest=nan age_oldest=nan\n");
    check(SL_DOCUMENT_SCHEDULABLE,
          "{\"data\":{\"workerPools\":[{\"id\":\"01A\",\"schedulableRunsCount\":5}]}}",
          "worker_pool_schedulable[a/1|01A] runs_schedulable=5\n");
}

#define RUN(state, type, created, flags, history)                                                  \
    "{\"node\":{\"run\":{\"state\":\"" state "\",\"type\":\"" type "\",\"createdAt\":" created     \
    "," flags ",\"history\":[" history "]}}}"
#define FLAGS(drift, first, approval)                                                              \
    "\"driftDetection\":" drift ",\"isPrioritized\":" first ",\"needsApproval\":" approval
#define PAGE(runs, info)                                                                           \
    "{\"data\":{\"workerPool\":{\"searchSchedulableRuns\":{\"edges\":[" runs                       \
    "],\"pageInfo\":{" info "}}}}}"

static const char page[] = PAGE(
    RUN("PLANNING", "TRACKED", "1", FLAGS("false", "false", "false"), "") ","
    /* Ready since 100 s, though it was made long before and was ready once already. */
    RUN("READY", "PROPOSED", "1", FLAGS("true", "false", "false"),
        "{\"state\":\"READY\",\"timestamp\":1699999900},{\"state\":\"QUEUED\",\"timestamp\":5},"
        "{\"state\":\"READY\",\"timestamp\":4}") "," RUN("READY", "SOMETHING_NEW", "1699999000",
                                                         FLAGS("false", "true", "false"),
                                                         "") "," RUN("QUEUED", "TASK", "1",
                                                                     FLAGS("false", "false",
                                                                           "true"),
                                                                     "") "," RUN("NEW_STATE",
                                                                                 "TASK", "1",
                                                                                 FLAGS("false",
                                                                                       "false",
                                                                                       "false"),
                                                                                 "") "," RUN("FINIS"
                                                                                             "HED",
                                                                                             "TASK",
                                                                                             "1",
                                                                                             FLAGS(
                                                                                                 "f"
                                                                                                 "a"
                                                                                                 "l"
                                                                                                 "s"
                                                                                                 "e",
                                                                                                 "f"
                                                                                                 "a"
                                                                                                 "l"
                                                                                                 "s"
                                                                                                 "e",
                                                                                                 "f"
                                                                                                 "a"
                                                                                                 "l"
                                                                                                 "s"
                                                                                                 "e"),
                                                                                             ""),
    "\"endCursor\":\"next\",\"hasNextPage\":true");

static void test_queue(void **unused) {
    (void)unused;
    check(SL_DOCUMENT_QUEUE, page,
          "worker_pool_queue[a/1|01A] waiting=2 blocked=1 needs_approval=1 drift_detection=1 "
          "prioritized=1 in_progress=2\n"
          "worker_pool_wait[a/1|01A] oldest=1000 le_15=0 le_60=0 le_300=1 le_900=1 le_3600=2 "
          "le_inf=2\n"
          "worker_pool_runs_by_type[a/1|01A] proposed=1 tracked=0 task=0 testing=0 destroy=0 "
          "other=1\n"
          "worker_pool_runs_by_state[a/1|01A] queued=1 pending_review=0 ready=2 preparing=0 "
          "initializing=0 planning=1 unconfirmed=0 confirmed=0 preparing_apply=0 applying=0 "
          "performing=0 other=1\n");
}

static void test_pages(void **unused) {
    (void)unused;
    struct sl_answer one = {.pools = NULL}, two = {.pools = NULL};
    assert_int_equal(read_answer(SL_DOCUMENT_QUEUE, page, NULL, &one, NULL), SL_OK);
    assert_true(one.queue.has_pool);
    assert_string_equal(one.queue.end_cursor, "next");
    assert_int_equal(read_answer(SL_DOCUMENT_QUEUE,
                                 PAGE(RUN("READY", "TASK", "1", FLAGS("null", "null", "null"), ""),
                                      "\"endCursor\":\"\",\"hasNextPage\":true"),
                                 NULL, &two, NULL),
                     SL_OK);
    assert_null(two.queue.end_cursor); /* a next page that cannot be asked for */
    sl_queue_add(&one.queue, &two.queue);
    assert_int_equal(one.queue.waiting, 3);
    assert_int_equal(one.queue.oldest_wait_s, NOW_S - 1);
    assert_null(one.queue.end_cursor);
    sl_answer_release(&one);
    sl_answer_release(&two);
    assert_int_equal(
        read_answer(SL_DOCUMENT_QUEUE, "{\"data\":{\"workerPool\":null}}", NULL, &one, NULL),
        SL_OK);
    assert_false(one.queue.has_pool);
}

/* The bounds that are counted by are those that the catalogue says. */
static void test_buckets_are_those_of_the_catalogue(void **unused) {
    (void)unused;
    const struct sl_metric_type *t =
        sl_catalogue_find(SL_SPACELIFT_PLUGIN, SL_TYPE_WORKER_POOL_WAIT);
    assert_int_equal(t->count, SL_WAIT_BUCKETS + SL_WAIT_BUCKET_COUNT);
    for (int i = 0; i < SL_WAIT_BUCKET_COUNT; i++) {
        const char *le = t->metrics[SL_WAIT_BUCKETS + i].label_value;
        long bound = strcmp(le, "+Inf") == 0 ? 1000000 : strtol(le, NULL, 10);
        for (long beyond = 0; beyond <= 1; beyond++) {
            struct sl_buffer text;
            struct sl_answer answer = {.pools = NULL};
            sl_buffer_init(&text, 1000);
            sl_buffer_printf(
                &text,
                "{\"data\":{\"workerPool\":{\"searchSchedulableRuns\":{\"edges\":[{"
                "\"node\":{\"run\":{\"state\":\"READY\",\"type\":\"TASK\",\"createdAt\":"
                "%ld}}}],\"pageInfo\":{\"hasNextPage\":false}}}}}",
                NOW_S - bound - beyond);
            assert_int_equal(read_answer(SL_DOCUMENT_QUEUE, text.data, NULL, &answer, NULL), SL_OK);
            bool is_last = i + 1 == SL_WAIT_BUCKET_COUNT;
            assert_int_equal(answer.queue.waits[i], beyond == 0 || is_last);
            sl_answer_release(&answer);
            sl_buffer_release(&text);
        }
    }
}

static void test_places_in_messages(void **unused) {
    (void)unused;
    static const struct {
        enum sl_document document;
        const char *text, *words;
    } cases[] = {
        {SL_DOCUMENT_USAGE, "{\"data\":{\"usage\":{\"billingPeriodStart\":null}}}",
         "usage.billingPeriodStart is null"},
        {SL_DOCUMENT_USAGE, "{\"data\":{\"usage\":{}}}", "usage.billingPeriodStart is missing"},
        {SL_DOCUMENT_USAGE, "{\"data\":{\"usage\":[]}}", "usage is a list"},
        {SL_DOCUMENT_USAGE, "{\"data\":{\"usage\":7}}", "usage is no object"},
        {SL_DOCUMENT_WORKERS,
         "{\"data\":{\"workerPools\":[{\"id\":\"1\",\"workers\":[{\"busy\":true,\"drained\":true,"
         "\"createdAt\":1},{\"busy\":1}]}]}}",
         "workerPools[0].workers[1].busy is not true or false"},
        {SL_DOCUMENT_AGGREGATES,
         "{\"data\":{\"metrics\":{\"stacksCountByState\":[{\"value\":1,\"labels\":[1]}]}}}",
         "metrics.stacksCountByState[0].labels[0] is no string"},
        {SL_DOCUMENT_QUEUE, PAGE("{\"node\":null}", ""),
         "workerPool.searchSchedulableRuns.edges[0].node is null"},
        {SL_DOCUMENT_WORKER_POOLS, "{\"data\":{\"workerPools\":[[]]}}", "workerPools[0] is a list"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_answer answer = {.pools = NULL};
        struct sl_error err = SL_ERROR_INIT;
        int code = read_answer(cases[i].document, cases[i].text, NULL, &answer, &err);
        if (code != SL_PARSE || strstr(err.text, cases[i].words) == NULL)
            fail_msg("%s: %s: %s", cases[i].words, sl_code_name((enum sl_code)code), err.text);
    }
}

/* ---- filters ---- */

static struct sl_option_list list_of(char **items) {
    struct sl_option_list list = {.items = items, .count = 0};
    while (items[list.count] != NULL)
        list.count++;
    return list;
}

static void test_filters(void **unused) {
    (void)unused;
    char *labels[] = {(char *)(uintptr_t) "team:web", (char *)(uintptr_t) "eu"};
    struct sl_pool_facts pool = {
        .name = "prod [eu]", .id = "01H", .space = "root", .labels = labels, .label_count = 2};
    static const struct {
        const char *in_name, *in_label, *in_space, *out_name, *out_label;
        bool is_in;
    } cases[] = {
        {NULL, NULL, NULL, NULL, NULL, true},        {"prod*", NULL, NULL, NULL, NULL, true},
        {"test*", NULL, NULL, NULL, NULL, false},    {"prod [[]eu]", NULL, NULL, NULL, NULL, true},
        {"prod*", "team:*", NULL, NULL, NULL, true}, {"prod*", "db", NULL, NULL, NULL, false},
        {NULL, NULL, "ro?t", NULL, NULL, true},      {"prod*", NULL, NULL, "*eu*", NULL, false},
        {NULL, NULL, NULL, NULL, "eu", false},       {NULL, NULL, NULL, "PROD*", NULL, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *in_name[] = {(char *)(uintptr_t)cases[i].in_name, NULL};
        char *in_label[] = {(char *)(uintptr_t)cases[i].in_label, NULL};
        char *in_space[] = {(char *)(uintptr_t)cases[i].in_space, NULL};
        char *out_name[] = {(char *)(uintptr_t)cases[i].out_name, NULL};
        char *out_label[] = {(char *)(uintptr_t)cases[i].out_label, NULL};
        struct sl_pool_filter filter = {
            .include = {.names = list_of(in_name),
                        .labels = list_of(in_label),
                        .spaces = list_of(in_space)},
            .exclude = {.names = list_of(out_name), .labels = list_of(out_label)},
        };
        if (sl_pool_filter_matches(&filter, &pool) != cases[i].is_in)
            fail_msg("case %zu", i);
        bool needs =
            cases[i].in_label != NULL || cases[i].in_space != NULL || cases[i].out_label != NULL;
        assert_int_equal(sl_pool_filter_needs_labels(&filter), needs);
    }
}

static void test_filtered_answer(void **unused) {
    (void)unused;
    char *names[] = {(char *)(uintptr_t) "b*", NULL};
    struct sl_pool_filter filter = {.include = {.names = list_of(names)}};
    struct sl_answer answer = {.pools = NULL};
    assert_int_equal(
        read_answer(SL_DOCUMENT_WORKER_POOLS,
                    "{\"data\":{\"workerPools\":["
                    "{\"id\":\"1\",\"name\":\"a\",\"space\":\"s\",\"labels\":[\"x\",\"y\"],"
                    "\"pendingRuns\":0,\"busyWorkers\":0,\"workers\":[{\"drained\":true}]},"
                    "{\"id\":\"2\",\"name\":\"b\",\"space\":\"s\",\"labels\":[],"
                    "\"pendingRuns\":1,\"busyWorkers\":2,\"workers\":[{\"drained\":false}]}]}}",
                    &filter, &answer, NULL),
        SL_OK);
    assert_int_equal(answer.pool_count, 1);
    assert_string_equal(answer.pools[0].id, "2");
    assert_int_equal(answer.pools[0].workers, 1);
    assert_int_equal(answer.pools[0].workers_drained, 0);
    sl_answer_release(&answer);
}

/* ---- tokens and profiles ---- */

static void test_tokens(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *audience; /* NULL: none */
        int64_t expires_s;           /* 0: refused */
    } cases[] = {
        /* {"aud":["https://a.example"],"exp":1782307200} and so on */
        {"x.eyJhdWQiOlsiaHR0cHM6Ly9hLmV4YW1wbGUiXSwiZXhwIjoxNzgyMzA3MjAwfQ.y", "https://a.example",
         1782307200},
        {"x.eyJhdWQiOiJodHRwczovL2EuZXhhbXBsZSIsImV4cCI6OX0.y", "https://a.example", 9},
        {"x.eyJhdWQiOlsiaHR0cHM6Ly9hIiwiaHR0cHM6Ly9iIl0sImV4cCI6OX0.y", NULL, 9},
        {"x.eyJhdWQiOlsiYSJdLCJleHAiOjl9.y", NULL, 9},
        {"x.eyJhdWQiOlsiaHR0cHM6Ly9hIl19.y", NULL, 0},
        {"x.e30.y", NULL, 0},
        {"x.!!!.y", NULL, 0},
        {"x.y", NULL, 0},
        {"", NULL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_token token = {.audience = NULL};
        struct sl_error err = SL_ERROR_INIT;
        int code = sl_token_parse(cases[i].text, strlen(cases[i].text), &token, &err);
        if (code != (cases[i].expires_s > 0 ? SL_OK : SL_CONFIG))
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_true(token.expires_s == cases[i].expires_s);
        if (cases[i].audience != NULL)
            assert_string_equal(token.audience, cases[i].audience);
        else
            assert_null(token.audience);
        sl_token_release(&token);
    }
}

static void test_profiles(void **unused) {
    (void)unused;
    static const char text[] =
        "{\"currentProfileAlias\":\"a\",\"profiles\":{"
        "\"a\":{\"credentials\":{\"type\":1,\"endpoint\":\"https://a\",\"key_id\":\"01H\","
        "\"key_secret\":\"s\"}},"
        "\"b\":{\"credentials\":{\"type\":3,\"endpoint\":\"https://b\",\"access_token\":\"t\"}},"
        "\"c\":{\"credentials\":{\"type\":1,\"endpoint\":\"https://c\",\"key_secret\":\"s\"}}}}";
    struct sl_profile profile = {.endpoint = NULL};
    struct sl_error err = SL_ERROR_INIT;
    assert_int_equal(sl_profile_parse(text, strlen(text), NULL, &profile, NULL), SL_OK);
    assert_string_equal(profile.endpoint, "https://a");
    assert_string_equal(profile.key_id, "01H");
    assert_string_equal(profile.secret.text, "s");
    sl_profile_release(&profile);
    assert_int_equal(sl_profile_parse(text, strlen(text), "b", &profile, NULL), SL_OK);
    assert_null(profile.key_id);
    assert_string_equal(profile.secret.text, "t");
    sl_profile_release(&profile);
    assert_int_equal(sl_profile_parse(text, strlen(text), "c", &profile, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "key_id"));
    assert_int_equal(sl_profile_parse(text, strlen(text), "d", &profile, &err), SL_CONFIG);
    assert_non_null(strstr(err.text, "\"d\""));
}

/* ---- the manual ---- */

/* The text of docs/collectd-spacelift.5.in, with plain hyphens; the caller frees it. */
static char *read_manual(void) {
    const char *tree = getenv("top_srcdir");
    char path[4096];
    struct sl_buffer text;
    sl_buffer_init(&text, 1 << 20);
    snprintf(path, sizeof(path), "%s/docs/collectd-spacelift.5.in", tree != NULL ? tree : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (int c = getc(file); c != EOF; c = getc(file))
        if (c != '\\')
            sl_buffer_putc(&text, (char)c);
    fclose(file);
    return sl_buffer_steal(&text);
}

/* Is it in the text as a word of its own, after what comes before it? */
static bool has_word(const char *text, const char *before, const char *word) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    size_t before_len = strlen(before), len = strlen(word);
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        bool is_after =
            (size_t)(at - text) >= before_len && memcmp(at - before_len, before, before_len) == 0;
        bool begins = before_len > 0 || at == text || strchr(letters, at[-1]) == NULL;
        if (is_after && begins && (at[len] == '\0' || strchr(letters, at[len]) == NULL))
            return true;
    }
    return false;
}

#define HELD(stack, id, state, approval)                                                           \
    "{\"node\":{\"stackId\":\"" stack "\",\"run\":{\"id\":\"" id "\",\"state\":\"" state           \
    "\",\"needsApproval\":" approval "}}}"

/* What the API does not say is concluded from the run and its stack, asked for once each. */
static void test_what_holds_runs(void **unused) {
    (void)unused;
    static const struct {
        const char *stack;
        const char *answer;
    } stacks[] = {
        {"a", "{\"data\":{\"stack\":{\"lockedBy\":\"alice\",\"blocker\":{\"id\":\"01X\"}}}}"},
        {"b", "{\"data\":{\"stack\":{\"lockedBy\":null,\"blocker\":{\"id\":\"01B1\"}}}}"},
        {"c", "{\"data\":{\"stack\":{\"lockedBy\":\"\",\"blocker\":null}}}"},
        {"d", "{\"data\":{\"stack\":null}}"},
    };
    char id[] = "01", name[] = "p";
    struct sl_answer answer = {.pools = NULL};
    struct sl_blocked blocked = {.runs = NULL};
    struct sl_known_pool pool = {.id = id, .name = name};
    struct sl_buffer text;
    sl_buffer_init(&text, 1000);
    struct sl_values_out out = {.put = print, .context = &text, .account = ""};
    assert_int_equal(
        read_answer(
            SL_DOCUMENT_BLOCKED,
            PAGE(
                HELD("a", "01A1", "QUEUED", "false") "," HELD("b", "01B1", "QUEUED", "false") "," HELD("b", "01B2", "QUEUED", "false") "," HELD(
                    "a", "01A2", "QUEUED",
                    "false") "," HELD("c", "01C1", "QUEUED",
                                      "false") "," HELD("d", "01D1", "QUEUED",
                                                        "false") "," HELD("e", "01E1", "QUEUED",
                                                                          "true") "," HELD("e",
                                                                                           "01E2",
                                                                                           "PENDING"
                                                                                           "_REVIE"
                                                                                           "W",
                                                                                           "false") "," HELD("e",
                                                                                                             "01E3",
                                                                                                             "READY",
                                                                                                             "true"),
                "\"endCursor\":\"\",\"hasNextPage\":false"),
            NULL, &answer, NULL),
        SL_OK);
    assert_int_equal(sl_blocked_add(&blocked, &answer, NULL), SL_OK);
    sl_answer_release(&answer);
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        assert_string_equal(sl_blocked_next_stack(&blocked), stacks[i].stack);
        assert_int_equal(read_answer(SL_DOCUMENT_STACK, stacks[i].answer, NULL, &answer, NULL),
                         SL_OK);
        sl_blocked_judge(&blocked, &answer);
        sl_answer_release(&answer);
    }
    assert_null(sl_blocked_next_stack(&blocked));
    sl_blocked_values(&pool, &blocked, &out);
    assert_string_equal(text.data, "worker_pool_blocked[p|01] approval=2 lock=2 run=1 dependency=2 "
                                   "unknown=1\n");
    assert_false(blocked.is_truncated);
    sl_blocked_release(&blocked);
    sl_buffer_release(&text);
}

static void test_manual_names_every_value(void **unused) {
    (void)unused;
    const struct sl_metric_type *type;
    char *manual = read_manual();
    for (size_t i = 0; (type = sl_catalogue(i)) != NULL; i++) {
        if (strcmp(type->plugin, SL_SPACELIFT_PLUGIN) != 0)
            continue;
        if (!has_word(manual, "/", type->name))
            fail_msg("%s is not in the manual", type->name);
        for (size_t m = 0; m < type->count; m++)
            if (!has_word(manual, "", type->metrics[m].ds))
                fail_msg("%s of %s is not in the manual", type->metrics[m].ds, type->name);
    }
    free(manual);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_account_documents),
        cmocka_unit_test(test_aggregates),
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_buckets_are_those_of_the_catalogue),
        cmocka_unit_test(test_places_in_messages),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_filtered_answer),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_what_holds_runs),
        cmocka_unit_test(test_manual_names_every_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
