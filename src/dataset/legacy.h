/* The old format of one file: a header that says where vectors, queries and ground truth lie.
 * Main thread. Read by Lua through the FFI. */
#ifndef VB_DATASET_LEGACY_H
#define VB_DATASET_LEGACY_H

#include "dataset/schema.h"

/* The header, checked against the size of the file. */
typedef struct vb_legacy {
  char name[257];
  int distance;     /* enum vb_distance */
  int dtype;        /* enum vb_dtype: float32 or float16 */
  int has_metadata; /* tags and a vocabulary, which are not imported */
  uint32_t dimensions, neighbors;
  uint64_t vectors, queries;
  uint64_t vectors_offset, queries_offset, neighbors_offset;
  uint64_t distances_offset; /* 0: the file has none */
  uint64_t size;             /* of the file */
} vb_legacy;

/* Whether the file begins with the format's magic number. */
VB_API int vb_legacy_is(const char *path);
/* Reads the header. VB_EINVAL says what in it cannot be, VB_EIO that it cannot be read. */
VB_API int vb_legacy_read(vb_legacy *header, const char *path, vb_error *err);
/* The schema that the file would have: a vector "embedding", u64 ids. For vb_schema_free. */
VB_API int vb_legacy_schema(vb_schema **out, const vb_legacy *header, vb_error *err);

#endif
