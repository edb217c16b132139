/* Orders of people, from words. */
#include "scaler/orders.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/civil.h"
#include "base/limits.h"
#include "base/times.h"

static const char ours[] = "collectd-spacelift/";
static const char keda[] = "autoscaling.keda.sh/";

void sl_orders_init(struct sl_orders *orders) {
    *orders = (struct sl_orders){
        .pause_workers = SL_SIZE_UNSET,
        .pause_until_ms = INT64_MAX,
        .floor_until_ms = INT64_MAX,
        .active_until_ms = INT64_MAX,
    };
}

/* ---- words ---- */

static bool read_count(const char *text, int32_t *ret) {
    int64_t number = 0;

    for (; *text >= '0' && *text <= '9' && number <= SL_LIMIT_WORKERS; text++) {
        number = number * 10 + (*text - '0');
        if (text[1] == '\0' && number <= SL_LIMIT_WORKERS) {
            *ret = (int32_t)number;
            return true;
        }
    }
    return false;
}

/* As Go's strconv.ParseBool, which is what KEDA uses; anything else counts as true. */
static bool is_false(const char *value) {
    return strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0 ||
           strcasecmp(value, "f") == 0;
}

static bool is_true(const char *value) {
    static const char *const words[] = {"true", "all", "t", "1", "yes", "on"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(value, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char no_count[] = "it must be a number of workers";

/* made: what is done with it. */
static void complain(struct sl_orders *orders, const char *key, const char *value, const char *made,
                     const char *expected) {
    size_t len = strlen(orders->problem);

    (void)snprintf(orders->problem + len, sizeof orders->problem - len,
                   "%sannotation %.60s is \"%.40s\": %s, %s", len > 0 ? "; " : "", key, value, made,
                   expected);
}

/* ---- annotations ---- */

/* No scale-in and no scale-out, by two annotations, are a pause. */
static void pause(struct sl_orders *orders, enum sl_pause kind, const char *key) {
    orders->pause = orders->pause == SL_PAUSE_NONE || orders->pause == kind ? kind : SL_PAUSE_ALL;
    (void)snprintf(orders->pause_text, sizeof orders->pause_text, "annotation %.100s", key);
}

static void pause_at(struct sl_orders *orders, const char *key, const char *value) {
    pause(orders, SL_PAUSE_ALL, key);
    if (!read_count(value, &orders->pause_workers)) {
        complain(orders, key, value, "paused at the size it has", no_count);
    }
}

static void set_time(struct sl_orders *orders, const char *key, const char *value,
                     int64_t *ret_ms) {
    if (!sl_parse_rfc3339(value, ret_ms)) {
        complain(orders, key, value, "taken for no end",
                 "it must be a time such as 2026-08-20T18:00:00Z");
    }
}

static void set_pause(struct sl_orders *orders, const char *key, const char *value) {
    if (strcasecmp(value, "scale-in") == 0) {
        pause(orders, SL_PAUSE_SCALE_IN, key);
    } else if (strcasecmp(value, "scale-out") == 0) {
        pause(orders, SL_PAUSE_SCALE_OUT, key);
    } else if (!is_false(value) && strcasecmp(value, "none") != 0) {
        pause(orders, SL_PAUSE_ALL, key);
        if (!is_true(value)) {
            complain(orders, key, value, "taken for a pause",
                     "it must be true, scale-in, scale-out or false");
        }
    }
}

static void set_floor(struct sl_orders *orders, const char *key, const char *value) {
    if (read_count(value, &orders->floor)) {
        (void)snprintf(orders->floor_text, sizeof orders->floor_text, "annotation %.100s", key);
    } else {
        complain(orders, key, value, "ignored", no_count);
    }
}

static void add_ours(struct sl_orders *orders, const char *word, const char *key,
                     const char *value) {
    if (strcmp(word, "pause") == 0) {
        set_pause(orders, key, value);
    } else if (strcmp(word, "pause-workers") == 0) {
        pause_at(orders, key, value);
    } else if (strcmp(word, "pause-until") == 0) {
        set_time(orders, key, value, &orders->pause_until_ms);
    } else if (strcmp(word, "min-workers") == 0) {
        set_floor(orders, key, value);
    } else if (strcmp(word, "min-workers-until") == 0) {
        set_time(orders, key, value, &orders->floor_until_ms);
    } else if (strcmp(word, "force-activation") == 0) {
        orders->is_forced_active = !is_false(value);
    } else if (strcmp(word, "force-activation-until") == 0) {
        set_time(orders, key, value, &orders->active_until_ms);
    } else {
        complain(orders, key, value, "ignored", "there is no such annotation");
    }
}

static void add_keda(struct sl_orders *orders, const char *word, const char *key,
                     const char *value) {
    if (strcmp(word, "paused-replicas") == 0) {
        pause_at(orders, key, value);
    } else if (strcmp(word, "paused") == 0 && !is_false(value)) {
        pause(orders, SL_PAUSE_ALL, key);
    } else if (strcmp(word, "paused-scale-in") == 0 && !is_false(value)) {
        pause(orders, SL_PAUSE_SCALE_IN, key);
    } else if (strcmp(word, "paused-scale-out") == 0 && !is_false(value)) {
        pause(orders, SL_PAUSE_SCALE_OUT, key);
    } else if (strcmp(word, "force-activation") == 0) {
        orders->is_forced_active = !is_false(value);
    }
}

void sl_orders_add_annotation(struct sl_orders *orders, const char *key, const char *value) {
    if (strncmp(key, ours, sizeof ours - 1) == 0) {
        add_ours(orders, key + sizeof ours - 1, key, value);
    } else if (strncmp(key, keda, sizeof keda - 1) == 0) {
        add_keda(orders, key + sizeof keda - 1, key, value);
    }
}

/* ---- in force ---- */

/* Orders add up: what an option forbids no annotation allows, and of two paused sizes the later one
 * counts. */
static void apply_pause(const struct sl_orders *orders, struct sl_conditions *c) {
    bool is_all = orders->pause == SL_PAUSE_ALL;

    if (is_all && (!c->is_paused || orders->pause_workers != SL_SIZE_UNSET)) {
        c->paused_size = orders->pause_workers;
    }
    if (is_all || !c->is_paused) {
        c->order_text = orders->pause_text;
    }
    c->is_paused = c->is_paused || is_all;
    c->is_scale_in_forbidden = c->is_scale_in_forbidden || orders->pause == SL_PAUSE_SCALE_IN;
    c->is_scale_out_forbidden = c->is_scale_out_forbidden || orders->pause == SL_PAUSE_SCALE_OUT;
}

int64_t sl_orders_apply(const struct sl_orders *orders, int64_t realtime_ms,
                        struct sl_conditions *c) {
    int64_t next_ms = INT64_MAX;

    if (orders->pause != SL_PAUSE_NONE && realtime_ms < orders->pause_until_ms) {
        apply_pause(orders, c);
        next_ms = orders->pause_until_ms;
    }
    if (orders->floor > c->floor && realtime_ms < orders->floor_until_ms) {
        c->floor = orders->floor;
        c->is_floor_ordered = true;
        c->floor_text = orders->floor_text;
        next_ms = sl_time_earlier(next_ms, orders->floor_until_ms);
    }
    if (orders->is_forced_active && realtime_ms < orders->active_until_ms) {
        c->is_forced_active = true;
        next_ms = sl_time_earlier(next_ms, orders->active_until_ms);
    }
    return next_ms;
}
