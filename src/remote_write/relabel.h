/* Relabelling: rules that keep, drop, rename and add, in Prometheus's own words and with its
 * semantics (prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config;
 * prometheus/prometheus model/relabel/relabel.go).
 *
 * Rules are made once, when the configuration is read; afterwards they are only read. Regular
 * expressions are PCRE2's, held to what RE2 has too: fully anchored, '.' takes a line feed, no
 * look-around, no back references, no backtracking control; an expression that RE2 would refuse is
 * refused here, so that a rule means the same in Prometheus. A match that takes more than a fixed
 * number of steps counts as no match: a rule cannot hold up a write thread.
 *
 * Pure; a finished set of rules may be used by any number of threads. */
#ifndef SL_REMOTE_WRITE_RELABEL_H
#define SL_REMOTE_WRITE_RELABEL_H

#include "base/option.h"
#include "remote_write/labels.h"

enum sl_relabel_action {
    SL_RELABEL_REPLACE,
    SL_RELABEL_KEEP,
    SL_RELABEL_DROP,
    SL_RELABEL_KEEPEQUAL,
    SL_RELABEL_DROPEQUAL,
    SL_RELABEL_LABELMAP,
    SL_RELABEL_LABELDROP,
    SL_RELABEL_LABELKEEP,
    SL_RELABEL_LOWERCASE,
    SL_RELABEL_UPPERCASE,
    SL_RELABEL_HASHMOD,
};

/* One <WriteRelabelConfig>, as it is typed. */
struct sl_relabel_options {
    struct sl_option_list source_labels;
    char *separator;
    char *regex;
    char *target_label;
    char *replacement;
    int64_t modulus;
    int action; /* enum sl_relabel_action */
};

extern const struct sl_option_block sl_relabel_block; /* "WriteRelabelConfig" */
void sl_relabel_options_release(struct sl_relabel_options *options);

struct sl_relabel; /* rules in their order */

int sl_relabel_new(struct sl_relabel **ret, struct sl_error *err) SL_CHECKED;
void sl_relabel_free(struct sl_relabel *r);

/* Appends a rule; the options stay the caller's. SL_CONFIG: an option that the action needs or
 * forbids, a regular expression that is none; the message says which and where. */
int sl_relabel_add(struct sl_relabel *r, const struct sl_relabel_options *options,
                   struct sl_error *err) SL_CHECKED;

/* False: the series is to be dropped. */
bool sl_relabel_apply(const struct sl_relabel *r, struct sl_labels *labels);

#endif
