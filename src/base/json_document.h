/* A small JSON document held in memory, read-only: for answers of known, bounded size (a Scale, a
 * Status, a token). Big answers are streamed through base/json_parser.h instead. Built on that
 * parser, with its caps and SL_LIMIT_JSON_NODES. Its texts are wiped when it goes: there may be a
 * token among them. One thread at a time. */
#ifndef SL_BASE_JSON_DOCUMENT_H
#define SL_BASE_JSON_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sl_json; /* the document, and every value in it */

/* On success *ret is the outermost value; sl_json_free() on it frees all. A repeated key in one
 * object is SL_PARSE: two readers must not disagree on a message. */
int sl_json_parse(const char *bytes, size_t len, struct sl_json **ret,
                  struct sl_error *err) SL_CHECKED;
void sl_json_free(struct sl_json *document);

/* The member of an object, or NULL: not there, or value is NULL or no object. So calls nest:
 * sl_json_get(sl_json_get(doc, "metadata"), "uid"). */
const struct sl_json *sl_json_get(const struct sl_json *value, const char *key);

/* Elements of an array, members of an object; NULL past the end and for anything else. */
size_t sl_json_size(const struct sl_json *value);
const struct sl_json *sl_json_at(const struct sl_json *value, size_t index);

bool sl_json_is_object(const struct sl_json *value);
bool sl_json_is_array(const struct sl_json *value);
bool sl_json_is_null(const struct sl_json *value); /* JSON's null; not a missing value */

/* The name of a member of an object; NULL for anything else. */
const char *sl_json_key(const struct sl_json *value);

/* NULL unless value is a string. NUL-terminated, lives as long as the document. */
const char *sl_json_string(const struct sl_json *value);

/* False, and *ret untouched, unless value is a number that fits / a boolean. */
bool sl_json_int64(const struct sl_json *value, int64_t *ret);
bool sl_json_double(const struct sl_json *value, double *ret);
bool sl_json_bool(const struct sl_json *value, bool *ret);

#endif
