/* What reading worker pools costs beside yajl alone: the same bytes, once through yajl with empty
 * callbacks, once through the answer parser and on to value lists with collectd's identifiers.
 *
 *   bench_reader bare|ours POOLS WORKERS    for callgrind, which counts the functions measure_*()
 *   bench_reader heap POOLS WORKERS         peak of the heap while reading, above what is kept */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "spacelift/answer.h"
#include "spacelift/values.h"

enum { CHUNK_BYTES = 16 * 1024, IDENTIFIER_BYTES = 128 };

/* ---- the answer ---- */

struct text {
    char *bytes;
    size_t len;
};

static struct text make_answer(unsigned pools, unsigned workers) {
    struct text text = {NULL, 0};
    FILE *out = open_memstream(&text.bytes, &text.len);
    if (out == NULL)
        exit(2);
    fputs("{\"data\":{\"workerPools\":[", out);
    for (unsigned p = 0; p < pools; p++) {
        fprintf(
            out,
            "%s{\"id\":\"01HQZX9K7P2M3N4Q5R6S%06u\",\"name\":\"worker-pool-%u\",\"pendingRuns\":%u,"
            "\"busyWorkers\":%u,\"workers\":[",
            p > 0 ? "," : "", p, p, p % 7, p % 50);
        for (unsigned w = 0; w < workers; w++)
            fprintf(out, "%s{\"drained\":%s}", w > 0 ? "," : "", w % 10 == 0 ? "true" : "false");
        fputs("]}", out);
    }
    fputs("]}}", out);
    fclose(out);
    return text;
}

/* ---- yajl alone ---- */

static int on_null(void *context) {
    (void)context;
    return 1;
}

static int on_boolean(void *context, int value) {
    (void)context;
    (void)value;
    return 1;
}

static int on_number(void *context, const char *text, size_t len) {
    (void)context;
    (void)text;
    (void)len;
    return 1;
}

static int on_text(void *context, const unsigned char *text, size_t len) {
    (void)context;
    (void)text;
    (void)len;
    return 1;
}

static const yajl_callbacks empty = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_text,
    .yajl_start_map = on_null,
    .yajl_map_key = on_text,
    .yajl_end_map = on_null,
    .yajl_start_array = on_null,
    .yajl_end_array = on_null,
};

__attribute__((noinline)) void measure_bare(const char *bytes, size_t len);
__attribute__((noinline)) void measure_ours(const char *bytes, size_t len);

void measure_bare(const char *bytes, size_t len) {
    yajl_handle yajl = yajl_alloc(&empty, NULL, NULL);
    for (size_t i = 0; i < len; i += CHUNK_BYTES)
        if (yajl_parse(yajl, (const unsigned char *)bytes + i,
                       len - i < CHUNK_BYTES ? len - i : CHUNK_BYTES) != yajl_status_ok)
            exit(2);
    if (yajl_complete_parse(yajl) != yajl_status_ok)
        exit(2);
    yajl_free(yajl);
}

/* ---- ours ---- */

/* What a value list needs before the daemon takes it. */
struct value_list {
    double values[SL_TYPE_DS_MAX];
    char plugin[IDENTIFIER_BYTES];
    char plugin_instance[IDENTIFIER_BYTES];
    char type[IDENTIFIER_BYTES];
    char type_instance[IDENTIFIER_BYTES];
};

static double workers_read;
static size_t peak_bytes;

static void take(void *context, const struct sl_values *v) {
    struct value_list *list = context;
    memcpy(list->values, v->values, v->type->count * sizeof(double));
    strncpy(list->plugin, v->type->plugin, IDENTIFIER_BYTES - 1);
    strncpy(list->plugin_instance, v->plugin_instance, IDENTIFIER_BYTES - 1);
    strncpy(list->type, v->type->name, IDENTIFIER_BYTES - 1);
    strncpy(list->type_instance, v->type_instance, IDENTIFIER_BYTES - 1);
    workers_read += list->values[SL_POOL_WORKERS];
}

static size_t heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static int read_answer(const char *bytes, size_t len, bool watch, struct sl_answer *ret) {
    struct sl_answer_settings settings = {.filter = NULL};
    struct sl_answer_parser *parser = sl_answer_parser_new(SL_DOCUMENT_WORKER_POOLS, &settings);
    int code = SL_OK;
    for (size_t i = 0; i < len && code == SL_OK; i += CHUNK_BYTES) {
        code = sl_answer_parser_feed(parser, bytes + i,
                                     len - i < CHUNK_BYTES ? len - i : CHUNK_BYTES, NULL);
        if (watch && heap_bytes() > peak_bytes)
            peak_bytes = heap_bytes();
    }
    if (code == SL_OK)
        code = sl_answer_parser_finish(parser, ret, NULL);
    sl_answer_parser_free(parser);
    return code;
}

void measure_ours(const char *bytes, size_t len) {
    struct value_list list = {.plugin = ""};
    struct sl_values_out out = {.put = take, .context = &list, .account = ""};
    struct sl_known_pools known = {.items = NULL};
    struct sl_answer answer = {.pools = NULL};
    if (read_answer(bytes, len, false, &answer) != SL_OK)
        exit(2);
    sl_answer_values(SL_DOCUMENT_WORKER_POOLS, &answer, &known, &out);
    sl_answer_release(&answer);
}

static void measure_heap(const struct text *text) {
    struct sl_answer answer = {.pools = NULL};
    size_t before = heap_bytes();
    if (read_answer(text->bytes, text->len, true, &answer) != SL_OK)
        exit(2);
    size_t kept = heap_bytes() - before;
    sl_answer_release(&answer);
    printf("%zu bytes of answer, %zu bytes of heap at the peak, %zu of them kept\n", text->len,
           peak_bytes - before, kept);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fputs("usage: bench_reader bare|ours|heap POOLS WORKERS\n", stderr);
        return 2;
    }
    unsigned pools = (unsigned)strtoul(argv[2], NULL, 10);
    unsigned workers = (unsigned)strtoul(argv[3], NULL, 10);
    struct text text = make_answer(pools, workers);
    if (strcmp(argv[1], "bare") == 0) {
        measure_bare(text.bytes, text.len);
    } else if (strcmp(argv[1], "heap") == 0) {
        measure_heap(&text);
    } else {
        measure_ours(text.bytes, text.len);
        if (workers_read != (double)pools * workers)
            return 1;
    }
    free(text.bytes);
    return 0;
}
