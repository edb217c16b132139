/* A part of a document that libyaml has read, as JSON: for readers that hold the document. Pure. */
#ifndef SL_KUBERNETES_YAML_NODE_H
#define SL_KUBERNETES_YAML_NODE_H

#include <yaml.h>

#include "base/buffer.h"

/* Appends to out, which must be empty, by the rules and with the failures of sl_yaml_to_json(). */
int sl_yaml_node_to_json(yaml_document_t *document, const yaml_node_t *node, struct sl_buffer *out,
                         struct sl_error *err) SL_CHECKED;

#endif
