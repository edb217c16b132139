/* What one node does with every series. */
#include "remote_write/rules.h"

#include <stdlib.h>
#include <string.h>

void sl_rules_release(struct sl_rules *rules) {
    for (size_t i = 0; i < rules->series.extra_count; i++)
        free(rules->texts[i]);
    free(rules->texts);
    free(rules->extra);
    free(rules->job);
    sl_relabel_free(rules->relabel);
    *rules = (struct sl_rules){.job = NULL};
}

/* text: "name=value", of which a copy is kept. */
static int add_label(struct sl_rules *rules, const char *text, struct sl_error *err) {
    size_t n = rules->series.extra_count;
    char *copy = strdup(text);
    if (copy == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for option Label");
    char *sign = strchr(copy, '=');
    if (sign != NULL)
        *sign = '\0';
    if (sign == NULL || !sl_label_name_is_good(copy) || strncmp(copy, "__", 2) == 0) {
        free(copy);
        return sl_fail(err, SL_CONFIG,
                       "option Label is \"%s\": it must be \"name=value\", and the name letters, "
                       "digits and underscores that begin with neither a digit nor __",
                       text);
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rules->extra[i].key, copy) == 0) {
            free(copy);
            return sl_fail(err, SL_CONFIG, "option Label sets \"%s\" twice: remove one",
                           rules->extra[i].key);
        }
    }
    rules->texts[n] = copy;
    rules->extra[n] = (struct sl_value_meta){copy, sign + 1};
    rules->series.extra_count++;
    return SL_OK;
}

static int build(struct sl_rules *rules, const char *job, const struct sl_option_list *labels,
                 struct sl_error *err) {
    rules->extra = calloc(labels->count + 1, sizeof(*rules->extra));
    rules->texts = calloc(labels->count + 1, sizeof(*rules->texts));
    rules->job = job != NULL ? strdup(job) : NULL;
    if (rules->extra == NULL || rules->texts == NULL || (job != NULL && rules->job == NULL))
        return sl_fail(err, SL_NOMEM, "out of memory for labels");
    int code = SL_OK;
    for (size_t i = 0; i < labels->count && code == SL_OK; i++)
        code = add_label(rules, labels->items[i], err);
    return code;
}

int sl_rules_init(struct sl_rules *rules, const char *job, const struct sl_option_list *labels,
                  struct sl_relabel *relabel, struct sl_error *err) {
    *rules = (struct sl_rules){.relabel = relabel};
    int code = build(rules, job, labels, err);
    if (code != SL_OK) {
        sl_rules_release(rules);
        return code;
    }
    rules->series.job = rules->job;
    rules->series.extra = rules->extra;
    rules->series.relabel = relabel;
    return SL_OK;
}
