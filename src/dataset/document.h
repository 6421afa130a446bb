/* A YAML document, read strictly: what a mapping may hold is said by the reader, and every
 * complaint names file, line and column. Private to src/dataset/; one owner, one thread. */
#ifndef VB_DATASET_DOCUMENT_H
#define VB_DATASET_DOCUMENT_H

#include "base/status.h"

typedef struct vb_document vb_document;

/* A node of the document, from 1; 0 is none. Aliases are the nodes that they stand for. */
typedef int vb_node;

enum {
  VB_DOCUMENT_SIZE_MAX = 4 << 20, /* bytes of text */
  VB_DOCUMENT_DEPTH_MAX = 32,     /* mappings and sequences within each other, aliases followed */
  VB_DOCUMENT_NODES_MAX = 200000  /* in all, aliases followed each time */
};

/* Parses one document; `name` (copied) is the file in messages. VB_EINVAL: not YAML, more than one
 * document, or past a limit. */
int vb_document_parse(vb_document **out, const char *text, size_t length, const char *name,
                      vb_error *err);
void vb_document_free(vb_document *document);
vb_node vb_document_root(const vb_document *document);

/* "name:line:column: " and the message; VB_EINVAL. */
int vb_document_fail(const vb_document *document, vb_node node, vb_error *err, const char *format,
                     ...) VB_PRINTF(4, 5);

/* Sorts the values of a mapping by key: nodes[i] is that of names[i], 0 when it is absent; names
 * ends with NULL. Another key, or one twice, is an error. `what` is the mapping in messages. */
int vb_document_mapping(const vb_document *document, vb_node node, const char *what,
                        const char *const *names, vb_node *nodes, vb_error *err);
/* Items of a sequence, and pairs of a mapping whose keys are free. */
int vb_document_items(const vb_document *document, vb_node node, const char *what, size_t *count,
                      vb_error *err);
vb_node vb_document_item(const vb_document *document, vb_node node, size_t index);
int vb_document_pairs(const vb_document *document, vb_node node, const char *what, size_t *count,
                      vb_error *err);
typedef struct vb_pair {
  const char *text; /* of the key */
  vb_node key, value;
} vb_pair;
/* The pair's key is a text, else an error. */
int vb_document_pair(const vb_document *document, vb_node node, size_t index, vb_pair *out,
                     vb_error *err);

/* Scalars; `what` is the key in messages. A text is without NUL and lives with the document. */
int vb_document_text(const vb_document *document, vb_node node, const char *what, const char **out,
                     vb_error *err);
int vb_document_number(const vb_document *document, vb_node node, const char *what, uint64_t *out,
                       vb_error *err);
int vb_document_boolean(const vb_document *document, vb_node node, const char *what, int *out,
                        vb_error *err);
/* Which of `names` (up to a NULL), whatever the case. */
int vb_document_choice(const vb_document *document, vb_node node, const char *what,
                       const char *const *names, int *out, vb_error *err);
enum vb_node_kind { VB_NODE_PLAIN, VB_NODE_QUOTED, VB_NODE_LIST, VB_NODE_MAPPING };
enum vb_node_kind vb_document_kind(const vb_document *document, vb_node node);

#endif
