/* Values and notifications out. */
#include "publisher.h"

#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"

#include "common/dispatch.h"
#include "os/clock.h"
#include "os/thread.h"
#include "os/wakeup.h"

struct sl_publisher {
    struct sl_scaler *scaler;
    size_t pool_count;
    int64_t interval_ms;
    plugin_ctx_t ctx;
    struct sl_wakeup stop;
    pthread_t thread;
};

static const int64_t patience_ms = 500;
static const int64_t expiry_interval_ms = 60 * 1000;

/* ---- values ---- */

static void put_values(void *context, const struct sl_values *values) {
    const struct sl_values_out *out = context;

    sl_dispatch_values(values, out->realtime_ms, MS_TO_CDTIME_T(out->interval_ms));
}

static struct sl_values_out *values_of_now(struct sl_values_out *out, int64_t interval_ms) {
    *out = (struct sl_values_out){
        .put = put_values,
        .context = out,
        .account = "",
        .realtime_ms = sl_clock_realtime_ms(),
        .interval_ms = interval_ms,
    };
    return out;
}

static void publish(const struct sl_publisher *p) {
    struct sl_values_out out;

    values_of_now(&out, p->interval_ms);
    for (size_t i = 0; i < p->pool_count && !sl_wakeup_is_signalled(&p->stop); i++) {
        struct sl_pool_report report;

        sl_scaler_report(p->scaler, i, &report);
        sl_report_values(&report, &out);
    }
}

/* It takes reading files, and changes seldom. */
static void publish_expiry(const struct sl_publisher *p) {
    struct sl_values_out out;

    sl_scaler_put_expiry(p->scaler, values_of_now(&out, p->interval_ms > expiry_interval_ms
                                                            ? p->interval_ms
                                                            : expiry_interval_ms));
}

/* ---- notifications ---- */

static const char *const type_instances[] = {
    [SL_NOTE_SCALED_OUT] = "scaled_out",
    [SL_NOTE_SCALED_IN] = "scaled_in",
    [SL_NOTE_HELD_AT_MAXIMUM] = "held_at_maximum",
    [SL_NOTE_BLIND] = "no_data",
    [SL_NOTE_SEES_AGAIN] = "no_data",
    [SL_NOTE_FOREIGN_SIZE] = "foreign_size",
    [SL_NOTE_NOT_CONVERGED] = "not_converged",
    [SL_NOTE_CONVERGED] = "not_converged",
    [SL_NOTE_BAD_ANNOTATION] = "bad_annotation",
};

static int severity_of(enum sl_note note) {
    switch (note) {
    case SL_NOTE_HELD_AT_MAXIMUM:
    case SL_NOTE_BLIND:
    case SL_NOTE_FOREIGN_SIZE:
    case SL_NOTE_BAD_ANNOTATION:
        return NOTIF_WARNING;
    case SL_NOTE_NOT_CONVERGED:
        return NOTIF_FAILURE;
    case SL_NOTE_SCALED_OUT:
    case SL_NOTE_SCALED_IN:
    case SL_NOTE_SEES_AGAIN:
    case SL_NOTE_CONVERGED:
        break;
    }
    return NOTIF_OKAY;
}

static void notify(const struct sl_notice *notice) {
    notification_t n = {.severity = severity_of(notice->note), .time = cdtime()};

    /* Its first words: collectd cuts a message at 255 bytes. */
    ssnprintf(n.message, sizeof(n.message), "pool \"%s\": %s", notice->pool->name, notice->text);
    sstrncpy(n.host, hostname_g, sizeof(n.host));
    sstrncpy(n.plugin, SL_SCALER_PLUGIN, sizeof(n.plugin));
    sl_dispatch_part(n.plugin_instance, notice->pool->name);
    sstrncpy(n.type, SL_TYPE_SCALER, sizeof(n.type));
    sstrncpy(n.type_instance, type_instances[notice->note], sizeof(n.type_instance));
    plugin_notification_meta_add_signed_int(&n, "from", notice->from);
    plugin_notification_meta_add_signed_int(&n, "to", notice->to);
    plugin_dispatch_notification(&n);
    plugin_notification_meta_free(n.meta);
}

/* ---- the thread ---- */

static void *run(void *context) {
    struct sl_publisher *p = context;
    struct sl_notices *notices = sl_scaler_notices(p->scaler);
    int64_t due_ms = sl_clock_monotonic_ms() + p->interval_ms;
    int64_t expiry_due_ms = due_ms;

    plugin_set_ctx(p->ctx);
    while (!sl_wakeup_is_signalled(&p->stop)) {
        struct sl_notice notice;
        int64_t now_ms = 0;

        while (!sl_wakeup_is_signalled(&p->stop) && sl_notices_take(notices, &notice)) {
            notify(&notice);
        }
        if (sl_wakeup_is_signalled(&p->stop)) {
            break; /* the scaler may be gone already */
        }
        now_ms = sl_clock_monotonic_ms();
        if (p->interval_ms > 0 && now_ms >= due_ms) {
            publish(p);
            if (now_ms >= expiry_due_ms) {
                publish_expiry(p);
                expiry_due_ms = now_ms + expiry_interval_ms - expiry_interval_ms / 10;
            }
            due_ms = now_ms + p->interval_ms - (now_ms - due_ms) % p->interval_ms;
        }
        sl_wakeup_wait(&notices->said, &p->stop, p->interval_ms > 0 ? due_ms - now_ms : -1);
    }
    return NULL;
}

int sl_publisher_start(struct sl_scaler *scaler, size_t pool_count, int64_t interval_ms,
                       struct sl_publisher **ret, struct sl_error *err) {
    struct sl_publisher *p = calloc(1, sizeof(*p));
    int rc = SL_OK;

    if (p == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    p->scaler = scaler;
    p->pool_count = pool_count;
    p->interval_ms = interval_ms;
    p->ctx = plugin_get_ctx();
    rc = sl_wakeup_init(&p->stop, err);
    if (rc != SL_OK) {
        free(p);
        return rc;
    }
    rc = sl_thread_start(&p->thread, "sl-publish", run, p, err);
    if (rc != SL_OK) {
        sl_wakeup_release(&p->stop);
        free(p);
        return rc;
    }
    *ret = p;
    return SL_OK;
}

void sl_publisher_stop(struct sl_publisher *p) {
    if (p == NULL) {
        return;
    }
    sl_wakeup_signal(&p->stop);
    if (sl_thread_join(p->thread, patience_ms)) {
        sl_wakeup_release(&p->stop);
        free(p);
    }
}
