/* Leases and their election, events, rights: without a server, on a clock that the test turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubernetes/access.h"
#include "kubernetes/elector.h"
#include "kubernetes/event.h"

/* ---- a server with one lease ---- */

static int64_t now_ms;

struct server {
    bool is_there;
    struct sl_lease lease;
    int version;
    int failures;       /* of the next requests */
    bool is_write_lost; /* carried out, and answered by nothing */
    int requests;
};

static int fails(struct server *s, struct sl_error *err) {
    s->requests++;
    if (s->failures == 0)
        return SL_OK;
    s->failures--;
    return sl_fail(err, SL_IO, "no answer");
}

static int get(void *self, struct sl_lease *ret, struct sl_error *err) {
    struct server *s = self;
    int code = fails(s, err);
    if (code == SL_OK && !s->is_there)
        return sl_fail(err, SL_NOTFOUND, "no lease");
    if (code == SL_OK)
        *ret = s->lease;
    return code;
}

static int keep(struct server *s, const struct sl_lease *lease, struct sl_lease *ret,
                struct sl_error *err) {
    s->lease = *lease;
    s->is_there = true;
    (void)snprintf(s->lease.version, sizeof(s->lease.version), "%d", ++s->version);
    if (s->is_write_lost)
        return sl_fail(err, SL_TIMEOUT, "no answer");
    *ret = s->lease;
    return SL_OK;
}

static int create(void *self, const struct sl_lease *lease, struct sl_lease *ret,
                  struct sl_error *err) {
    struct server *s = self;
    int code = fails(s, err);
    if (code == SL_OK && s->is_there)
        return sl_fail(err, SL_CONFLICT, "exists");
    return code == SL_OK ? keep(s, lease, ret, err) : code;
}

static int update(void *self, const struct sl_lease *lease, struct sl_lease *ret,
                  struct sl_error *err) {
    struct server *s = self;
    int code = fails(s, err);
    if (code == SL_OK && (!s->is_there || strcmp(lease->version, s->lease.version) != 0))
        return sl_fail(err, SL_CONFLICT, "changed");
    return code == SL_OK ? keep(s, lease, ret, err) : code;
}

static int64_t clock_ms(void *self) {
    (void)self;
    return now_ms;
}

/* A wall clock that runs backwards must not matter. */
static int64_t realtime_us(void *self) {
    (void)self;
    return 86400000000 - now_ms * 1000;
}

static void make(struct sl_elector *e, const char *identity, struct server *s) {
    struct sl_elector_settings settings = {identity, 15000, 10000, 2000, false};
    struct sl_lease_ops ops = {get, create, update, clock_ms, realtime_us, s};
    sl_elector_init(e, &settings, &ops);
}

static void step_until(struct sl_elector *e, int64_t end_ms, bool is_leader) {
    struct sl_error err = SL_ERROR_INIT;
    while (now_ms < end_ms) {
        now_ms = sl_elector_step(e, &err);
        if (e->is_leader != is_leader)
            return;
    }
}

static void test_first_come(void **unused) {
    (void)unused;
    struct server s = {.version = 0};
    struct sl_elector a, b;
    struct sl_error err = SL_ERROR_INIT;
    now_ms = 1000;
    make(&a, "a", &s);
    make(&b, "b", &s);
    (void)sl_elector_step(&a, &err);
    (void)sl_elector_step(&b, &err);
    assert_true(a.is_leader);
    assert_false(b.is_leader);
    assert_string_equal(b.observed.holder, "a");
    assert_int_equal(sl_elector_act_until_ms(&a), 11000);
    assert_int_equal(sl_elector_lease_until_ms(&a), 16000);
    assert_int_equal(sl_elector_act_until_ms(&b), 0);
    int before = s.requests;
    now_ms += 2000;
    (void)sl_elector_step(&a, &err); /* to renew costs one request */
    assert_int_equal(s.requests, before + 1);
    assert_int_equal(s.lease.transitions, 0);
}

static void test_crash_is_taken_over(void **unused) {
    (void)unused;
    for (int seed = 0; seed < 200; seed++) {
        struct server s = {.version = 0};
        struct sl_elector a, b;
        struct sl_error err = SL_ERROR_INIT;
        char name[8];
        (void)snprintf(name, sizeof(name), "b%d", seed);
        now_ms = 5000;
        make(&a, "a", &s);
        make(&b, name, &s);
        (void)sl_elector_step(&a, &err);
        int64_t died_ms = now_ms;
        now_ms += seed * 10; /* b looks for the first time at some moment before the next renewal */
        step_until(&b, died_ms + 60000, false);
        assert_true(b.is_leader);
        assert_true(sl_elector_act_until_ms(&a) < b.renewed_ms); /* never both */
        assert_true(b.renewed_ms >= died_ms + 15000);
        assert_true(b.renewed_ms <= died_ms + 20000);
        assert_int_equal(s.lease.transitions, 1);
    }
}

/* A run of a moment goes by the clocks: ten seconds old is alive, sixteen is not; what comes from
 * a clock that is ahead, and what says no time, is as new as can be. */
static void test_brief(void **unused) {
    (void)unused;
    static const struct {
        int64_t age_ms;
        bool has_time, is_leader;
    } cases[] = {{10000, true, false},
                 {14999, true, false},
                 {16000, true, true},
                 {-3600000, true, false},
                 {16000, false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct server s = {.is_there = true, .version = 1};
        struct sl_elector e;
        struct sl_error err = SL_ERROR_INIT;
        now_ms = 5000;
        make(&e, "brief", &s);
        e.settings.is_brief = true;
        s.lease = (struct sl_lease){.version = "1", .holder = "other", .duration_s = 15};
        if (cases[i].has_time)
            sl_format_rfc3339(realtime_us(&s) - cases[i].age_ms * 1000, s.lease.renew_time,
                              sizeof(s.lease.renew_time));
        (void)sl_elector_step(&e, &err);
        assert_int_equal(err.code, SL_OK);
        assert_int_equal(e.is_leader, cases[i].is_leader);
    }
}

static void test_clean_stop_hands_over(void **unused) {
    (void)unused;
    struct server s = {.version = 0};
    struct sl_elector a, b;
    struct sl_error err = SL_ERROR_INIT;
    now_ms = 5000;
    make(&a, "a", &s);
    make(&b, "b", &s);
    (void)sl_elector_step(&a, &err);
    int64_t next_ms = sl_elector_step(&b, &err);
    now_ms += 10;
    assert_int_equal(sl_elector_release(&a, &err), SL_OK);
    assert_int_equal(sl_elector_act_until_ms(&a), 0);
    assert_string_equal(s.lease.holder, "");
    int64_t gone_ms = now_ms;
    now_ms = next_ms;
    (void)sl_elector_step(&b, &err);
    assert_true(b.is_leader);
    assert_true(now_ms - gone_ms < 4000);
    assert_int_equal(sl_elector_release(&a, &err), SL_OK); /* not his any more */
    assert_string_equal(s.lease.holder, "b");
}

static void test_who_cannot_renew_stops(void **unused) {
    (void)unused;
    struct server s = {.version = 0};
    struct sl_elector a;
    struct sl_error err = SL_ERROR_INIT;
    now_ms = 0;
    make(&a, "a", &s);
    (void)sl_elector_step(&a, &err);
    s.failures = INT32_MAX;
    for (now_ms = 2000; now_ms < 10000; now_ms += 2000) {
        (void)sl_elector_step(&a, &err);
        assert_true(a.is_leader);
        assert_int_equal(err.code, SL_IO);
        assert_int_equal(sl_elector_act_until_ms(&a), 10000);
    }
    (void)sl_elector_step(&a, &err);
    assert_false(a.is_leader);
    s.failures = 0;
    (void)sl_elector_step(&a, &err);
    assert_true(a.is_leader);
    assert_int_equal(err.code, SL_OK);
    assert_int_equal(s.lease.transitions, 0);
}

/* A write whose answer is lost: the next look finds our own name. */
static void test_lost_answer(void **unused) {
    (void)unused;
    struct server s = {.is_write_lost = true};
    struct sl_elector a;
    struct sl_error err = SL_ERROR_INIT;
    now_ms = 0;
    make(&a, "a", &s);
    (void)sl_elector_step(&a, &err);
    assert_false(a.is_leader);
    assert_string_equal(s.lease.holder, "a");
    s.is_write_lost = false;
    (void)sl_elector_step(&a, &err);
    assert_true(a.is_leader);
}

static void test_taken_away(void **unused) {
    (void)unused;
    struct server s = {.version = 0};
    struct sl_elector a;
    struct sl_error err = SL_ERROR_INIT;
    now_ms = 0;
    make(&a, "a", &s);
    (void)sl_elector_step(&a, &err);
    (void)snprintf(s.lease.holder, sizeof(s.lease.holder), "somebody");
    (void)snprintf(s.lease.version, sizeof(s.lease.version), "99");
    now_ms = 2000;
    (void)sl_elector_step(&a, &err);
    assert_false(a.is_leader);
    assert_int_equal(err.code, SL_OK);
    s.is_there = false; /* deleted: anybody's */
    now_ms = 4000;
    (void)sl_elector_step(&a, &err);
    assert_true(a.is_leader);
}

/* Three hosts, a server that fails now and then, hosts that freeze: whoever may act is alone. */
static void test_never_two(void **unused) {
    (void)unused;
    uint64_t seed = 42;
    int takeovers = 0;
    for (int round = 0; round < 200; round++) {
        struct server s = {.version = 0};
        struct sl_elector e[3];
        int64_t due[3] = {0, 0, 0};
        int last = -1;
        make(&e[0], "a", &s);
        make(&e[1], "b", &s);
        make(&e[2], "c", &s);
        for (now_ms = 1000; now_ms < 120000; now_ms += 100) {
            for (int i = 0; i < 3; i++) {
                struct sl_error err = SL_ERROR_INIT;
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                if (now_ms < due[i])
                    continue;
                s.failures = (seed >> 33) % 5 == 0 ? 2 : 0;
                due[i] = sl_elector_step(&e[i], &err);
                if ((seed >> 40) % 40 == 0)
                    due[i] += (int64_t)((seed >> 20) % 30000); /* it freezes */
            }
            int actors = 0;
            for (int i = 0; i < 3; i++)
                if (now_ms < sl_elector_act_until_ms(&e[i])) {
                    actors++;
                    takeovers += last >= 0 && last != i;
                    last = i;
                }
            assert_true(actors <= 1);
        }
    }
    assert_true(takeovers > 100);
}

/* ---- messages ---- */

#define LEASE(spec)                                                                                \
    "{\"kind\":\"Lease\",\"metadata\":{\"resourceVersion\":\"5\"},\"spec\":" spec "}"

static void test_lease(void **unused) {
    (void)unused;
    static const char good[] =
        "{\"kind\":\"Lease\",\"metadata\":{\"resourceVersion\":\"5\"},\"spec\":{\"holderIdentity\":"
        "\"x\",\"leaseDurationSeconds\":15,\"leaseTransitions\":3,\"acquireTime\":\"A\","
        "\"renewTime\":\"R\"}}";
    static const char *const bad[] = {
        "",
        "{}",
        "{\"kind\":\"Scale\",\"metadata\":{\"resourceVersion\":\"5\"}}",
        "{\"kind\":\"Lease\",\"metadata\":{}}",
        LEASE("{\"leaseDurationSeconds\":-1}"),
    };
    struct sl_lease lease = {.version = ""};
    struct sl_lease other;
    struct sl_buffer out;
    assert_int_equal(sl_lease_parse(good, strlen(good), &lease, NULL), SL_OK);
    assert_string_equal(lease.holder, "x");
    assert_int_equal(lease.duration_s, 15);
    sl_buffer_init(&out, 1000);
    sl_lease_write(&lease, "name", &out);
    assert_string_equal(out.data,
                        "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
                        "\"metadata\":{\"name\":\"name\",\"resourceVersion\":\"5\"},\"spec\":"
                        "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":15,\"acquireTime\":"
                        "\"A\",\"renewTime\":\"R\",\"leaseTransitions\":3}}");
    sl_buffer_release(&out);
    other = lease;
    (void)snprintf(other.version, sizeof(other.version), "6");
    assert_true(sl_lease_is_same(&lease, &other)); /* the version alone is no sign of life */
    (void)snprintf(other.renew_time, sizeof(other.renew_time), "S");
    assert_false(sl_lease_is_same(&lease, &other));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_not_equal(sl_lease_parse(bad[i], strlen(bad[i]), &lease, NULL), SL_OK);
}

static struct sl_event event_of(const char *note) {
    struct sl_event event = {
        .reason = "ScaledOut",
        .action = "ScaleOut",
        .kube_namespace = "ns",
        .worker_pool = "pool",
        .uid = "u",
        .version = "7",
        .realtime_us = 1000001,
    };
    (void)snprintf(event.note, sizeof(event.note), "%s", note);
    return event;
}

static void test_events(void **unused) {
    (void)unused;
    static struct sl_event_log log;
    struct sl_event one = event_of("1 -> 2 \"now\"");
    struct sl_event two = event_of("2 -> 3");
    struct sl_buffer out;
    sl_buffer_init(&out, 4096);
    assert_null(sl_event_log_find(&log, &one, 0));
    struct sl_event_series *s = sl_event_log_add(&log, &one, 0);
    sl_event_write(s, "me", &out);
    assert_string_equal(
        out.data,
        "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":"
        "\"pool.000000003b9acde8\",\"namespace\":\"ns\"},\"eventTime\":"
        "\"1970-01-01T00:00:01.000001Z\",\"type\":\"Normal\",\"reason\":\"ScaledOut\",\"action\":"
        "\"ScaleOut\",\"note\":\"1 -> 2 \\\"now\\\"\",\"reportingController\":"
        "\"collectd.org/workerpool-scaler\",\"reportingInstance\":\"me\",\"regarding\":"
        "{\"apiVersion\":\"workers.spacelift.io/v1beta1\",\"kind\":\"WorkerPool\",\"namespace\":"
        "\"ns\",\"name\":\"pool\",\"uid\":\"u\",\"resourceVersion\":\"7\"}}");
    assert_null(sl_event_log_find(&log, &two, 1000)); /* another change: another event */
    assert_string_not_equal(sl_event_log_add(&log, &two, 1000)->name, s->name);
    assert_ptr_equal(sl_event_log_find(&log, &one, 1000), s);
    sl_buffer_reset(&out);
    sl_event_write_series(s, &out);
    assert_string_equal(out.data, "{\"series\":{\"count\":2,\"lastObservedTime\":"
                                  "\"1970-01-01T00:00:01.000001Z\"}}");
    assert_null(sl_event_log_find(&log, &one, 1000 + 6 * 60 * 1000)); /* a series ends */
    for (int i = 0; i < 3 * SL_EVENT_SERIES; i++) {                   /* the oldest goes first */
        char note[16];
        (void)snprintf(note, sizeof(note), "%d", i);
        struct sl_event other = event_of(note);
        (void)sl_event_log_add(&log, &other, 2000 + i);
    }
    struct sl_event newest = event_of("95");
    struct sl_event oldest = event_of("64");
    struct sl_event gone = event_of("63");
    assert_non_null(sl_event_log_find(&log, &newest, 3000));
    assert_non_null(sl_event_log_find(&log, &oldest, 3000));
    assert_null(sl_event_log_find(&log, &gone, 3000));
    sl_buffer_release(&out);
}

static void test_access(void **unused) {
    (void)unused;
    static const char yes[] =
        "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{\"allowed\":true}}";
    static const char no[] =
        "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{\"allowed\":false}}";
    static const char silent[] = "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{}}";
    struct sl_buffer out;
    bool is_allowed = false;
    sl_buffer_init(&out, 1000);
    sl_kube_access_ask(&sl_kube_rules[1], "patch", "ns", "pool", &out);
    assert_string_equal(out.data,
                        "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":"
                        "\"SelfSubjectAccessReview\",\"spec\":{\"resourceAttributes\":"
                        "{\"namespace\":\"ns\",\"verb\":\"patch\",\"group\":"
                        "\"workers.spacelift.io\",\"resource\":\"workerpools\",\"subresource\":"
                        "\"scale\",\"name\":\"pool\"}}}");
    sl_buffer_release(&out);
    assert_int_equal(sl_kube_access_parse(yes, strlen(yes), &is_allowed, NULL), SL_OK);
    assert_true(is_allowed);
    assert_int_equal(sl_kube_access_parse(no, strlen(no), &is_allowed, NULL), SL_OK);
    assert_false(is_allowed);
    assert_int_equal(sl_kube_access_parse(silent, strlen(silent), &is_allowed, NULL), SL_PARSE);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_come),
        cmocka_unit_test(test_crash_is_taken_over),
        cmocka_unit_test(test_brief),
        cmocka_unit_test(test_clean_stop_hands_over),
        cmocka_unit_test(test_who_cannot_renew_stops),
        cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_taken_away),
        cmocka_unit_test(test_never_two),
        cmocka_unit_test(test_lease),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_access),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
