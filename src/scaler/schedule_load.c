/* A schedule from its options, with its time zone. */
#include "scaler/options.h"
#include "scaler/schedule.h"

int sl_schedule_load(const struct sl_schedule_options *o, struct sl_schedule *ret,
                     struct sl_error *err) {
    struct sl_schedule_settings settings = {
        .name = o->name,
        .start = o->start,
        .end = o->end,
        .floor = (int32_t)o->min_workers,
        .cap = o->max_workers >= 0 ? (int32_t)o->max_workers : SL_NO_CAP,
    };
    struct sl_timezone *zone = NULL;
    int rc = sl_timezone_load(o->time_zone, &zone, err);

    return rc != SL_OK ? rc : sl_schedule_init(ret, &settings, zone, err);
}
