/* What an operator writes for the scaler: the plugin's block with its clusters and pools. The
 * tables are the only home of names, defaults, ranges and help; the manual and the example files
 * are printed from them. No I/O. Main thread. */
#ifndef SL_SCALER_OPTIONS_H
#define SL_SCALER_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/config_item.h"
#include "base/option.h"
#include "scaler/orders.h"
#include "scaler/policy.h"

/* <Plugin workerpool_scaler> with <Cluster "prod"> and <Pool "name in Spacelift"> inside. */
extern const struct sl_option_block sl_scaler_plugin_block;
extern const struct sl_option_block sl_scaler_cluster_block;
extern const struct sl_option_block sl_scaler_pool_block;
extern const struct sl_option_block sl_scaler_schedule_block; /* these two in a pool's */
extern const struct sl_option_block sl_scaler_notification_block;

struct sl_cluster_options {
    char *name;
    char *kube_config; /* NULL: the credentials of the pod this runs in */
    char *context;     /* NULL: the file's current-context */
    int64_t timeout_ms;
    int64_t exec_timeout_ms;
    bool has_events;
    bool has_election;
    char *lease_name;
    char *lease_namespace; /* NULL: that of the credentials */
    int64_t lease_duration_ms;
    int64_t renew_deadline_ms;
    int64_t retry_period_ms;
};

struct sl_schedule_options {
    char *name;
    char *start;
    char *end;
    char *time_zone;
    int64_t min_workers;
    int64_t max_workers; /* -1: no cap */
};

struct sl_step_options {
    int64_t workers;
    int64_t percent;
    int64_t period_ms;
    int select; /* enum sl_step_select */
};

/* <Notification "name">; texts that are NULL fit any. */
struct sl_alarm_options {
    char *name;
    char *host;
    char *plugin;
    char *plugin_instance;
    char *type;
    char *type_instance;
    int64_t warning_min_workers;
    int64_t failure_min_workers;
    int64_t warning_add_workers;
    int64_t failure_add_workers;
    int64_t step_period_ms;
    int64_t expires_ms; /* 0: never */
};

struct sl_pool_options {
    char *name;           /* in Spacelift */
    char *cluster;        /* NULL: the only one; set by sl_scaler_config_check() */
    size_t cluster_index; /* likewise */
    char *kube_namespace; /* NULL: that of the kubeconfig's context, or of the pod */
    char *worker_pool;    /* of the resource; set to name by sl_scaler_config_check() if left out */
    char *worker_pool_id; /* NULL: whichever pool has the name */
    int64_t min_workers;
    int64_t max_workers;
    int demand_from; /* enum sl_demand_rule */
    int64_t drift_detection_weight_percent;
    int64_t blocked_weight_percent;
    int64_t runs_per_worker;
    int64_t target_utilization_percent;
    int spare_rule; /* enum sl_spare_rule */
    int64_t spare_workers;
    int64_t spare_quantile_percent;
    int64_t startup_ms;
    int64_t idle_workers; /* -1: not set */
    int64_t activation_threshold;
    int64_t cooldown_ms;
    int64_t scale_out_window_ms;
    int64_t scale_in_window_ms;
    struct sl_step_options scale_out;
    struct sl_step_options scale_in;
    int64_t max_jump;
    int64_t new_worker_grace_ms;
    int64_t stale_after_ms; /* 0: see struct sl_policy */
    int fallback;           /* enum sl_fallback_mode */
    int64_t fallback_workers;
    int64_t fallback_failures;
    int64_t fallback_after_ms;
    int pause;             /* enum sl_pause */
    int64_t pause_workers; /* -1: not set */
    char *pause_until;
    int64_t boost_workers; /* 0: none */
    char *boost_until;
    bool is_forced_active;
    char *active_until;
    bool is_shadow;
    bool is_shadow_dry_run;
    int64_t budget_day_minutes;
    int64_t budget_month_minutes;
    int64_t budget_workers; /* -1: MinWorkers */
    char *budget_time_zone;
    int foreign_size; /* enum sl_foreign_rule */
    int64_t foreign_hold_ms;
    int64_t converge_timeout_ms; /* 0: never */
    struct sl_schedule_options **schedules;
    size_t schedule_count;
    struct sl_alarm_options **notifications;
    size_t notification_count;
};

/* All zero is an empty configuration. */
struct sl_scaler_config {
    char *state_directory;       /* NULL: nothing outlives a restart */
    int64_t publish_interval_ms; /* 0: no values are published */
    struct sl_cluster_options **clusters;
    size_t cluster_count;
    struct sl_pool_options **pools;
    size_t pool_count;
};

/* A new entry with its defaults, owned by config; fill it through the block's table. SL_CONFIG:
 * the name is empty, or taken. */
int sl_scaler_config_add_cluster(struct sl_scaler_config *config, const char *name,
                                 struct sl_cluster_options **ret, struct sl_error *err) SL_CHECKED;
int sl_scaler_config_add_pool(struct sl_scaler_config *config, const char *name,
                              struct sl_pool_options **ret, struct sl_error *err) SL_CHECKED;

int sl_pool_options_add_schedule(struct sl_pool_options *pool, const char *name,
                                 struct sl_schedule_options **ret, struct sl_error *err) SL_CHECKED;

/* Adds what a <Plugin workerpool_scaler> block holds. May be called for several. */
int sl_scaler_config_read(struct sl_scaler_config *config, const struct sl_config_item *item,
                          struct sl_error *err) SL_CHECKED;

int sl_pool_options_add_notification(struct sl_pool_options *pool, const char *name,
                                     struct sl_alarm_options **ret,
                                     struct sl_error *err) SL_CHECKED;

/* All has been read: does it fit together? Without a <Cluster> one is made that uses the
 * credentials of the pod. SL_CONFIG names the pool, the options and what to do. May be called
 * again after more has been added. */
int sl_scaler_config_check(struct sl_scaler_config *config, struct sl_error *err) SL_CHECKED;

/* For a run that must leave no trace: every pool a shadow, no Lease, nothing kept. */
void sl_scaler_config_rehearse(struct sl_scaler_config *config);

void sl_scaler_config_release(struct sl_scaler_config *config);

void sl_pool_options_free(struct sl_pool_options *pool);
void sl_pool_options_free_parts(struct sl_pool_options *pool); /* for options_pool.c alone */

/* What the options order. SL_CONFIG: a time that cannot be read. */
int sl_pool_orders(const struct sl_pool_options *pool, struct sl_orders *ret,
                   struct sl_error *err) SL_CHECKED;

/* The part of the options that decide() needs. */
struct sl_policy sl_pool_policy(const struct sl_pool_options *pool);

#endif
