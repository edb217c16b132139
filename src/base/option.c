/* Option tables: from what an operator typed to the members of a struct. */
#include "base/option.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_parser.h"
#include "base/nearest.h"
#include "base/secret.h"

const struct sl_option *sl_option_find(const struct sl_option *table, const char *name) {
    for (const struct sl_option *o = table; o != NULL && o->name != NULL; o++)
        if (strcasecmp(o->name, name) == 0)
            return o;
    return NULL;
}

static const char *nearest(const struct sl_option *table, const char *name) {
    const char *best = NULL;
    unsigned best_distance = SL_NEAR_ENOUGH + 1;
    for (const struct sl_option *o = table; o != NULL && o->name != NULL; o++) {
        unsigned distance = sl_edit_distance(o->name, name);
        if (distance < best_distance) {
            best = o->name;
            best_distance = distance;
        }
    }
    return best;
}

/* A place in the configuration, for messages: "Account \"acme\": option Timeout". */
struct place {
    const char *where;
    const struct sl_option *option;
};

static int fail_at(const struct place *at, struct sl_error *err, const char *format, ...)
    SL_PRINTF(3, 4);

static int fail_at(const struct place *at, struct sl_error *err, const char *format, ...) {
    char text[SL_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bool has_where = at->where != NULL && at->where[0] != '\0';
    if (has_where && strncmp(at->where, "--", 2) == 0) {
        char flag[SL_OPTION_FLAG_BYTES];
        sl_option_flag(at->option, NULL, flag);
        return sl_fail(err, SL_CONFIG, "--%s %s", at->where[2] != '\0' ? at->where + 2 : flag,
                       text);
    }
    return sl_fail(err, SL_CONFIG, "%s%soption %s %s", has_where ? at->where : "",
                   has_where ? ": " : "", at->option->name, text);
}

static void *member(const struct sl_option *o, void *target) {
    return (char *)target + o->offset;
}

static int put_string(const struct place *at, void *target, const char *text,
                      struct sl_error *err) {
    if (text[0] == '\0' && (at->option->flags & SL_OPTION_MAY_BE_EMPTY) == 0)
        return fail_at(at, err, "is empty");
    char *copy = strdup(text);
    if (copy == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for option %s", at->option->name);
    char **slot = member(at->option, target);
    free(*slot);
    *slot = copy;
    return SL_OK;
}

static int put_url(const struct place *at, void *target, const char *text, struct sl_error *err) {
    size_t scheme = strncasecmp(text, "https://", 8) == 0  ? 8
                    : strncasecmp(text, "http://", 7) == 0 ? 7
                                                           : 0;
    if (scheme == 0 && strchr(text, '@') != NULL) /* may hold a password */
        return fail_at(at, err, "must begin with https:// or http://");
    if (scheme == 0)
        return fail_at(at, err, "\"%s\" must begin with https:// or http://", text);
    size_t host = strcspn(text + scheme, "/?#");
    if (memchr(text + scheme, '@', host) != NULL)
        return fail_at(at, err, "must hold no user or password: there are options for them");
    if (host == 0 || text[scheme] == ':')
        return strchr(text, '@') != NULL ? fail_at(at, err, "has no host")
                                         : fail_at(at, err, "\"%s\" has no host", text);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return fail_at(at, err, "holds a blank or a control character");
    return put_string(at, target, text, err);
}

static int put_secret(const struct place *at, void *target, const char *text,
                      struct sl_error *err) {
    if (text[0] == '\0')
        return fail_at(at, err, "is empty");
    return sl_secret_set(member(at->option, target), text, strlen(text), err);
}

static int check_range(const struct place *at, double value, struct sl_error *err) {
    const struct sl_option *o = at->option;
    if ((o->min == 0 && o->max == 0) || (value >= o->min && value <= o->max))
        return SL_OK;
    const char *unit = o->unit == NULL ? "" : o->unit;
    const char *blank = o->unit == NULL ? "" : " ";
    return fail_at(at, err, "is %.15g%s%s: it must be from %.15g to %.15g%s%s", value, blank, unit,
                   o->min, o->max, blank, unit);
}

static int put_number(const struct place *at, void *target, double value, struct sl_error *err) {
    if (!isfinite(value))
        return fail_at(at, err, "is not a finite number");
    int code = check_range(at, value, err);
    if (code != SL_OK)
        return code;
    void *slot = member(at->option, target);
    if (at->option->type == SL_OPTION_NUMBER) {
        *(double *)slot = value;
        return SL_OK;
    }
    if (at->option->type == SL_OPTION_SECONDS)
        value = round(value * 1000);
    else if (value != trunc(value))
        return fail_at(at, err, "is %.15g: it must be a whole number", value);
    if (fabs(value) > 9e15)
        return fail_at(at, err, "is %.15g: too large", value);
    *(int64_t *)slot = (int64_t)value;
    return SL_OK;
}

static int parse_number(const struct place *at, void *target, const char *text,
                        struct sl_error *err) {
    double value;
    if (sl_json_to_double(text, strlen(text), &value, NULL) != SL_OK)
        return fail_at(at, err, "is \"%s\": it must be a number", text);
    return put_number(at, target, value, err);
}

static int parse_boolean(const struct place *at, void *target, const char *text,
                         struct sl_error *err) {
    static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
    for (size_t i = 0; i < 3; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *(bool *)member(at->option, target) = strcasecmp(text, yes[i]) == 0;
            return SL_OK;
        }
    }
    return fail_at(at, err, "is \"%s\": it must be true or false", text);
}

static int parse_choice(const struct place *at, void *target, const char *text,
                        struct sl_error *err) {
    char list[256] = "";
    size_t used = 0;
    for (int i = 0; at->option->choices[i] != NULL; i++) {
        if (strcasecmp(at->option->choices[i], text) == 0) {
            *(int *)member(at->option, target) = i;
            return SL_OK;
        }
        int n = snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "",
                         at->option->choices[i]);
        if (n > 0 && used + (size_t)n < sizeof(list))
            used += (size_t)n;
    }
    return fail_at(at, err, "is \"%s\": it must be one of: %s", text, list);
}

static int add_item(const struct place *at, void *target, const char *text, struct sl_error *err) {
    struct sl_option_list *list = member(at->option, target);
    if (text[0] == '\0')
        return fail_at(at, err, "is empty");
    char *copy = strdup(text);
    char **items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (items != NULL)
        list->items = items;
    if (copy == NULL || items == NULL) {
        free(copy);
        return sl_fail(err, SL_NOMEM, "out of memory for option %s", at->option->name);
    }
    list->items[list->count++] = copy;
    return SL_OK;
}

/* One row per type, in the order of enum sl_option_type. */
static const struct {
    int (*parse)(const struct place *, void *, const char *, struct sl_error *);
    const char *expects;
} types[] = {
    [SL_OPTION_STRING] = {put_string, "a string in quotes"},
    [SL_OPTION_PATH] = {put_string, "the path of a file, in quotes"},
    [SL_OPTION_URL] = {put_url, "a URL in quotes"},
    [SL_OPTION_SECRET] = {put_secret, "a string in quotes"},
    [SL_OPTION_INTEGER] = {parse_number, "a whole number"},
    [SL_OPTION_NUMBER] = {parse_number, "a number"},
    [SL_OPTION_BOOLEAN] = {parse_boolean, "true or false"},
    [SL_OPTION_SECONDS] = {parse_number, "a number of seconds"},
    [SL_OPTION_CHOICE] = {parse_choice, "one of its choices, in quotes"},
    [SL_OPTION_LIST] = {add_item, "a string in quotes"},
};

int sl_option_defaults(const struct sl_option *table, void *target, struct sl_error *err) {
    for (const struct sl_option *o = table; o != NULL && o->name != NULL; o++) {
        struct place at = {.where = "default", .option = o};
        if (o->fallback == NULL)
            continue;
        int code = types[o->type].parse(&at, target, o->fallback, err);
        if (code == SL_CONFIG) { /* the table's own fault, not the operator's */
            if (err != NULL)
                err->code = SL_BUG;
            return SL_BUG;
        }
        if (code != SL_OK)
            return code;
    }
    return SL_OK;
}

static int find(const struct sl_option *table, const char *where, const char *name,
                struct place *ret, struct sl_error *err) {
    *ret = (struct place){.where = where, .option = sl_option_find(table, name)};
    if (ret->option != NULL)
        return SL_OK;
    const char *near = nearest(table, name);
    bool has_where = where != NULL && where[0] != '\0';
    return sl_fail(err, SL_CONFIG, "%s%sunknown option \"%s\"%s%s%s", has_where ? where : "",
                   has_where ? ": " : "", name, near != NULL ? ", did you mean " : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

int sl_option_set(const struct sl_option *table, void *target, const char *where, const char *name,
                  const char *text, struct sl_error *err) {
    struct place at;
    int code = find(table, where, name, &at, err);
    return code != SL_OK ? code : types[at.option->type].parse(&at, target, text, err);
}

int sl_option_set_number(const struct sl_option *table, void *target, const char *where,
                         const char *name, double number, struct sl_error *err) {
    struct place at;
    int code = find(table, where, name, &at, err);
    if (code != SL_OK)
        return code;
    if (types[at.option->type].parse != parse_number)
        return fail_at(&at, err, "is a number: it must be %s", types[at.option->type].expects);
    return put_number(&at, target, number, err);
}

int sl_option_set_boolean(const struct sl_option *table, void *target, const char *where,
                          const char *name, bool value, struct sl_error *err) {
    struct place at;
    int code = find(table, where, name, &at, err);
    if (code != SL_OK)
        return code;
    if (at.option->type != SL_OPTION_BOOLEAN)
        return fail_at(&at, err, "is true or false: it must be %s", types[at.option->type].expects);
    *(bool *)member(at.option, target) = value;
    return SL_OK;
}

static bool is_set(const struct sl_option *o, const void *target) {
    const char *slot = (const char *)target + o->offset;
    switch (o->type) {
    case SL_OPTION_STRING:
    case SL_OPTION_PATH:
    case SL_OPTION_URL:
        return *(char *const *)(const void *)slot != NULL;
    case SL_OPTION_SECRET:
        return sl_secret_is_set((const struct sl_secret *)(const void *)slot);
    case SL_OPTION_LIST:
        return ((const struct sl_option_list *)(const void *)slot)->count > 0;
    case SL_OPTION_NUMBER:
        return *(const double *)(const void *)slot != 0;
    case SL_OPTION_INTEGER:
    case SL_OPTION_SECONDS:
        return *(const int64_t *)(const void *)slot != 0;
    case SL_OPTION_BOOLEAN:
    case SL_OPTION_CHOICE:
        return true;
    }
    return true;
}

int sl_option_check(const struct sl_option *table, const void *target, const char *where,
                    struct sl_error *err) {
    for (const struct sl_option *o = table; o != NULL && o->name != NULL; o++) {
        struct place at = {.where = where, .option = o};
        if ((o->flags & SL_OPTION_REQUIRED) != 0 && !is_set(o, target))
            return fail_at(&at, err, "is missing");
    }
    return SL_OK;
}

static void release_list(struct sl_option_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct sl_option_list){.items = NULL};
}

void sl_option_release(const struct sl_option *table, void *target) {
    for (const struct sl_option *o = table; o != NULL && o->name != NULL; o++) {
        if (types[o->type].parse == put_string || types[o->type].parse == put_url) {
            char **slot = member(o, target);
            free(*slot);
            *slot = NULL;
        } else if (o->type == SL_OPTION_SECRET) {
            sl_secret_release(member(o, target));
        } else if (o->type == SL_OPTION_LIST) {
            release_list(member(o, target));
        }
    }
}
