/* Prints the reference of every metric, as Markdown, from the catalogue. The build runs it, so that
 * the manual cannot name a metric that is not measured or leave one out. Never installed. */
#include <stdio.h>

#include "spacelift/catalogue.h"

static const char *or_nothing(const char *text) {
    return text != NULL ? text : "";
}

static void print_identifier(const struct sl_metric_type *type) {
    printf("`HOST/%s%s%s/%s", type->plugin, type->plugin_label != NULL ? "-" : "",
           or_nothing(type->plugin_label), type->name);
    for (size_t i = 0; i < 2 && type->type_labels[i] != NULL; i++)
        printf("-%s", type->type_labels[i]);
    printf("`\n\n");
}

static void print_type(const struct sl_metric_type *type) {
    printf("## %s: %s\n\n", type->plugin, type->name);
    printf("In collectd ");
    print_identifier(type);
    printf("| data source | Prometheus | kind | unit | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < type->count; i++) {
        const struct sl_metric *m = &type->metrics[i];
        printf("| `%s` | `%s", m->ds, m->prometheus);
        if (m->label != NULL)
            printf("{%s=\"%s\"}", m->label, or_nothing(m->label_value));
        printf("` | %s | %s | %s |\n", m->kind == SL_METRIC_DERIVE ? "counter" : "gauge",
               or_nothing(m->unit), or_nothing(m->help));
    }
    printf("\n");
}

int main(void) {
    const struct sl_metric_type *type;
    printf("# Metrics\n\nMade from the catalogue (`src/spacelift/catalogue.h`). Where the official "
           "exporter has a metric,\nname, labels, value and unit are the exporter's. A part of an "
           "identifier in lower case is the label\nof that name in Prometheus.\n\n");
    for (size_t i = 0; (type = sl_catalogue(i)) != NULL; i++)
        print_type(type);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
