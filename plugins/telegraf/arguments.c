/* The command line. */
#include "arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

static const struct sl_option_group *find_flag(const struct sl_command *command, const char *flag,
                                               size_t len, const struct sl_option **ret) {
    for (const struct sl_option_group *g = command->groups; g->title != NULL; g++) {
        *ret = sl_option_find_flag(g->block->options, g->prefix, flag, len);
        if (*ret != NULL)
            return g;
    }
    return NULL;
}

static int complain_unknown(const struct sl_command *command, const char *flag, size_t len,
                            struct sl_error *err) {
    char typed[SL_OPTION_FLAG_BYTES], best[SL_OPTION_FLAG_BYTES] = "";
    unsigned best_distance = SL_NEAR_ENOUGH + 1;
    snprintf(typed, sizeof(typed), "%.*s", (int)len, flag);
    for (const struct sl_option_group *g = command->groups; g->title != NULL; g++) {
        for (const struct sl_option *o = g->block->options; o->name != NULL; o++) {
            char own[SL_OPTION_FLAG_BYTES];
            sl_option_flag(o, g->prefix, own);
            unsigned distance = sl_edit_distance(own, typed);
            if (len > 3 && strncmp(own, typed, len) == 0) /* the beginning of a longer one */
                distance = SL_NEAR_ENOUGH;
            if (distance < best_distance) {
                best_distance = distance;
                memcpy(best, own, sizeof(best));
            }
        }
    }
    if (best[0] != '\0')
        return sl_fail(err, SL_CONFIG, "unknown option --%s, did you mean --%s?", typed, best);
    return sl_fail(err, SL_CONFIG, "unknown option --%s: see spacelift-pool %s --help", typed,
                   command->name);
}

/* --name=TEXT, --name TEXT, or --name of a switch. *i is moved over what belongs to it. */
static int take_option(struct sl_arguments *a, int argc, char *const *argv, int *i,
                       struct sl_error *err) {
    const char *flag = argv[*i] + 2;
    const char *equals = strchr(flag, '=');
    size_t len = equals != NULL ? (size_t)(equals - flag) : strlen(flag);
    const struct sl_option *option;
    const struct sl_option_group *group = find_flag(a->command, flag, len, &option);
    if (group == NULL)
        return complain_unknown(a->command, flag, len, err);
    if (option->type == SL_OPTION_SECRET)
        return sl_fail(err, SL_CONFIG,
                       "--%.*s: a secret on the command line can be read by everybody on this "
                       "host: put it into a file that only its owner can read",
                       (int)len, flag);
    struct sl_argument *given = &a->given[a->given_count++];
    *given = (struct sl_argument){
        .table = group->block->options, .prefix = group->prefix, .option = option, .text = "true"};
    if (equals != NULL)
        given->text = equals + 1;
    else if (option->type != SL_OPTION_BOOLEAN && *i + 1 >= argc)
        return sl_fail(err, SL_CONFIG, "--%s needs a value", flag);
    else if (option->type != SL_OPTION_BOOLEAN)
        given->text = argv[++*i];
    return SL_OK;
}

static int check_words(const struct sl_arguments *a, struct sl_error *err) {
    const struct sl_command *c = a->command;
    if (a->word_count > c->max_words)
        return sl_fail(err, SL_CONFIG, "\"%s\" is too much: see spacelift-pool %s --help",
                       a->words[c->max_words], c->name);
    if (a->word_count < c->min_words)
        return sl_fail(err, SL_CONFIG, "%s is missing: see spacelift-pool %s --help", c->words,
                       c->name);
    return SL_OK;
}

int sl_arguments_parse(const struct sl_command *command, int argc, char *const *argv,
                       struct sl_arguments *ret, struct sl_error *err) {
    size_t room = (size_t)argc + 1;
    *ret = (struct sl_arguments){.command = command,
                                 .given = calloc(room, sizeof(*ret->given)),
                                 .words = calloc(room, sizeof(*ret->words))};
    if (ret->given == NULL || ret->words == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory");
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        if (only_words || argv[i][0] != '-' || strcmp(argv[i], "-") == 0) {
            ret->words[ret->word_count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            ret->wants_help = true;
            return SL_OK;
        } else if (argv[i][1] != '-') {
            return sl_fail(err, SL_CONFIG, "%s: options have two dashes and a name: --config",
                           argv[i]);
        } else {
            int code = take_option(ret, argc, argv, &i, err);
            if (code != SL_OK)
                return code;
        }
    }
    return check_words(ret, err);
}

void sl_arguments_release(struct sl_arguments *a) {
    free(a->given);
    free(a->words);
    *a = (struct sl_arguments){.given = NULL};
}

bool sl_arguments_has(const struct sl_arguments *a, const struct sl_option *table) {
    for (size_t i = 0; i < a->given_count; i++)
        if (a->given[i].table == table)
            return true;
    return false;
}

int sl_arguments_apply(const struct sl_arguments *a, const struct sl_option *table, void *target,
                       struct sl_error *err) {
    for (size_t i = 0; i < a->given_count; i++) {
        const struct sl_argument *given = &a->given[i];
        if (given->table != table)
            continue;
        char where[SL_OPTION_FLAG_BYTES + 2] = "--";
        sl_option_flag(given->option, given->prefix, where + 2);
        int code = sl_option_set(table, target, where, given->option->name, given->text, err);
        if (code != SL_OK)
            return code;
    }
    return SL_OK;
}

int sl_arguments_read(const struct sl_arguments *a, const struct sl_option *table, void *target,
                      struct sl_error *err) {
    int code = sl_option_defaults(table, target, err);
    if (code == SL_OK)
        code = sl_arguments_apply(a, table, target, err);
    return code != SL_OK ? code : sl_option_check(table, target, SL_OPTION_AS_FLAG, err);
}
