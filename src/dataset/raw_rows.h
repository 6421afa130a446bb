/* Sources whose rows lie one behind the other after a header: .fbin and its like, .npy.
 * Private to src/dataset; one owner, one thread. */
#ifndef VB_DATASET_RAW_ROWS_H
#define VB_DATASET_RAW_ROWS_H

#include "dataset/input.h"
#include "dataset/source_kind.h"

typedef struct vb_raw_source {
  vb_source base;
  vb_input input;
  size_t given; /* bytes of the last block */
  vb_block_rows rows;
} vb_raw_source;

/* Behind the header, `rows` rows of the source's one column follow: takes the header's bytes, and
 * compares with the size of the file, of which `spare` bytes may follow. VB_EINVAL says both. */
int vb_raw_begin(vb_source *source, size_t header, uint64_t rows, uint64_t spare, vb_error *err);

int64_t vb_raw_block(vb_source *source, const char **rows, vb_error *err);
int vb_raw_next(vb_source *source, vb_error *err);
void vb_raw_close(vb_source *source);

#endif
