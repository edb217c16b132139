/* collectd's configuration syntax (collectd.conf(5); collectd src/liboconfig/scanner.l, parser.y),
 * read into a tree: `Key value value`, `<Key value> ... </Key>`, comments from '#', strings in
 * double quotes with '\' before '"' and '\', plain words, numbers (decimal, 0x.., 0.. octal,
 * fractions), true/yes/on and false/no/off, '\' at the end of a line to go on. Blocks nest and end
 * with the name they begin with. Not here: <If>. Include is an item like any other: whoever can
 * read files follows it. Pure; any thread. */
#ifndef SL_BASE_CONFIG_FILE_H
#define SL_BASE_CONFIG_FILE_H

#include "base/config_item.h"

enum { SL_CONFIG_MAX_DEPTH = 16, SL_CONFIG_MAX_ITEMS = 100000 };

/* Appends what text holds to the children of root. name is the file's, for messages: SL_CONFIG
 * says `FILE:LINE: what is wrong`. What was read before the error stays in root. */
int sl_config_parse(const char *text, size_t len, const char *name, struct sl_config_item *root,
                    struct sl_error *err) SL_CHECKED;

#endif
