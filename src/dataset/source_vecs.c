/* .fvecs, .bvecs and .ivecs (http://corpus-texmex.irisa.fr): every row is its dimension as a
 * little-endian int32, then that many float32, uint8 or int32. */
#include "dataset/dtype.h"
#include "dataset/input.h"
#include "dataset/source_kind.h"

#include <string.h>

enum { PREFIX = 4, BLOCK = 128 * 1024 };

typedef struct vecs_source {
  vb_source base;
  vb_input input;
  size_t row_bytes; /* without the dimension */
  size_t given;     /* bytes of the last block */
  uint64_t taken;   /* rows, those of the last block among them */
  vb_block_rows rows;
} vecs_source;

static int dtype_of(const vb_source *source) {
  return source->kind == &vb_source_fvecs   ? VB_DTYPE_FLOAT32
         : source->kind == &vb_source_bvecs ? VB_DTYPE_UINT8
                                            : VB_DTYPE_INT32;
}

static uint32_t load_u32(const char *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static int open_vecs(vb_source *source, const vb_source_options *options, vb_error *err) {
  vecs_source *self = (vecs_source *)source;
  (void)options;
  int status = vb_input_open(&self->input, source->path, err);
  if (status) return status;
  int64_t there = vb_input_need(&self->input, PREFIX, err);
  if (there < 0) return (int)there;
  if (there == 0) return vb_fail(err, VB_EINVAL, "%s: is empty", source->path);
  if (there < PREFIX)
    return vb_fail(err, VB_EINVAL, "%s: has %lld bytes, less than the dimension of a row takes",
                   source->path, (long long)there);
  uint32_t dimensions = load_u32(vb_input_at(&self->input));
  if (dimensions == 0 || dimensions > 1u << 20)
    return vb_fail(err, VB_EINVAL, "%s: its first row says that it has %u values: not a .%s file",
                   source->path, dimensions, source->kind->name);
  status = vb_source_add_values(source, "vector", dtype_of(source), dimensions, err);
  if (status) return status;
  self->row_bytes = vb_source_row_bytes(source);
  source->bytes = self->input.size;
  if (source->bytes % (PREFIX + self->row_bytes) == 0)
    source->rows = source->bytes / (PREFIX + self->row_bytes);
  return VB_OK;
}

static int wrong_dimension(const vecs_source *self, uint64_t row, uint32_t found, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "%s: row %llu has %u values, the rows before it have %llu",
                 self->base.path, (unsigned long long)row, found,
                 (unsigned long long)self->base.columns[0].dimensions);
}

static int ends_inside(const vecs_source *self, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "%s: is cut short: its %llu bytes end inside row %llu",
                 self->base.path, (unsigned long long)self->input.size,
                 (unsigned long long)self->taken);
}

/* Moves the rows together, over their dimensions; where they begin. */
static int64_t pack(vecs_source *self, char *data, size_t rows, vb_error *err) {
  size_t width = self->row_bytes;
  uint32_t want = (uint32_t)self->base.columns[0].dimensions;
  for (size_t i = 0; i < rows; i++) {
    const char *row = data + i * (PREFIX + width);
    if (load_u32(row) != want) {
      self->taken += i;
      return wrong_dimension(self, self->taken, load_u32(row), err);
    }
    memmove(data + PREFIX + i * width, row + PREFIX, width);
  }
  return (int64_t)rows;
}

static int64_t next_block(vb_source *source, const char **rows, vb_error *err) {
  vecs_source *self = (vecs_source *)source;
  size_t step = PREFIX + self->row_bytes;
  vb_input_take(&self->input, self->given);
  self->given = 0;
  int64_t there = vb_input_need(&self->input, step > BLOCK ? step : BLOCK / step * step, err);
  if (there <= 0) return there;
  size_t count = (size_t)there / step;
  char *data = vb_input_at(&self->input);
  if (count == 0) {
    uint32_t found = there >= PREFIX ? load_u32(data) : (uint32_t)source->columns[0].dimensions;
    if (found != source->columns[0].dimensions)
      return wrong_dimension(self, self->taken, found, err);
    return ends_inside(self, err);
  }
  int64_t packed = pack(self, data, count, err);
  if (packed < 0) return packed;
  self->taken += count;
  self->given = count * step;
  source->bytes_taken = self->input.taken + self->given;
  *rows = data + PREFIX;
  return packed;
}

static int next_row(vb_source *source, vb_error *err) {
  return vb_source_next_of_block(source, &((vecs_source *)source)->rows, err);
}

static void close_vecs(vb_source *source) {
  vb_input_close(&((vecs_source *)source)->input);
}

#define VECS(kind)                                                                                 \
  const vb_source_kind vb_source_##kind = {                                                        \
      .name = #kind,                                                                               \
      .suffixes = "." #kind,                                                                       \
      .size = sizeof(vecs_source),                                                                 \
      .open = open_vecs,                                                                           \
      .next = next_row,                                                                            \
      .block = next_block,                                                                         \
      .close = close_vecs,                                                                         \
  }
VECS(fvecs);
VECS(bvecs);
VECS(ivecs);
