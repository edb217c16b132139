/* spacelift-pool check: what is looked at, and what was found. One thread. */
#ifndef SL_PLUGINS_TELEGRAF_CHECK_H
#define SL_PLUGINS_TELEGRAF_CHECK_H

#include "base/log.h"
#include "configuration.h"

enum sl_check_verdict { SL_CHECK_OK, SL_CHECK_SKIPPED, SL_CHECK_WARNING, SL_CHECK_FAILED };

enum { SL_CHECK_AREA_BYTES = 160, SL_CHECK_REMEDY_BYTES = 384 };

struct sl_check_line {
    enum sl_check_verdict verdict;
    char area[SL_CHECK_AREA_BYTES]; /* "Spacelift \"acme\"" */
    char text[SL_ERROR_TEXT_BYTES];
    char remedy[SL_CHECK_REMEDY_BYTES]; /* ""; what to do */
};

/* A pool that an account reports. */
struct sl_check_pool {
    char *id;
    char *name;
    int64_t runs_pending;
    int64_t workers_busy;
};

struct sl_check {
    const struct sl_configuration *configuration;
    char area[SL_CHECK_AREA_BYTES]; /* of what is being looked at */
    struct sl_check_line *lines;
    size_t count;
    struct sl_check_pool *pools; /* of all accounts that could be read */
    size_t pool_count;
    bool has_pools; /* every account could be read */
    bool is_out_of_memory;
};

void sl_check_area(struct sl_check *c, const char *format, ...) SL_PRINTF(2, 3);

/* A line about the present area; remedy may be NULL. */
void sl_check_say(struct sl_check *c, enum sl_check_verdict verdict, const char *remedy,
                  const char *format, ...) SL_PRINTF(4, 5);

/* A sink whose warnings and errors become lines: for what is said about files. */
struct sl_log sl_check_log(struct sl_check *c);

/* Loads the configuration that these arguments mean, looks at all of it, and forgets it again. What
 * SL_CONFIG says is about the configuration itself. */
int sl_check_configuration(struct sl_check *c, const struct sl_arguments *arguments,
                           struct sl_error *err) SL_CHECKED;

/* Is the file that --config names Telegraf's? Then each of its commands that runs this program is
 * looked at in turn. */
bool sl_check_is_telegraf(const char *path);
int sl_check_telegraf(struct sl_check *c, const char *path, struct sl_error *err) SL_CHECKED;

/* Lines about the settings of the table that a command of ours stands in. */
struct sl_dropin_block;
void sl_check_settings(struct sl_check *c, const struct sl_dropin_block *block,
                       const struct sl_arguments *arguments);

void sl_check_accounts(struct sl_check *c);
void sl_check_clusters(struct sl_check *c); /* after the accounts: compares with their pools */
void sl_check_nodes(struct sl_check *c);

#endif
