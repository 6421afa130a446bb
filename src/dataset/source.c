#include "dataset/source.h"

#include "dataset/dtype.h"
#include "dataset/source_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { COLUMNS_MAX = 4096, ROW_MAX = 64 * 1024 * 1024 };

/* The old format is known by its first bytes: its files are called .bin like a dataset's data. */
static const vb_source_kind *const kinds[] = {
    &vb_source_jsonl, &vb_source_csv,   &vb_source_tsv,  &vb_source_text,   &vb_source_fvecs,
    &vb_source_bvecs, &vb_source_ivecs, &vb_source_fbin, &vb_source_u8bin,  &vb_source_i8bin,
    &vb_source_ibin,  &vb_source_npy,   &vb_source_hdf5, &vb_source_legacy,
};

const char *vb_source_formats(void) {
  return "jsonl csv tsv text fvecs bvecs ivecs fbin u8bin i8bin ibin npy hdf5 legacy";
}

static bool has_suffix(const char *suffixes, const char *suffix) {
  size_t length = strlen(suffix);
  for (const char *at = suffixes; *at; at += *at == ' ') {
    size_t size = strcspn(at, " ");
    if (size == length && strncasecmp(at, suffix, length) == 0) return true;
    at += size;
  }
  return false;
}

static const vb_source_kind *kind_of_start(const char *path) {
  static const struct {
    const char *bytes;
    size_t length;
    const vb_source_kind *kind;
  } starts[] = {{"\x89HDF\r\n\x1a\n", 8, &vb_source_hdf5},
                {"\x93NUMPY", 6, &vb_source_npy},
                {"\x01\xB0\xCD\xDE", 4, &vb_source_legacy}};
  char start[8] = {0};
  FILE *file = fopen(path, "rbe");
  if (!file) return NULL;
  size_t length = fread(start, 1, sizeof start, file);
  (void)fclose(file);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(starts); i++)
    if (length >= starts[i].length && memcmp(start, starts[i].bytes, starts[i].length) == 0)
      return starts[i].kind;
  return NULL;
}

static const vb_source_kind *kind_of(const char *path) {
  const char *name = strrchr(path, '/'), *suffix = strrchr(name ? name : path, '.');
  for (size_t i = 0; suffix && i < VB_ARRAY_LENGTH(kinds); i++)
    if (has_suffix(kinds[i]->suffixes, suffix)) return kinds[i];
  return kind_of_start(path);
}

static const vb_source_kind *kind_named(const char *name) {
  for (size_t i = 0; i < VB_ARRAY_LENGTH(kinds); i++)
    if (strcasecmp(kinds[i]->name, name) == 0) return kinds[i];
  return NULL;
}

const char *vb_source_format_of(const char *path) {
  const vb_source_kind *kind = kind_of(path);
  return kind ? kind->name : NULL;
}

static int find_kind(const vb_source_kind **out, const char *path, const vb_source_options *options,
                     vb_error *err) {
  const char *format = options ? options->format : NULL;
  *out = format ? kind_named(format) : kind_of(path);
  if (*out) return VB_OK;
  if (format)
    return vb_fail(err, VB_EINVAL, "%s: there is no format '%s'; there are %s", path, format,
                   vb_source_formats());
  struct stat info;
  if (stat(path, &info)) return vb_fail(err, VB_EIO, "%s: %m", path);
  if (S_ISDIR(info.st_mode)) return vb_fail(err, VB_EIO, "%s: is a directory", path);
  return vb_fail(err, VB_EINVAL, "%s: neither its name nor its start says what it is; formats: %s",
                 path, vb_source_formats());
}

int vb_source_open(vb_source **out, const char *path, const vb_source_options *options,
                   vb_error *err) {
  static const vb_source_options none;
  const vb_source_kind *kind;
  int status = find_kind(&kind, path, options, err);
  if (status) return status;
  vb_source *source = calloc(1, kind->size);
  char *copy = strdup(path);
  if (!source || !copy) {
    free(source);
    free(copy);
    return vb_fail(err, VB_ENOMEM, "%s: out of memory", path);
  }
  source->kind = kind;
  source->path = copy;
  source->rows = UINT64_MAX;
  status = kind->open(source, options ? options : &none, err);
  if (status) {
    vb_source_close(source);
    return status;
  }
  *out = source;
  return VB_OK;
}

void vb_source_close(vb_source *source) {
  if (!source) return;
  source->kind->close(source);
  for (size_t i = 0; i < source->column_count; i++) free((char *)source->columns[i].name);
  free(source->columns);
  free(source->cells);
  free(source->path);
  free(source);
}

int vb_source_next(vb_source *source, vb_error *err) {
  int got = source->kind->next(source, err);
  if (got > 0) source->row++;
  return got;
}

int64_t vb_source_block(vb_source *source, const char **rows, vb_error *err) {
  int64_t got = source->kind->block(source, rows, err);
  if (got > 0) source->row += (uint64_t)got;
  return got;
}

bool vb_source_has_blocks(const vb_source *source) {
  return source->kind->block != NULL && source->column_count == 1;
}

/* Doubles the room when it is used up: at 0, 1, 2, 4 ... columns. */
static int grow_columns(vb_source *source) {
  size_t count = source->column_count, room = count ? count * 2 : 1;
  if (count & (count - 1)) return VB_OK;
  vb_column *columns = realloc(source->columns, room * sizeof *columns);
  if (columns) source->columns = columns;
  vb_cell *cells = realloc(source->cells, room * sizeof *cells);
  if (cells) source->cells = cells;
  return columns && cells ? VB_OK : VB_ENOMEM;
}

int vb_source_add_column(vb_source *source, const char *name, size_t length, vb_error *err) {
  if (source->column_count >= COLUMNS_MAX)
    return vb_fail(err, VB_EINVAL, "%s: more than %d names of columns", source->path, COLUMNS_MAX);
  if (memchr(name, 0, length))
    return vb_fail(err, VB_EINVAL, "%s: the name of column '%s' holds a NUL byte", source->path,
                   name);
  char *copy = strndup(name, length);
  if (!copy || grow_columns(source)) {
    free(copy);
    return vb_fail(err, VB_ENOMEM, "%s: out of memory", source->path);
  }
  size_t at = source->column_count++;
  source->columns[at] = (vb_column){.name = copy, .dtype = -1};
  source->cells[at] = (vb_cell){.kind = VB_CELL_NONE};
  return (int)at;
}

int vb_source_add_values(vb_source *source, const char *name, int dtype, uint64_t dimensions,
                         vb_error *err) {
  if (dimensions == 0 || dimensions > ROW_MAX / 8)
    return vb_fail(err, VB_EINVAL, "%s: says that a row has %llu values", source->path,
                   (unsigned long long)dimensions);
  int at = vb_source_add_column(source, name, strlen(name), err);
  if (at < 0) return at;
  source->columns[at].dtype = dtype;
  source->columns[at].dimensions = dimensions;
  source->cells[at].kind = VB_CELL_VALUES;
  source->cells[at].length = (size_t)vb_dtype_bytes(dtype, dimensions);
  return VB_OK;
}

int vb_source_next_of_block(vb_source *source, vb_block_rows *rows, vb_error *err) {
  if (rows->left == 0) {
    rows->left = source->kind->block(source, &rows->at, err);
    if (rows->left <= 0) {
      int status = (int)rows->left;
      rows->left = 0;
      return status;
    }
  }
  source->cells[0].bytes = rows->at;
  rows->at += source->cells[0].length;
  rows->left--;
  return 1;
}
