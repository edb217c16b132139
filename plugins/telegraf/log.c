/* Lines on standard error. */
#include "log.h"

#include <stdio.h>
#include <unistd.h>

enum { LINE_BYTES = 1100 };

/* A line that cannot be written is lost: there is nowhere to say so. */
static void put(int fd, const char *prefix, const char *line) {
    char text[LINE_BYTES];
    int len = snprintf(text, sizeof(text) - 1, "%s%s", prefix, line);
    if (len < 0)
        return;
    if ((size_t)len > sizeof(text) - 2)
        len = (int)sizeof(text) - 2;
    text[len++] = '\n';
    ssize_t written = write(fd, text, (size_t)len);
    (void)written;
}

void sl_stderr_plain(void *context, enum sl_log_level level, const char *line) {
    (void)context;
    if (level <= SL_LOG_NOTICE)
        put(STDERR_FILENO, level == SL_LOG_WARNING ? "warning: " : "", line);
}

void sl_stderr_telegraf(void *context, enum sl_log_level level, const char *line) {
    static const char *const prefixes[] = {
        [SL_LOG_ERROR] = "E! ", [SL_LOG_WARNING] = "W! ", [SL_LOG_NOTICE] = "I! ",
        [SL_LOG_INFO] = "I! ",  [SL_LOG_DEBUG] = "D! ",
    };
    (void)context;
    put(STDERR_FILENO, prefixes[level], line);
}

void sl_split_telegraf(void *context, enum sl_log_level level, const char *line) {
    (void)context;
    if (level != SL_LOG_DEBUG)
        put(level <= SL_LOG_WARNING ? STDERR_FILENO : STDOUT_FILENO, "", line);
}
