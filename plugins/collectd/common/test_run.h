/* Is this collectd -T, which starts everything, reads once and stops? A person tries a
 * configuration by it, on a host that may be at work: nothing may come of it. It does not tell
 * its plugins, so the command line is asked (proc(5); the options are those of collectd's
 * src/daemon/cmd.c). */
#ifndef SL_PLUGINS_COLLECTD_TEST_RUN_H
#define SL_PLUGINS_COLLECTD_TEST_RUN_H

#include <stdbool.h>

/* Any thread. False where it cannot be known. */
bool sl_is_test_run(void);

#endif
