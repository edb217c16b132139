/* What a sample costs from the write callback to the bytes that libcurl gets, part by part, and how
 * many bytes it is on the wire: `bench_remote_write HOSTS INTERVALS BATCH own|shared 1.0|2.0
 * DIRECTORY`; own: each value list has its own time. CPU time of this process, by the thread clock;
 * DIRECTORY "-" is a queue in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host_load.h"
#include "remote_write/encode.h"
#include "remote_write/queue.h"
#include "remote_write/rejected.h"
#include "remote_write/value.h"

enum { MESSAGE_BYTES_MAX = 64 * 1024 * 1024, INTERVAL_MS = 10000, AHEAD_S = 400 };

struct totals {
    double key_ns, put_ns, take_ns, encode_ns, compress_ns;
    uint64_t samples, raw, wire, requests;
};

static FILE *dump_file, *text_file;

/* Prometheus in agent mode sends nothing that is older than itself, and takes nothing that is ten
 * minutes ahead: so long all that are compared, one after the other, may take to start. */
static int64_t begin_ms(void) {
    return ((int64_t)time(NULL) + AHEAD_S) * 1000;
}

static double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

struct value_list {
    struct sl_value_id id;
    struct sl_value_source sources[HOST_LOAD_SOURCES_MAX];
    uint64_t bits[HOST_LOAD_SOURCES_MAX];
};

static void describe(const struct host_load_list *l, struct value_list *ret) {
    for (size_t s = 0; s < l->source_count; s++) {
        ret->sources[s] = (struct sl_value_source){l->sources[s], l->is_counter ? SL_VALUE_DERIVE
                                                                                : SL_VALUE_GAUGE};
        ret->bits[s] = l->is_counter ? sl_value_bits_of_signed((int64_t)l->values[s])
                                     : sl_value_bits_of_gauge(l->values[s]);
    }
    ret->id = (struct sl_value_id){.host = l->host,
                                   .plugin = l->plugin,
                                   .plugin_instance = l->plugin_instance,
                                   .type = l->type,
                                   .type_instance = l->type_instance,
                                   .sources = ret->sources,
                                   .source_count = l->source_count};
}

static void put_all(struct sl_queue *q, const struct host_load *load) {
    struct value_list list;
    for (size_t i = 0; i < load->count; i++) {
        describe(&load->lists[i], &list);
        (void)sl_queue_put(q, &list.id, 0, list.bits, load->lists[i].time_ms);
    }
}

/* Part of a put that nothing can do without: reading the identifier once. */
static double read_identifiers(const struct host_load *load) {
    struct value_list list;
    struct sl_list_key key;
    uint64_t sum = 0;
    double begin = cpu_ns();
    for (size_t i = 0; i < load->count; i++) {
        describe(&load->lists[i], &list);
        if (sl_list_key_make(&list.id, 0, &key))
            sum += key.len;
    }
    return cpu_ns() - begin + (double)(sum == 1);
}

/* For figure-remote-write-cost, which sends the same requests to others. */
static void dump(const struct sl_buffer *body) {
    uint32_t len = (uint32_t)body->len;
    fwrite(&len, sizeof(len), 1, dump_file);
    fwrite(body->data, 1, body->len, dump_file);
}

static void dump_text(const struct sl_batch *batch) {
    struct sl_buffer text;
    sl_buffer_init(&text, MESSAGE_BYTES_MAX);
    for (size_t n = 0; n < batch->count; n++)
        for (size_t i = 0; i < batch->items[n].list->kept; i++)
            sl_rejected_format(&text, batch->items[n].list->series[i], batch->items[n].bits[i],
                               batch->items[n].time_ms);
    fwrite(text.data, 1, text.len, text_file);
    sl_buffer_release(&text);
}

static bool send_all(struct sl_queue *q, size_t batch_max, enum sl_write_protocol protocol,
                     struct sl_encoder *encoder, struct sl_buffer *body, struct totals *t) {
    const struct sl_buffer *message = NULL;
    struct sl_batch batch;
    for (;;) {
        double begin = cpu_ns();
        if (!sl_queue_next(q, batch_max, 0, &batch))
            return true;
        double taken = cpu_ns();
        sl_encoder_begin(encoder, protocol);
        sl_batch_encode(&batch, encoder);
        if (sl_encoder_end(encoder, &message, NULL) != SL_OK)
            return false;
        double encoded = cpu_ns();
        if (sl_encoder_compress(encoder, body, NULL) != SL_OK)
            return false;
        double compressed = cpu_ns();
        if (dump_file != NULL)
            dump(body);
        if (text_file != NULL)
            dump_text(&batch);
        struct sl_fates fates = {.acked = batch.samples};
        sl_queue_settle(q, &batch, &fates, 0);
        t->take_ns += taken - begin + (cpu_ns() - compressed);
        t->encode_ns += encoded - taken;
        t->compress_ns += compressed - encoded;
        t->raw += message->len;
        t->wire += body->len;
        t->requests++;
        t->samples += batch.samples;
    }
}

static bool run(struct host_load *load, struct sl_queue *q, int intervals, size_t batch_max,
                enum sl_write_protocol protocol, struct totals *t) {
    struct sl_encoder encoder;
    struct sl_buffer body;
    sl_encoder_init(&encoder, MESSAGE_BYTES_MAX);
    sl_buffer_init(&body, 2 * MESSAGE_BYTES_MAX);
    bool is_good = true;
    for (int i = 0; i < intervals && is_good; i++) {
        if (i == 2) /* the first makes the names, the second fills the caches */
            *t = (struct totals){.samples = 0};
        t->key_ns += read_identifiers(load);
        double begin = cpu_ns();
        put_all(q, load);
        t->put_ns += cpu_ns() - begin;
        is_good = send_all(q, batch_max, protocol, &encoder, &body, t);
        if (text_file !=
            NULL) /* one interval: Telegraf keeps one sample of a series in a request */
            fclose(text_file);
        text_file = NULL;
        host_load_advance(load);
    }
    sl_encoder_release(&encoder);
    sl_buffer_release(&body);
    return is_good;
}

int main(int argc, char **argv) {
    if (argc != 7 && argc != 9)
        return 2;
    if (argc == 9) {
        dump_file = fopen(argv[7], "wb");
        text_file = fopen(argv[8], "wb");
    }
    size_t hosts = strtoul(argv[1], NULL, 10), batch_max = strtoul(argv[3], NULL, 10);
    int intervals = (int)strtol(argv[2], NULL, 10);
    bool is_synchronous = strcmp(argv[4], "shared") == 0;
    enum sl_write_protocol protocol = strcmp(argv[5], "1.0") == 0 ? SL_WRITE_1_0 : SL_WRITE_2_0;
    struct sl_queue_settings settings = {
        .limits = {.disk_bytes = 512u * 1024 * 1024, .memory_bytes = 64u * 1024 * 1024},
        .batch_max = batch_max,
        .sync_ms = 1000,
        .path = strcmp(argv[6], "-") == 0 ? NULL : argv[6],
        .name = "bench",
    };
    struct host_load load;
    struct sl_queue *q = NULL;
    struct totals t = {.samples = 0};
    if (!host_load_init(&load, hosts, begin_ms(), INTERVAL_MS, is_synchronous) ||
        sl_queue_new(&settings, &q, NULL) != SL_OK || sl_queue_start(q, NULL) != SL_OK)
        return 1;
    bool is_good = run(&load, q, intervals, batch_max, protocol, &t);
    double n = (double)t.samples;
    printf("samples %llu requests %llu key_ns %.1f put_ns %.1f take_ns %.1f encode_ns %.1f "
           "compress_ns %.1f "
           "all_ns %.1f raw_bytes %.2f wire_bytes %.2f\n",
           (unsigned long long)t.samples, (unsigned long long)t.requests, t.key_ns / n,
           t.put_ns / n, t.take_ns / n, t.encode_ns / n, t.compress_ns / n,
           (t.put_ns + t.take_ns + t.encode_ns + t.compress_ns) / n, (double)t.raw / n,
           (double)t.wire / n);
    if (dump_file != NULL)
        fclose(dump_file);
    sl_queue_free(q);
    host_load_free(&load);
    return is_good ? 0 : 1;
}
