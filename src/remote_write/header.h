/* Which headers an operator may set: none of those that the specifications reserve for the sender
 * (remote write 1.0 and 2.0, "Headers" and "Required HTTP headers"). Pure; any thread. */
#ifndef SL_REMOTE_WRITE_HEADER_H
#define SL_REMOTE_WRITE_HEADER_H

#include "base/error.h"

/* "Name: value" of an option Header. SL_CONFIG: not of that form, or a name that belongs to the
 * protocol or to another option; the message never holds the value. */
int sl_header_check(const char *text, struct sl_error *err) SL_CHECKED;

#endif
