/* What a replay looked like: demand and size over time, for a terminal and as SVG. Pure. */
#ifndef SL_REPLAY_PICTURE_H
#define SL_REPLAY_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/colours.h"

enum { SL_PICTURE_COLUMNS = 720 };

/* The highest demand and the highest size of each of many equal spans of time. */
struct sl_replay_picture {
    int64_t span_ms; /* of all of it; what comes later falls into the last column */
    int64_t demand[SL_PICTURE_COLUMNS];
    int64_t size[SL_PICTURE_COLUMNS];
    bool is_marked[SL_PICTURE_COLUMNS];
};

void sl_replay_picture_init(struct sl_replay_picture *p, int64_t span_ms);
void sl_replay_picture_mark(struct sl_replay_picture *p, int64_t at_ms, int64_t demand,
                            int64_t size);

/* One policy's part of a picture. */
struct sl_replay_panel {
    const char *title;
    const char *figures; /* a line below the title */
    struct sl_replay_picture picture;
};

/* The panels one below the other, all with the same scale. */
void sl_replay_print_panels(const struct sl_replay_panel *panels, size_t count, size_t width,
                            const struct sl_colours *colours, struct sl_buffer *out);
void sl_replay_print_svg(const char *title, const struct sl_replay_panel *panels, size_t count,
                         struct sl_buffer *out);

#endif
