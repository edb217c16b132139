/* A configuration file, and what it includes. */
#include "configuration.h"

#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/config_file.h"
#include "base/limits.h"
#include "os/file.h"
#include "spacelift/catalogue.h"

enum { INCLUDE_DEPTH = 8 };

#define AT(member) offsetof(struct sl_general_options, member)

static const struct sl_option general_options[] = {
    {.name = "Config",
     .type = SL_OPTION_PATH,
     .offset = AT(config),
     .example = "/etc/spacelift-pool.conf",
     .help = "A configuration file in collectd's syntax: collectd.conf itself, one of its "
             "drop-ins, or a file of its own. Blocks of other plugins are passed over."},
    {.name = "Account",
     .type = SL_OPTION_STRING,
     .offset = AT(account),
     .example = "acme",
     .help = "Which <Account> of the configuration file, where it has several. Default: all."},
    {.name = NULL},
};

const struct sl_option_block sl_general_block = {.name = "general", .options = general_options};

/* ---- files ---- */

static int read_file(const char *path, struct sl_config_item *root, unsigned depth,
                     struct sl_error *err);

/* A folder: its files in the order of their names, those that filter (may be NULL) allows. */
static int read_folder(const char *path, const char *filter, struct sl_config_item *root,
                       unsigned depth, struct sl_error *err) {
    char pattern[PATH_MAX];
    glob_t found = {.gl_pathc = 0};
    snprintf(pattern, sizeof(pattern), "%s/*", path);
    int status = glob(pattern, 0, NULL, &found);
    int code = status == 0 || status == GLOB_NOMATCH
                   ? SL_OK
                   : sl_fail(err, SL_IO, "cannot list the folder %s", path);
    for (size_t i = 0; code == SL_OK && i < found.gl_pathc; i++) {
        const char *name = strrchr(found.gl_pathv[i], '/') + 1;
        if (filter == NULL || fnmatch(filter, name, FNM_PERIOD) == 0)
            code = read_file(found.gl_pathv[i], root, depth, err);
    }
    globfree(&found);
    return code;
}

static int include(const char *pattern, const char *filter, struct sl_config_item *root,
                   unsigned depth, struct sl_error *err) {
    glob_t found = {.gl_pathc = 0};
    int status = glob(pattern, 0, NULL, &found);
    int code = SL_OK;
    if (status == GLOB_NOMATCH && strpbrk(pattern, "*?[") == NULL)
        code = sl_fail(err, SL_IO, "Include \"%s\": there is no such file", pattern);
    else if (status != 0 && status != GLOB_NOMATCH)
        code = sl_fail(err, SL_IO, "Include \"%s\": cannot look for it", pattern);
    for (size_t i = 0; code == SL_OK && i < found.gl_pathc; i++) {
        struct stat st;
        bool is_folder = stat(found.gl_pathv[i], &st) == 0 && S_ISDIR(st.st_mode);
        code = is_folder ? read_folder(found.gl_pathv[i], filter, root, depth, err)
                         : read_file(found.gl_pathv[i], root, depth, err);
    }
    globfree(&found);
    return code;
}

static const char *filter_of(const struct sl_config_item *item) {
    for (size_t i = 0; i < item->child_count; i++) {
        const struct sl_config_item *child = &item->children[i];
        if (strcasecmp(child->key, "Filter") == 0 && child->value_count == 1)
            return child->values[0].text;
    }
    return NULL;
}

/* Moves the items of one file to root, those of an Include in its place. */
static int splice(struct sl_config_item *from, struct sl_config_item *root, unsigned depth,
                  struct sl_error *err) {
    int code = SL_OK;
    for (size_t i = 0; code == SL_OK && i < from->child_count; i++) {
        struct sl_config_item *child = &from->children[i];
        bool is_include = strcasecmp(child->key, "Include") == 0 && child->value_count == 1 &&
                          child->values[0].type == SL_CONFIG_STRING;
        if (is_include) {
            code = include(child->values[0].text, filter_of(child), root, depth, err);
            continue;
        }
        code = sl_config_take(root, child, err);
    }
    return code;
}

static int read_file(const char *path, struct sl_config_item *root, unsigned depth,
                     struct sl_error *err) {
    struct sl_buffer text;
    struct sl_config_item tree = {.key = NULL};
    if (depth > INCLUDE_DEPTH)
        return sl_fail(err, SL_CONFIG, "%s: files include each other deeper than %d", path,
                       INCLUDE_DEPTH);
    sl_buffer_init(&text, SL_LIMIT_CONFIG_FILE_BYTES);
    int code = sl_file_read(path, &text, err);
    if (code == SL_OK)
        code = sl_config_parse(text.data, text.len, path, &tree, err);
    if (code == SL_OK)
        code = splice(&tree, root, depth + 1, err);
    sl_config_release(&tree);
    sl_buffer_wipe(&text); /* it may hold a password */
    return code;
}

/* ---- our plugins' blocks ---- */

static int add_account(void *context, const struct sl_option_block *block, const char *label,
                       const struct sl_config_item *item, struct sl_error *err) {
    (void)block;
    struct sl_configuration *c = context;
    struct sl_account *grown = realloc(c->accounts, (c->account_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory");
    c->accounts = grown;
    int code = sl_account_read(label, item, &grown[c->account_count], err);
    c->account_count += code == SL_OK;
    return code;
}

static int read_spacelift(const struct sl_config_item *item, struct sl_configuration *c,
                          struct sl_error *err) {
    return sl_config_read_block(&sl_spacelift_plugin_block, SL_SPACELIFT_PLUGIN, item, NULL,
                                add_account, c, err);
}

static int add_node(void *context, const struct sl_option_block *block, const char *label,
                    const struct sl_config_item *item, struct sl_error *err) {
    struct sl_configuration *c = context;
    char where[SL_CONFIG_WHERE_BYTES];
    sl_config_where(block, label, where, sizeof(where));
    struct sl_node_options *grown = realloc(c->nodes, (c->node_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory");
    c->nodes = grown;
    struct sl_node_options *node = &grown[c->node_count++];
    *node = (struct sl_node_options){.name = strdup(label)};
    int code = node->name != NULL ? SL_OK : sl_fail(err, SL_NOMEM, "out of memory");
    if (code == SL_OK)
        code = sl_config_read_block(block, where, item, node, NULL, NULL, err);
    return code != SL_OK ? code : sl_node_options_check(node, err);
}

static int read_remote_write(const struct sl_config_item *item, struct sl_configuration *c,
                             struct sl_error *err) {
    return sl_config_read_block(&sl_remote_write_plugin_block, sl_remote_write_plugin_block.name,
                                item, NULL, add_node, c, err);
}

static int read_scaler(const struct sl_config_item *item, struct sl_configuration *c,
                       struct sl_error *err) {
    return sl_scaler_config_read(&c->scaler, item, err);
}

static int read_plugins(const struct sl_config_item *root, struct sl_configuration *c,
                        struct sl_error *err) {
    static const struct {
        const struct sl_option_block *block;
        int (*read)(const struct sl_config_item *, struct sl_configuration *, struct sl_error *);
    } plugins[] = {
        {&sl_spacelift_plugin_block, read_spacelift},
        {&sl_scaler_plugin_block, read_scaler},
        {&sl_remote_write_plugin_block, read_remote_write},
    };
    for (size_t i = 0; i < root->child_count; i++) {
        const struct sl_config_item *item = &root->children[i];
        bool is_plugin = strcasecmp(item->key, "Plugin") == 0 && item->value_count > 0 &&
                         item->values[0].type == SL_CONFIG_STRING;
        for (size_t j = 0; is_plugin && j < sizeof(plugins) / sizeof(plugins[0]); j++) {
            if (strcasecmp(item->values[0].text, plugins[j].block->name) != 0)
                continue;
            int code = plugins[j].read(item, c, err);
            if (code != SL_OK)
                return code;
        }
    }
    return SL_OK;
}

int sl_configuration_read(const char *path, struct sl_configuration *ret, struct sl_error *err) {
    struct sl_config_item root = {.key = NULL};
    int code = read_file(path, &root, 0, err);
    if (code == SL_OK) {
        struct sl_error why = SL_ERROR_INIT;
        code = read_plugins(&root, ret, &why);
        if (code != SL_OK)
            code = sl_fail(err, why.code, "%s: %s", path, why.text);
    }
    sl_config_release(&root);
    return code;
}

int sl_configuration_load(const struct sl_arguments *arguments, struct sl_configuration *ret,
                          struct sl_error *err) {
    *ret = (struct sl_configuration){.accounts = NULL};
    int code = sl_arguments_read(arguments, general_options, &ret->general, err);
    if (code != SL_OK || ret->general.config == NULL)
        return code;
    code = sl_configuration_read(ret->general.config, ret, err);
    if (code == SL_IO) /* the same again will fail again */
        code = sl_fail(err, SL_CONFIG, "option --config: %s", err->text);
    return code;
}

void sl_configuration_release(struct sl_configuration *c) {
    for (size_t i = 0; i < c->account_count; i++)
        sl_account_release(&c->accounts[i]);
    for (size_t i = 0; i < c->node_count; i++)
        sl_node_options_release(&c->nodes[i]);
    free(c->accounts);
    free(c->nodes);
    sl_scaler_config_release(&c->scaler);
    sl_option_release(general_options, &c->general);
    *c = (struct sl_configuration){.accounts = NULL};
}
