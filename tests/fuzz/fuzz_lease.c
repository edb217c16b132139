/* Leases: refused, or one that is the same after it was written and read again. */
#include <stdlib.h>

#include "kubernetes/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_lease lease;
    struct sl_lease again;
    struct sl_buffer out;

    if (sl_lease_parse((const char *)data, size, &lease, NULL) != SL_OK) {
        return 0;
    }
    sl_buffer_init(&out, 16384);
    sl_lease_write(&lease, "lease", &out);
    if (out.failed != SL_OK || (sl_lease_parse(out.data, out.len, &again, NULL) == SL_OK &&
                                !sl_lease_is_same(&lease, &again))) {
        abort();
    }
    sl_buffer_release(&out);
    return 0;
}
