/* The books of a pool, and their values. */
#include "scaler/report.h"

#include <math.h>
#include <string.h>

#include "base/times.h"

static const int64_t bucket_ms[SL_REACTION_BUCKET_COUNT - 1] = {10,  25,   50,   100,  250,
                                                                500, 1000, 2500, 10000};

/* ---- counting ---- */

static bool is_at_cap(const struct sl_decision *d) {
    return d->clamp == SL_CLAMP_MAXIMUM || d->clamp == SL_CLAMP_SCHEDULE ||
           d->clamp == SL_CLAMP_BUDGET;
}

void sl_report_pass(struct sl_pool_report *r, int64_t now_ms) {
    int64_t passed_ms = sl_time_since(now_ms, r->counted_ms);

    if (r->counted_ms != 0 && passed_ms > 0) {
        r->worker_ms += r->size > 0 ? r->size * passed_ms : 0;
        r->at_cap_ms += r->has_decision && is_at_cap(&r->decision) ? passed_ms : 0;
        r->unmet_ms += r->has_decision ? r->decision.unmet * passed_ms : 0;
    }
    if (r->counted_ms == 0 || passed_ms > 0) {
        r->counted_ms = now_ms;
    }
}

void sl_report_reaction(struct sl_pool_report *r, int64_t took_ms) {
    for (size_t i = 0; i < SL_REACTION_BUCKET_COUNT; i++) {
        if (i == SL_REACTION_BUCKET_COUNT - 1 || took_ms <= bucket_ms[i]) {
            r->reactions[i]++;
        }
    }
    r->reaction_sum_ms += took_ms > 0 ? took_ms : 0;
}

static size_t place_of_status(int status) {
    switch (status) {
    case 401:
        return SL_API_ERROR_401;
    case 403:
        return SL_API_ERROR_403;
    case 404:
        return SL_API_ERROR_404;
    case 409:
        return SL_API_ERROR_409;
    case 422:
        return SL_API_ERROR_422;
    case 429:
        return SL_API_ERROR_429;
    default:
        return status >= 500 ? SL_API_ERROR_5XX : SL_API_ERROR_OTHER;
    }
}

static size_t place_of_error(const struct sl_error *why) {
    if (why->http_status >= 400) {
        return place_of_status(why->http_status);
    }
    switch ((int)why->code) {
    case SL_TIMEOUT:
        return SL_API_ERROR_TIMEOUT;
    case SL_TLS:
        return SL_API_ERROR_TLS;
    case SL_IO:
        return SL_API_ERROR_NETWORK;
    case SL_CONFLICT:
        return SL_API_ERROR_409;
    default:
        return SL_API_ERROR_OTHER;
    }
}

void sl_report_api_error(struct sl_pool_report *r, const struct sl_error *why) {
    r->api_errors[place_of_error(why)]++;
}

/* ---- values ---- */

static void put(const struct sl_pool_report *r, const char *type, const double *values,
                const struct sl_values_out *out) {
    const char *id = r->options->worker_pool_id;
    struct sl_values list = {
        .type = sl_catalogue_find(SL_SCALER_PLUGIN, type),
        .plugin_instance = r->options->name,
        .type_instance = id != NULL ? id : "",
        .true_name = r->options->name,
        .values = values,
        .interval_ms = out->interval_ms,
    };

    out->put(out->context, &list);
}

static double size_or_nan(bool is_known, int32_t size) {
    return is_known && size != SL_SIZE_UNSET ? (double)size : NAN;
}

static void put_pool(const struct sl_pool_report *r, const struct sl_values_out *out) {
    const struct sl_decision *d = &r->decision;
    bool is_good = r->has_decision && d->data == SL_DATA_GOOD;
    double values[] = {
        [SL_SCALER_DESIRED] = size_or_nan(r->has_decision, d->size),
        [SL_SCALER_SIZE] = size_or_nan(r->was_ever_read, r->size),
        [SL_SCALER_ACTUAL] = size_or_nan(r->was_ever_read, r->actual),
        [SL_SCALER_DEMAND] = is_good ? (double)d->demand : NAN,
        [SL_SCALER_SPARE] = size_or_nan(is_good, d->spare),
        [SL_SCALER_MIN] = size_or_nan(r->has_decision, d->floor),
        [SL_SCALER_MAX] = size_or_nan(r->has_decision, d->cap),
        [SL_SCALER_UNMET] = is_good ? (double)d->unmet : NAN,
        [SL_SCALER_PAUSED] = r->has_decision && d->rule == SL_RULE_PAUSED,
        [SL_SCALER_FALLBACK] = r->has_decision && d->rule == SL_RULE_FALLBACK,
        [SL_SCALER_BLIND] = r->has_decision && d->data != SL_DATA_GOOD,
        [SL_SCALER_LEADER] = r->is_leader,
        [SL_SCALER_SHADOW] = r->options->is_shadow,
        [SL_SCALER_ALARM] = r->has_alarm,
        [SL_SCALER_STARTUP] = r->has_startup ? (double)r->startup_ms / 1000 : NAN,
    };

    put(r, SL_TYPE_SCALER, values, out);
}

static void put_clamps(const struct sl_pool_report *r, const struct sl_values_out *out) {
    double values[SL_CLAMP_COUNT - 1];

    for (size_t i = 0; i < SL_CLAMP_COUNT - 1; i++) {
        values[i] = r->has_decision && (size_t)r->decision.clamp == i + 1;
    }
    put(r, SL_TYPE_SCALER_CLAMP, values, out);
}

static void put_counts(const struct sl_pool_report *r, const char *type, const uint64_t *counts,
                       size_t count, const struct sl_values_out *out) {
    double values[SL_TYPE_DS_MAX];

    for (size_t i = 0; i < count; i++) {
        values[i] = (double)counts[i];
    }
    put(r, type, values, out);
}

static void put_totals(const struct sl_pool_report *r, const struct sl_values_out *out) {
    double values[] = {
        [SL_SCALER_AT_CAP] = (double)(r->at_cap_ms / 1000),
        [SL_SCALER_UNMET_SECONDS] = (double)(r->unmet_ms / 1000),
        [SL_SCALER_WORKER_MINUTES] = (double)(r->worker_ms / 60000),
        [SL_SCALER_SCALED_OUT] = (double)r->scaled_out,
        [SL_SCALER_SCALED_IN] = (double)r->scaled_in,
        [SL_SCALER_FOREIGN] = (double)r->foreign_changes,
        [SL_SCALER_ALARMS] = (double)r->alarms,
    };

    put(r, SL_TYPE_SCALER_TOTALS, values, out);
}

static void put_reactions(const struct sl_pool_report *r, const struct sl_values_out *out) {
    double values[SL_REACTION_BUCKET_COUNT + 2];

    for (size_t i = 0; i < SL_REACTION_BUCKET_COUNT; i++) {
        values[i] = (double)r->reactions[i];
    }
    values[SL_REACTION_SUM] = (double)r->reaction_sum_ms / 1000;
    values[SL_REACTION_COUNT] = (double)r->reactions[SL_REACTION_BUCKET_COUNT - 1];
    put(r, SL_TYPE_SCALER_REACTION, values, out);
}

void sl_report_values(const struct sl_pool_report *r, const struct sl_values_out *out) {
    put_pool(r, out);
    put_clamps(r, out);
    put_counts(r, SL_TYPE_SCALER_DECISIONS, r->decisions, SL_RULE_COUNT, out);
    put_totals(r, out);
    put_reactions(r, out);
    put_counts(r, SL_TYPE_SCALER_API_ERRORS, r->api_errors, SL_API_ERROR_COUNT, out);
}
