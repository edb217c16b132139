/* A hash for tables: it only has to spread what the operator's own hosts and series are called.
 * Pure; any thread. */
#ifndef SL_REMOTE_WRITE_HASH_H
#define SL_REMOTE_WRITE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* FNV-1a, eight bytes at a time. */
static inline uint64_t sl_hash(const char *bytes, size_t len) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; len >= 8; bytes += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    for (; len > 0; bytes++, len--)
        hash = (hash ^ (unsigned char)*bytes) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

#endif
