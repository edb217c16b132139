/* From the autoscaler somebody has to ours: reads a KEDA ScaledObject or a HorizontalPodAutoscaler
 * whose target is a WorkerPool, says what it really does, and writes the <Pool> that does the same.
 *
 * What the fields do is from the sources, not from their names: kedacore/keda
 * pkg/scaling/executor/scale_scaledobjects.go (the loop), pkg/scalers/prometheus_scaler.go (the
 * trigger), kubernetes/kubernetes pkg/controller/podautoscaler/horizontal.go and
 * replica_calculator.go (the HPA that KEDA makes). Pure; any thread. */
#ifndef SL_MIGRATE_MIGRATE_H
#define SL_MIGRATE_MIGRATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json_document.h"

enum sl_finding_kind {
    SL_FINDING_INERT,    /* the field does nothing at all */
    SL_FINDING_SURPRISE, /* it does something else than its author will have thought */
    SL_FINDING_DROPPED,  /* it does something that the new configuration does not do */
};

enum {
    SL_FINDING_FIELD_BYTES = 96,
    SL_FINDING_TEXT_BYTES = 512,
    SL_SETTING_VALUE_BYTES = 256,
    SL_SETTING_NOTE_BYTES = 160,
    SL_MIGRATION_FINDINGS = 64,
    SL_MIGRATION_SETTINGS = 32,
    SL_MIGRATION_SCHEDULES = 8,
};

struct sl_finding {
    enum sl_finding_kind kind;
    char field[SL_FINDING_FIELD_BYTES]; /* "triggers[0].metadata.query" */
    char text[SL_FINDING_TEXT_BYTES];
};

struct sl_setting {
    const char *option; /* of the <Pool> block */
    char value[SL_SETTING_VALUE_BYTES];
    char note[SL_SETTING_NOTE_BYTES]; /* where it comes from; "": it speaks for itself */
    bool is_quirk; /* only there to behave the same; the better configuration leaves it out */
};

struct sl_migrated_schedule {
    char name[32];
    char start[64];
    char end[64];
    char time_zone[64];
    int64_t min_workers;
};

struct sl_migration {
    char source[64 + 2 * 256]; /* "ScaledObject namespace/name" */
    char pool[SL_SETTING_VALUE_BYTES];
    struct sl_setting settings[SL_MIGRATION_SETTINGS];
    size_t setting_count;
    struct sl_migrated_schedule schedules[SL_MIGRATION_SCHEDULES];
    size_t schedule_count;
    struct sl_finding findings[SL_MIGRATION_FINDINGS];
    size_t finding_count;
    bool is_cut; /* there were more than fit */
    bool counts_pending_only;
    int64_t metric_window_ms; /* of max_over_time() and the like; 0: none */
};

/* Does sl_migrate() know this kind of object? */
bool sl_migrate_knows(const struct sl_json *object);

/* ... and is it about a WorkerPool, and not made by KEDA from another object? For choosing from
 * what a cluster has. */
bool sl_migrate_is_ours(const struct sl_json *object);

/* The caller frees *ret with free(). SL_CONFIG: not one of the two kinds, not about a WorkerPool,
 * or without what it cannot do without; the message names the object. */
int sl_migrate(const struct sl_json *object, struct sl_migration **ret,
               struct sl_error *err) SL_CHECKED;

size_t sl_migration_count(const struct sl_migration *m, enum sl_finding_kind kind);

/* The <Pool> block; is_better: without what is there only to behave the same. prefix begins each
 * line ("#" comments the block out). */
void sl_migration_print_pool(const struct sl_migration *m, bool is_better, const char *prefix,
                             struct sl_buffer *out);

/* The findings of one kind as comment lines. */
void sl_migration_print_findings(const struct sl_migration *m, enum sl_finding_kind kind,
                                 struct sl_buffer *out);

/* "inert", "surprise", "dropped". */
const char *sl_finding_kind_name(enum sl_finding_kind kind);

#endif
