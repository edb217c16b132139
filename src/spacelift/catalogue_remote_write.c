/* What the plugin write_prometheus_remote says of itself. */
#include "spacelift/catalogue_internal.h"

const char SL_TYPE_REMOTE_WRITE_SAMPLES[] = "remote_write_samples";
const char SL_TYPE_REMOTE_WRITE_NODE[] = "remote_write_node";

const struct sl_metric_type sl_catalogue_remote_write[] = {
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

const size_t sl_catalogue_remote_write_count =
    sizeof(sl_catalogue_remote_write) / sizeof(sl_catalogue_remote_write[0]);
