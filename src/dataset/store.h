/* Puts what a source has in a cell where a field of a record lies.
 * Private to src/dataset; one owner, one thread. */
#ifndef VB_DATASET_STORE_H
#define VB_DATASET_STORE_H

#include "dataset/layout.h"
#include "dataset/source.h"

typedef struct vb_store {
  const vb_field *field;
  uint64_t offset, size; /* of the field in the record */
  bool truncate;         /* cuts and clamps what does not fit, and counts it */
  uint64_t missing;      /* cells without a value: the field's bytes are zero */
  uint64_t truncated;
} vb_store;

/* Fills the field in `record`, whose bytes there are zero. VB_EINVAL says what is wrong with the
 * cell, without saying where it is. */
int vb_store_cell(vb_store *store, const vb_column *column, const vb_cell *cell, char *record,
                  vb_error *err);

/* Fills a whole record that is a collection from its members: an array; of a zset [score, value]
 * pairs or {"score": ..., "value": ...}. `layout` is of `schema`. */
int vb_store_members(vb_store *store, const vb_schema *schema, const vb_layout *layout,
                     const vb_cell *cell, char *record, vb_error *err);

/* The longest start of at most `most` bytes, of a text that is longer, which ends between two
 * characters of UTF-8. */
size_t vb_store_whole_characters(const char *text, size_t most);

/* Up to 60 bytes of a text, for messages, into a buffer of 96. */
const char *vb_store_quote(const char *bytes, size_t length, char *quoted);

#endif
