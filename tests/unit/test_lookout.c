/* Lists of versions, and who is asked for a pool that may have changed: by a script, on a clock
 * that the test turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubernetes/lookout.h"

/* ---- the list ---- */

static void take_line(void *context, const struct sl_kube_version *item) {
    struct sl_buffer *out = context;
    sl_buffer_printf(out, "%s %s %s;", item->name, item->uid, item->version);
}

static int read_list(const char *json, size_t len, size_t piece, struct sl_buffer *out,
                     size_t *ret_count) {
    struct sl_version_list *l = sl_version_list_new(take_line, out);
    int code = SL_OK;
    assert_non_null(l);
    for (size_t at = 0; code == SL_OK && at < len; at += piece)
        code = sl_version_list_feed(l, json + at, len - at < piece ? len - at : piece, NULL);
    if (code == SL_OK)
        code = sl_version_list_finish(l, ret_count, NULL);
    sl_version_list_free(l);
    return code;
}

#define LIST(items) "{\"kind\":\"PartialObjectMetadataList\",\"metadata\":{},\"items\":[" items "]}"
#define ITEM(name, rest)                                                                           \
    "{\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"name\":\"" name "\",\"uid\":\"u\"" rest   \
    "}}"
#define TEXT_16  "0123456789abcdef"
#define TEXT_64  TEXT_16 TEXT_16 TEXT_16 TEXT_16
#define TEXT_256 TEXT_64 TEXT_64 TEXT_64 TEXT_64

static void test_list(void **unused) {
    (void)unused;
    static const struct {
        const char *json;
        bool is_good;
        const char *seen;
        size_t count;
    } cases[] = {
        {LIST(""), true, "", 0},
        {LIST(ITEM("a", ",\"resourceVersion\":\"7\"") "," ITEM("b", ",\"resourceVersion\":\"8\"")),
         true, "a u 7;b u 8;", 2},
        /* the order in which a server writes the list of a custom resource */
        {"{\"apiVersion\":\"x/v1\",\"items\":[{\"spec\":{\"metadata\":{\"name\":\"no\"}},"
         "\"metadata\":{\"resourceVersion\":\"7\",\"name\":\"a\",\"labels\":{\"name\":\"no\"}}}],"
         "\"kind\":\"WorkerPoolList\"}",
         true, "a  7;", 1},
        {LIST(ITEM("a", "")), true, "", 1},
        {LIST(ITEM("a", ",\"resourceVersion\":7")), true, "", 1},
        {LIST(ITEM(TEXT_256, ",\"resourceVersion\":\"7\"")), true, "", 1},
        {LIST(ITEM("a", ",\"resourceVersion\":\"" TEXT_64 "\"")), true, "", 1},
        {LIST("null,3,[{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"1\"}}],"
              "{\"metadata\":[{\"name\":\"a\",\"resourceVersion\":\"1\"}]},{\"metadata\":null}"),
         true, "", 2},
        {LIST(ITEM("a", ",\"resourceVersion\":\"7\",\"resourceVersion\":\"8\"")), false, "", 0},
        {"{\"kind\":\"PodList\",\"items\":[]}", false, "", 0},
        {"{\"kind\":\"WorkerPoolList\"}", false, "", 0},
        {"{\"items\":[]}", false, "", 0},
        {"{\"kind\":\"WorkerPoolList\",\"items\":[],\"items\":[]}", false, "", 0},
        {"{\"kind\":\"WorkerPoolList\",\"items\":{}}", false, "", 0},
        {"{\"kind\":\"Status\",\"code\":403}", false, "", 0},
        {"<html>", false, "", 0},
        {"", false, "", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].json);
        for (size_t piece = 1; piece <= len + 1; piece += 1 + piece / 4) {
            struct sl_buffer seen;
            size_t count = 0;
            sl_buffer_init(&seen, 1000);
            int code = read_list(cases[i].json, len, piece, &seen, &count);
            if ((code == SL_OK) != cases[i].is_good)
                fail_msg("%s: %d", cases[i].json, code);
            if (code == SL_OK) {
                assert_string_equal(seen.len > 0 ? seen.data : "", cases[i].seen);
                assert_int_equal(count, cases[i].count);
            }
            sl_buffer_release(&seen);
        }
    }
}

static void test_a_list_that_was_cut_off_is_refused(void **unused) {
    (void)unused;
    static const char json[] = LIST(ITEM("a", ",\"resourceVersion\":\"7\""));
    for (size_t len = 0; len < sizeof(json) - 1; len++) {
        struct sl_buffer seen;
        size_t count = 0;
        sl_buffer_init(&seen, 1000);
        assert_int_equal(read_list(json, len, 1000, &seen, &count), SL_PARSE);
        sl_buffer_release(&seen);
    }
}

/* ---- the lookout ---- */

enum { POOLS = 5, MINUTE_MS = 60000 };

struct world {
    int64_t now_ms;
    int versions[POOLS]; /* in the server's cache; 0: gone */
    int others;          /* of other people, in namespace "ns" */
    const char *twice;   /* an item that comes again; NULL: none */
    int may_list;        /* codes */
    int list;
    int get;
    int reviews, lists, gets;
    char lines[1024];
    struct sl_log log;
    struct sl_lookout *lookout;
};

static const char *const names[POOLS] = {"pool-2", "pool-0", "pool-1", "pool-3", "pool-4"};

static int64_t clock_ms(void *self) {
    return ((struct world *)self)->now_ms;
}

static int may_list(void *self, const char *kube_namespace, struct sl_error *err) {
    struct world *w = self;
    assert_string_equal(kube_namespace, "ns");
    w->reviews++;
    return w->may_list == SL_OK ? SL_OK : sl_fail(err, (enum sl_code)w->may_list, "may not list");
}

static int version_of(const struct world *w, const char *name) {
    for (size_t i = 0; i < POOLS; i++)
        if (strcmp(names[i], name) == 0)
            return w->versions[i];
    return 0;
}

static void put(const struct world *w, const char *name,
                void (*take)(void *context, const struct sl_kube_version *item), void *context) {
    char version[SL_KUBE_VERSION_BYTES];
    struct sl_kube_version item = {name, "u", version};
    (void)snprintf(version, sizeof(version), "%d", version_of(w, name));
    if (version[0] != '0')
        take(context, &item);
}

static int list_versions(void *self, const char *kube_namespace,
                         void (*take)(void *context, const struct sl_kube_version *item),
                         void *context, size_t *ret_count, struct sl_error *err) {
    struct world *w = self;
    assert_string_equal(kube_namespace, "ns");
    w->lists++;
    for (size_t i = 0; i < POOLS - 1; i++) /* the last one is in a namespace of its own */
        put(w, names[i], take, context);
    if (w->twice != NULL)
        put(w, w->twice, take, context);
    take(context, &(struct sl_kube_version){"of-somebody-else", "u", "1"});
    *ret_count = (size_t)(POOLS - 1 + w->others);
    return w->list == SL_OK ? SL_OK : sl_fail(err, (enum sl_code)w->list, "no list");
}

static int get_version(void *self, const char *kube_namespace, const char *worker_pool,
                       struct sl_kube_scale *ret, struct sl_error *err) {
    struct world *w = self;
    (void)kube_namespace;
    w->gets++;
    if (w->get != SL_OK)
        return sl_fail(err, (enum sl_code)w->get, "no answer");
    if (version_of(w, worker_pool) == 0)
        return sl_fail(err, SL_NOTFOUND, "not found");
    (void)snprintf(ret->version, sizeof(ret->version), "%d", version_of(w, worker_pool));
    (void)snprintf(ret->uid, sizeof(ret->uid), "u");
    return SL_OK;
}

static void collect(void *context, enum sl_log_level level, const char *line) {
    struct world *w = context;
    size_t len = strlen(w->lines);
    (void)level;
    (void)snprintf(w->lines + len, sizeof(w->lines) - len, "%s\n", line);
}

static struct world *make_world(void) {
    static struct world world;
    static struct sl_kube_pool_name pools[POOLS];
    struct sl_lookout_settings settings = {
        .cluster = "prod",
        .log = &world.log,
        .pools = pools,
        .pool_count = POOLS,
        .ops = {may_list, list_versions, get_version, clock_ms, &world},
    };
    memset(&world, 0, sizeof(world));
    world.log = (struct sl_log){.write = collect, .context = &world};
    for (size_t i = 0; i < POOLS; i++) {
        pools[i] = (struct sl_kube_pool_name){i == POOLS - 1 ? "other" : "ns", names[i]};
        world.versions[i] = 7;
    }
    assert_int_equal(sl_lookout_new(&settings, &world.lookout, NULL), SL_OK);
    return &world;
}

static enum sl_lookout_answer ask_for(struct world *w, const char *name, const char *version) {
    enum sl_lookout_answer answer = SL_LOOKOUT_READ;
    const char *kube_namespace = strcmp(name, names[POOLS - 1]) == 0 ? "other" : "ns";
    assert_int_equal(
        sl_lookout_ask(w->lookout, kube_namespace, name, "u", version, 2500, &answer, NULL), SL_OK);
    return answer;
}

/* All pools of "ns", as read in version 7: how many of them are not sure to be in it? */
static int look_at_all(struct world *w) {
    int count = 0;
    w->now_ms += 10000;
    for (size_t i = 0; i < POOLS - 1; i++)
        count += ask_for(w, names[i], "7") == SL_LOOKOUT_READ ? 1 : 0;
    return count;
}

static void assert_asked(struct world *w, int reviews, int lists, int gets) {
    assert_int_equal(w->reviews, reviews);
    assert_int_equal(w->lists, lists);
    assert_int_equal(w->gets, gets);
    w->reviews = w->lists = w->gets = 0;
}

static void assert_said(struct world *w, const char *words) {
    if (words[0] == '\0')
        assert_string_equal(w->lines, "");
    assert_non_null(strstr(w->lines, words));
    w->lines[0] = '\0';
}

static void test_one_list_for_each_interval(void **unused) {
    struct world *w = make_world();
    (void)unused;
    assert_int_equal(ask_for(w, "pool-1", "7"), SL_LOOKOUT_SAME);
    assert_int_equal(ask_for(w, "pool-2", "7"), SL_LOOKOUT_KNOWN_SAME);
    assert_asked(w, 1, 1, 0);
    assert_said(w, "the 4 pools of namespace ns are looked at by one LIST for each interval");
    for (int i = 0; i < 5; i++)
        assert_int_equal(look_at_all(w), 0);
    assert_asked(w, 0, 5, 0);
    assert_said(w, "");
    sl_lookout_free(w->lookout);
}

static void test_a_pool_that_is_alone_is_asked_for_by_name(void **unused) {
    struct world *w = make_world();
    (void)unused;
    assert_int_equal(ask_for(w, "pool-4", "7"), SL_LOOKOUT_SAME);
    assert_int_equal(ask_for(w, "pool-4", "6"), SL_LOOKOUT_READ);
    assert_asked(w, 0, 0, 2);
    assert_said(w, "");
    sl_lookout_free(w->lookout);
}

static void test_what_has_changed_or_gone_or_is_unclear_is_to_be_read(void **unused) {
    struct world *w = make_world();
    enum sl_lookout_answer answer = SL_LOOKOUT_SAME;
    (void)unused;
    w->versions[0] = 8;
    assert_int_equal(look_at_all(w), 1);
    w->versions[0] = 0;
    assert_int_equal(look_at_all(w), 1);
    w->versions[0] = 7;
    assert_int_equal(look_at_all(w), 0);
    w->twice = names[1];
    assert_int_equal(look_at_all(w), 1);
    w->twice = NULL;
    assert_int_equal(
        sl_lookout_ask(w->lookout, "ns", names[2], "another", "7", 2500, &answer, NULL), SL_OK);
    assert_int_equal(answer, SL_LOOKOUT_READ);
    assert_int_equal(ask_for(w, names[2], ""), SL_LOOKOUT_READ);
    assert_int_equal(w->gets, 0);
    sl_lookout_free(w->lookout);
}

static void test_without_the_right_no_list_is_sent(void **unused) {
    struct world *w = make_world();
    (void)unused;
    w->may_list = SL_FORBIDDEN;
    assert_int_equal(look_at_all(w), 0);
    assert_int_equal(look_at_all(w), 0);
    assert_asked(w, 1, 0, 8);
    assert_said(w, "");
    w->now_ms += 10 * MINUTE_MS;
    w->may_list = SL_OK;
    assert_int_equal(look_at_all(w), 4); /* for ten minutes nobody was read: that is due now */
    assert_int_equal(look_at_all(w), 0);
    assert_asked(w, 1, 1, 0);
    sl_lookout_free(w->lookout);
}

static void test_a_list_that_is_refused_is_told_once(void **unused) {
    struct world *w = make_world();
    (void)unused;
    assert_int_equal(look_at_all(w), 0);
    assert_said(w, "one LIST");
    w->list = SL_FORBIDDEN;
    assert_int_equal(look_at_all(w), 0);
    assert_asked(w, 1, 2, 4);
    assert_said(w, "pools of namespace ns are read by name, one request each: no list");
    assert_int_equal(look_at_all(w), 0);
    assert_asked(w, 0, 0, 4);
    assert_said(w, "");
    sl_lookout_free(w->lookout);
}

static void test_a_namespace_full_of_others_is_not_listed(void **unused) {
    struct world *w = make_world();
    (void)unused;
    w->others = 10; /* 400 + 14 * 25 is less than 4 * 330, ... */
    assert_int_equal(look_at_all(w), 0);
    assert_asked(w, 1, 1, 0);
    w->others = 100; /* ... 400 + 104 * 25 is not */
    assert_int_equal(look_at_all(w), 0);
    assert_int_equal(look_at_all(w), 0);
    assert_asked(w, 0, 1, 8);
    assert_said(w, "others there being so many");
    sl_lookout_free(w->lookout);
}

static void test_a_server_in_trouble_is_asked_once(void **unused) {
    struct world *w = make_world();
    enum sl_lookout_answer answer = SL_LOOKOUT_SAME;
    struct sl_error err = SL_ERROR_INIT;
    (void)unused;
    assert_int_equal(look_at_all(w), 0);
    assert_asked(w, 1, 1, 0);
    assert_said(w, "one LIST");
    w->list = SL_TIMEOUT;
    w->now_ms += 10000;
    assert_int_equal(sl_lookout_ask(w->lookout, "ns", names[0], "u", "7", 2500, &answer, &err),
                     SL_TIMEOUT);
    assert_string_equal(err.text, "no list");
    assert_asked(w, 0, 1, 0);
    w->list = SL_OK;
    assert_int_equal(look_at_all(w), 0); /* for a minute by name */
    assert_asked(w, 0, 0, 4);
    w->now_ms += MINUTE_MS;
    assert_int_equal(look_at_all(w), 0);
    assert_asked(w, 0, 1, 0);
    w->get = SL_REMOTE;
    assert_int_equal(sl_lookout_ask(w->lookout, "other", names[4], "u", "7", 2500, &answer, &err),
                     SL_REMOTE);
    assert_said(w, ""); /* whose request it was tells */
    sl_lookout_free(w->lookout);
}

static void test_a_cache_is_trusted_for_ten_minutes(void **unused) {
    struct world *w = make_world();
    int read = 0;
    (void)unused;
    for (int i = 0; i < 59; i++)
        assert_int_equal(look_at_all(w), 0);
    for (int i = 0; i < 2; i++)
        read += look_at_all(w);
    assert_int_equal(read, 4);
    sl_lookout_free(w->lookout);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_a_list_that_was_cut_off_is_refused),
        cmocka_unit_test(test_one_list_for_each_interval),
        cmocka_unit_test(test_a_pool_that_is_alone_is_asked_for_by_name),
        cmocka_unit_test(test_what_has_changed_or_gone_or_is_unclear_is_to_be_read),
        cmocka_unit_test(test_without_the_right_no_list_is_sent),
        cmocka_unit_test(test_a_list_that_is_refused_is_told_once),
        cmocka_unit_test(test_a_namespace_full_of_others_is_not_listed),
        cmocka_unit_test(test_a_server_in_trouble_is_asked_once),
        cmocka_unit_test(test_a_cache_is_trusted_for_ten_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
