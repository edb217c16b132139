/* Since when counters, histograms and summaries of one scrape count: OpenMetrics says so by a
 * sample of its own, NAME_created, which may stand before or behind those that it is about
 * (OpenMetrics 1.0, "Counter", "Histogram", "Summary"). Pure; one thread at a time. */
#ifndef SL_SCRAPE_STARTS_H
#define SL_SCRAPE_STARTS_H

#include "format/exposition.h"

struct sl_scrape_start {
    uint64_t key; /* of the family's name and the labels */
    int64_t time_ms;
};

/* Zeroed: nothing is known. */
struct sl_scrape_starts {
    struct sl_scrape_start *items;
    size_t count;
    size_t room;
};

void sl_scrape_starts_release(struct sl_scrape_starts *s);

/* Notes what the sample says of a start, if it does. Out of memory, it is not noted. */
void sl_scrape_starts_note(struct sl_scrape_starts *s, const struct sl_exposition_sample *sample);

/* After the last note. */
void sl_scrape_starts_sort(struct sl_scrape_starts *s);

/* Milliseconds since the epoch; 0: nothing has been said of it. */
int64_t sl_scrape_starts_of(const struct sl_scrape_starts *s,
                            const struct sl_exposition_sample *sample);

#endif
