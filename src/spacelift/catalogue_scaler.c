/* What the plugin workerpool_scaler says of itself. */
#include "spacelift/catalogue_internal.h"

const char SL_TYPE_SCALER[] = "worker_pool_scaler";
const char SL_TYPE_SCALER_CLAMP[] = "worker_pool_clamp";
const char SL_TYPE_SCALER_DECISIONS[] = "worker_pool_decisions";
const char SL_TYPE_SCALER_TOTALS[] = "worker_pool_scaling";
const char SL_TYPE_SCALER_REACTION[] = "worker_pool_reaction";
const char SL_TYPE_SCALER_API_ERRORS[] = "worker_pool_api_errors";
const char SL_TYPE_CLUSTER_CREDENTIAL_EXPIRY[] = "cluster_credential_expiry";

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

const struct sl_metric_type sl_catalogue_scaler[] = {
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
        .plugin = SL_SCALER_PLUGIN,
        .name = SL_TYPE_CLUSTER_CREDENTIAL_EXPIRY,
        .plugin_label = "cluster",
        .type_labels = {"credential"},
        .count = 1,
        .metrics = {GAUGE("expiry", "spacelift_scaler_credential_expiry_timestamp_seconds",
                          "seconds",
                          "When what the cluster is entered by ends, Unix time; absent where that "
                          "is not known.")},
    },
};

const size_t sl_catalogue_scaler_count =
    sizeof(sl_catalogue_scaler) / sizeof(sl_catalogue_scaler[0]);
