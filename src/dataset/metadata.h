/* Texts in YAML's flow style, and the keys under a schema's `metadata`, which are free: they are
 * kept as such text and written back. Private to src/dataset/; one owner, one thread. */
#ifndef VB_DATASET_METADATA_H
#define VB_DATASET_METADATA_H

#include "base/bytes.h"
#include "dataset/document.h"
#include "dataset/schema.h"

/* Takes `name`, `description` and the rest from a mapping. */
int vb_metadata_read(const vb_document *document, vb_node node, vb_schema *schema, vb_error *err);

/* Appends `text` in double quotes, or as it is when YAML reads it back as the same text. */
void vb_yaml_text(vb_bytes *out, const char *text);

#endif
