/* Lease of coordination.k8s.io/v1 (k8s.io/api/coordination/v1/types.go), in and out. Pure.
 *
 * Its times are another host's clock: they are kept as text and compared for equality only. */
#ifndef SL_KUBERNETES_LEASE_H
#define SL_KUBERNETES_LEASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/civil.h"
#include "base/error.h"
#include "kubernetes/message.h"

enum { SL_LEASE_HOLDER_BYTES = 320 };

struct sl_lease {
    char version[SL_KUBE_VERSION_BYTES]; /* "": not made yet */
    char holder[SL_LEASE_HOLDER_BYTES];  /* "": nobody; a longer one is cut */
    int32_t duration_s;                  /* 0: not said */
    int32_t transitions;
    char acquire_time[SL_RFC3339_BYTES];
    char renew_time[SL_RFC3339_BYTES];
};

/* SL_PARSE: not a Lease, no resourceVersion, a duration or a count below 0. */
int sl_lease_parse(const char *bytes, size_t len, struct sl_lease *ret,
                   struct sl_error *err) SL_CHECKED;

/* The whole object, for POST where there is no version, for PUT otherwise. */
void sl_lease_write(const struct sl_lease *lease, const char *name, struct sl_buffer *out);

/* Has nobody written it in between? */
bool sl_lease_is_same(const struct sl_lease *a, const struct sl_lease *b);

#endif
