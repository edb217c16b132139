/* Finds and reads the status files. */
#include "status_files.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "configuration.h"
#include "os/file.h"

#define DEFAULT_DIRECTORY "/var/lib/collectd/workerpool_scaler"

enum { FILE_BYTES = 64 * 1024 * 1024 };

static const struct sl_option status_options[] = {
    {.name = "StateDirectory",
     .type = SL_OPTION_PATH,
     .offset = offsetof(struct sl_status_settings, state_directory),
     .example = DEFAULT_DIRECTORY,
     .help = "Where the running agent leaves what it knows: its option StateDirectory. Default: "
             "that of the configuration file, without one " DEFAULT_DIRECTORY "."},
    {.name = NULL},
};

const struct sl_option_block sl_status_block = {.name = "status", .options = status_options};

int sl_status_directory(const struct sl_arguments *arguments, char **ret, struct sl_error *err) {
    struct sl_status_settings settings = {.state_directory = NULL};
    struct sl_configuration configuration;
    int code = sl_configuration_load(arguments, &configuration, err);
    if (code == SL_OK)
        code = sl_arguments_read(arguments, status_options, &settings, err);
    if (code == SL_OK) {
        const char *directory = settings.state_directory != NULL ? settings.state_directory
                                : configuration.scaler.state_directory != NULL
                                    ? configuration.scaler.state_directory
                                    : DEFAULT_DIRECTORY;
        *ret = strdup(directory);
        code = *ret != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory");
    }
    sl_option_release(status_options, &settings);
    sl_configuration_release(&configuration);
    return code;
}

static int load_one(const char *path, struct sl_status_cluster *ret, struct sl_error *err) {
    struct sl_buffer text;
    sl_buffer_init(&text, FILE_BYTES);
    int code = sl_file_read(path, &text, err);
    if (code == SL_OK) {
        code =
            sl_status_read(text.data, text.len, &ret->cluster, &ret->pools, &ret->pool_count, err);
        if (code != SL_OK)
            sl_error_prefix(err, "%s", path);
    }
    sl_buffer_release(&text);
    return code;
}

static int load_all(const glob_t *found, struct sl_status_files *ret, struct sl_error *err) {
    int code = SL_OK;
    ret->each = calloc(found->gl_pathc, sizeof(*ret->each));
    if (ret->each == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory");
    for (size_t i = 0; code == SL_OK && i < found->gl_pathc; i++) {
        code = load_one(found->gl_pathv[i], &ret->each[i], err);
        ret->count += code == SL_OK;
    }
    return code;
}

int sl_status_load(const char *directory, struct sl_status_files *ret, struct sl_error *err) {
    char pattern[PATH_MAX];
    glob_t found = {.gl_pathc = 0};
    int code = SL_OK;
    *ret = (struct sl_status_files){.count = 0};
    if (access(directory, R_OK | X_OK) != 0)
        return errno == EACCES
                   ? sl_fail(err, SL_IO, "%s may be read by the agent's user only: try as root",
                             directory)
                   : sl_fail(err, SL_NOTFOUND,
                             "%s: %s; is workerpool_scaler running on this host, and is this its "
                             "StateDirectory (--state-directory, or --config collectd.conf)?",
                             directory, strerror(errno));
    (void)snprintf(pattern, sizeof(pattern), "%s/*.status", directory);
    int status = glob(pattern, 0, NULL, &found);
    if (status == GLOB_NOMATCH)
        code = sl_fail(err, SL_NOTFOUND,
                       "%s holds no status of any cluster: is workerpool_scaler running on this "
                       "host? It writes one within ten seconds after its start",
                       directory);
    else if (status != 0)
        code = sl_fail(err, SL_IO, "cannot list the folder %s", directory);
    else
        code = load_all(&found, ret, err);
    globfree(&found);
    return code;
}

void sl_status_release(struct sl_status_files *files) {
    for (size_t i = 0; i < files->count; i++)
        free(files->each[i].pools);
    free(files->each);
    *files = (struct sl_status_files){.count = 0};
}

int64_t sl_status_utc_offset_s(int64_t at_ms) {
    time_t at_s = (time_t)(at_ms / 1000);
    struct tm local = {.tm_gmtoff = 0};
    return localtime_r(&at_s, &local) != NULL ? local.tm_gmtoff : 0;
}
