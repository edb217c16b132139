/* Option tables: one row says everything about one option, and everything else is made from the
 * row: parsing, defaults, range check, --help, example files, manual.
 *
 * A table describes the members of a plain struct. Defaults are text and go through the same
 * parser as what the operator typed, so a default cannot be out of range unnoticed. Names are
 * compared without regard to case, as collectd does. The same table serves collectd (CamelCase
 * blocks) and the command line (--lower-case-with-dashes). No I/O; one thread at a time. */
#ifndef SL_BASE_OPTION_H
#define SL_BASE_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum sl_option_type {
    SL_OPTION_STRING,  /* char * */
    SL_OPTION_PATH,    /* char *, a file */
    SL_OPTION_URL,     /* char *, http:// or https:// with a host, no user information */
    SL_OPTION_SECRET,  /* struct sl_secret; never printed back */
    SL_OPTION_INTEGER, /* int64_t */
    SL_OPTION_NUMBER,  /* double */
    SL_OPTION_BOOLEAN, /* bool */
    SL_OPTION_SECONDS, /* int64_t, in ms; typed as seconds, fractions allowed */
    SL_OPTION_CHOICE,  /* int: index into choices */
    SL_OPTION_LIST,    /* struct sl_option_list: a string that may be given several times */
};

struct sl_option_list {
    char **items;
    size_t count;
};

enum sl_option_flags {
    SL_OPTION_REQUIRED = 1,     /* refused to start without it */
    SL_OPTION_EXAMPLE = 2,      /* stands uncommented in the example file, with .example as value */
    SL_OPTION_MAY_BE_EMPTY = 4, /* "" is a value of this string */
};

struct sl_option {
    const char *name; /* CamelCase, collectd's or the field's own word */
    enum sl_option_type type;
    size_t offset;        /* of the member in the target struct */
    const char *fallback; /* the default, as text; NULL: unset (NULL, false, 0) */
    double min, max;      /* both 0: any value. Of what is typed: seconds for SL_OPTION_SECONDS */
    const char *unit;     /* "ms", "s", "percent", "workers"; NULL where there is none */
    const char *const *choices; /* NULL-terminated */
    unsigned flags;
    const char *example;
    const char *help; /* whole sentences; the unit stands in .unit as well as here */
};

/* A block: <Account "acme"> ... </Account>, or the plugin itself. */
struct sl_option_block {
    const char *name;                /* "Account"; for the plugin its name */
    const char *label;               /* what stands in quotes, in words; NULL: nothing */
    const char *example;             /* an example of the label */
    const struct sl_option *options; /* ends with a row without a name; may be NULL */
    const struct sl_option_block *const *blocks; /* inner blocks, NULL-terminated; may be NULL */
    const char *help;
};

/* Text for roff: what it would take for commands or for other characters is escaped. */
void sl_option_put_roff(struct sl_buffer *out, const char *text, size_t len);

/* A value as collectd's configuration takes it: in quotes, with its escapes, where the type of the
 * row wants them. */
void sl_option_print_value(const struct sl_option *o, const char *value, struct sl_buffer *out);

/* The row, or NULL. */
const struct sl_option *sl_option_find(const struct sl_option *table, const char *name);

/* Fills a zeroed target with the defaults. SL_BUG for a default its own row refuses. */
int sl_option_defaults(const struct sl_option *table, void *target,
                       struct sl_error *err) SL_CHECKED;

/* Stands for where: the option is named as a command line spells it. "--cluster-timeout", with its
 * prefix, is the flag itself. */
#define SL_OPTION_AS_FLAG "--"

/* Sets one option from text. where names the place for messages ("Account \"acme\""), may be NULL.
 * SL_CONFIG: unknown option (with the nearest name), wrong form, out of range; the message names
 * where, the option, the value (not of a secret), the range and the unit. An option that is no
 * list given twice: the last one wins, as in collectd. */
int sl_option_set(const struct sl_option *table, void *target, const char *where, const char *name,
                  const char *text, struct sl_error *err) SL_CHECKED;

/* The same for hosts whose configuration has types of its own. SL_CONFIG for a string where a
 * number belongs and the other way round. */
int sl_option_set_number(const struct sl_option *table, void *target, const char *where,
                         const char *name, double number, struct sl_error *err) SL_CHECKED;
int sl_option_set_boolean(const struct sl_option *table, void *target, const char *where,
                          const char *name, bool value, struct sl_error *err) SL_CHECKED;

/* All has been read: SL_CONFIG names the first required option that is missing. */
int sl_option_check(const struct sl_option *table, const void *target, const char *where,
                    struct sl_error *err) SL_CHECKED;

/* Frees what the options own; the target itself is the caller's. Secrets are wiped. */
void sl_option_release(const struct sl_option *table, void *target);

/* The command line's spelling: "APIKeyID" is --api-key-id. prefix may be NULL; "cluster" makes
 * --cluster-timeout. out has SL_OPTION_FLAG_BYTES. */
enum { SL_OPTION_FLAG_BYTES = 96 };
void sl_option_flag(const struct sl_option *option, const char *prefix, char *out);

/* The row that a flag without its leading dashes means, or NULL. Dashes inside do not count:
 * --kubeconfig is --kube-config. */
const struct sl_option *sl_option_find_flag(const struct sl_option *table, const char *prefix,
                                            const char *flag, size_t len);

/* Lines for --help: each flag with its value, help, default and range. */
void sl_option_print_help(const struct sl_option *table, const char *prefix, struct sl_buffer *out);

/* What a row says beside its help, with a blank in front: " Default: 10 ms. Range: ...". */
void sl_option_print_facts(const struct sl_option *option, struct sl_buffer *out);

/* What the table says of itself. conf: a collectd drop-in with every option, commented out unless
 * SL_OPTION_EXAMPLE. man: roff for a manual page. */
void sl_option_print_conf(const struct sl_option_block *plugin, struct sl_buffer *out);
void sl_option_print_man(const struct sl_option_block *plugin, struct sl_buffer *out);

#endif
