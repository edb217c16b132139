/* The civil calendar (proleptic Gregorian) and RFC 3339, without the process's time zone. Pure. */
#ifndef SL_BASE_CIVIL_H
#define SL_BASE_CIVIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_civil {
    int64_t year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
    int hour;
    int minute;
    int weekday; /* 0: Sunday */
};

struct sl_civil sl_civil_of(int64_t local_s);
int64_t sl_civil_days(int64_t year, int month, int day); /* since 1970-01-01 */

/* RFC 3339: "2026-08-20T18:00:00Z", "2026-08-20 18:00:00+02:00". False if it is not one. */
bool sl_parse_rfc3339(const char *text, int64_t *ret_ms);

/* "2026-08-20T18:00:00.000001Z", what Kubernetes calls MicroTime; microseconds since 1970. */
enum { SL_RFC3339_BYTES = 48 };
void sl_format_rfc3339(int64_t realtime_us, char *out, size_t size);

/* How long, for people: "0 s", "4 s", "3 min", "2 h", "5 days". */
enum { SL_AGE_BYTES = 32 };
void sl_format_age(int64_t ms, char out[SL_AGE_BYTES]);

#endif
