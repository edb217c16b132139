/* ECMA-48 8.3.117, SELECT GRAPHIC RENDITION. */
#include "base/colours.h"

const struct sl_colours sl_colours_none = {"", "", "", "", "", ""};

const struct sl_colours sl_colours_ansi = {
    .good = "\033[32m",
    .bad = "\033[31m",
    .warn = "\033[33m",
    .dim = "\033[2m",
    .bold = "\033[1m",
    .plain = "\033[0m",
};
