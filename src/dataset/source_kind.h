/* What each format of a source implements.
 * Private to src/dataset. */
#ifndef VB_DATASET_SOURCE_KIND_H
#define VB_DATASET_SOURCE_KIND_H

#include "dataset/source.h"

typedef struct vb_source_kind {
  const char *name;     /* of the format */
  const char *suffixes; /* of files, each behind a dot: ".fvecs"; a space between two */
  size_t size;          /* of its own struct, which begins with a vb_source */
  /* Reads what stands before the rows, makes the columns. `path` and `kind` are set; close is
   * called whatever it returns. */
  int (*open)(vb_source *source, const vb_source_options *options, vb_error *err);
  int (*next)(vb_source *source, vb_error *err);
  int64_t (*block)(vb_source *source, const char **rows, vb_error *err); /* NULL: no blocks */
  void (*close)(vb_source *source);
} vb_source_kind;

extern const vb_source_kind vb_source_jsonl, vb_source_csv, vb_source_tsv, vb_source_text,
    vb_source_fvecs, vb_source_bvecs, vb_source_ivecs, vb_source_fbin, vb_source_u8bin,
    vb_source_i8bin, vb_source_ibin, vb_source_npy, vb_source_hdf5, vb_source_legacy;

/* Adds a column; its name is copied. The number of the column, or VB_ENOMEM, VB_EINVAL when there
 * are too many. */
int vb_source_add_column(vb_source *source, const char *name, size_t length, vb_error *err);
/* Adds a column of values. VB_EINVAL when there are none, or a row of it would be too long. */
int vb_source_add_values(vb_source *source, const char *name, int dtype, uint64_t dimensions,
                         vb_error *err);
/* Bytes of a row of the one column of values. */
static inline size_t vb_source_row_bytes(const vb_source *source) {
  return source->cells[0].length;
}
/* For a kind whose rows come in blocks: gives them one by one. `left` and `at` are the kind's own,
 * zero at first. */
typedef struct vb_block_rows {
  const char *at;
  int64_t left;
} vb_block_rows;
int vb_source_next_of_block(vb_source *source, vb_block_rows *rows, vb_error *err);

#endif
