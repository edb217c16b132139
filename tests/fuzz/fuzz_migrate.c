/* Manifests, as YAML from a file: refused, or read, translated and printed; and Telegraf's
 * drop-ins, which come from the same hands. */
#include <stdint.h>
#include <stdlib.h>

#include "format/dropin.h"
#include "kubernetes/yaml.h"
#include "migrate/migrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void migrate(const struct sl_json *object) {
    struct sl_migration *m = NULL;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer out;

    if (sl_migrate(object, &m, &err) != SL_OK) {
        return;
    }
    sl_buffer_init(&out, 1024 * 1024);
    sl_migration_print_pool(m, false, "", &out);
    sl_migration_print_pool(m, true, "#", &out);
    for (int kind = SL_FINDING_INERT; kind <= SL_FINDING_DROPPED; kind++) {
        sl_migration_print_findings(m, (enum sl_finding_kind)kind, &out);
    }
    sl_buffer_release(&out);
    free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sl_dropin dropin; /* large */
    struct sl_buffer json;
    struct sl_json *documents = NULL;
    struct sl_error err = SL_ERROR_INIT;

    sl_buffer_init(&json, 1024 * 1024);
    if (sl_yaml_to_json((const char *)data, size, &json, &err) == SL_OK &&
        sl_json_parse(json.data, json.len, &documents, &err) == SL_OK) {
        for (size_t i = 0; i < sl_json_size(documents); i++) {
            (void)sl_migrate_is_ours(sl_json_at(documents, i));
            migrate(sl_json_at(documents, i));
        }
    }
    sl_json_free(documents);
    sl_buffer_release(&json);
    if (sl_dropin_is_telegraf((const char *)data, size) &&
        sl_dropin_parse((const char *)data, size, &dropin, &err) == SL_OK && dropin.count > 0 &&
        dropin.commands[0].count > SL_DROPIN_WORDS) {
        abort();
    }
    sl_dropin_release(&dropin);
    return 0;
}
