/* Which version this is. Pure; any thread. */
#ifndef SL_BASE_VERSION_H
#define SL_BASE_VERSION_H

/* As "1.2.3". */
const char *sl_version(void);

/* The commit it was built from, or "unknown". */
const char *sl_commit(void);

#endif
