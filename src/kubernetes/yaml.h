/* YAML in, as JSON: so that a manifest from a file and an object from an API server are read by the
 * same code, through base/json_document.h. Pure; any thread.
 *
 * Plain scalars become null, booleans and numbers as in YAML 1.2's core schema, as far as JSON has
 * them, whatever a tag such as !!str says (libyaml does not tell); everything else is a string. An
 * alias is written out again where it stands, within out's maximum and SL_LIMIT_JSON_DEPTH. Keys
 * must be scalars. */
#ifndef SL_KUBERNETES_YAML_H
#define SL_KUBERNETES_YAML_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends one JSON array to out, with an element for each document of the stream; out must be
 * empty. SL_PARSE names the line; SL_TOOBIG. */
int sl_yaml_to_json(const char *yaml, size_t len, struct sl_buffer *out,
                    struct sl_error *err) SL_CHECKED;

#endif
