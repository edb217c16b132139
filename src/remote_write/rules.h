/* What one node does with every series: its options Job, Label and WriteRelabelConfig, read and
 * checked once. Pure; one thread while it is made, afterwards it is only read. */
#ifndef SL_REMOTE_WRITE_RULES_H
#define SL_REMOTE_WRITE_RULES_H

#include "remote_write/relabel.h"
#include "remote_write/series.h"

struct sl_rules {
    struct sl_series_rules series; /* for sl_series_pack(); points into the rest */
    char *job;
    struct sl_value_meta *extra;
    char **texts; /* name and value of each extra label, one block each */
    struct sl_relabel *relabel;
};

/* Zeroed rules do nothing. labels: "name=value" each. relabel is taken over, may be NULL, also on
 * failure. SL_CONFIG names the label that is none, or that stands there twice. */
int sl_rules_init(struct sl_rules *rules, const char *job, const struct sl_option_list *labels,
                  struct sl_relabel *relabel, struct sl_error *err) SL_CHECKED;
void sl_rules_release(struct sl_rules *rules);

#endif
