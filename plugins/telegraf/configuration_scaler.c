/* The scaler's settings: a file's, and what the command line adds to them. */
#include <string.h>

#include "configuration.h"

/* Where Telegraf's user may write (influxdata/telegraf scripts/deb/post-install.sh). */
static const char default_state_directory[] = "/var/lib/telegraf/spacelift-pool";

/* A pool that the command line describes, beside those of the file; or the file's, by its name. */
static int add_pool(struct sl_configuration *c, const struct sl_arguments *arguments,
                    struct sl_error *err) {
    const struct sl_option *table = sl_scaler_pool_block.options;
    struct sl_pool_options *pool = NULL;
    if (arguments->word_count == 0)
        return sl_arguments_has(arguments, table)
                   ? sl_fail(err, SL_CONFIG,
                             "which pool are the options for? spacelift-pool scale "
                             "POOL --min-workers ...")
                   : SL_OK;
    for (size_t i = 0; i < c->scaler.pool_count; i++)
        if (strcmp(c->scaler.pools[i]->name, arguments->words[0]) == 0)
            pool = c->scaler.pools[i];
    if (pool == NULL) {
        int code = sl_scaler_config_add_pool(&c->scaler, arguments->words[0], &pool, err);
        if (code != SL_OK)
            return code;
    }
    int code = sl_arguments_apply(arguments, table, pool, err);
    return code != SL_OK ? code : sl_option_check(table, pool, SL_OPTION_AS_FLAG, err);
}

static int add_cluster(struct sl_configuration *c, const struct sl_arguments *arguments,
                       struct sl_error *err) {
    const struct sl_option *table = sl_scaler_cluster_block.options;
    struct sl_cluster_options *cluster = NULL;
    if (!sl_arguments_has(arguments, table))
        return SL_OK;
    if (c->scaler.cluster_count > 1)
        return sl_fail(err, SL_CONFIG, "%s has several clusters: change it there",
                       c->general.config);
    if (c->scaler.cluster_count == 1)
        return sl_arguments_apply(arguments, table, c->scaler.clusters[0], err);
    int code = sl_scaler_config_add_cluster(&c->scaler, "kubernetes", &cluster, err);
    return code != SL_OK ? code : sl_arguments_apply(arguments, table, cluster, err);
}

int sl_configuration_scaler(struct sl_configuration *c, const struct sl_arguments *arguments,
                            struct sl_error *err) {
    int code = sl_arguments_apply(arguments, sl_scaler_plugin_block.options, &c->scaler, err);
    if (code == SL_OK)
        code = add_cluster(c, arguments, err);
    if (code == SL_OK)
        code = add_pool(c, arguments, err);
    if (code == SL_OK && c->scaler.pool_count == 0)
        code = sl_fail(err, SL_CONFIG,
                       "no pool: name one on the command line, or give a --config file with a "
                       "<Plugin workerpool_scaler> and a <Pool>");
    if (code == SL_OK && c->scaler.state_directory == NULL)
        code = sl_option_set(sl_scaler_plugin_block.options, &c->scaler, NULL, "StateDirectory",
                             default_state_directory, err);
    return code;
}
