/* The status files that running scalers leave, for status, why and watch. One thread. */
#ifndef SL_PLUGINS_TELEGRAF_STATUS_FILES_H
#define SL_PLUGINS_TELEGRAF_STATUS_FILES_H

#include "arguments.h"
#include "scaler/status_view.h"

struct sl_status_settings {
    char *state_directory;
};

extern const struct sl_option_block sl_status_block; /* --state-directory */

/* Where the files are: --state-directory, or StateDirectory of the configuration, or where collectd
 * of this system has them. The caller frees *ret. */
int sl_status_directory(const struct sl_arguments *arguments, char **ret,
                        struct sl_error *err) SL_CHECKED;

struct sl_status_files {
    struct sl_status_cluster *each; /* by the name of their files */
    size_t count;
};

/* SL_NOTFOUND: there are none; SL_IO: one may not be read; both say what to do. Release *ret in any
 * case. */
int sl_status_load(const char *directory, struct sl_status_files *ret,
                   struct sl_error *err) SL_CHECKED;
void sl_status_release(struct sl_status_files *files);

/* Seconds that local time is ahead of UTC at that time. */
int64_t sl_status_utc_offset_s(int64_t at_ms);

#endif
