/* What a disk may have made of a segment: reading comes to an end, stays inside, and whatever a
 * record says of its list is checked before it is believed. The input is a script: records that are
 * whole, with whatever in them, and then bytes that change. */
#include <stdlib.h>
#include <string.h>

#include "remote_write/roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT_BYTES = 8 * 1024 };

struct script {
    const uint8_t *at, *end;
};

static uint8_t next(struct script *s) {
    return s->at < s->end ? *s->at++ : 0;
}

static void step(struct sl_segment *segment, struct script *s) {
    uint64_t values[SL_SEGMENT_VALUES_MAX];
    uint32_t list, count;
    size_t left, place;
    switch (next(s) % 3) {
    case 0:
        left = next(s);
        count = next(s);
        if (left > (size_t)(s->end - s->at))
            left = (size_t)(s->end - s->at);
        (void)sl_segment_define(segment, segment, count, (const char *)s->at, left, &list);
        s->at += left;
        break;
    case 1:
        memset(values, next(s), sizeof(values));
        (void)sl_segment_put(segment, next(s), next(s), values, next(s) % SL_SEGMENT_VALUES_MAX);
        break;
    default:
        place = (size_t)next(s) << 8 | next(s);
        segment->memory.base[SL_SEGMENT_HEAD_BYTES + place % 4096] ^= (char)next(s);
    }
}

static void read_all(const struct sl_segment *segment, struct sl_roster *roster) {
    struct sl_record record;
    for (size_t at = SL_SEGMENT_HEAD_BYTES;; at = record.end) {
        struct sl_list *list = NULL;
        sl_segment_read(segment, at, &record);
        if (record.kind == SL_RECORD_END)
            return;
        if (record.end <= at || record.end > segment->used || record.count > SL_SEGMENT_VALUES_MAX)
            abort();
        if (record.kind == SL_RECORD_VALUES)
            (void)sl_segment_samples(record.values, record.count);
        if (record.kind != SL_RECORD_DEFINE ||
            sl_roster_read(roster, &record, &list, NULL) != SL_OK)
            continue;
        if (list->kept != record.count)
            abort();
        sl_roster_release(roster, list);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct sl_series_rules rules = {.job = NULL};
    struct script script = {data, data + size};
    struct sl_segment *segment = NULL;
    struct sl_roster *roster = NULL;
    if (sl_segment_make(1, SEGMENT_BYTES, false, &segment, NULL) == SL_OK &&
        sl_roster_new(&rules, &roster, NULL) == SL_OK) {
        segment->seed = 0;                                     /* the same bytes every time */
        segment->is_journal = true; /* definitions are kept */
        while (script.at < script.end)
            step(segment, &script);
        segment->used = SL_SEGMENT_HEAD_BYTES;
        sl_segment_find_end(segment);
        read_all(segment, roster);
    }
    sl_roster_free(roster);
    sl_segment_free(segment, -1);
    return 0;
}
