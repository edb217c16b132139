/* Answers of Spacelift: whatever comes, in whatever pieces, either it is refused or it makes value
 * lists of numbers, and how it was cut makes no difference. The first byte chooses the document,
 * the second one the cut. */
#include <math.h>
#include <stdlib.h>

#include "spacelift/answer.h"
#include "spacelift/blocked.h"
#include "spacelift/filter.h"
#include "spacelift/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *context, const struct sl_values *values) {
    double *sum = context;
    for (size_t i = 0; i < values->type->count; i++) {
        if (values->values[i] < 0 && values->type->plugin_label[0] == 'w')
            abort(); /* a pool has no less than nothing */
        *sum += isnan(values->values[i]) ? 0 : values->values[i];
    }
    if (values->plugin_instance == NULL || values->type_instance == NULL)
        abort();
}

/* The runs that are held, by a stack that this answer may be itself. */
static void judge(struct sl_answer *answer, const struct sl_known_pool *pool,
                  const struct sl_values_out *out) {
    struct sl_blocked blocked = {.runs = NULL};
    size_t count = answer->held_count;
    if (sl_blocked_add(&blocked, answer, NULL) == SL_OK) {
        while (sl_blocked_next_stack(&blocked) != NULL)
            sl_blocked_judge(&blocked, answer);
        if (blocked.judged != count)
            abort();
        sl_blocked_values(pool, &blocked, out);
    }
    sl_blocked_release(&blocked);
}

static int read(enum sl_document document, const uint8_t *data, size_t size, size_t step,
                double *ret_sum) {
    static char pattern[] = "*a*", id[] = "01H", name[] = "x";
    static char *patterns[] = {pattern};
    struct sl_pool_filter filter = {.exclude = {.labels = {.items = patterns, .count = 1}}};
    struct sl_answer_settings settings = {
        .filter = &filter, .metadata_key = "asg_id", .now_s = 1700000000};
    struct sl_answer_parser *parser = sl_answer_parser_new(document, &settings);
    struct sl_answer answer = {.pools = NULL};
    int code = SL_OK;
    for (size_t i = 0; i < size && code == SL_OK; i += step)
        code = sl_answer_parser_feed(parser, (const char *)data + i,
                                     size - i < step ? size - i : step, NULL);
    if (code == SL_OK)
        code = sl_answer_parser_finish(parser, &answer, NULL);
    if (code == SL_OK) {
        struct sl_known_pools known = {.items = NULL};
        struct sl_known_pool pool = {.id = id, .name = name};
        struct sl_values_out out = {.put = look, .context = ret_sum, .account = ""};
        if (document == SL_DOCUMENT_WORKER_POOLS)
            code = sl_known_pools_set(&known, &answer, NULL);
        else
            known = (struct sl_known_pools){.items = &pool, .count = 1};
        sl_answer_values(document, &answer, &known, &out);
        sl_queue_values(&pool, &answer.queue, &out);
        judge(&answer, &pool, &out);
        if (document == SL_DOCUMENT_WORKER_POOLS)
            sl_known_pools_release(&known);
    }
    sl_answer_release(&answer);
    sl_answer_parser_free(parser);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    enum sl_document document = data[0] % SL_DOCUMENT_COUNT;
    size_t step = data[1] > 0 ? data[1] : 1;
    double whole = 0, pieces = 0;
    int code = read(document, data + 2, size - 2, size, &whole);
    if (read(document, data + 2, size - 2, step, &pieces) != code || whole != pieces)
        abort();
    return 0;
}
