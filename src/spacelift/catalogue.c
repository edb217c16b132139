/* The table behind spacelift/catalogue.h. */
#include "spacelift/catalogue.h"

const char SL_TYPE_WORKER_POOL[] = "worker_pool";
const char SL_TYPE_PUBLIC_WORKER_POOL[] = "public_worker_pool";
const char SL_TYPE_WORKER_POOL_QUEUE[] = "worker_pool_queue";
const char SL_TYPE_WORKER_POOL_WAIT[] = "worker_pool_wait";
const char SL_TYPE_WORKER_POOL_RUNS_BY_TYPE[] = "worker_pool_runs_by_type";
const char SL_TYPE_WORKER_POOL_RUNS_BY_STATE[] = "worker_pool_runs_by_state";
const char SL_TYPE_WORKER_POOL_SCHEDULABLE[] = "worker_pool_schedulable";
const char SL_TYPE_WORKER_POOL_WORKERS[] = "worker_pool_workers";
const char SL_TYPE_WORKER_POOL_WORKERS_BY_METADATA[] = "worker_pool_workers_by_metadata";
const char SL_TYPE_BILLING_PERIOD[] = "billing_period";
const char SL_TYPE_BILLING_DETAILS[] = "billing_details";
const char SL_TYPE_ACCOUNT_SEATS[] = "account_seats";
const char SL_TYPE_STACKS_BY_STATE[] = "current_stacks_count_by_state";
const char SL_TYPE_RESOURCES_BY_DRIFT[] = "current_resources_count_by_drift";
const char SL_TYPE_AVG_STACK_SIZE[] = "current_avg_stack_size";
const char SL_TYPE_RUN_DURATION[] = "current_run_duration";
const char SL_TYPE_API_COLLECTOR[] = "api_collector";
const char SL_TYPE_API_SCRAPE[] = "api_scrape";
const char SL_TYPE_BUILD_INFO[] = "build_info";
const char SL_TYPE_SCALER[] = "worker_pool_scaler";
const char SL_TYPE_SCALER_CLAMP[] = "worker_pool_clamp";
const char SL_TYPE_SCALER_DECISIONS[] = "worker_pool_decisions";
const char SL_TYPE_SCALER_TOTALS[] = "worker_pool_scaling";
const char SL_TYPE_SCALER_REACTION[] = "worker_pool_reaction";
const char SL_TYPE_SCALER_API_ERRORS[] = "worker_pool_api_errors";
const char SL_TYPE_REMOTE_WRITE_SAMPLES[] = "remote_write_samples";
const char SL_TYPE_REMOTE_WRITE_NODE[] = "remote_write_node";

#define GAUGE(ds, prometheus, unit, help)                                                          \
    { ds, SL_METRIC_GAUGE, prometheus, unit, help, NULL, NULL }
#define LABELLED(ds, prometheus, unit, help, label, value)                                         \
    { ds, SL_METRIC_GAUGE, prometheus, unit, help, label, value }

/* Who a pool is: its identifier is HOST/spacelift-NAME/TYPE-ID. */
#define OF_A_POOL                                                                                  \
    .plugin = SL_SPACELIFT_PLUGIN, .plugin_label = SL_LABEL_WORKER_POOL_NAME,                      \
    .type_labels = {SL_LABEL_WORKER_POOL_ID}
/* HOST/spacelift/TYPE; of a second account HOST/spacelift-ACCOUNT/TYPE. */
#define OF_AN_ACCOUNT .plugin = SL_SPACELIFT_PLUGIN, .plugin_label = SL_LABEL_ACCOUNT

#define WAIT_BUCKET(ds, le)                                                                        \
    LABELLED(ds, "spacelift_worker_pool_run_wait_seconds_bucket", "runs",                          \
             "Runs that wait for a worker now and have waited no longer than le seconds.", "le",   \
             le)
#define RUNS_BY_TYPE(ds, value)                                                                    \
    LABELLED(ds, "spacelift_worker_pool_runs_waiting_by_type", "runs",                             \
             "Runs that wait for a worker of this pool, by type of run.", "type", value)
#define RUNS_BY_STATE(ds, value)                                                                   \
    LABELLED(ds, "spacelift_worker_pool_runs_by_state", "runs",                                    \
             "Runs in the queue of this pool, those in progress included, by state.", "state",     \
             value)

#define COUNTER(ds, prometheus, unit, help)                                                        \
    { ds, SL_METRIC_DERIVE, prometheus, unit, help, NULL, NULL }
#define COUNTED(ds, prometheus, unit, help, label, value)                                          \
    { ds, SL_METRIC_DERIVE, prometheus, unit, help, label, value }
/* HOST/workerpool_scaler-NAME/TYPE; TYPE-ID where the pool is configured by its ID. */
#define OF_A_SCALED_POOL                                                                           \
    .plugin = SL_SCALER_PLUGIN, .plugin_label = SL_LABEL_WORKER_POOL_NAME,                         \
    .type_labels = {SL_LABEL_WORKER_POOL_ID}
#define CLAMP(value)                                                                               \
    LABELLED(value, "spacelift_scaler_clamped", "boolean",                                         \
             "1 for the limit that bends the size now.", "clamp", value)
#define DECISIONS(value)                                                                           \
    COUNTED(value, "spacelift_scaler_decisions_total", "decisions",                                \
            "Decisions, by the rule that named the size.", "rule", value)
#define REACTION(ds, value)                                                                        \
    COUNTED(ds, "spacelift_scaler_reaction_seconds_bucket", "changes",                             \
            "From the answer of Spacelift that shows a need to the write accepted by the API "     \
            "server.",                                                                             \
            "le", value)
#define API_ERROR(ds, value)                                                                       \
    COUNTED(ds, "spacelift_scaler_api_errors_total", "errors",                                     \
            "Requests to the API server that failed, by status or kind.", "code", value)

static const struct sl_metric_type types[] = {
    {
        OF_A_POOL,
        .name = SL_TYPE_WORKER_POOL,
        .count = 4,
        .metrics =
            {
                [SL_POOL_RUNS_PENDING] = GAUGE("runs_pending", "spacelift_worker_pool_runs_pending",
                                               "runs", "Runs that wait for a worker of this pool."),
                [SL_POOL_WORKERS_BUSY] = GAUGE("workers_busy", "spacelift_worker_pool_workers_busy",
                                               "workers", "Workers of this pool that hold a run."),
                [SL_POOL_WORKERS] =
                    GAUGE("workers", "spacelift_worker_pool_workers", "workers",
                          "Workers registered in this pool, drained ones included."),
                [SL_POOL_WORKERS_DRAINED] =
                    GAUGE("workers_drained", "spacelift_worker_pool_workers_drained", "workers",
                          "Workers of this pool that take no new run; one may still be busy."),
            },
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_PUBLIC_WORKER_POOL,
        .count = 3,
        .metrics =
            {
                [SL_PUBLIC_RUNS_PENDING] =
                    GAUGE("runs_pending", "spacelift_public_worker_pool_runs_pending", "runs",
                          "Runs that wait for a public worker."),
                [SL_PUBLIC_WORKERS_BUSY] =
                    GAUGE("workers_busy", "spacelift_public_worker_pool_workers_busy", "workers",
                          "Public workers that hold a run of this account."),
                [SL_PUBLIC_PARALLELISM] =
                    GAUGE("parallelism", "spacelift_public_worker_pool_parallelism", "runs",
                          "Most runs of this account that may hold a public worker at once."),
            },
    },
    {
        OF_A_POOL,
        .name = SL_TYPE_WORKER_POOL_QUEUE,
        .count = 6,
        .metrics =
            {
                [SL_QUEUE_WAITING] =
                    GAUGE("waiting", "spacelift_worker_pool_runs_waiting", "runs",
                          "Runs of this pool that are ready and lack nothing but a worker."),
                [SL_QUEUE_BLOCKED] = GAUGE("blocked", "spacelift_worker_pool_runs_blocked", "runs",
                                           "Runs in the queue of this pool that are not ready: a "
                                           "stack lock, an approval or a dependency holds them."),
                [SL_QUEUE_NEEDS_APPROVAL] =
                    GAUGE("needs_approval", "spacelift_worker_pool_runs_needing_approval", "runs",
                          "Those of the blocked runs that wait for an approval."),
                [SL_QUEUE_DRIFT_DETECTION] =
                    GAUGE("drift_detection", "spacelift_worker_pool_runs_waiting_drift_detection",
                          "runs", "Those of the waiting runs that are drift detection."),
                [SL_QUEUE_PRIORITIZED] =
                    GAUGE("prioritized", "spacelift_worker_pool_runs_waiting_prioritized", "runs",
                          "Those of the waiting runs that somebody or a policy put first."),
                [SL_QUEUE_IN_PROGRESS] =
                    GAUGE("in_progress", "spacelift_worker_pool_runs_in_progress", "runs",
                          "Runs in the queue of this pool that have begun and have not ended."),
            },
    },
    {
        OF_A_POOL,
        .name = SL_TYPE_WORKER_POOL_WAIT,
        .count = SL_WAIT_BUCKETS + SL_WAIT_BUCKET_COUNT,
        .metrics =
            {
                [SL_WAIT_OLDEST] =
                    GAUGE("oldest", "spacelift_worker_pool_oldest_run_wait_seconds", "seconds",
                          "How long the run that has waited longest has been ready for a worker; "
                          "0 where none waits."),
                [SL_WAIT_BUCKETS] = WAIT_BUCKET("le_15", "15"),
                WAIT_BUCKET("le_60", "60"),
                WAIT_BUCKET("le_300", "300"),
                WAIT_BUCKET("le_900", "900"),
                WAIT_BUCKET("le_3600", "3600"),
                WAIT_BUCKET("le_inf", "+Inf"),
            },
    },
    {
        OF_A_POOL,
        .name = SL_TYPE_WORKER_POOL_RUNS_BY_TYPE,
        .count = 6,
        .metrics =
            {
                RUNS_BY_TYPE("proposed", "PROPOSED"),
                RUNS_BY_TYPE("tracked", "TRACKED"),
                RUNS_BY_TYPE("task", "TASK"),
                RUNS_BY_TYPE("testing", "TESTING"),
                RUNS_BY_TYPE("destroy", "DESTROY"),
                RUNS_BY_TYPE("other", "OTHER"),
            },
    },
    {
        OF_A_POOL,
        .name = SL_TYPE_WORKER_POOL_RUNS_BY_STATE,
        .count = 12,
        .metrics =
            {
                RUNS_BY_STATE("queued", "QUEUED"),
                RUNS_BY_STATE("pending_review", "PENDING_REVIEW"),
                RUNS_BY_STATE("ready", "READY"),
                RUNS_BY_STATE("preparing", "PREPARING"),
                RUNS_BY_STATE("initializing", "INITIALIZING"),
                RUNS_BY_STATE("planning", "PLANNING"),
                RUNS_BY_STATE("unconfirmed", "UNCONFIRMED"),
                RUNS_BY_STATE("confirmed", "CONFIRMED"),
                RUNS_BY_STATE("preparing_apply", "PREPARING_APPLY"),
                RUNS_BY_STATE("applying", "APPLYING"),
                RUNS_BY_STATE("performing", "PERFORMING"),
                RUNS_BY_STATE("other", "OTHER"),
            },
    },
    {
        OF_A_POOL,
        .name = SL_TYPE_WORKER_POOL_SCHEDULABLE,
        .count = 1,
        .metrics =
            {
                GAUGE("runs_schedulable", "spacelift_worker_pool_runs_schedulable", "runs",
                      "Runs in the queue of this pool as Spacelift counts them, which may include "
                      "those in progress: not to be added to the busy workers."),
            },
    },
    {
        OF_A_POOL,
        .name = SL_TYPE_WORKER_POOL_WORKERS,
        .count = 4,
        .metrics =
            {
                [SL_WORKERS_IDLE] =
                    GAUGE("idle", "spacelift_worker_pool_workers_idle", "workers",
                          "Workers of this pool that hold no run and may take one."),
                [SL_WORKERS_DRAINING] = GAUGE("draining", "spacelift_worker_pool_workers_draining",
                                              "workers", "Drained workers that still hold a run."),
                [SL_WORKERS_AGE_NEWEST] =
                    GAUGE("age_newest", "spacelift_worker_pool_newest_worker_age_seconds",
                          "seconds", "Time since the newest worker of this pool registered."),
                [SL_WORKERS_AGE_OLDEST] =
                    GAUGE("age_oldest", "spacelift_worker_pool_oldest_worker_age_seconds",
                          "seconds", "Time since the oldest worker of this pool registered."),
            },
    },
    {
        .plugin = SL_SPACELIFT_PLUGIN,
        .name = SL_TYPE_WORKER_POOL_WORKERS_BY_METADATA,
        .plugin_label = SL_LABEL_WORKER_POOL_NAME,
        .type_labels = {SL_LABEL_WORKER_POOL_ID, "metadata_value"},
        .count = 1,
        .metrics =
            {
                GAUGE("workers", "spacelift_worker_pool_workers_by_metadata", "workers",
                      "Workers of this pool by the value of the metadata key that is configured."),
            },
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_BILLING_PERIOD,
        .count = 5,
        .metrics =
            {
                [SL_BILLING_START] =
                    GAUGE("start", "spacelift_current_billing_period_start_timestamp_seconds",
                          "seconds", "Start of the current billing period, Unix time."),
                [SL_BILLING_END] =
                    GAUGE("end", "spacelift_current_billing_period_end_timestamp_seconds",
                          "seconds",
                          "End of the current billing period, Unix time."),
                [SL_BILLING_USED_PRIVATE] =
                    GAUGE("used_private", "spacelift_current_billing_period_used_private_seconds",
                          "seconds",
                          "Run time on private workers in the billing period; whole minutes."),
                [SL_BILLING_USED_PUBLIC] =
                    GAUGE("used_public", "spacelift_current_billing_period_used_public_seconds",
                          "seconds",
                          "Run time on public workers in the billing period; whole minutes."),
                [SL_BILLING_USED_SEATS] =
                    GAUGE("used_seats", "spacelift_current_billing_period_used_seats", "seats",
                          "Users who logged in during the billing period."),
            },
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_BILLING_DETAILS,
        .count = 8,
        .metrics =
            {
                [SL_BILLING_USED_WORKERS] =
                    GAUGE("used_workers", "spacelift_current_billing_period_used_workers",
                          "workers", "Most private workers at one time in the billing period."),
                [SL_BILLING_ALLOWED_SEATS] =
                    GAUGE("allowed_seats", "spacelift_current_billing_period_allowed_seats",
                          "seats", "Users who may log in within the billing period."),
                [SL_BILLING_ALLOWED_MINUTES] =
                    GAUGE("allowed_minutes", "spacelift_current_billing_period_allowed_minutes",
                          "minutes", "Run minutes that may be used within the billing period."),
                [SL_BILLING_PRICE_SEAT] = GAUGE("price_seat", "spacelift_price_per_seat_cents",
                                                "cents", "Price of a seat for a month."),
                [SL_BILLING_PRICE_WORKER] =
                    GAUGE("price_worker", "spacelift_price_per_worker_cents", "cents",
                          "Price of a private worker for a month."),
                [SL_BILLING_PRICE_RUN_MINUTE] =
                    GAUGE("price_run_minute", "spacelift_price_per_run_minute_cents", "cents",
                          "Price of a run minute."),
                [SL_BILLING_SUBSCRIPTION] =
                    GAUGE("subscription", "spacelift_subscription_price_cents", "cents",
                          "Price of the subscription for a month."),
                [SL_BILLING_UPCOMING_INVOICE] =
                    GAUGE("upcoming_invoice", "spacelift_upcoming_invoice_cents", "cents",
                          "Forecast of the next invoice."),
            },
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_ACCOUNT_SEATS,
        .count = 4,
        .metrics =
            {
                [SL_SEATS_USERS] = LABELLED("users", "spacelift_seats_in_use", "seats",
                                            "Seats in use, by kind.", "kind", "user"),
                [SL_SEATS_USERS_LIMIT] =
                    LABELLED("users_limit", "spacelift_seats_limit",
                             "seats", "Seats there are, by kind; absent where there is no limit.",
                             "kind", "user"),
                [SL_SEATS_API_KEYS] = LABELLED("api_keys", "spacelift_seats_in_use", "seats",
                                               "Seats in use, by kind.", "kind", "api_key"),
                [SL_SEATS_API_KEYS_LIMIT] =
                    LABELLED("api_keys_limit", "spacelift_seats_limit",
                             "seats", "Seats there are, by kind; absent where there is no limit.",
                             "kind", "api_key"),
            },
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_STACKS_BY_STATE,
        .type_labels = {"state"},
        .count = 1,
        .metrics = {GAUGE("value", "spacelift_current_stacks_count_by_state", "stacks",
                          "Stacks of the account by state.")},
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_RESOURCES_BY_DRIFT,
        .type_labels = {"state"},
        .count = 1,
        .metrics = {GAUGE("value", "spacelift_current_resources_count_by_drift", "resources",
                          "Resources of the account by drift: IN_SYNC or DRIFTED.")},
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_AVG_STACK_SIZE,
        .count = 1,
        .metrics = {GAUGE("value", "spacelift_current_avg_stack_size_by_resource_count",
                          "resources", "Mean number of resources of a stack.")},
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_RUN_DURATION,
        .count = 4,
        .metrics =
            {
                [SL_RUN_DURATION_AVERAGE] =
                    GAUGE("average_ns", "spacelift_current_average_run_duration", "nanoseconds",
                          "Mean duration of the runs of the last 30 days, in nanoseconds."),
                [SL_RUN_DURATION_MEDIAN] =
                    GAUGE("median_ns", "spacelift_current_median_run_duration", "nanoseconds",
                          "Median duration of the runs of the last 30 days, in nanoseconds."),
                [SL_RUN_DURATION_AVERAGE_S] =
                    GAUGE("average", "spacelift_current_average_run_duration_seconds", "seconds",
                          "Mean duration of the runs of the last 30 days."),
                [SL_RUN_DURATION_MEDIAN_S] =
                    GAUGE("median", "spacelift_current_median_run_duration_seconds", "seconds",
                          "Median duration of the runs of the last 30 days."),
            },
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_API_COLLECTOR,
        .type_labels = {"collector"},
        .count = 4,
        .metrics =
            {
                [SL_COLLECTOR_SUCCESS] =
                    GAUGE("success", "spacelift_scrape_collector_success", "boolean",
                          "Whether this part of the account was read: 1 or 0."),
                [SL_COLLECTOR_DURATION] =
                    GAUGE("duration", "spacelift_scrape_collector_duration_seconds", "seconds",
                          "How long it took to read this part of the account."),
                [SL_COLLECTOR_SUPPORTED] =
                    GAUGE("supported", "spacelift_scrape_collector_supported", "boolean",
                          "Whether this Spacelift has this part: 1 or 0."),
                [SL_COLLECTOR_TRUNCATED] =
                    GAUGE("truncated", "spacelift_scrape_collector_truncated", "boolean",
                          "Whether a limit was met, so that there is more than was read: 1 or 0."),
            },
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_API_SCRAPE,
        .count = 1,
        .metrics = {GAUGE("duration", "spacelift_scrape_duration_seconds", "seconds",
                          "How long the requests of the last poll took together.")},
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_BUILD_INFO,
        .type_labels = {"version"},
        .count = 1,
        .metrics = {GAUGE("value", "spacelift_build_info", "boolean",
                          "Always 1; the label says which version reads.")},
    },
    {
        OF_A_SCALED_POOL,
        .name = SL_TYPE_SCALER,
        .count = 15,
        .metrics =
            {
                [SL_SCALER_DESIRED] = GAUGE("desired", "spacelift_scaler_desired_workers",
                                            "workers", "The size that the last decision asks for."),
                [SL_SCALER_SIZE] = GAUGE("size", "spacelift_scaler_pool_size", "workers",
                                         "poolSize of the WorkerPool, as last read or written."),
                [SL_SCALER_ACTUAL] = GAUGE("actual", "spacelift_scaler_actual_workers", "workers",
                                           "Workers that exist, as the WorkerPool reports them."),
                [SL_SCALER_DEMAND] = GAUGE("demand", "spacelift_scaler_demand", "runs",
                                           "Busy workers and waiting runs, with their weights."),
                [SL_SCALER_SPARE] = GAUGE("spare", "spacelift_scaler_spare_workers", "workers",
                                          "Workers wanted above the demand for runs to come."),
                [SL_SCALER_MIN] = GAUGE("min", "spacelift_scaler_min_workers", "workers",
                                        "The floor in force: MinWorkers, schedules, orders."),
                [SL_SCALER_MAX] = GAUGE("max", "spacelift_scaler_max_workers", "workers",
                                        "The cap in force: MaxWorkers, schedules, budget."),
                [SL_SCALER_UNMET] = GAUGE("unmet", "spacelift_scaler_unmet_demand", "runs",
                                          "Demand above the size."),
                [SL_SCALER_PAUSED] = GAUGE("paused", "spacelift_scaler_paused", "boolean",
                                           "1 while the pool is paused."),
                [SL_SCALER_FALLBACK] = GAUGE("fallback", "spacelift_scaler_fallback", "boolean",
                                             "1 while the size is that of the fallback."),
                [SL_SCALER_BLIND] = GAUGE("blind", "spacelift_scaler_blind", "boolean",
                                          "1 while there is no good data from Spacelift."),
                [SL_SCALER_LEADER] = GAUGE("leader", "spacelift_scaler_leader", "boolean",
                                           "1 where this host is the one that writes."),
                [SL_SCALER_SHADOW] = GAUGE("shadow", "spacelift_scaler_shadow", "boolean",
                                           "1 where the pool is only watched (Shadow)."),
                [SL_SCALER_ALARM] = GAUGE("alarm", "spacelift_scaler_alarm", "boolean",
                                          "1 while the pool does not follow (ConvergeTimeout)."),
                [SL_SCALER_STARTUP] =
                    GAUGE("startup", "spacelift_scaler_startup_seconds", "seconds",
                          "How long a new worker takes until it is registered, as measured."),
            },
    },
    {
        OF_A_SCALED_POOL,
        .name = SL_TYPE_SCALER_CLAMP,
        .count = 14,
        .metrics = {CLAMP("maximum"), CLAMP("schedule"), CLAMP("budget"), CLAMP("out_window"),
                    CLAMP("out_step"), CLAMP("out_jump"), CLAMP("no_out"), CLAMP("window"),
                    CLAMP("watching"), CLAMP("grace"), CLAMP("in_step"), CLAMP("in_jump"),
                    CLAMP("no_in"), CLAMP("demand")},
    },
    {
        OF_A_SCALED_POOL,
        .name = SL_TYPE_SCALER_DECISIONS,
        .count = 10,
        .metrics = {DECISIONS("demand"), DECISIONS("minimum"), DECISIONS("awake"),
                    DECISIONS("asleep"), DECISIONS("schedule"), DECISIONS("order"),
                    DECISIONS("paused"), DECISIONS("hold"), DECISIONS("fallback"),
                    DECISIONS("adopted")},
    },
    {
        OF_A_SCALED_POOL,
        .name = SL_TYPE_SCALER_TOTALS,
        .count = 7,
        .metrics =
            {
                [SL_SCALER_AT_CAP] = COUNTER("at_cap", "spacelift_scaler_at_cap_seconds_total",
                                             "seconds", "Time at a cap with more wanted."),
                [SL_SCALER_UNMET_SECONDS] =
                    COUNTER("unmet", "spacelift_scaler_unmet_demand_seconds_total", "seconds",
                            "Demand above the size times time."),
                [SL_SCALER_WORKER_MINUTES] =
                    COUNTER("worker_minutes", "spacelift_scaler_worker_minutes_total", "minutes",
                            "poolSize times time, which is what is billed."),
                [SL_SCALER_SCALED_OUT] = COUNTER("scaled_out", "spacelift_scaler_scaled_out_total",
                                                 "changes", "Changes to a larger size."),
                [SL_SCALER_SCALED_IN] = COUNTER("scaled_in", "spacelift_scaler_scaled_in_total",
                                                "changes", "Changes to a smaller size."),
                [SL_SCALER_FOREIGN] = COUNTER("foreign", "spacelift_scaler_foreign_changes_total",
                                              "changes", "Changes of the size by somebody else."),
                [SL_SCALER_ALARMS] = COUNTER("alarms", "spacelift_scaler_alarms_total", "alarms",
                                             "Times that the pool did not follow."),
            },
    },
    {
        OF_A_SCALED_POOL,
        .name = SL_TYPE_SCALER_REACTION,
        .count = SL_REACTION_COUNT + 1,
        .metrics =
            {
                REACTION("le_0_01", "0.01"),
                REACTION("le_0_025", "0.025"),
                REACTION("le_0_05", "0.05"),
                REACTION("le_0_1", "0.1"),
                REACTION("le_0_25", "0.25"),
                REACTION("le_0_5", "0.5"),
                REACTION("le_1", "1"),
                REACTION("le_2_5", "2.5"),
                REACTION("le_10", "10"),
                REACTION("le_inf", "+Inf"),
                [SL_REACTION_SUM] = GAUGE("sum", "spacelift_scaler_reaction_seconds_sum", "seconds",
                                          "All of these times together."),
                [SL_REACTION_COUNT] = COUNTER("count", "spacelift_scaler_reaction_seconds_count",
                                              "changes", "How many they are."),
            },
    },
    {
        OF_A_SCALED_POOL,
        .name = SL_TYPE_SCALER_API_ERRORS,
        .count = SL_API_ERROR_COUNT,
        .metrics =
            {
                [SL_API_ERROR_401] = API_ERROR("http_401", "401"),
                [SL_API_ERROR_403] = API_ERROR("http_403", "403"),
                [SL_API_ERROR_404] = API_ERROR("http_404", "404"),
                [SL_API_ERROR_409] = API_ERROR("http_409", "409"),
                [SL_API_ERROR_422] = API_ERROR("http_422", "422"),
                [SL_API_ERROR_429] = API_ERROR("http_429", "429"),
                [SL_API_ERROR_5XX] = API_ERROR("http_5xx", "5xx"),
                [SL_API_ERROR_TIMEOUT] = API_ERROR("timeout", "timeout"),
                [SL_API_ERROR_TLS] = API_ERROR("tls", "tls"),
                [SL_API_ERROR_NETWORK] = API_ERROR("network", "network"),
                [SL_API_ERROR_OTHER] = API_ERROR("other", "other"),
            },
    },
    {
        .plugin = SL_REMOTE_WRITE_PLUGIN,
        .name = SL_TYPE_REMOTE_WRITE_SAMPLES,
        .plugin_label = "node",
        .count = SL_BOOKS_COUNT,
        .metrics =
            {
                [SL_BOOKS_ACCEPTED] =
                    COUNTER("accepted", "collectd_remote_write_samples_accepted_total", "samples",
                            "Samples that collectd has handed over, stale markers included."),
                [SL_BOOKS_ACKED] = COUNTER("acked", "collectd_remote_write_samples_acked_total",
                                           "samples", "Samples that the receiver has said it has."),
                [SL_BOOKS_REJECTED] =
                    COUNTER("rejected", "collectd_remote_write_samples_rejected_total", "samples",
                            "Samples that the receiver has refused for good."),
                [SL_BOOKS_DROPPED_FULL] =
                    COUNTER("dropped_full", "collectd_remote_write_samples_dropped_full_total",
                            "samples", "Samples dropped because there was no room for more."),
                [SL_BOOKS_DROPPED_AGE] =
                    COUNTER("dropped_age", "collectd_remote_write_samples_dropped_age_total",
                            "samples", "Samples dropped because they were older than MaxAge."),
                [SL_BOOKS_DROPPED_INVALID] =
                    COUNTER("dropped_invalid",
                            "collectd_remote_write_samples_dropped_invalid_total", "samples",
                            "Samples dropped because they were not newer than the one before, or "
                            "no "
                            "name could be made for them."),
                [SL_BOOKS_PENDING] = GAUGE("pending", "collectd_remote_write_samples_pending",
                                           "samples", "Samples that wait for the receiver."),
            },
    },
    {
        .plugin = SL_REMOTE_WRITE_PLUGIN,
        .name = SL_TYPE_REMOTE_WRITE_NODE,
        .plugin_label = "node",
        .count = SL_NODE_COUNT,
        .metrics =
            {
                [SL_NODE_REQUESTS] = COUNTER("requests", "collectd_remote_write_requests_total",
                                             "requests", "Requests made, repetitions included."),
                [SL_NODE_RETRIES] = COUNTER("retries", "collectd_remote_write_retries_total",
                                            "requests", "Tries that will be repeated."),
                [SL_NODE_BYTES] = COUNTER("bytes", "collectd_remote_write_bytes_total", "bytes",
                                          "Bytes of all requests' bodies, compressed."),
                [SL_NODE_REJECTED_AMBIGUOUS] =
                    COUNTER("rejected_ambiguous",
                            "collectd_remote_write_samples_rejected_ambiguous_total", "samples",
                            "Those of the rejected samples that the receiver may have had from an "
                            "earlier try that got no answer."),
                [SL_NODE_PROTOCOL] =
                    GAUGE("protocol", "collectd_remote_write_protocol", "version",
                          "Version of remote write that this node speaks now: 1 or 2."),
                [SL_NODE_SPOOL_BYTES] = GAUGE("spool_bytes", "collectd_remote_write_spool_bytes",
                                              "bytes", "Size of the files of what waits."),
                [SL_NODE_MEMORY_BYTES] =
                    GAUGE("memory_bytes", "collectd_remote_write_memory_bytes", "bytes",
                          "Memory for what waits where there is no spool."),
                [SL_NODE_VALUE_LISTS] =
                    GAUGE("value_lists", "collectd_remote_write_value_lists", "lists",
                          "Value lists known, each with the names of its series."),
                [SL_NODE_BAD_RECORDS] =
                    GAUGE("bad_records", "collectd_remote_write_spool_bad_records", "records",
                          "Damaged records found in the spool when collectd started."),
            },
    },
};

enum { TYPES = sizeof(types) / sizeof(types[0]) };

const struct sl_metric_type *sl_catalogue(size_t *ret_count) {
    *ret_count = TYPES;
    return types;
}
