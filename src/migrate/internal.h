/* Shared by the files of the migration. */
#ifndef SL_MIGRATE_INTERNAL_H
#define SL_MIGRATE_INTERNAL_H

#include "migrate/migrate.h"

/* What a query counts, as far as it can be told without being Prometheus. */
struct sl_query_facts {
    bool has_pending;    /* spacelift_worker_pool_runs_pending */
    bool has_busy;       /* spacelift_worker_pool_workers_busy */
    bool has_public;     /* a series of the public worker pool */
    bool has_pool_regex; /* worker_pool_name=~"..." */
    bool is_aggregated;  /* sum, max ...: one series comes out, whatever goes in */
    bool has_vector_or;  /* "or vector(0)": no data reads as a number */
    char over_time[32];  /* "max_over_time"; "": none */
    int64_t range_ms;    /* of [5m]; 0: none */
    char pool_name[SL_SETTING_VALUE_BYTES]; /* "": not named */
    char pool_id[SL_SETTING_VALUE_BYTES];
};

void sl_query_scan(const char *query, struct sl_query_facts *ret);

/* "5m", "1h30m", in ms; -1 where it is none (prometheus/common model/time.go ParseDuration). */
int64_t sl_query_duration_ms(const char *text, size_t len);

void sl_migration_find(struct sl_migration *m, enum sl_finding_kind kind, const char *field,
                       const char *format, ...) SL_PRINTF(4, 5);
void sl_migration_set(struct sl_migration *m, bool is_quirk, const char *option, const char *note,
                      const char *format, ...) SL_PRINTF(5, 6);

/* A number of an object's member, however it is written ("1.0", 1, true is none). */
bool sl_migration_number(const struct sl_json *value, double *ret);
const char *sl_migration_text(const struct sl_json *object, const char *key, const char *fallback);

/* What both kinds of object share: whom they scale, what they count, how fast. */
int sl_migration_target(struct sl_migration *m, const struct sl_json *object,
                        const struct sl_json *target, struct sl_error *err);
void sl_migration_pool(struct sl_migration *m, const char *worker_pool, const char *name,
                       const char *id);
/* `of`: what is one value of the metric worth? A metric of `per_worker` is one worker. */
void sl_migration_ratio(struct sl_migration *m, const char *field, double per_worker);
void sl_migration_query(struct sl_migration *m, const char *field, const char *query,
                        struct sl_query_facts *ret);
/* The HPA's own rules. behavior may be NULL, which is not the same as empty. */
void sl_migration_behavior(struct sl_migration *m, const char *path, const struct sl_json *behavior,
                           int64_t min_workers, int64_t max_workers);

bool sl_migration_is_made_by_keda(const struct sl_json *object);

int sl_migrate_hpa(const struct sl_json *object, struct sl_migration *m, struct sl_error *err);
int sl_migrate_keda(const struct sl_json *object, struct sl_migration *m, struct sl_error *err);

#endif
