/* Scrapes one target on a thread of its own. */
#include "scrape/scraper.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/identity.h"
#include "os/clock.h"
#include "os/errand.h"
#include "scrape/starts.h"

enum { INSTANCE_BYTES = 512, SECONDS_BYTES = 32 };

/* Plain text first: its times are whole milliseconds. */
static const char accept_value[] =
    "text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1";

struct sl_scraper {
    struct sl_target_options options;
    struct sl_scraper_events events;
    struct sl_log log;
    struct sl_errand *errand;
    struct sl_identity identity;
    struct sl_http *http;
    struct sl_transport transport;
    struct sl_scrape_target target;
    struct sl_complaint trouble;
    char instance[INSTANCE_BYTES];
};

/* ---- one scrape ---- */

/* What is on its way from the text to the host. */
struct delivery {
    struct sl_scraper *scraper;
    int64_t begun_ms; /* wall clock */
    int64_t count;
    struct sl_scrape_starts starts;
};

static int count_sample(void *context, const struct sl_exposition_sample *sample,
                        struct sl_error *err) {
    struct delivery *d = context;
    int64_t max = d->scraper->options.max_samples;
    sl_scrape_starts_note(&d->starts, sample);
    if (++d->count <= max)
        return SL_OK;
    return sl_fail(err, SL_TOOBIG, "there are more than %lld samples (MaxSamples)", (long long)max);
}

static int deliver_sample(void *context, const struct sl_exposition_sample *from,
                          struct sl_error *err) {
    const struct delivery *d = context;
    struct sl_scrape_sample sample;
    (void)err;
    bool has_time = from->has_time && d->scraper->options.honor_timestamps;
    sl_scrape_label(&d->scraper->target, from, has_time ? from->time_ms : d->begun_ms, &sample);
    sample.start_ms = sl_scrape_starts_of(&d->starts, from);
    d->scraper->events.on_sample(d->scraper->events.context, &sample);
    return SL_OK;
}

static void deliver_own(struct delivery *d, const char *name, double value, const char *unit,
                        const char *help) {
    const struct sl_exposition_sample sample = {
        .name = name, .value = value, .type = "gauge", .unit = unit, .help = help};
    (void)deliver_sample(d, &sample, NULL);
}

static int get_once(struct sl_scraper *s, struct sl_http_response *response, struct sl_error *err) {
    const struct sl_target_options *o = &s->options;
    char seconds[SECONDS_BYTES];
    snprintf(seconds, sizeof(seconds), "%g", (double)o->http.timeout_ms / 1000);
    struct sl_http_request request = {
        .method = "GET",
        .url = o->url,
        .headers = {{"Accept", accept_value}, {"X-Prometheus-Scrape-Timeout-Seconds", seconds}},
        .max_body_bytes = (size_t)o->max_body_bytes,
    };
    sl_identity_sign(&s->identity, &o->http, &request);
    return s->transport.perform(s->transport.self, &request, response, NULL, err);
}

static int get(struct sl_scraper *s, struct sl_http_response *response, struct sl_error *err) {
    sl_identity_refresh(&s->identity);
    int code = get_once(s, response, err);
    if (code == SL_OK && (response->status == 401 || response->status == 403) &&
        sl_identity_has_changed(&s->identity))
        code = get_once(s, response, err);
    return code == SL_OK ? sl_http_check_status(response, err) : code;
}

/* The text is read twice: nothing is delivered of one that is not good to its end. */
static int scrape(struct sl_scraper *s, struct delivery *d, struct sl_error *err) {
    struct sl_http_response response;
    sl_http_response_init(&response);
    int code = get(s, &response, err);
    if (code == SL_OK) {
        enum sl_exposition_form form = sl_exposition_form_of(response.content_type);
        const struct sl_buffer *body = &response.body;
        code = sl_exposition_read(body->data, body->len, form, count_sample, d, err);
        sl_scrape_starts_sort(&d->starts);
        if (code == SL_OK)
            code = sl_exposition_read(body->data, body->len, form, deliver_sample, d, err);
        sl_scrape_starts_release(&d->starts);
    }
    sl_http_response_release(&response);
    return code;
}

static void report(struct sl_scraper *s, int code, const struct sl_error *failure) {
    int64_t now_ms = sl_clock_monotonic_ms(), lasted_ms = 0;
    if (code == SL_CANCELED)
        return;
    if (code != SL_OK && sl_complaint_failed(&s->trouble, sl_code_name(failure->code), now_ms))
        sl_log(&s->log, SL_LOG_WARNING, "target \"%s\": cannot scrape %s: %s", s->options.name,
               s->options.url, failure->text);
    if (code == SL_OK && sl_complaint_succeeded(&s->trouble, now_ms, &lasted_ms, NULL))
        sl_log(&s->log, SL_LOG_NOTICE, "target \"%s\": is scraped again after %lld s",
               s->options.name, (long long)(lasted_ms / 1000));
}

static int run(void *context, struct sl_error *err) {
    struct sl_scraper *s = context;
    struct delivery d = {.scraper = s, .begun_ms = sl_clock_realtime_ms()};
    struct sl_error failure = SL_ERROR_INIT;
    int64_t begun_ns = sl_clock_monotonic_ns();
    int code = scrape(s, &d, &failure);
    double seconds = (double)(sl_clock_monotonic_ns() - begun_ns) / 1e9;
    report(s, code, &failure);
    if (code != SL_OK && err != NULL)
        *err = failure;
    if (code == SL_CANCELED)
        return code;
    deliver_own(&d, "up", code == SL_OK, "", "Whether the last scrape of the target worked.");
    deliver_own(&d, "scrape_duration_seconds", seconds, "seconds", "Time the last scrape took.");
    deliver_own(&d, "scrape_samples_scraped", code == SL_OK ? (double)d.count : 0, "",
                "Samples that the target exposed.");
    return code;
}

/* ---- life cycle ---- */

static void on_start(void *context) {
    const struct sl_scraper *s = context;
    if (s->events.on_start != NULL)
        s->events.on_start(s->events.context);
}

static int open_http(struct sl_scraper *s, struct sl_error *err) {
    const struct sl_target_options *o = &s->options;
    const struct sl_identity_file files[SL_IDENTITY_SECRETS] = {
        [SL_IDENTITY_PASSWORD] = {"PasswordFile", o->http.password_file},
        [SL_IDENTITY_TOKEN] = {"BearerTokenFile", o->http.bearer_token_file},
    };
    int code = sl_identity_init(&s->identity, files, s->log, err);
    if (code == SL_OK)
        code = sl_identity_open(&o->http, false, &s->log, sl_errand_stop_signal(s->errand),
                                &s->http, err);
    if (code != SL_OK)
        return code;
    s->transport = sl_http_transport(s->http);
    sl_identity_warn(&o->http, &s->log, "target", o->name);
    return SL_OK;
}

int sl_scraper_new(struct sl_target_options *options, const struct sl_scraper_events *events,
                   struct sl_log log, struct sl_scraper **ret, struct sl_error *err) {
    struct sl_scraper *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        sl_target_options_release(options);
        return sl_fail(err, SL_NOMEM, "out of memory for a target");
    }
    s->options = *options;
    *options = (struct sl_target_options){.name = NULL};
    s->events = *events;
    s->log = log;
    sl_scrape_instance_of(s->options.url, s->instance, sizeof(s->instance));
    s->target = (struct sl_scrape_target){
        .job = s->options.job != NULL ? s->options.job : s->options.name,
        .instance = s->options.instance != NULL ? s->options.instance : s->instance,
        .honor_labels = s->options.honor_labels,
    };
    struct sl_errand_work work = {"sl-scrape", on_start, run, s};
    int code = sl_http_options_check(&s->options.http, err);
    if (code == SL_OK)
        code = sl_errand_new(&work, &s->errand, err);
    if (code == SL_OK)
        code = open_http(s, err);
    if (code != SL_OK)
        sl_scraper_free(s);
    else
        *ret = s;
    return code;
}

const struct sl_target_options *sl_scraper_options(const struct sl_scraper *s) {
    return &s->options;
}

int sl_scraper_start(struct sl_scraper *s, struct sl_error *err) {
    return sl_errand_start(s->errand, err);
}

void sl_scraper_request(struct sl_scraper *s) {
    sl_errand_request(s->errand);
}

int sl_scraper_run(struct sl_scraper *s, struct sl_error *err) {
    return sl_errand_run(s->errand, err);
}

void sl_scraper_free(struct sl_scraper *s) {
    if (s == NULL)
        return;
    if (s->errand != NULL)
        sl_errand_end(s->errand);
    sl_http_free(s->http);
    sl_identity_release(&s->identity);
    sl_errand_free(s->errand);
    sl_target_options_release(&s->options);
    free(s);
}
