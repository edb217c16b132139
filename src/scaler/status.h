/* What the scaler of one cluster knows, for the eyes of people: `spacelift-pool status`, `why` and
 * `watch` read it from a file that the controller replaces when something was decided, at most once
 * a second and at least every ten.
 *
 * The file CLUSTER.status in StateDirectory (mode 0600) is text, one JSON object a line: the
 * cluster first, then each of its pools. One object a line, so that a thousand pools are no
 * document too large to hold. A member that is missing is 0, false or ""; members that are not
 * known are to be passed over; `form` is 1 and another number is not to be read. Times are
 * milliseconds since 1970 UTC, 0 is never; sizes are workers, -1 is a poolSize that was never set.
 *
 *   {"form":1,"cluster":"prod","written_ms":1766000000000,"started_ms":1765990000000,"leader":true,
 *    "pools":1}
 *   {"pool":"builds","namespace":"spacelift","worker_pool":"builds","size":3,"actual":3,
 *    "desired":3,"wanted":3,"data":"good","data_age_ms":400,"pending":1,"busy":2,"demand":3,
 *    "spare":0,"floor":1,"cap":5,"unmet":0,"rule":"demand","clamp":"none",
 *    "why":"busy 2 + pending 1 = 3","change_ms":1765999990000,"change_from":1,"change_to":3,
 *    "change_why":"busy 1 + pending 2 = 3"}
 * (no line breaks in the file itself)
 *
 * Pure; any thread. Here is the only home of the names: both sides call these functions. */
#ifndef SL_SCALER_STATUS_H
#define SL_SCALER_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json_writer.h"
#include "base/limits.h"

enum {
    SL_STATUS_WORD_BYTES = 16,
    SL_STATUS_NAME_BYTES = 256,
    SL_STATUS_TEXT_BYTES = 512,
    SL_STATUS_LINE_BYTES = 16384,
};

struct sl_cluster_status {
    char cluster[SL_STATUS_NAME_BYTES];
    int64_t written_ms; /* long ago: the daemon has ended, or hangs */
    int64_t started_ms;
    bool is_leader;                    /* true, too, where there is no election */
    char leader[SL_STATUS_NAME_BYTES]; /* who is, where there is an election */
    char error[SL_STATUS_TEXT_BYTES];  /* of the API server, while it lasts */
    int64_t error_ms;                  /* since when */
    int64_t retry_ms;                  /* the next try */
    int64_t pools;                     /* lines that follow */
};

struct sl_pool_status {
    char pool[SL_LIMIT_NAME_BYTES];            /* its name in Spacelift */
    char kube_namespace[SL_STATUS_NAME_BYTES]; /* "": that of the credentials */
    char worker_pool[SL_STATUS_NAME_BYTES];
    int64_t size;    /* spec.replicas as last read or written */
    int64_t actual;  /* status.replicas likewise */
    int64_t desired; /* what it should be by the last decision; where size differs it is not written
                        yet, or cannot be, or is_shadow */
    int64_t wanted;  /* before the clamp */
    char data[SL_STATUS_WORD_BYTES]; /* sl_data_state_name() */
    int64_t data_age_ms;
    int64_t pending; /* these three are 0 without good data */
    int64_t busy;
    int64_t demand;
    int64_t spare;
    int64_t floor;
    int64_t cap;
    int64_t unmet;                    /* demand above desired */
    char rule[SL_STATUS_WORD_BYTES];  /* sl_rule_name() */
    char clamp[SL_STATUS_WORD_BYTES]; /* sl_clamp_name() */
    char why[SL_STATUS_TEXT_BYTES];   /* the reason in words, one line */
    int64_t next_change_ms;           /* before it the size changes only on new data */
    bool is_shadow;
    bool is_paused;
    int64_t change_ms; /* the last change of size that this scaler made */
    int64_t change_from;
    int64_t change_to;
    char change_why[SL_STATUS_TEXT_BYTES];
    int64_t foreign_ms; /* the last one that somebody else made */
    int64_t foreign_from;
    int64_t foreign_to;
    char alarm[SL_STATUS_TEXT_BYTES];   /* of the watchdog, while it lasts */
    char problem[SL_STATUS_TEXT_BYTES]; /* of annotations that cannot be read */
    char error[SL_STATUS_TEXT_BYTES];   /* of the API server about this pool, while it lasts */
    int64_t error_ms;
    int64_t retry_ms;
    int64_t budget_day_minutes; /* worker-minutes counted today and this month; limits 0: none */
    int64_t budget_day_limit;
    int64_t budget_month_minutes;
    int64_t budget_month_limit;
};

/* One line each, with its newline. */
void sl_status_put_cluster(const struct sl_cluster_status *status, struct sl_buffer *out);
void sl_status_put_pool(const struct sl_pool_status *status, struct sl_buffer *out);

/* The same members into an object that is open. */
void sl_status_write_cluster(const struct sl_cluster_status *status, struct sl_json_writer *w);
void sl_status_write_pool(const struct sl_pool_status *status, struct sl_json_writer *w);

/* A whole file. *ret_pools is freed by the caller with free(), NULL where there is none. SL_PARSE:
 * not a status file, or of another form; the message says which line. */
int sl_status_read(const char *bytes, size_t len, struct sl_cluster_status *ret,
                   struct sl_pool_status **ret_pools, size_t *ret_count,
                   struct sl_error *err) SL_CHECKED;

#endif
