/* Which version this is. Pure; any thread. */
#ifndef SL_BASE_VERSION_H
#define SL_BASE_VERSION_H

/* "0.1.0" */
const char *sl_version(void);

#endif
