/* The version, from configure.ac. */
#include "base/version.h"

#include "sl_commit.h"
#include "sl_config.h"

const char *sl_version(void) {
    return PACKAGE_VERSION;
}

const char *sl_commit(void) {
    return SL_COMMIT;
}
