/* A sample of a scrape, with the labels of its target. Pure; any thread. */
#ifndef SL_SCRAPE_SAMPLE_H
#define SL_SCRAPE_SAMPLE_H

#include "format/exposition.h"

/* "exported_" four times and a name; job and instance. */
enum { SL_SCRAPE_LABELS_MAX = SL_EXPOSITION_LABELS_MAX + 2, SL_SCRAPE_NAME_BYTES = 128 };

struct sl_scrape_sample {
    const char *name;
    struct sl_exposition_label labels[SL_SCRAPE_LABELS_MAX];
    size_t label_count;
    double value;
    int64_t time_ms;
    const char *type; /* as in struct sl_exposition_sample */
    const char *help;
    const char *unit;
    int64_t start_ms; /* since when it counts; 0: nothing has been said */

    char renamed[2][SL_SCRAPE_NAME_BYTES]; /* what labels of the target's own names are called */
};

struct sl_scrape_target {
    const char *job;
    const char *instance;
    bool honor_labels;
};

/* Adds job and instance to what was exposed; where that has them, they win with honor_labels, and
 * become exported_job and exported_instance without (Prometheus, scrape_config, honor_labels). */
void sl_scrape_label(const struct sl_scrape_target *target, const struct sl_exposition_sample *from,
                     int64_t time_ms, struct sl_scrape_sample *ret);

/* What tells the sample apart from all others of its target: its name, and a hash of its labels,
 * whatever their order. For a host whose identifiers have no labels; at most size - 1 bytes. */
void sl_scrape_identity(const struct sl_scrape_sample *sample, char *out, size_t size);

/* "host:port" of a URL as it is written. */
void sl_scrape_instance_of(const char *url, char *out, size_t size);

#endif
