/* What datasets are made of: a table of named columns, read row by row or in blocks of rows,
 * streaming.
 * One owner, one thread. Read by Lua through the FFI. */
#ifndef VB_DATASET_SOURCE_H
#define VB_DATASET_SOURCE_H

#include "base/status.h"

/* What a row has in a column. */
enum vb_cell_kind {
  VB_CELL_NONE,    /* not there, or null */
  VB_CELL_EMPTY,   /* nothing between two separators: an empty text, or no number */
  VB_CELL_TEXT,    /* bytes: what a string says, without quotes and escapes */
  VB_CELL_NUMBER,  /* as written in JSON */
  VB_CELL_BOOLEAN, /* true or false, as written */
  VB_CELL_LIST,    /* a JSON array, as written */
  VB_CELL_OBJECT,  /* a JSON object, as written */
  VB_CELL_VALUES   /* the column's dimensions of its dtype, as in memory */
};

typedef struct vb_cell {
  const char *bytes; /* valid until the next row */
  size_t length;
  int kind;
} vb_cell;

typedef struct vb_column {
  const char *name;
  int dtype;           /* of VB_CELL_VALUES; -1 where cells are read as they come */
  uint64_t dimensions; /* of VB_CELL_VALUES */
} vb_column;

struct vb_source_kind;

/* Read-only for who uses it. Columns may become more while rows are read (JSON Lines), and
 * `columns` and `cells` move then. */
typedef struct vb_source {
  const struct vb_source_kind *kind;
  char *path;
  vb_column *columns;
  vb_cell *cells; /* of the row, one a column; what VB_CELL_NONE leaves is not said */
  size_t column_count;
  uint64_t row;                /* rows given so far */
  uint64_t rows;               /* that there will be; UINT64_MAX while nobody knows */
  uint64_t line;               /* of the file, where the row starts; 0 where there are no lines */
  uint64_t bytes_taken, bytes; /* how far it is, of how much; 0 when unknown */
} vb_source;

/* What is taken of a file that holds several tables. */
enum vb_source_table {
  VB_TABLE_RECORDS,
  VB_TABLE_QUERIES,
  VB_TABLE_NEIGHBORS,
  VB_TABLE_DISTANCES,
  VB_TABLE_COUNT
};

typedef struct vb_source_options {
  const char *format; /* a name that vb_source_formats has; NULL: by the file's name and start */
  int table;          /* enum vb_source_table; all but HDF5 and the old format have one table */
} vb_source_options;

/* The formats, with a space between two. */
VB_API const char *vb_source_formats(void);
/* The format that a file of this name and start has; NULL when it cannot be told. */
VB_API const char *vb_source_format_of(const char *path);

/* Opens `path`. VB_EIO and VB_EINVAL name it: not there, not readable, not of its format. */
VB_API int vb_source_open(vb_source **out, const char *path, const vb_source_options *options,
                          vb_error *err);
/* Takes NULL. */
VB_API void vb_source_close(vb_source *source);

/* The next row into `cells`: 1, 0 behind the last, negative for an error that names the file, and
 * the line or row. */
VB_API int vb_source_next(vb_source *source, vb_error *err);

/* Several next rows of a source with one column of values: how many lie at *rows, one behind the
 * other, valid until the next call; 0 behind the last, negative for an error. */
VB_API int64_t vb_source_block(vb_source *source, const char **rows, vb_error *err);
/* Whether vb_source_block may be called. */
VB_API bool vb_source_has_blocks(const vb_source *source);

#endif
