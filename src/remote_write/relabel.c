/* Relabelling in Prometheus's terms; the semantics are those of model/relabel/relabel.go. */
#include "remote_write/relabel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "remote_write/md5.h"
#include "remote_write/regex.h"

#define AT(member) offsetof(struct sl_relabel_options, member)

enum { TEXT_BYTES_MAX = 64 * 1024 };

static const char default_regex[] = "(.*)";
static const char default_separator[] = ";";
static const char default_replacement[] = "$1";

/* In the order of enum sl_relabel_action. */
static const char *const actions[] = {"replace",   "keep",      "drop",      "keepequal",
                                      "dropequal", "labelmap",  "labeldrop", "labelkeep",
                                      "lowercase", "uppercase", "hashmod",   NULL};

static const struct sl_option relabel_options[] = {
    {.name = "SourceLabels",
     .type = SL_OPTION_LIST,
     .offset = AT(source_labels),
     .example = "__name__",
     .help = "Labels whose values are joined and matched, in this order; several may stand on one "
             "line. The metric's name is the label __name__; a label that is not there is empty."},
    {.name = "Separator",
     .type = SL_OPTION_STRING,
     .offset = AT(separator),
     .fallback = default_separator,
     .flags = SL_OPTION_MAY_BE_EMPTY,
     .help = "What stands between the joined values."},
    {.name = "Regex",
     .type = SL_OPTION_STRING,
     .offset = AT(regex),
     .fallback = default_regex,
     .flags = SL_OPTION_MAY_BE_EMPTY,
     .help = "Regular expression that must match all of the joined value, or of a label's name "
             "with labelmap, labeldrop and labelkeep. In collectd's configuration a backslash is "
             "written twice."},
    {.name = "TargetLabel",
     .type = SL_OPTION_STRING,
     .offset = AT(target_label),
     .example = "team",
     .help = "Label that replace, lowercase, uppercase and hashmod set, and that keepequal and "
             "dropequal compare with. $1 stands for a group of Regex with replace."},
    {.name = "Replacement",
     .type = SL_OPTION_STRING,
     .offset = AT(replacement),
     .fallback = default_replacement,
     .flags = SL_OPTION_MAY_BE_EMPTY,
     .help =
         "New value with replace, new name with labelmap. $1, ${1}, $name and ${name} stand for "
         "groups of Regex, $$ for a dollar. An empty value removes the label."},
    {.name = "Modulus",
     .type = SL_OPTION_INTEGER,
     .offset = AT(modulus),
     .min = 1,
     .max = 1e12,
     .example = "4",
     .help = "Into how many parts hashmod divides series."},
    {.name = "Action",
     .type = SL_OPTION_CHOICE,
     .offset = AT(action),
     .fallback = "replace",
     .choices = actions,
     .help = "What happens where Regex matches: replace sets TargetLabel; keep drops every series "
             "that does not match, drop every one that does; keepequal and dropequal do so where "
             "the joined value is, or is not, that of TargetLabel; labelmap copies labels to the "
             "name in Replacement; labeldrop and labelkeep remove labels; lowercase and uppercase "
             "set TargetLabel to the joined value in that case (letters of ASCII); hashmod sets it "
             "to the rest of a hash of the joined value divided by Modulus."},
    {.name = NULL},
};

const struct sl_option_block sl_relabel_block = {
    .name = "WriteRelabelConfig",
    .options = relabel_options,
    .help = "A rule that changes, keeps or drops series before they are queued, with the terms and "
            "the meaning of Prometheus's write_relabel_configs. The block may be repeated; rules "
            "are applied in their order. Names that begin with __, other than __name__, are for "
            "use between rules and removed at the end.",
};

void sl_relabel_options_release(struct sl_relabel_options *options) {
    sl_option_release(relabel_options, options);
}

/* ---- rules ---- */

struct rule {
    enum sl_relabel_action action;
    char **sources;
    size_t source_count;
    char *separator;
    char *target;
    char *replacement;
    uint64_t modulus;
    struct sl_regex *regex;
};

struct sl_relabel {
    struct rule *rules;
    size_t count;
};

int sl_relabel_new(struct sl_relabel **ret, struct sl_error *err) {
    *ret = calloc(1, sizeof(**ret));
    return *ret != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory for relabelling");
}

static void release_rule(struct rule *rule) {
    for (size_t i = 0; i < rule->source_count; i++)
        free(rule->sources[i]);
    free(rule->sources);
    free(rule->separator);
    free(rule->target);
    free(rule->replacement);
    sl_regex_free(rule->regex);
}

void sl_relabel_free(struct sl_relabel *r) {
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        release_rule(&r->rules[i]);
    free(r->rules);
    free(r);
}

static bool is_default(const char *text, const char *fallback) {
    return text == NULL || strcmp(text, fallback) == 0;
}

/* What may become the name of a label: "$" and braces are of groups. */
static bool is_label_template(const char *name) {
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_${}");
    return len > 0 && name[len] == '\0' && (name[0] < '0' || name[0] > '9');
}

static int check_target(const struct sl_relabel_options *o, struct sl_error *err) {
    bool is_replace = o->action == SL_RELABEL_REPLACE;
    if (o->target_label == NULL)
        return sl_fail(err, SL_CONFIG, "Action \"%s\" needs TargetLabel", actions[o->action]);
    if (is_replace ? !is_label_template(o->target_label) : !sl_label_name_is_good(o->target_label))
        return sl_fail(err, SL_CONFIG, "TargetLabel \"%s\" is no name of a label", o->target_label);
    return SL_OK;
}

/* Options that would have no effect are a misunderstanding; Prometheus refuses them too. */
static int check_unused(const struct sl_relabel_options *o, bool may_source, bool may_regex,
                        bool may_replace, struct sl_error *err) {
    const char *unused = NULL;
    if (!may_source && o->source_labels.count > 0)
        unused = "SourceLabels";
    else if (!may_source && !is_default(o->separator, default_separator))
        unused = "Separator";
    else if (!may_regex && !is_default(o->regex, default_regex))
        unused = "Regex";
    else if (!may_replace && !is_default(o->replacement, default_replacement))
        unused = "Replacement";
    if (unused == NULL)
        return SL_OK;
    return sl_fail(err, SL_CONFIG, "%s has no meaning with Action \"%s\": remove it", unused,
                   actions[o->action]);
}

static int check_names_only(const struct sl_relabel_options *o, bool may_replace,
                            struct sl_error *err) {
    if (o->target_label != NULL)
        return sl_fail(err, SL_CONFIG, "TargetLabel has no meaning with Action \"%s\": remove it",
                       actions[o->action]);
    return check_unused(o, false, true, may_replace, err);
}

static int check_modulus(const struct sl_relabel_options *o, struct sl_error *err) {
    bool is_hashmod = o->action == SL_RELABEL_HASHMOD;
    if (is_hashmod && o->modulus == 0)
        return sl_fail(err, SL_CONFIG, "Action \"hashmod\" needs Modulus");
    if (!is_hashmod && o->modulus != 0)
        return sl_fail(err, SL_CONFIG, "Modulus has no meaning with Action \"%s\": remove it",
                       actions[o->action]);
    return SL_OK;
}

static int check(const struct sl_relabel_options *o, struct sl_error *err) {
    int code = check_modulus(o, err);
    if (code != SL_OK)
        return code;
    switch ((enum sl_relabel_action)o->action) {
    case SL_RELABEL_REPLACE:
        return check_target(o, err);
    case SL_RELABEL_LOWERCASE:
    case SL_RELABEL_UPPERCASE:
    case SL_RELABEL_KEEPEQUAL:
    case SL_RELABEL_DROPEQUAL:
    case SL_RELABEL_HASHMOD:
        code = check_target(o, err);
        return code != SL_OK ? code : check_unused(o, true, false, false, err);
    case SL_RELABEL_KEEP:
    case SL_RELABEL_DROP:
        return check_unused(o, true, true, false, err);
    case SL_RELABEL_LABELDROP:
    case SL_RELABEL_LABELKEEP:
        return check_names_only(o, false, err);
    case SL_RELABEL_LABELMAP:
        if (!is_label_template(o->replacement))
            return sl_fail(err, SL_CONFIG, "Replacement \"%s\" is no name of a label",
                           o->replacement);
        return check_names_only(o, true, err);
    }
    return sl_fail(err, SL_BUG, "unknown relabelling action");
}

static int copy_rule(const struct sl_relabel_options *o, struct rule *rule, struct sl_error *err) {
    rule->action = (enum sl_relabel_action)o->action;
    rule->separator = strdup(o->separator);
    rule->target = strdup(o->target_label != NULL ? o->target_label : "");
    rule->replacement = strdup(o->replacement);
    rule->modulus = (uint64_t)o->modulus;
    rule->sources = calloc(o->source_labels.count + 1, sizeof(*rule->sources));
    bool ok = rule->separator != NULL && rule->target != NULL && rule->replacement != NULL &&
              rule->sources != NULL;
    for (size_t i = 0; ok && i < o->source_labels.count; i++) {
        rule->sources[i] = strdup(o->source_labels.items[i]);
        rule->source_count += rule->sources[i] != NULL;
        ok = rule->sources[i] != NULL;
    }
    if (!ok)
        return sl_fail(err, SL_NOMEM, "out of memory for relabelling");
    return sl_regex_new(o->regex, &rule->regex, err);
}

int sl_relabel_add(struct sl_relabel *r, const struct sl_relabel_options *options,
                   struct sl_error *err) {
    struct rule rule = {.source_count = 0};
    int code = check(options, err);
    if (code == SL_OK)
        code = copy_rule(options, &rule, err);
    struct rule *rules = NULL;
    if (code == SL_OK) {
        rules = realloc(r->rules, (r->count + 1) * sizeof(*rules));
        if (rules == NULL)
            code = sl_fail(err, SL_NOMEM, "out of memory for relabelling");
    }
    if (code != SL_OK) {
        release_rule(&rule);
        return code;
    }
    r->rules = rules;
    r->rules[r->count++] = rule;
    return SL_OK;
}

/* ---- applying ---- */

/* Two texts that keep their memory from rule to rule. */
struct scratch {
    struct sl_buffer joined;
    struct sl_buffer made;
    struct sl_buffer name;
};

static void join(const struct rule *rule, const struct sl_labels *labels, struct sl_buffer *out) {
    sl_buffer_reset(out);
    for (size_t i = 0; i < rule->source_count; i++) {
        struct sl_label label;
        if (i > 0)
            sl_buffer_puts(out, rule->separator);
        if (sl_labels_get(labels, rule->sources[i], strlen(rule->sources[i]), &label))
            sl_buffer_append(out, label.value, label.value_len);
    }
}

static void replace(const struct rule *rule, struct sl_labels *labels, struct scratch *s) {
    sl_buffer_reset(&s->made);
    sl_buffer_reset(&s->name);
    if (!sl_regex_match(rule->regex, s->joined.data, s->joined.len, rule->target, &s->name) ||
        !sl_label_name_is_good(s->name.data))
        return;
    (void)sl_regex_match(rule->regex, s->joined.data, s->joined.len, rule->replacement, &s->made);
    sl_labels_set(labels, s->name.data, s->name.len, s->made.data, s->made.len);
}

static char in_case(char c, enum sl_relabel_action action) {
    if (action == SL_RELABEL_LOWERCASE)
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static void change_case(const struct rule *rule, struct sl_labels *labels, struct scratch *s) {
    for (size_t i = 0; i < s->joined.len; i++)
        s->joined.data[i] = in_case(s->joined.data[i], rule->action);
    sl_labels_set(labels, rule->target, strlen(rule->target), s->joined.data, s->joined.len);
}

/* The second half of the hash counts, most significant byte first, as in Prometheus. */
static void hash_mod(const struct rule *rule, struct sl_labels *labels, struct scratch *s) {
    unsigned char hash[SL_MD5_BYTES];
    uint64_t number = 0;
    sl_md5(s->joined.data, s->joined.len, hash);
    for (size_t i = SL_MD5_BYTES / 2; i < SL_MD5_BYTES; i++)
        number = number << 8 | hash[i];
    sl_buffer_reset(&s->made);
    sl_buffer_printf(&s->made, "%" PRIu64, number % rule->modulus);
    sl_labels_set(labels, rule->target, strlen(rule->target), s->made.data, s->made.len);
}

static bool equals_target(const struct rule *rule, const struct sl_labels *labels,
                          const struct scratch *s) {
    struct sl_label label = {.value = "", .value_len = 0};
    (void)sl_labels_get(labels, rule->target, strlen(rule->target), &label);
    return label.value_len == s->joined.len &&
           memcmp(label.value, s->joined.data, label.value_len) == 0;
}

/* Only the labels that are there at the beginning are looked at. */
static void map_names(const struct rule *rule, struct sl_labels *labels, struct scratch *s) {
    struct sl_label old[SL_LABELS_MAX];
    size_t count = labels->count;
    /* Copies: setting a label moves the text. */
    sl_buffer_reset(&s->joined);
    for (size_t i = 0; i < count; i++) {
        old[i] = sl_labels_at(labels, i);
        sl_buffer_append(&s->joined, old[i].name, old[i].name_len);
        sl_buffer_append(&s->joined, old[i].value, old[i].value_len);
    }
    const char *at = s->joined.data;
    for (size_t i = 0; i < count && s->joined.failed == SL_OK; i++) {
        const char *name = at, *value = at + old[i].name_len;
        at = value + old[i].value_len;
        sl_buffer_reset(&s->made);
        if (sl_regex_match(rule->regex, name, old[i].name_len, rule->replacement, &s->made) &&
            s->made.len > 0)
            sl_labels_set(labels, s->made.data, s->made.len, value, old[i].value_len);
    }
}

static void drop_names(const struct rule *rule, struct sl_labels *labels) {
    for (size_t i = 0; i < labels->count;) {
        struct sl_label label = sl_labels_at(labels, i);
        bool matches = sl_regex_match(rule->regex, label.name, label.name_len, NULL, NULL);
        if (matches == (rule->action == SL_RELABEL_LABELDROP))
            sl_labels_remove_at(labels, i);
        else
            i++;
    }
}

/* False: drop. */
static bool apply(const struct rule *rule, struct sl_labels *labels, struct scratch *s) {
    join(rule, labels, &s->joined);
    switch (rule->action) {
    case SL_RELABEL_KEEP:
        return sl_regex_match(rule->regex, s->joined.data, s->joined.len, NULL, NULL);
    case SL_RELABEL_DROP:
        return !sl_regex_match(rule->regex, s->joined.data, s->joined.len, NULL, NULL);
    case SL_RELABEL_KEEPEQUAL:
        return equals_target(rule, labels, s);
    case SL_RELABEL_DROPEQUAL:
        return !equals_target(rule, labels, s);
    case SL_RELABEL_REPLACE:
        replace(rule, labels, s);
        return true;
    case SL_RELABEL_LOWERCASE:
    case SL_RELABEL_UPPERCASE:
        change_case(rule, labels, s);
        return true;
    case SL_RELABEL_HASHMOD:
        hash_mod(rule, labels, s);
        return true;
    case SL_RELABEL_LABELMAP:
        map_names(rule, labels, s);
        return true;
    case SL_RELABEL_LABELDROP:
    case SL_RELABEL_LABELKEEP:
        drop_names(rule, labels);
        return true;
    }
    return true;
}

bool sl_relabel_apply(const struct sl_relabel *r, struct sl_labels *labels) {
    struct scratch s;
    bool is_kept = true;
    sl_buffer_init(&s.joined, SL_LABELS_MAX * SL_LIMIT_LABEL_VALUE_BYTES * 2);
    sl_buffer_init(&s.made, TEXT_BYTES_MAX);
    sl_buffer_init(&s.name, TEXT_BYTES_MAX);
    for (size_t i = 0; i < r->count && is_kept; i++)
        is_kept = apply(&r->rules[i], labels, &s);
    sl_buffer_release(&s.joined);
    sl_buffer_release(&s.made);
    sl_buffer_release(&s.name);
    return is_kept && labels->count > 0;
}
