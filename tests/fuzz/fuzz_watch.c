/* The answer to a watch, in pieces of any size: the same changes come out of it however it was cut,
 * and none without a version that a watch can go on from. */
#include <stdlib.h>
#include <string.h>

#include "kubernetes/change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t lines;
    size_t changes;
    size_t bytes;
};

static int take_line(void *context, const char *line, size_t len, struct sl_error *err) {
    struct seen *seen = context;
    struct sl_kube_change change;
    struct sl_kube_scale scale;

    if (len == 0 || memchr(line, '\n', len) != NULL) {
        abort();
    }
    seen->lines++;
    seen->bytes += len;
    if (sl_kube_change_parse(line, len, &change, err) == SL_OK) {
        if ((change.version[0] == '\0') != (change.kind == SL_KUBE_ERROR)) {
            abort();
        }
        if (change.kind != SL_KUBE_ERROR &&
            sl_kube_pool_read(change.object, NULL, &scale, NULL) == SL_OK &&
            (scale.replicas < 0 || strcmp(scale.version, change.version) != 0)) {
            abort();
        }
        seen->changes++;
        sl_kube_change_release(&change);
    }
    return SL_OK;
}

static struct seen feed(const uint8_t *data, size_t size, size_t step) {
    struct seen seen = {0};
    struct sl_kube_lines lines = {.take = take_line, .context = &seen};

    sl_buffer_init(&lines.rest, 1 << 16);
    for (size_t at = 0; at < size; at += step) {
        size_t len = size - at < step ? size - at : step;

        if (sl_kube_lines_feed(&lines, (const char *)data + at, len, NULL) != SL_OK) {
            break;
        }
    }
    sl_buffer_release(&lines.rest);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct seen whole = {0};
    struct seen pieces = {0};

    if (size < 2 || size > 1 << 15) {
        return 0;
    }
    whole = feed(data + 1, size - 1, size);
    pieces = feed(data + 1, size - 1, data[0] + 1u);
    if (memcmp(&whole, &pieces, sizeof whole) != 0) {
        abort();
    }
    return 0;
}
