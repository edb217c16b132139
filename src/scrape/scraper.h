/* Scrapes one target whenever the host asks for it, on a thread of its own. Failures and recoveries
 * are logged here: once, then seldom.
 *
 * As in Prometheus (scrape/scrape.go): a scrape that fails in any way gives nothing but up 0; each
 * gives up, scrape_duration_seconds and scrape_samples_scraped on top of what the target exposes.
 * Series that a target does not expose any more are not mentioned: that they have ended is found by
 * who keeps them. */
#ifndef SL_SCRAPE_SCRAPER_H
#define SL_SCRAPE_SCRAPER_H

#include "base/log.h"
#include "scrape/options.h"
#include "scrape/sample.h"

struct sl_scraper;

/* Called on the scraper's thread. */
struct sl_scraper_events {
    void (*on_start)(void *context); /* first thing on the thread; may be NULL */
    void (*on_sample)(void *context, const struct sl_scrape_sample *sample);
    void *context;
};

/* Takes the options over, whatever it returns. Reads the files they name; sends nothing, starts no
 * thread. SL_CONFIG, SL_IO. Main thread. */
int sl_scraper_new(struct sl_target_options *options, const struct sl_scraper_events *events,
                   struct sl_log log, struct sl_scraper **ret, struct sl_error *err) SL_CHECKED;
const struct sl_target_options *sl_scraper_options(const struct sl_scraper *s);

int sl_scraper_start(struct sl_scraper *s, struct sl_error *err) SL_CHECKED;

/* Any thread, does not block. While a scrape is under way one more is remembered. */
void sl_scraper_request(struct sl_scraper *s);

/* Scrapes and waits for the end of it. */
int sl_scraper_run(struct sl_scraper *s, struct sl_error *err) SL_CHECKED;

/* Cancels a scrape under way, joins the thread, frees all; milliseconds, whatever hangs. */
void sl_scraper_free(struct sl_scraper *s);

#endif
