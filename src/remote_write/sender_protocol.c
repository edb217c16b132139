/* One remote write receiver: which of the two protocols it gets.
 *
 * That a receiver knows 1.0 only is remembered for ProtocolRetry, beside its spool also over a
 * restart: DIRECTORY/protocol holds
 *
 *   1.0 TIME URL
 *
 * TIME: when 2.0 is tried again, in seconds since the epoch. A file that cannot be written or read
 * costs one request more, so nobody is told. */
#include "remote_write/sender_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_parser.h"
#include "os/clock.h"
#include "os/file.h"

enum { FILE_BYTES_MAX = 16 * 1024 };

static const char file_start[] = "1.0 ";

static void use(struct sl_sender *s, enum sl_write_protocol protocol) {
    s->protocol = protocol;
    __atomic_store_n(&s->protocol_now, (int)protocol, __ATOMIC_RELAXED);
}

/* ---- the file ---- */

/* NULL: there is no spool, or no memory. */
static char *file_path(const struct sl_sender *s) {
    struct sl_queue_status status;
    sl_queue_status(s->queue, &status);
    if (!status.is_on_disk)
        return NULL;
    size_t len = strlen(s->spool_path) + sizeof("/protocol");
    char *path = malloc(len);
    if (path != NULL)
        snprintf(path, len, "%s/protocol", s->spool_path);
    return path;
}

static void write_file(const struct sl_sender *s) {
    struct sl_buffer text;
    char *path = file_path(s);
    if (path == NULL)
        return;
    sl_buffer_init(&text, FILE_BYTES_MAX);
    sl_buffer_printf(&text, "%s%lld %s\n", file_start,
                     (long long)(sl_clock_realtime_ms() + s->options.protocol_retry_ms) / 1000,
                     s->options.url);
    (void)!sl_file_replace(path, &text, NULL);
    sl_buffer_release(&text);
    free(path);
}

static void remove_file(const struct sl_sender *s) {
    char *path = file_path(s);
    if (path != NULL)
        (void)unlink(path);
    free(path);
}

/* How long 1.0 is spoken from now on; 0: the file does not say so, or of another receiver. */
static int64_t left_ms(const struct sl_sender *s, const char *text) {
    int64_t until_s;
    if (strncmp(text, file_start, strlen(file_start)) != 0)
        return 0;
    const char *time = text + strlen(file_start), *blank = strchr(time, ' ');
    if (blank == NULL || sl_json_to_int64(time, (size_t)(blank - time), &until_s, NULL) != SL_OK)
        return 0;
    size_t len = strlen(s->options.url);
    if (strncmp(blank + 1, s->options.url, len) != 0 || blank[1 + len] != '\n')
        return 0;
    int64_t left_s = until_s - sl_clock_realtime_ms() / 1000,
            most_ms = s->options.protocol_retry_ms;
    if (until_s < 0 || left_s <= 0)
        return 0;
    return left_s < most_ms / 1000 ? left_s * 1000 : most_ms; /* clocks are set back */
}

void sl_sender_protocol_begin(struct sl_sender *s) {
    struct sl_buffer text;
    char *path = s->options.protocol == SL_PROTOCOL_AUTO ? file_path(s) : NULL;
    int64_t left = 0;
    sl_buffer_init(&text, FILE_BYTES_MAX);
    if (path != NULL && sl_file_read(path, &text, NULL) == SL_OK)
        left = left_ms(s, text.data);
    if (left > 0) {
        use(s, SL_WRITE_1_0);
        s->knows_1_0_only = true;
        s->try_2_0_ms = sl_clock_monotonic_ms() + left;
    }
    sl_buffer_release(&text);
    free(path);
}

/* ---- changes ---- */

void sl_sender_protocol_probe(struct sl_sender *s) {
    if (s->knows_1_0_only && s->protocol == SL_WRITE_1_0 &&
        sl_clock_monotonic_ms() >= s->try_2_0_ms)
        use(s, SL_WRITE_2_0);
}

static void settle_on_1_0(struct sl_sender *s, int status) {
    if (!s->knows_1_0_only)
        sl_sender_tell_protocol(s, status);
    s->knows_1_0_only = true;
    s->is_trial = false;
    s->try_2_0_ms = sl_clock_monotonic_ms() + s->options.protocol_retry_ms;
    write_file(s);
}

void sl_sender_protocol_downgrade(struct sl_sender *s, int status) {
    use(s, SL_WRITE_1_0);
    s->is_trial = status == 400;
    if (!s->is_trial)
        settle_on_1_0(s, status);
}

void sl_sender_protocol_answered(struct sl_sender *s, bool is_accepted) {
    if (s->is_trial && is_accepted) {
        settle_on_1_0(s, 400);
    } else if (s->is_trial) {
        s->is_trial = false;
        use(s, SL_WRITE_2_0);
    } else if (is_accepted && s->protocol == SL_WRITE_2_0 && s->knows_1_0_only) {
        s->knows_1_0_only = false;
        sl_sender_tell_protocol(s, 0);
        remove_file(s);
    }
}
