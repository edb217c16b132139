/* What the plugin spacelift measures. */
#include "spacelift/catalogue_internal.h"

const char SL_TYPE_WORKER_POOL[] = "worker_pool";
const char SL_TYPE_PUBLIC_WORKER_POOL[] = "public_worker_pool";
const char SL_TYPE_WORKER_POOL_QUEUE[] = "worker_pool_queue";
const char SL_TYPE_WORKER_POOL_WAIT[] = "worker_pool_wait";
const char SL_TYPE_WORKER_POOL_RUNS_BY_TYPE[] = "worker_pool_runs_by_type";
const char SL_TYPE_WORKER_POOL_RUNS_BY_STATE[] = "worker_pool_runs_by_state";
const char SL_TYPE_WORKER_POOL_BLOCKED[] = "worker_pool_blocked";
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
const char SL_TYPE_CREDENTIAL_EXPIRY[] = "credential_expiry";
const char SL_TYPE_BUILD_INFO[] = "build_info";

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

#define BLOCKED_BY(reason)                                                                         \
    LABELLED(reason, "spacelift_worker_pool_runs_blocked_by", "runs",                              \
             "Runs in the queue of this pool that are not ready, by what holds them.", "reason",   \
             reason)

const struct sl_metric_type sl_catalogue_reader[] = {
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
        .name = SL_TYPE_WORKER_POOL_BLOCKED,
        .count = SL_BLOCKED_REASONS,
        .metrics = {[SL_BLOCKED_APPROVAL] = BLOCKED_BY("approval"),
                    [SL_BLOCKED_LOCK] = BLOCKED_BY("lock"),
                    [SL_BLOCKED_RUN] = BLOCKED_BY("run"),
                    [SL_BLOCKED_DEPENDENCY] = BLOCKED_BY("dependency"),
                    [SL_BLOCKED_UNKNOWN] = BLOCKED_BY("unknown")},
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
                          "Whether reading this part of the account failed (0) or not (1)."),
                [SL_COLLECTOR_DURATION] =
                    GAUGE("duration", "spacelift_scrape_collector_duration_seconds", "seconds",
                          "How long it took to read this part of the account."),
                [SL_COLLECTOR_SUPPORTED] =
                    GAUGE("supported", "spacelift_scrape_collector_supported", "boolean",
                          "Whether this Spacelift has this part and gives it to a key (1) or not "
                          "(0), "
                          "which is no failure."),
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
        .name = SL_TYPE_CREDENTIAL_EXPIRY,
        .type_labels = {"credential"},
        .count = 1,
        .metrics = {GAUGE("expiry", "spacelift_credential_expiry_timestamp_seconds", "seconds",
                          "When what the account is entered by ends, Unix time; absent where that "
                          "is not known.")},
    },
    {
        OF_AN_ACCOUNT,
        .name = SL_TYPE_BUILD_INFO,
        .type_labels = {"version", "commit"},
        .count = 1,
        .metrics = {GAUGE("value", "spacelift_build_info", "boolean",
                          "Always 1; the labels say what reads.")},
    },
};

const size_t sl_catalogue_reader_count =
    sizeof(sl_catalogue_reader) / sizeof(sl_catalogue_reader[0]);
