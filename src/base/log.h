/* Where a line for people goes. Rooms that do I/O are given a sink; rooms that compute return
 * errors and never log. The host decides what a sink is: plugin_log in collectd, stderr with
 * E! W! I! in Telegraf. A sink must be callable from any thread and must not block. */
#ifndef SL_BASE_LOG_H
#define SL_BASE_LOG_H

#include <stdint.h>

#include "base/error.h"

enum sl_log_level {
    SL_LOG_ERROR,   /* data lost, or a setting that will never work */
    SL_LOG_WARNING, /* degraded */
    SL_LOG_NOTICE,  /* a change of state */
    SL_LOG_INFO,    /* life cycle, decisions, recovery */
    SL_LOG_DEBUG,
};

struct sl_log {
    void (*write)(void *context, enum sl_log_level level, const char *line);
    void *context;
};

/* A line is cut at 1000 bytes: collectd cuts at 1024. log may be NULL: then nothing happens. */
void sl_log(const struct sl_log *log, enum sl_log_level level, const char *format, ...)
    SL_PRINTF(3, 4);

/* One trouble that may last: said at once, then again after 5, 10, 20 ... minutes, at most once a
 * day, and once when it is over. A different text is a new trouble and is said at once. Pure: the
 * caller passes the monotonic time. */
struct sl_complaint {
    int64_t next_ms;
    int64_t pause_ms;
    int64_t since_ms;
    uint64_t count;
    uint32_t text_hash;
    bool active;
};

/* True if the caller should log this failure now. */
bool sl_complaint_failed(struct sl_complaint *c, const char *text, int64_t now_ms);

/* True if a trouble was active and is over now: log the recovery once. *ret_lasted_ms and
 * *ret_count (either may be NULL) say how long it took and how often it failed. */
bool sl_complaint_succeeded(struct sl_complaint *c, int64_t now_ms, int64_t *ret_lasted_ms,
                            uint64_t *ret_count);

#endif
