/* MD5 (RFC 1321), for Action "hashmod" only: which shard a series falls into must be the same here
 * and in Prometheus. It keeps no secret; OpenSSL's is not used because a host in FIPS mode has
 * none. Pure; any thread. */
#ifndef SL_REMOTE_WRITE_MD5_H
#define SL_REMOTE_WRITE_MD5_H

#include <stddef.h>

enum { SL_MD5_BYTES = 16 };

void sl_md5(const char *bytes, size_t len, unsigned char ret[SL_MD5_BYTES]);

#endif
