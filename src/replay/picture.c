/* Draws. */
#include "replay/picture.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/civil.h"

enum { ROWS = 10, LABEL_COLUMNS = 7, MIN_WIDTH = 30 };

void sl_replay_picture_init(struct sl_replay_picture *p, int64_t span_ms) {
    *p = (struct sl_replay_picture){.span_ms = span_ms > 0 ? span_ms : 1};
}

void sl_replay_picture_mark(struct sl_replay_picture *p, int64_t at_ms, int64_t demand,
                            int64_t size) {
    int64_t column =
        at_ms < p->span_ms ? at_ms * SL_PICTURE_COLUMNS / p->span_ms : SL_PICTURE_COLUMNS - 1;
    size_t i = column < 0 ? 0 : (size_t)column;

    if (!p->is_marked[i] || demand > p->demand[i]) {
        p->demand[i] = demand;
    }
    if (!p->is_marked[i] || size > p->size[i]) {
        p->size[i] = size;
    }
    p->is_marked[i] = true;
}

/* A column that no decision fell into looks like the one before. */
static struct sl_replay_picture filled(const struct sl_replay_picture *from) {
    struct sl_replay_picture p = *from;

    for (size_t i = 1; i < SL_PICTURE_COLUMNS; i++) {
        if (!p.is_marked[i]) {
            p.demand[i] = p.demand[i - 1];
            p.size[i] = p.size[i - 1];
        }
    }
    return p;
}

static int64_t max_i64(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t highest_of(const struct sl_replay_panel *panels, size_t count) {
    int64_t highest = 1;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < SL_PICTURE_COLUMNS; j++) {
            highest = max_i64(highest, panels[i].picture.demand[j]);
            highest = max_i64(highest, panels[i].picture.size[j]);
        }
    }
    return highest;
}

/* ---- the terminal ---- */

struct cell {
    int64_t demand;
    int64_t size;
};

/* The columns of the picture that fall into one of `width` columns. */
static struct cell cell_of(const struct sl_replay_picture *p, size_t column, size_t width) {
    size_t from = column * SL_PICTURE_COLUMNS / width;
    size_t to = (column + 1) * SL_PICTURE_COLUMNS / width;
    struct cell c = {0, 0};

    for (size_t i = from; i < to || i == from; i++) {
        c.demand = max_i64(c.demand, p->demand[i]);
        c.size = max_i64(c.size, p->size[i]);
    }
    return c;
}

static void put_row(const struct sl_replay_picture *p, int row, int64_t highest, size_t width,
                    const struct sl_colours *colours, struct sl_buffer *out) {
    for (size_t i = 0; i < width; i++) {
        struct cell c = cell_of(p, i, width);
        int64_t size_row = (c.size * ROWS + highest - 1) / highest;

        if (size_row == row || (row == 1 && size_row == 0)) {
            sl_buffer_printf(out, "%s\xe2\x94\x81%s", colours->good, colours->plain);
        } else if (c.demand * ROWS > (row - 1) * highest) {
            sl_buffer_printf(out, "%s\xe2\x96\x92%s", colours->dim, colours->plain);
        } else {
            sl_buffer_putc(out, ' ');
        }
    }
    sl_buffer_putc(out, '\n');
}

void sl_replay_print_panels(const struct sl_replay_panel *panels, size_t count, size_t width,
                            const struct sl_colours *colours, struct sl_buffer *out) {
    int64_t highest = highest_of(panels, count);
    size_t columns = width > LABEL_COLUMNS + MIN_WIDTH ? width - LABEL_COLUMNS : MIN_WIDTH;
    char age[SL_AGE_BYTES];

    columns = columns < SL_PICTURE_COLUMNS ? columns : SL_PICTURE_COLUMNS;
    for (size_t i = 0; i < count; i++) {
        struct sl_replay_picture p = filled(&panels[i].picture);

        sl_buffer_printf(out, "\n%s%s%s  %s\n", colours->bold, panels[i].title, colours->plain,
                         panels[i].figures);
        for (int row = ROWS; row >= 1; row--) {
            if (row == ROWS || row == 1) {
                sl_buffer_printf(out, "%5" PRId64 " \xe2\x94\xa4", row == ROWS ? highest : 0);
            } else {
                sl_buffer_puts(out, "      \xe2\x94\x82");
            }
            put_row(&p, row, highest, columns, colours, out);
        }
        sl_format_age(p.span_ms, age);
        sl_buffer_printf(out, "%*s0%*s\n", (int)LABEL_COLUMNS, "", (int)columns - 1, age);
    }
    sl_buffer_printf(out, "%s\xe2\x94\x81%s poolSize  %s\xe2\x96\x92%s busy + pending\n",
                     colours->good, colours->plain, colours->dim, colours->plain);
}

/* ---- SVG ---- */

enum { SVG_WIDTH = 900, PANEL_HEIGHT = 190, PLOT_HEIGHT = 120, LEFT = 60, TOP = 56 };

static void put_xml(struct sl_buffer *out, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            sl_buffer_puts(out, "&amp;");
            break;
        case '<':
            sl_buffer_puts(out, "&lt;");
            break;
        case '>':
            sl_buffer_puts(out, "&gt;");
            break;
        case '"':
            sl_buffer_puts(out, "&quot;");
            break;
        default:
            sl_buffer_putc(out, (unsigned char)*text < ' ' ? ' ' : *text);
            break;
        }
    }
}

static void put_text_at(struct sl_buffer *out, int x, int y, const char *style, const char *text) {
    sl_buffer_printf(out, "<text x=\"%d\" y=\"%d\" %s>", x, y, style);
    put_xml(out, text);
    sl_buffer_puts(out, "</text>\n");
}

static double y_of(int64_t value, int64_t highest, int base) {
    return base - (double)value * PLOT_HEIGHT / (double)highest;
}

static void put_path(const int64_t *values, int64_t highest, int base, struct sl_buffer *out) {
    sl_buffer_printf(out, "M%d,%.1f", (int)LEFT, y_of(values[0], highest, base));
    for (size_t i = 1; i < SL_PICTURE_COLUMNS; i++) {
        if (values[i] != values[i - 1]) {
            sl_buffer_printf(out, "H%zuV%.1f", LEFT + i, y_of(values[i], highest, base));
        }
    }
    sl_buffer_printf(out, "H%d", (int)(LEFT + SL_PICTURE_COLUMNS));
}

static void put_panel(const struct sl_replay_panel *panel, int64_t highest, int top,
                      struct sl_buffer *out) {
    struct sl_replay_picture p = filled(&panel->picture);
    int base = top + 40 + PLOT_HEIGHT;
    char label[SL_AGE_BYTES];

    put_text_at(out, LEFT, top + 14, "font-weight=\"bold\"", panel->title);
    put_text_at(out, LEFT, top + 31, "fill=\"#555\"", panel->figures);
    sl_buffer_puts(out, "<path fill=\"#d9d9d9\" d=\"");
    put_path(p.demand, highest, base, out);
    sl_buffer_printf(out, "V%dH%dZ\"/>\n", base, (int)LEFT);
    sl_buffer_puts(out, "<path fill=\"none\" stroke=\"#0a7d33\" stroke-width=\"1.6\" d=\"");
    put_path(p.size, highest, base, out);
    sl_buffer_puts(out, "\"/>\n");
    sl_buffer_printf(out, "<path stroke=\"#999\" d=\"M%d,%dV%dH%d\" fill=\"none\"/>\n", (int)LEFT,
                     base - PLOT_HEIGHT, base, (int)(LEFT + SL_PICTURE_COLUMNS));
    (void)snprintf(label, sizeof label, "%" PRId64, highest);
    put_text_at(out, LEFT - 8, base - PLOT_HEIGHT + 5, "text-anchor=\"end\" fill=\"#555\"", label);
    put_text_at(out, LEFT - 8, base, "text-anchor=\"end\" fill=\"#555\"", "0");
    sl_format_age(p.span_ms, label);
    put_text_at(out, LEFT + SL_PICTURE_COLUMNS, base + 15, "text-anchor=\"end\" fill=\"#555\"",
                label);
}

void sl_replay_print_svg(const char *title, const struct sl_replay_panel *panels, size_t count,
                         struct sl_buffer *out) {
    int64_t highest = highest_of(panels, count);
    int height = TOP + (int)count * PANEL_HEIGHT;

    sl_buffer_printf(out,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                     "font-family=\"sans-serif\" font-size=\"13\">\n"
                     "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                     (int)SVG_WIDTH, height);
    put_text_at(out, LEFT, 24, "font-size=\"16\" font-weight=\"bold\"", title);
    sl_buffer_printf(out,
                     "<rect x=\"%d\" y=\"34\" width=\"14\" height=\"10\" fill=\"#d9d9d9\"/>"
                     "<rect x=\"%d\" y=\"38\" width=\"14\" height=\"2\" fill=\"#0a7d33\"/>\n",
                     (int)LEFT, LEFT + 140);
    put_text_at(out, LEFT + 20, 44, "fill=\"#555\"", "busy + pending");
    put_text_at(out, LEFT + 160, 44, "fill=\"#555\"", "poolSize");
    for (size_t i = 0; i < count; i++) {
        put_panel(&panels[i], highest, TOP + (int)i * PANEL_HEIGHT, out);
    }
    sl_buffer_puts(out, "</svg>\n");
}
