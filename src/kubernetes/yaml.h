/* YAML in. As JSON, so that a manifest from a file and an object from an API server are read by the
 * same code, through base/json_document.h; or node by node, as it was written, for kubeconfigs.
 * Pure; one thread at a time for each document.
 *
 * As JSON plain scalars become null, booleans and numbers as in YAML 1.2's core schema, as far as
 * JSON has them, whatever a tag such as !!str says (libyaml does not tell); everything else is a
 * string. An alias is written out again where it stands, within out's maximum and
 * SL_LIMIT_JSON_DEPTH. Keys must be scalars. */
#ifndef SL_KUBERNETES_YAML_H
#define SL_KUBERNETES_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends one JSON array to out, with an element for each document of the stream; out must be
 * empty. SL_PARSE names the line; SL_TOOBIG. */
int sl_yaml_to_json(const char *yaml, size_t len, struct sl_buffer *out,
                    struct sl_error *err) SL_CHECKED;

struct sl_yaml;      /* a document */
struct sl_yaml_node; /* a value in it, valid as long as the document; NULL: there is none */

/* The first document of the stream. *ret is freed by the caller. SL_PARSE names the line. */
int sl_yaml_parse(const char *yaml, size_t len, struct sl_yaml **ret,
                  struct sl_error *err) SL_CHECKED;
void sl_yaml_free(struct sl_yaml *document); /* may be NULL */

/* Each takes a NULL node and one of another kind than it asks for as one that holds nothing. Of a
 * key that is there twice the first counts. */
const struct sl_yaml_node *sl_yaml_root(struct sl_yaml *document);
bool sl_yaml_is_mapping(const struct sl_yaml_node *node);
const struct sl_yaml_node *sl_yaml_get(struct sl_yaml *document, const struct sl_yaml_node *mapping,
                                       const char *key);
size_t sl_yaml_size(const struct sl_yaml_node *sequence);
const struct sl_yaml_node *sl_yaml_at(struct sl_yaml *document, const struct sl_yaml_node *sequence,
                                      size_t index);
const char *sl_yaml_text(const struct sl_yaml_node *scalar); /* whatever its type would be */

/* Appends a node that is there to out, which must be empty, by the rules and with the failures of
 * sl_yaml_to_json(). */
int sl_yaml_node_to_json(struct sl_yaml *document, const struct sl_yaml_node *node,
                         struct sl_buffer *out, struct sl_error *err) SL_CHECKED;

#endif
