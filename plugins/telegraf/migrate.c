/* spacelift-pool migrate: from a ScaledObject or an HPA to a configuration of ours. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "base/limits.h"
#include "kube.h"
#include "kubernetes/yaml.h"
#include "print.h"
#include "migrate/migrate.h"
#include "scaler/options.h"

enum { SAME, BETTER };

static const char *const behaviors[] = {"same", "better", NULL};

struct migrate_settings {
    char *kube_namespace;
    char *name;
    int behavior;
};

static const struct sl_option migrate_options[] = {
    {.name = "Behavior",
     .type = SL_OPTION_CHOICE,
     .offset = offsetof(struct migrate_settings, behavior),
     .fallback = "same",
     .choices = behaviors,
     .help = "Which of the two configurations is printed to be used: the one that does the same, "
             "or the better one. The other follows as a comment."},
    {.name = NULL},
};

static const struct sl_option from_cluster_options[] = {
    {.name = "Namespace",
     .type = SL_OPTION_STRING,
     .offset = offsetof(struct migrate_settings, kube_namespace),
     .example = "spacelift-worker-pool-controller-system",
     .help = "Without FILE: the namespace to look in. Default: that of the kubeconfig's context."},
    {.name = "Name",
     .type = SL_OPTION_STRING,
     .offset = offsetof(struct migrate_settings, name),
     .example = "workerpool-autoscaler",
     .help = "Only the object of this name. Default: all that scale a WorkerPool."},
    {.name = NULL},
};

static const struct sl_option_block migrate_block = {.name = "migrate", .options = migrate_options};
static const struct sl_option_block from_cluster_block = {.name = "migrate",
                                                          .options = from_cluster_options};

struct migrations {
    struct sl_migration **each;
    size_t count;
    size_t skipped; /* objects of other kinds */
};

static void release(struct migrations *all) {
    for (size_t i = 0; i < all->count; i++)
        free(all->each[i]);
    free(all->each);
}

/* ---- reading ---- */

static const char *name_of(const struct sl_json *object) {
    return sl_json_string(sl_json_get(sl_json_get(object, "metadata"), "name"));
}

static int take_object(struct migrations *all, const struct sl_json *object, const char *name,
                       struct sl_error *err) {
    const char *its_name = name_of(object);
    if (!sl_migrate_knows(object) ||
        (name != NULL && (its_name == NULL || strcmp(its_name, name) != 0))) {
        all->skipped++;
        return SL_OK;
    }
    struct sl_migration **grown = realloc(all->each, (all->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory");
    all->each = grown;
    int code = sl_migrate(object, &all->each[all->count], err);
    if (code == SL_OK)
        all->count++;
    return code;
}

/* An object, or a List of them as kubectl get -o yaml and API servers print it; of a List what is
 * about WorkerPools. */
static int take_document(struct migrations *all, const struct sl_json *document, const char *name,
                         struct sl_error *err) {
    const struct sl_json *items = sl_json_get(document, "items");
    int code = SL_OK;
    if (!sl_json_is_array(items))
        return sl_json_is_null(document) ? SL_OK : take_object(all, document, name, err);
    for (size_t i = 0; code == SL_OK && i < sl_json_size(items); i++)
        if (sl_migrate_is_ours(sl_json_at(items, i)))
            code = take_object(all, sl_json_at(items, i), name, err);
    return code;
}

static int take_file(struct migrations *all, const char *path, const char *name,
                     struct sl_error *err) {
    struct sl_buffer yaml, json;
    struct sl_json *documents = NULL;
    sl_buffer_init(&yaml, SL_LIMIT_CONFIG_FILE_BYTES);
    sl_buffer_init(&json, 4 * SL_LIMIT_CONFIG_FILE_BYTES);
    int code = sl_read_input(path, &yaml, err);
    bool is_read = code == SL_OK;
    if (code == SL_OK)
        code = sl_yaml_to_json(yaml.data, yaml.len, &json, err);
    if (code == SL_OK)
        code = sl_json_parse(json.data, json.len, &documents, err);
    for (size_t i = 0; code == SL_OK && i < sl_json_size(documents); i++)
        code = take_document(all, sl_json_at(documents, i), name, err);
    if (code == SL_OK && all->count == 0)
        code = sl_fail(err, SL_CONFIG,
                       "there is no ScaledObject and no HorizontalPodAutoscaler in it%s",
                       all->skipped > 0 ? ", only other objects" : "");
    if (code != SL_OK) {
        if (is_read)
            sl_error_prefix(err, "%s", path);
        err->code = SL_CONFIG; /* the same file will fail again */
    }
    sl_json_free(documents);
    sl_buffer_release(&json);
    sl_buffer_release(&yaml);
    return code == SL_OK ? SL_OK : SL_CONFIG;
}

/* ---- printing ---- */

static void print_kind(const struct sl_migration *m, enum sl_finding_kind kind, const char *title,
                       struct sl_buffer *out) {
    size_t count = sl_migration_count(m, kind);
    if (count == 0)
        return;
    sl_buffer_printf(out, "#\n# %zu %s:\n", count, title);
    sl_migration_print_findings(m, kind, out);
}

static void print_findings(const struct sl_migration *m, struct sl_buffer *out) {
    sl_buffer_printf(out, "# From %s, by spacelift-pool migrate.\n", m->source);
    print_kind(m, SL_FINDING_INERT, "of its fields do nothing", out);
    print_kind(m, SL_FINDING_SURPRISE, "of its fields do something else than they seem to", out);
    print_kind(m, SL_FINDING_DROPPED, "things that are not translated", out);
    if (m->is_cut)
        sl_buffer_puts(out, "#\n# There is more to say about it than fits here.\n");
}

static void print_text(const struct migrations *all, int behavior, struct sl_buffer *out) {
    for (size_t i = 0; i < all->count; i++) {
        print_findings(all->each[i], out);
        sl_buffer_putc(out, '\n');
    }
    sl_buffer_puts(out, "LoadPlugin workerpool_scaler\n<Plugin workerpool_scaler>\n"
                        "  # Outside of the cluster it needs to know how to log in:\n"
                        "#  <Cluster \"prod\">\n"
                        "#    KubeConfig \"/etc/collectd/kubeconfig\"\n"
                        "#  </Cluster>\n\n");
    for (size_t i = 0; i < all->count; i++) {
        const struct sl_migration *m = all->each[i];
        static const char *const titles[] = {
            "Does the same as before",
            "Better: counts busy workers too, and lets idle ones go sooner"};
        sl_buffer_printf(out, "%s  # %s:\n", i > 0 ? "\n" : "", titles[behavior]);
        sl_migration_print_pool(m, behavior == BETTER, "", out);
        sl_buffer_printf(out, "\n  # %s:\n", titles[behavior == SAME ? BETTER : SAME]);
        sl_migration_print_pool(m, behavior == SAME, "#", out);
    }
    sl_buffer_puts(out, "</Plugin>\n");
}

static void put_findings(const struct sl_migration *m, struct sl_json_writer *w) {
    sl_json_array_begin(w, "findings");
    for (size_t i = 0; i < m->finding_count; i++) {
        sl_json_object_begin(w, NULL);
        sl_json_put_string(w, "kind", sl_finding_kind_name(m->findings[i].kind));
        sl_json_put_string(w, "field", m->findings[i].field);
        sl_json_put_string(w, "text", m->findings[i].text);
        sl_json_object_end(w);
    }
    sl_json_array_end(w);
}

static void put_settings(const struct sl_migration *m, bool is_better, const char *key,
                         struct sl_json_writer *w) {
    sl_json_object_begin(w, key);
    for (size_t i = 0; i < m->setting_count; i++)
        if (!is_better || !m->settings[i].is_quirk)
            sl_json_put_string(w, m->settings[i].option, m->settings[i].value);
    sl_json_object_end(w);
}

static void print_json(const struct migrations *all, struct sl_buffer *out) {
    struct sl_json_writer w;
    sl_json_writer_init(&w, out);
    sl_json_array_begin(&w, NULL);
    for (size_t i = 0; i < all->count; i++) {
        const struct sl_migration *m = all->each[i];
        sl_json_object_begin(&w, NULL);
        sl_json_put_string(&w, "source", m->source);
        sl_json_put_string(&w, "pool", m->pool);
        sl_json_put_bool(&w, "counts_pending_only", m->counts_pending_only);
        put_settings(m, false, "same", &w);
        put_settings(m, true, "better", &w);
        put_findings(m, &w);
        sl_json_object_end(&w);
    }
    sl_json_array_end(&w);
    sl_buffer_putc(out, '\n');
}

/* ---- the subcommand ---- */

static int take_list(struct migrations *all, struct sl_kube_link *link, const char *version,
                     const char *plural, const struct migrate_settings *settings,
                     struct sl_error *err) {
    struct sl_json *list = NULL;
    int code = sl_kube_link_list(link, version, plural, settings->kube_namespace, &list, err);
    if (code == SL_OK && list != NULL)
        code = take_document(all, list, settings->name, err);
    sl_json_free(list);
    return code;
}

static int take_cluster(const struct sl_arguments *arguments, struct migrations *all,
                        const struct migrate_settings *settings, struct sl_error *err) {
    const struct sl_option *table = sl_scaler_cluster_block.options;
    struct sl_cluster_options cluster = {.name = NULL};
    struct sl_kube_link link = {.client = NULL};
    int code = sl_arguments_read(arguments, table, &cluster, err);
    bool is_read = code == SL_OK;
    if (code == SL_OK)
        code = sl_kube_link_open(&cluster, NULL, &link, err);
    if (is_read && code == SL_CONFIG && cluster.kube_config == NULL)
        sl_fail(err, SL_CONFIG,
                "name a FILE, or - for standard input, or --kube-config with the cluster to "
                "look into");
    if (code == SL_OK)
        code = take_list(all, &link, "keda.sh/v1alpha1", "scaledobjects", settings, err);
    if (code == SL_OK)
        code = take_list(all, &link, "autoscaling/v2", "horizontalpodautoscalers", settings, err);
    if (code == SL_OK && all->count == 0)
        code = sl_fail(err, SL_NOTFOUND,
                       "no ScaledObject and no HorizontalPodAutoscaler in the namespace %s scales "
                       "a WorkerPool%s%s",
                       settings->kube_namespace != NULL
                           ? settings->kube_namespace
                           : sl_kube_credentials_namespace(link.credentials),
                       settings->name != NULL ? " and has the name " : "",
                       settings->name != NULL ? settings->name : "");
    sl_kube_link_close(&link);
    sl_option_release(table, &cluster);
    return code;
}

static enum sl_exit run(const struct sl_arguments *arguments) {
    struct migrate_settings settings = {.name = NULL};
    struct sl_output_settings output = {.form = 0};
    struct migrations all = {.each = NULL};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer text;
    enum sl_exit status = SL_EXIT_FAILED;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    int code = sl_arguments_read(arguments, migrate_options, &settings, &err);
    if (code == SL_OK)
        code = sl_arguments_read(arguments, from_cluster_options, &settings, &err);
    if (code == SL_OK)
        code = sl_arguments_read(arguments, sl_output_block.options, &output, &err);
    if (code == SL_OK)
        code = arguments->word_count > 0 ? take_file(&all, arguments->words[0], settings.name, &err)
                                         : take_cluster(arguments, &all, &settings, &err);
    if (code == SL_OK && output.form == SL_OUTPUT_JSON)
        print_json(&all, &text);
    else if (code == SL_OK)
        print_text(&all, settings.behavior, &text);
    if (code != SL_OK)
        status = sl_complain(arguments, &err);
    else if (sl_print(&text))
        status = SL_EXIT_OK;
    sl_buffer_release(&text);
    release(&all);
    sl_option_release(from_cluster_options, &settings);
    return status;
}

const struct sl_command sl_command_migrate = {
    .name = "migrate",
    .words = "[FILE]",
    .max_words = 1,
    .summary = "turn a KEDA ScaledObject or an HPA into a configuration of ours",
    .help = "Reads the ScaledObject or HorizontalPodAutoscaler of a WorkerPool, from FILE (YAML or "
            "JSON, - for\nstandard input) or, without FILE, from the cluster. Prints a "
            "configuration of workerpool_scaler that\ndoes the same, and a better one; and before "
            "it, as comments, each field that did nothing at all\nand each that did something "
            "else than its name says.",
    .groups =
        {
            {"What is printed", &migrate_block, NULL},
            {"Which objects", &from_cluster_block, NULL},
            {"The cluster, without FILE", &sl_scaler_cluster_block, NULL},
            {"Output", &sl_output_block, NULL},
        },
    .run = run,
};
