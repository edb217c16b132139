/* Colours for a terminal, as ANSI's sequences. Whether there is a terminal is for the program to
 * know; what is printed takes one of these. Pure. */
#ifndef SL_BASE_COLOURS_H
#define SL_BASE_COLOURS_H

struct sl_colours {
    const char *good, *bad, *warn, *dim, *bold, *plain; /* plain ends the others */
};

extern const struct sl_colours sl_colours_none; /* all "" */
extern const struct sl_colours sl_colours_ansi;

#endif
