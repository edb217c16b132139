/* Lists of WorkerPools: refused, or of each item no more than fits; the same in however many pieces
 * they arrive. */
#include <stdlib.h>
#include <string.h>

#include "kubernetes/message.h"
#include "kubernetes/version_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t count;
    size_t bytes;
};

static void take(void *context, const struct sl_kube_version *item) {
    struct seen *s = context;

    if (item->name[0] == '\0' || strlen(item->name) > 253 || item->version[0] == '\0' ||
        strlen(item->version) >= (size_t)SL_KUBE_VERSION_BYTES ||
        strlen(item->uid) >= (size_t)SL_KUBE_UID_BYTES) {
        abort();
    }
    s->count++;
    s->bytes += strlen(item->name) + strlen(item->uid) + strlen(item->version);
}

static int read_in_pieces(const char *bytes, size_t len, size_t piece, struct seen *seen) {
    struct sl_version_list *l = sl_version_list_new(take, seen);
    size_t count = 0;
    int rc = SL_OK;

    if (l == NULL) {
        abort();
    }
    for (size_t at = 0; rc == SL_OK && at < len; at += piece) {
        rc = sl_version_list_feed(l, bytes + at, len - at < piece ? len - at : piece, NULL);
    }
    if (rc == SL_OK) {
        rc = sl_version_list_finish(l, &count, NULL);
    }
    if (rc == SL_OK && count < seen->count) {
        abort();
    }
    sl_version_list_free(l);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct seen whole = {0}, pieces = {0};
    int one = read_in_pieces((const char *)data, size, size + 1, &whole);
    int other = read_in_pieces((const char *)data, size, 7, &pieces);

    if ((one == SL_OK) != (other == SL_OK) ||
        (one == SL_OK && (whole.count != pieces.count || whole.bytes != pieces.bytes))) {
        abort();
    }
    return 0;
}
