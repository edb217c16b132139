/* What came of it, as a configuration file with the findings as comments. */
#include "migrate/internal.h"

#include <stdio.h>
#include <string.h>

#include "scaler/options.h"

enum { NOTE_COLUMN = 36, WRAP_COLUMN = 98 };

const char *sl_finding_kind_name(enum sl_finding_kind kind) {
    static const char *const names[] = {"inert", "surprise", "dropped"};

    return names[kind];
}

size_t sl_migration_count(const struct sl_migration *m, enum sl_finding_kind kind) {
    size_t n = 0;

    for (size_t i = 0; i < m->finding_count; i++) {
        n += m->findings[i].kind == kind;
    }
    return n;
}

static void put_setting(const struct sl_setting *s, const char *prefix, struct sl_buffer *out) {
    const struct sl_option *o = sl_option_find(sl_scaler_pool_block.options, s->option);
    size_t start = out->len;

    sl_buffer_printf(out, "%s    %s ", prefix, s->option);
    sl_option_print_value(o, s->value, out);
    if (s->note[0] != '\0') {
        size_t width = out->len - start;

        sl_buffer_printf(out, "%*s# %s", width < NOTE_COLUMN ? (int)(NOTE_COLUMN - width) : 1, "",
                         s->note);
    }
    sl_buffer_putc(out, '\n');
}

static void put_quoted(const char *text, struct sl_buffer *out) {
    static const struct sl_option as_string = {.name = "", .type = SL_OPTION_STRING};

    sl_option_print_value(&as_string, text, out);
}

static void put_schedule(const struct sl_migrated_schedule *s, const char *prefix,
                         struct sl_buffer *out) {
    const struct {
        const char *option;
        const char *value;
    } texts[] = {{"Start", s->start}, {"End", s->end}, {"TimeZone", s->time_zone}};

    sl_buffer_printf(out, "%s    <Schedule ", prefix);
    put_quoted(s->name, out);
    sl_buffer_puts(out, ">\n");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sl_buffer_printf(out, "%s      %s ", prefix, texts[i].option);
        put_quoted(texts[i].value, out);
        sl_buffer_putc(out, '\n');
    }
    sl_buffer_printf(out, "%s      MinWorkers %lld\n%s    </Schedule>\n", prefix,
                     (long long)s->min_workers, prefix);
}

void sl_migration_print_pool(const struct sl_migration *m, bool is_better, const char *prefix,
                             struct sl_buffer *out) {
    sl_buffer_printf(out, "%s  <Pool ", prefix);
    put_quoted(m->pool, out);
    sl_buffer_puts(out, ">\n");
    for (size_t i = 0; i < m->setting_count; i++) {
        if (!is_better || !m->settings[i].is_quirk) {
            put_setting(&m->settings[i], prefix, out);
        }
    }
    for (size_t i = 0; i < m->schedule_count; i++) {
        put_schedule(&m->schedules[i], prefix, out);
    }
    sl_buffer_printf(out, "%s  </Pool>\n", prefix);
}

/* Words wrapped into comment lines; a later line begins under the first one's text. */
static void put_wrapped(const char *text, size_t indent, struct sl_buffer *out) {
    size_t column = indent;

    for (;;) {
        size_t word = strcspn(text, " ");

        if (column > indent && column + 1 + word > WRAP_COLUMN) {
            sl_buffer_printf(out, "\n#%*s", (int)indent - 1, "");
            column = indent;
        } else if (column > indent) {
            sl_buffer_putc(out, ' ');
            column++;
        }
        sl_buffer_append(out, text, word);
        column += word;
        text += word;
        if (*text == '\0') {
            break;
        }
        text++;
    }
    sl_buffer_putc(out, '\n');
}

void sl_migration_print_findings(const struct sl_migration *m, enum sl_finding_kind kind,
                                 struct sl_buffer *out) {
    for (size_t i = 0; i < m->finding_count; i++) {
        char line[SL_FINDING_FIELD_BYTES + SL_FINDING_TEXT_BYTES + 4];

        if (m->findings[i].kind != kind) {
            continue;
        }
        (void)snprintf(line, sizeof line, "%s: %s", m->findings[i].field, m->findings[i].text);
        sl_buffer_puts(out, "#   - ");
        put_wrapped(line, sizeof("#   - ") - 1, out);
    }
}
