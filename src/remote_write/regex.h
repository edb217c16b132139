/* Regular expressions with the syntax and meaning of RE2, by which Prometheus relabels, on top of
 * PCRE2, which every distribution keeps.
 *
 * Fully anchored; '.' takes a line feed (Prometheus 3 compiles "^(?s:...)$"). What PCRE2 has and
 * RE2 has not is refused: look-around, back references, atomic groups, possessive quantifiers,
 * recursion, conditions, control verbs. What is left backtracks in PCRE2 and does not in RE2, so a
 * match is given a number of steps; one that needs more is no match.
 *
 * Known to differ: \s takes a vertical tab; a repetition may exceed 1000.
 *
 * Pure; a finished expression may be used by any number of threads. */
#ifndef SL_REMOTE_WRITE_REGEX_H
#define SL_REMOTE_WRITE_REGEX_H

#include <stddef.h>

#include "base/buffer.h"

struct sl_regex;

/* SL_CONFIG says what is wrong and at which byte. */
int sl_regex_new(const char *pattern, struct sl_regex **ret, struct sl_error *err) SL_CHECKED;
void sl_regex_free(struct sl_regex *re);

/* Whether all of text, which is UTF-8, matches. If it does and out is not NULL, the template is
 * appended to out, with $1, ${1}, $name, ${name} and $$ as in Go's regexp.Expand: the longest run
 * of letters, digits and '_' is the name; an unknown one is empty; any other '$' is itself. text
 * and the template must not lie in out. */
bool sl_regex_match(const struct sl_regex *re, const char *text, size_t len, const char *template,
                    struct sl_buffer *out);

#endif
