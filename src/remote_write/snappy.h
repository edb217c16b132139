/* Snappy's block format, the one compression of remote write (github.com/google/snappy,
 * format_description.txt): the length as a varint, then literals, and copies of what stands up to
 * 65535 bytes before.
 *
 * Why our own: a message is a thousand times nearly the same record, and whoever has written it
 * knows where each begins, where its value is and of which host it is. So two places are compared,
 * the last one with the same four bytes and that of the last record of the same host, which has
 * nearly its time and before the same next host; and the middle of a value, where nothing is found,
 * is not searched. That is 4 percent fewer bytes than libsnappy makes of a message of 59 hosts (2
 * where all samples have one time) in the same time; by trying everything it would be 15. What is
 * known only advises: whatever it says, what comes out is the input's.
 *
 * Pure; any thread. 24 KiB of stack. */
#ifndef SL_REMOTE_WRITE_SNAPPY_H
#define SL_REMOTE_WRITE_SNAPPY_H

#include <stddef.h>
#include <stdint.h>

struct sl_snappy_record {
    uint32_t at;    /* where it begins, from first on */
    uint32_t value; /* where its float64 begins, from first on */
    uint32_t host;  /* alike in records of one host */
};

struct sl_snappy_advice {
    size_t first; /* in the input */
    const struct sl_snappy_record *records;
    size_t count;
};

/* Room that is enough for len bytes, whatever they are. */
size_t sl_snappy_bound(size_t len);

/* Returns the length of what is put at out, which has room for sl_snappy_bound(len). len: less than
 * 4 GiB, as the format demands. */
size_t sl_snappy_compress(const char *in, size_t len, const struct sl_snappy_advice *advice,
                          char *out);

#endif
