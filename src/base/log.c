/* Lines for people, and the restraint to say a lasting trouble seldom. */
#include "base/log.h"

#include <stdio.h>

enum {
    LINE_BYTES = 1000,
    FIRST_PAUSE_MS = 5 * 60 * 1000,
    LONGEST_PAUSE_MS = 24 * 60 * 60 * 1000,
};

void sl_log(const struct sl_log *log, enum sl_log_level level, const char *format, ...) {
    if (log == NULL || log->write == NULL)
        return;
    char line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    log->write(log->context, level, line);
}

/* FNV-1a: tells one text from another, no more. */
static uint32_t hash_text(const char *text) {
    uint32_t hash = 2166136261u;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        hash = (hash ^ *c) * 16777619u;
    return hash;
}

bool sl_complaint_failed(struct sl_complaint *c, const char *text, int64_t now_ms) {
    uint32_t hash = hash_text(text);
    if (!c->active)
        *c = (struct sl_complaint){.active = true, .since_ms = now_ms, .text_hash = hash + 1};
    c->count++;
    if (c->text_hash != hash) {
        c->text_hash = hash;
        c->pause_ms = FIRST_PAUSE_MS;
        c->next_ms = now_ms + c->pause_ms;
        return true;
    }
    if (now_ms < c->next_ms)
        return false;
    c->pause_ms = c->pause_ms > LONGEST_PAUSE_MS / 2 ? LONGEST_PAUSE_MS : c->pause_ms * 2;
    c->next_ms = now_ms + c->pause_ms;
    return true;
}

bool sl_complaint_succeeded(struct sl_complaint *c, int64_t now_ms, int64_t *ret_lasted_ms,
                            uint64_t *ret_count) {
    if (!c->active)
        return false;
    if (ret_lasted_ms != NULL)
        *ret_lasted_ms = now_ms - c->since_ms;
    if (ret_count != NULL)
        *ret_count = c->count;
    *c = (struct sl_complaint){.active = false};
    return true;
}
