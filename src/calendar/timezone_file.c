/* Finds the file of a zone. Apart from the rest, which does no I/O. */
#include "calendar/timezone_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

enum { MAX_ZONE_FILE_BYTES = 256 * 1024, PATH_BYTES = 256 };

static const char directory[] = "/usr/share/zoneinfo";

static bool is_zone_name(const char *name) {
    size_t allowed = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "/_+-");

    return name[0] != '\0' && name[0] != '/' && name[allowed] == '\0' && allowed < 100;
}

static int utc(struct sl_timezone **ret, struct sl_error *err) {
    struct sl_timezone *tz = calloc(1, sizeof *tz);

    if (tz == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory");
    }
    *ret = tz;
    return SL_OK;
}

int sl_timezone_load(const char *name, struct sl_timezone **ret, struct sl_error *err) {
    struct sl_error why = SL_ERROR_INIT;
    struct sl_buffer bytes;
    char path[PATH_BYTES];
    int rc = SL_OK;

    if (strcmp(name, "UTC") == 0) {
        return utc(ret, err);
    }
    if (!is_zone_name(name)) {
        return sl_fail(err, SL_CONFIG,
                       "TimeZone \"%s\" is not the name of a time zone, such as Europe/Berlin",
                       name);
    }
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    sl_buffer_init(&bytes, MAX_ZONE_FILE_BYTES);
    rc = sl_file_read(path, &bytes, &why);
    if (rc == SL_OK) {
        rc = sl_timezone_parse(bytes.data, bytes.len, ret, &why);
    }
    sl_buffer_release(&bytes);
    if (rc != SL_OK) {
        return sl_fail(err, SL_CONFIG,
                       "TimeZone \"%s\": %s (is it spelt as in the IANA database, and is the "
                       "package tzdata installed?)",
                       name, why.text);
    }
    return SL_OK;
}
