/* What collectd's stock plugins write on ordinary hosts. */
#include "host_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTS_PER_HOST_MAX = 170 };

struct shape {
    const char *plugin, *type;
    const char *sources[HOST_LOAD_SOURCES_MAX];
    const char *plugin_instances[8], *type_instances[12];
    bool is_counter;
    double start, step, grain;
};

#define VALUE                                                                                      \
    { "value" }
#define RX_TX                                                                                      \
    { "rx", "tx" }
#define RD_WR                                                                                      \
    { "read", "write" }
#define DISKS                                                                                      \
    { "sda", "sdb", "nvme0n1" }
#define LINKS                                                                                      \
    { "lo", "eth0", "eth1" }
#define NONE                                                                                       \
    { "" }

static const struct shape shapes[] = {
    {"cpu",
     "cpu",
     VALUE,
     {"0", "1", "2", "3"},
     {"user", "system", "wait", "nice", "interrupt", "softirq", "steal", "idle"},
     true,
     4.1e7,
     900,
     1},
    {"load", "load", {"shortterm", "midterm", "longterm"}, NONE, NONE, false, 1.5, 0.5, 0.01},
    {"memory",
     "memory",
     VALUE,
     NONE,
     {"used", "buffered", "cached", "free", "slab_recl", "slab_unrecl"},
     false,
     2.1e9,
     4e6,
     4096},
    {"swap", "swap", VALUE, NONE, {"used", "free", "cached"}, false, 1e9, 0, 4096},
    {"swap", "swap_io", VALUE, NONE, {"in", "out"}, true, 1.1e6, 0, 4096},
    {"df",
     "df_complex",
     VALUE,
     {"root", "boot", "var", "srv-data"},
     {"free", "reserved", "used"},
     false,
     5.3e10,
     3e5,
     4096},
    {"disk", "disk_octets", RD_WR, DISKS, NONE, true, 7.7e10, 4e6, 512},
    {"disk", "disk_ops", RD_WR, DISKS, NONE, true, 3.1e6, 300, 1},
    {"disk", "disk_time", RD_WR, DISKS, NONE, true, 8.8e6, 200, 1},
    {"disk", "disk_merged", RD_WR, DISKS, NONE, true, 1.9e6, 90, 1},
    {"disk", "disk_io_time", {"io_time", "weighted_io_time"}, DISKS, NONE, true, 9e6, 400, 1},
    {"disk", "pending_operations", VALUE, DISKS, NONE, false, 0, 2, 1},
    {"interface", "if_octets", RX_TX, LINKS, NONE, true, 6.1e11, 9e6, 1},
    {"interface", "if_packets", RX_TX, LINKS, NONE, true, 5.5e8, 9e3, 1},
    {"interface", "if_errors", RX_TX, LINKS, NONE, true, 0, 0, 1},
    {"interface", "if_dropped", RX_TX, LINKS, NONE, true, 12, 0, 1},
    {"processes",
     "ps_state",
     VALUE,
     NONE,
     {"running", "sleeping", "zombies", "stopped", "paging", "blocked"},
     false,
     90,
     3,
     1},
    {"processes", "fork_rate", VALUE, NONE, NONE, true, 4.2e6, 60, 1},
    {"uptime", "uptime", VALUE, NONE, NONE, false, 3.3e6, 10, 1},
    {"users", "users", VALUE, NONE, NONE, false, 2, 0, 1},
    {"contextswitch", "contextswitch", VALUE, NONE, NONE, true, 8.1e9, 5e4, 1},
    {"irq",
     "irq",
     VALUE,
     NONE,
     {"0", "8", "9", "16", "24", "25", "LOC", "RES", "CAL", "TLB"},
     true,
     2.7e8,
     2e3,
     1},
    {"tcpconns",
     "tcp_connections",
     VALUE,
     {"22-local", "443-local"},
     {"SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSED", "CLOSE_WAIT",
      "LAST_ACK", "LISTEN", "CLOSING", "ESTABLISHED"},
     false,
     3,
     0,
     1},
    {"vmem",
     "vmpage_number",
     VALUE,
     NONE,
     {"free_pages", "dirty", "writeback", "mapped", "anon_pages", "slab", "inactive_file",
      "active_file"},
     false,
     5.2e5,
     900,
     1},
    {"vmem", "vmpage_faults", {"minflt", "majflt"}, NONE, NONE, true, 9.9e8, 7e3, 1},
    {"entropy", "entropy", VALUE, NONE, NONE, false, 256, 0, 1},
    {"conntrack", "conntrack", VALUE, NONE, NONE, false, 1800, 40, 1},
    {"conntrack", "conntrack", VALUE, NONE, {"max"}, false, 262144, 0, 1},
};

static double next_random(struct host_load *load) {
    load->random ^= load->random << 13;
    load->random ^= load->random >> 7;
    load->random ^= load->random << 17;
    return (double)(load->random >> 11) / (double)(UINT64_C(1) << 53);
}

static double round_to(double value, double grain) {
    return (double)(int64_t)(value / grain) * grain;
}

static void add(struct host_load *load, const char *host, const struct shape *s,
                const char *plugin_instance, const char *type_instance) {
    struct host_load_list *list = &load->lists[load->count++];
    snprintf(list->host, sizeof(list->host), "%s", host);
    list->plugin = s->plugin;
    snprintf(list->plugin_instance, sizeof(list->plugin_instance), "%s", plugin_instance);
    list->type = s->type;
    snprintf(list->type_instance, sizeof(list->type_instance), "%s", type_instance);
    list->is_counter = s->is_counter;
    list->step = s->step;
    list->grain = s->grain;
    for (size_t i = 0; i < HOST_LOAD_SOURCES_MAX && s->sources[i] != NULL; i++) {
        list->sources[list->source_count++] = s->sources[i];
        list->values[i] = round_to(s->start * next_random(load), s->grain);
    }
    load->samples += list->source_count;
}

static void add_host(struct host_load *load, size_t number, int64_t begin_ms) {
    char host[HOST_LOAD_NAME_BYTES];
    snprintf(host, sizeof(host), "web-%03u.eu-west-1.example", (unsigned)number % 1000);
    size_t first = load->count;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        for (const char *const *p = shapes[i].plugin_instances; *p != NULL; p++)
            for (const char *const *t = shapes[i].type_instances; *t != NULL; t++)
                add(load, host, &shapes[i], *p, *t);
    int64_t time_ms = begin_ms;
    for (size_t i = first; i < load->count; i++) {
        time_ms += (int64_t)(next_random(load) * 3);
        load->lists[i].time_ms = load->is_synchronous ? begin_ms : time_ms;
    }
}

bool host_load_init(struct host_load *load, size_t hosts, int64_t begin_ms, int64_t interval_ms,
                    bool is_synchronous) {
    *load = (struct host_load){
        .random = 88172645463325252u, .interval_ms = interval_ms, .is_synchronous = is_synchronous};
    load->lists = calloc(hosts * LISTS_PER_HOST_MAX, sizeof(*load->lists));
    for (size_t i = 0; load->lists != NULL && i < hosts; i++)
        add_host(load, i,
                 begin_ms + (is_synchronous ? 0 : (int64_t)i * interval_ms / (int64_t)hosts));
    return load->lists != NULL && load->samples == hosts * HOST_LOAD_SERIES;
}

void host_load_free(struct host_load *load) {
    free(load->lists);
    load->lists = NULL;
}

void host_load_advance(struct host_load *load) {
    for (size_t i = 0; i < load->count; i++) {
        struct host_load_list *list = &load->lists[i];
        int64_t jitter = load->is_synchronous ? 0 : (int64_t)(next_random(load) * 3) - 1;
        list->time_ms += load->interval_ms + jitter;
        for (size_t s = 0; s < list->source_count && list->step > 0; s++) {
            double change = next_random(load) * list->step;
            if (!list->is_counter)
                change -= list->step / 2;
            double value = list->values[s] + round_to(change, list->grain);
            list->values[s] = value < 0 ? 0 : value;
        }
    }
}
