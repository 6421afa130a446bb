/* HDF5 in the layout of https://github.com/erikbern/ann-benchmarks: sets named "train" or
 * "database", "test" or "queries", "neighbors" or "ground_truth", "distances". */
#include "dataset/source_kind.h"

#ifdef VBENCH_HDF5

#include "dataset/dtype.h"
#include "dataset/h5.h"
#include "dataset/hdf5_library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024, NAMES = 2, CHUNK_SLOTS = 12421, CHUNK_CACHE = 64 * 1024 * 1024 };

typedef struct hdf5_source {
  vb_source base;
  hid_t file, set, space, type; /* 0: not open */
  char *buffer;
  uint64_t taken;
  vb_block_rows rows;
} hdf5_source;

/* The library, from the first file on. */
static const vb_hdf5 *h5;

static const char *const set_names[VB_TABLE_COUNT][NAMES] = {
    {"train", "database"},
    {"test", "queries"},
    {"neighbors", "ground_truth"},
    {"distances", "distances"},
};

/* Which of the names of a table a file has; NULL for none. */
static const char *find_set(hid_t file, int table) {
  for (int i = 0; i < NAMES; i++)
    if (h5->H5Lexists(file, set_names[table][i], H5P_DEFAULT) > 0) return set_names[table][i];
  return NULL;
}

/* Negative when it cannot be opened; `err` is written only when that is for want of the library. */
static hid_t open_file(const char *path, vb_error *err) {
  h5 = vb_hdf5_load(err);
  return h5 ? h5->H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT) : -1;
}

/* --- what vbench.dataset asks before it opens --------------------------------------------------
 */

int vb_hdf5_has(const char *path, int table) {
  vb_error none;
  hid_t file = open_file(path, &none);
  if (file < 0) return 0;
  int has = find_set(file, table) != NULL;
  (void)h5->H5Fclose(file);
  return has;
}

/* A string attribute, of fixed or of variable length. */
static int read_text(hid_t attribute, char *text, size_t size) {
  hid_t type = h5->H5Aget_type(attribute);
  size_t length = h5->H5Tget_size(type);
  char *variable = NULL;
  int good = 0;
  if (h5->H5Tis_variable_str(type) > 0) {
    good = h5->H5Aread(attribute, type, (void *)&variable) >= 0 && variable;
    if (good) (void)strncpy(text, variable, size - 1);
    h5->H5free_memory(variable);
  } else if (h5->H5Tget_class(type) == H5T_STRING && length < size) {
    good = h5->H5Aread(attribute, type, text) >= 0;
  }
  (void)h5->H5Tclose(type);
  return good;
}

int vb_hdf5_text(const char *path, const char *name, char *text, size_t size) {
  vb_error none;
  hid_t file = open_file(path, &none);
  if (file < 0) return 0;
  int good = 0;
  memset(text, 0, size);
  if (h5->H5Aexists(file, name) > 0) {
    hid_t attribute = h5->H5Aopen(file, name, H5P_DEFAULT);
    good = attribute >= 0 && read_text(attribute, text, size);
    if (attribute >= 0) (void)h5->H5Aclose(attribute);
  }
  (void)h5->H5Fclose(file);
  return good;
}

/* --- rows --------------------------------------------------------------------------------------
 */

static int failed(const vb_source *source, const char *what, vb_error *err) {
  return vb_fail(err, VB_EIO, "%s: %s", source->path, what);
}

/* The dtype of a set, and how to ask the library for it: little-endian. */
static int dtype_of(hid_t type, hid_t *memory) {
  H5T_class_t class = h5->H5Tget_class(type);
  size_t size = h5->H5Tget_size(type);
  bool is_signed = class == H5T_INTEGER && h5->H5Tget_sign(type) == H5T_SGN_2;
  if (class == H5T_FLOAT && size == 4) return *memory = *h5->H5T_IEEE_F32LE_g, VB_DTYPE_FLOAT32;
  if (class == H5T_FLOAT && size == 8) return *memory = *h5->H5T_IEEE_F64LE_g, VB_DTYPE_FLOAT64;
  if (class == H5T_FLOAT && size == 2) return *memory = type, VB_DTYPE_FLOAT16;
  if (class == H5T_INTEGER && size == 1 && is_signed)
    return *memory = *h5->H5T_STD_I8LE_g, VB_DTYPE_INT8;
  if (class == H5T_INTEGER && size == 1) return *memory = *h5->H5T_STD_U8LE_g, VB_DTYPE_UINT8;
  if (class == H5T_INTEGER && size <= 4 && is_signed)
    return *memory = *h5->H5T_STD_I32LE_g, VB_DTYPE_INT32;
  if (class == H5T_INTEGER && size <= 4) return *memory = *h5->H5T_STD_U32LE_g, VB_DTYPE_UINT32;
  if (class == H5T_INTEGER && is_signed) return *memory = *h5->H5T_STD_I64LE_g, VB_DTYPE_INT64;
  if (class == H5T_INTEGER) return *memory = *h5->H5T_STD_U64LE_g, VB_DTYPE_UINT64;
  if (class == H5T_ENUM && size == 1) return *memory = type, VB_DTYPE_UINT8; /* h5py's bool */
  return -1;
}

static hid_t open_cached(hid_t file, const char *name, size_t cache) {
  hid_t access = h5->H5Pcreate(*h5->H5P_CLS_DATASET_ACCESS_ID_g);
  (void)h5->H5Pset_chunk_cache(access, CHUNK_SLOTS, cache, 1);
  hid_t set = h5->H5Dopen2(file, name, access);
  (void)h5->H5Pclose(access);
  return set;
}

/* Bytes of the chunks that lie beside each other across a row: without room for all of them, each
 * block of rows would unpack them again. 0 when the set is not in chunks. */
static size_t chunk_row_bytes(hid_t set, const hsize_t *shape) {
  hsize_t chunk[2] = {0, 0}, bytes = 0;
  hid_t made = h5->H5Dget_create_plist(set), type = h5->H5Dget_type(set);
  if (h5->H5Pget_chunk(made, 2, chunk) == 2 && chunk[1]) {
    hsize_t across = (shape[1] + chunk[1] - 1) / chunk[1] * chunk[1];
    bytes = across * h5->H5Tget_size(type);
    if (__builtin_mul_overflow(bytes, chunk[0], &bytes)) bytes = 0;
  }
  (void)h5->H5Tclose(type);
  (void)h5->H5Pclose(made);
  return (size_t)bytes;
}

static int open_set(hdf5_source *self, const char *name, hsize_t *shape, vb_error *err) {
  self->set = open_cached(self->file, name, CHUNK_CACHE);
  self->space = self->set > 0 ? h5->H5Dget_space(self->set) : 0;
  if (self->space <= 0) return failed(&self->base, "has a set that cannot be opened", err);
  int axes = h5->H5Sget_simple_extent_ndims(self->space);
  if (axes != 2)
    return vb_fail(err, VB_EINVAL, "%s: the set '%s' has %d dimensions; a table of vectors has 2",
                   self->base.path, name, axes);
  (void)h5->H5Sget_simple_extent_dims(self->space, shape, NULL);
  size_t cache = chunk_row_bytes(self->set, shape);
  if (cache <= CHUNK_CACHE) return VB_OK;
  (void)h5->H5Dclose(self->set);
  self->set = open_cached(self->file, name, cache);
  return self->set > 0 ? VB_OK : failed(&self->base, "has a set that cannot be opened", err);
}

static int add_column(hdf5_source *self, const char *name, const hsize_t *shape, vb_error *err) {
  vb_source *source = &self->base;
  hid_t stored = h5->H5Dget_type(self->set), memory = 0;
  int dtype = dtype_of(stored, &memory);
  self->type = dtype < 0 ? 0 : h5->H5Tcopy(memory);
  if (dtype == VB_DTYPE_FLOAT16) (void)h5->H5Tset_order(self->type, H5T_ORDER_LE);
  (void)h5->H5Tclose(stored);
  if (self->type <= 0)
    return vb_fail(err, VB_EINVAL, "%s: the set '%s' holds neither numbers nor booleans",
                   source->path, name);
  int status = vb_source_add_values(source, "vector", dtype, shape[1], err);
  if (status) return status;
  source->rows = shape[0];
  source->bytes = shape[0] * vb_source_row_bytes(source);
  self->buffer = malloc(vb_source_row_bytes(source) > BLOCK ? vb_source_row_bytes(source) : BLOCK);
  return self->buffer ? VB_OK : vb_fail(err, VB_ENOMEM, "%s: out of memory", source->path);
}

static int open_hdf5(vb_source *source, const vb_source_options *options, vb_error *err) {
  hdf5_source *self = (hdf5_source *)source;
  hsize_t shape[2] = {0, 0};
  vb_error missing;
  self->file = open_file(source->path, &missing);
  if (!h5) return vb_fail(err, VB_EINVAL, "%s: %s", source->path, missing.text);
  if (self->file <= 0 && access(source->path, R_OK)) return failed(source, strerror(errno), err);
  if (self->file <= 0) return failed(source, "cannot be opened as HDF5", err);
  const char *name = find_set(self->file, options->table);
  if (!name)
    return vb_fail(err, VB_EINVAL, "%s: has no set '%s' or '%s'", source->path,
                   set_names[options->table][0], set_names[options->table][1]);
  int status = open_set(self, name, shape, err);
  return status ? status : add_column(self, name, shape, err);
}

static int64_t next_block(vb_source *source, const char **rows, vb_error *err) {
  hdf5_source *self = (hdf5_source *)source;
  size_t width = vb_source_row_bytes(source);
  uint64_t left = source->rows - self->taken, most = width > BLOCK ? 1 : BLOCK / width;
  hsize_t start[2] = {self->taken, 0}, count[2] = {left < most ? left : most, 0};
  count[1] = source->columns[0].dimensions;
  if (left == 0) return 0;
  hid_t memory = h5->H5Screate_simple(2, count, NULL);
  int bad = memory < 0 ||
            h5->H5Sselect_hyperslab(self->space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
            h5->H5Dread(self->set, self->type, memory, self->space, H5P_DEFAULT, self->buffer) < 0;
  if (memory >= 0) (void)h5->H5Sclose(memory);
  if (bad)
    return failed(source,
                  "cannot be read: it is damaged, or compressed by a filter that "
                  "the library lacks",
                  err);
  self->taken += count[0];
  source->bytes_taken = self->taken * width;
  *rows = self->buffer;
  return (int64_t)count[0];
}

static void close_hdf5(vb_source *source) {
  hdf5_source *self = (hdf5_source *)source;
  if (self->type > 0) (void)h5->H5Tclose(self->type);
  if (self->space > 0) (void)h5->H5Sclose(self->space);
  if (self->set > 0) (void)h5->H5Dclose(self->set);
  if (self->file > 0) (void)h5->H5Fclose(self->file);
  free(self->buffer);
}

#else

#include "dataset/h5.h"

typedef struct hdf5_source {
  vb_source base;
  vb_block_rows rows;
} hdf5_source;

int vb_hdf5_has(const char *path, int table) {
  (void)path, (void)table;
  return 0;
}

int vb_hdf5_text(const char *path, const char *name, char *text, size_t size) {
  (void)path, (void)name, (void)text, (void)size;
  return 0;
}

static int open_hdf5(vb_source *source, const vb_source_options *options, vb_error *err) {
  (void)options;
  return vb_fail(err, VB_EINVAL,
                 "%s: this vbench was built without HDF5; build it with libhdf5 (Debian: "
                 "libhdf5-dev)",
                 source->path);
}

static int64_t next_block(vb_source *source, const char **rows, vb_error *err) {
  (void)source, (void)rows, (void)err;
  return 0;
}

static void close_hdf5(vb_source *source) {
  (void)source;
}

#endif

static int next_row(vb_source *source, vb_error *err) {
  return vb_source_next_of_block(source, &((hdf5_source *)source)->rows, err);
}

const vb_source_kind vb_source_hdf5 = {
    .name = "hdf5",
    .suffixes = ".hdf5 .h5 .he5",
    .size = sizeof(hdf5_source),
    .open = open_hdf5,
    .next = next_row,
    .block = next_block,
    .close = close_hdf5,
};
