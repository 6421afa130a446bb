/* Makes a dataset of sources: which column of which file becomes which field, then step by step.
 * One owner, one thread. Read by Lua through the FFI. */
#ifndef VB_DATASET_IMPORT_H
#define VB_DATASET_IMPORT_H

#include "dataset/source.h"
#include "dataset/writer.h"

typedef struct vb_import vb_import;

/* Tables of the dataset are filled one after the other, in the order of enum vb_source_table. What
 * a column becomes: the number of a field, or */
enum vb_import_target {
  VB_IMPORT_KEY = -1,     /* of VB_TABLE_RECORDS: the stored key */
  VB_IMPORT_MEMBERS = -2, /* of VB_TABLE_RECORDS: the collection */
  VB_IMPORT_WHOLE = -3    /* of VB_TABLE_NEIGHBORS and VB_TABLE_DISTANCES: the row */
};

typedef struct vb_import_options {
  int truncate; /* cut and clamp what does not fit, instead of failing */
  int strict;   /* fail where a value is missing, instead of leaving it empty */
} vb_import_options;

/* Begins a dataset of that schema at `base`, as vb_writer_new. */
VB_API int vb_import_new(vb_import **out, const char *base, const vb_schema *schema,
                         const vb_import_options *options, vb_error *err);
/* Frees the sources too; what is not finished leaves no file. Takes NULL. */
VB_API void vb_import_free(vb_import *import);

/* Takes over a source, for a table; the sources of one table are read row beside row. Its number in
 * the table. VB_EINVAL, and it is not taken over, when the dataset would replace its file. */
VB_API int vb_import_add(vb_import *import, int table, vb_source *source, vb_error *err);
/* `column` of that source becomes `target`. JSON Lines get the column if no line had it yet;
 * VB_EINVAL when another source has no such column. */
VB_API int vb_import_bind(vb_import *import, int table, int source, const char *column, int target,
                          vb_error *err);

/* Some more rows: 1, 0 when all tables are filled, or negative. VB_EINVAL names file, line or row,
 * field and what is wrong. */
VB_API int vb_import_step(vb_import *import, vb_error *err);
/* How far the table that is being filled is, in bytes of its files, or rows; *total is 0 when
 * unknown. Returns its number. */
VB_API int vb_import_progress(const vb_import *import, uint64_t *done, uint64_t *total,
                              uint64_t *rows);
/* Finishes the dataset. */
VB_API int vb_import_finish(vb_import *import, vb_error *err);

/* Values of a target of a table that were missing, and that were cut. */
VB_API void vb_import_losses(const vb_import *import, int table, int target, uint64_t *missing,
                             uint64_t *truncated);
VB_API const vb_writer *vb_import_writer(const vb_import *import);

#endif
