/* A sample of a scrape, with the labels of its target. */
#include "scrape/sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool has_label(const struct sl_exposition_sample *sample, const char *name) {
    for (size_t i = 0; i < sample->label_count; i++)
        if (strcmp(sample->labels[i].name, name) == 0)
            return true;
    return false;
}

/* exported_NAME, or more of it where the target exposes that as well. */
static void rename_label(const struct sl_exposition_sample *from, const char *name,
                         char out[SL_SCRAPE_NAME_BYTES]) {
    char longer[SL_SCRAPE_NAME_BYTES];
    snprintf(out, SL_SCRAPE_NAME_BYTES, "exported_%s", name);
    while (has_label(from, out) && strlen(out) + strlen("exported_") < sizeof(longer)) {
        snprintf(longer, sizeof(longer), "exported_%s", out);
        memcpy(out, longer, sizeof(longer));
    }
}

void sl_scrape_label(const struct sl_scrape_target *target, const struct sl_exposition_sample *from,
                     int64_t time_ms, struct sl_scrape_sample *ret) {
    const struct sl_exposition_label own[] = {{"instance", target->instance}, {"job", target->job}};
    ret->label_count = 0;
    for (size_t i = 0; i < from->label_count && i < SL_EXPOSITION_LABELS_MAX; i++)
        ret->labels[ret->label_count++] = from->labels[i];
    for (size_t n = 0; n < 2; n++) {
        size_t at = 0;
        while (at < from->label_count && strcmp(from->labels[at].name, own[n].name) != 0)
            at++;
        if (at < from->label_count && target->honor_labels)
            continue;
        if (at < from->label_count) {
            rename_label(from, own[n].name, ret->renamed[n]);
            ret->labels[at].name = ret->renamed[n];
        }
        ret->labels[ret->label_count++] = own[n];
    }
    ret->name = from->name;
    ret->value = from->value;
    ret->time_ms = time_ms;
    ret->type = from->type;
    ret->help = from->help;
    ret->unit = from->unit;
    ret->start_ms = 0;
}

/* FNV-1a with its NUL, so that "ab","c" is not "a","bc". */
static uint64_t hash_text(uint64_t hash, const char *text) {
    do
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    while (*text++ != '\0');
    return hash;
}

void sl_scrape_identity(const struct sl_scrape_sample *sample, char *out, size_t size) {
    uint64_t sum = 0;
    for (size_t i = 0; i < sample->label_count; i++) {
        uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), sample->labels[i].name);
        hash = hash_text(hash, sample->labels[i].value);
        sum += hash ^ hash >> 29;
    }
    int room = (int)size - 1 - 17;
    /* A long name is part of the hash as well, because it is cut. */
    if ((int)strlen(sample->name) > room)
        sum += hash_text(UINT64_C(0xcbf29ce484222325), sample->name);
    snprintf(out, size, "%.*s-%016" PRIx64, room, sample->name, sum);
}

void sl_scrape_instance_of(const char *url, char *out, size_t size) {
    const char *host = strstr(url, "://");
    host = host != NULL ? host + 3 : url;
    snprintf(out, size, "%.*s", (int)strcspn(host, "/?#"), host);
}
