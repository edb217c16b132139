/* Local time of an IANA time zone, without the process's own TZ: that belongs to the host, and
 * tzset() changes it for every thread.
 *
 * Reads the compiled zone files of the tz database (RFC 8536, TZif version 2 and later): the table
 * of changes, and for times after it the rule in the footer (POSIX TZ). Read-only once made: any
 * thread. */
#ifndef SL_CALENDAR_TIMEZONE_H
#define SL_CALENDAR_TIMEZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/civil.h"
#include "base/error.h"

struct sl_timezone;

/* The zone of a file's bytes. SL_PARSE: not a zone file, or one of version 1. No I/O. */
int sl_timezone_parse(const char *bytes, size_t len, struct sl_timezone **ret,
                      struct sl_error *err) SL_CHECKED;

/* The zone of a name such as "Europe/Berlin"; "UTC" needs no file. Reads the system's zone files.
 * SL_CONFIG: there is no such zone, or tzdata is not installed. */
int sl_timezone_load(const char *name, struct sl_timezone **ret, struct sl_error *err) SL_CHECKED;

void sl_timezone_free(struct sl_timezone *tz);

/* Local time minus UTC at utc_s, in seconds. */
int64_t sl_timezone_offset_s(const struct sl_timezone *tz, int64_t utc_s);

/* The moment of a local time, given as seconds since 1970-01-01 00:00 local. A time that comes
 * twice is the first; one that the clocks skip is as much later as they skip. */
int64_t sl_timezone_to_utc_s(const struct sl_timezone *tz, int64_t local_s);

#endif
