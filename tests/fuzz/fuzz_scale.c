/* Scales and WorkerPools: refused, or a size that can be written back. */
#include <stdlib.h>

#include "kubernetes/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *context, const char *key, const char *value) {
    size_t *count = context;

    *count += key[0] != '\0' && value != NULL;
}

static void check(const struct sl_kube_scale *scale) {
    struct sl_buffer body;

    if (scale->replicas < 0 || scale->actual_replicas < 0 || scale->version[0] == '\0') {
        abort();
    }
    sl_buffer_init(&body, 4096);
    sl_kube_scale_patch_body(scale->replicas, scale->version, &body);
    if (body.failed != SL_OK) {
        abort();
    }
    sl_buffer_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t count = 0;
    struct sl_kube_annotations annotations = {take, &count};
    struct sl_kube_scale scale;

    if (sl_kube_scale_parse((const char *)data, size, &scale, NULL) == SL_OK) {
        check(&scale);
    }
    if (sl_kube_pool_parse((const char *)data, size, &annotations, &scale, NULL) == SL_OK) {
        check(&scale);
    } else if (count > 0) {
        abort();
    }
    return 0;
}
