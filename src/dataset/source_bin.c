/* .fbin, .u8bin, .i8bin and .ibin (https://big-ann-benchmarks.com): rows and dimensions as uint32,
 * then the rows as float32, uint8, int8 or int32. An .ibin of ground truth may have its distances
 * behind the ids: float32, as many. */
#include "dataset/dtype.h"
#include "dataset/raw_rows.h"

#include <string.h>

enum { HEADER = 8 };

static int dtype_of(const vb_source *source) {
  return source->kind == &vb_source_fbin    ? VB_DTYPE_FLOAT32
         : source->kind == &vb_source_u8bin ? VB_DTYPE_UINT8
         : source->kind == &vb_source_i8bin ? VB_DTYPE_INT8
                                            : VB_DTYPE_INT32;
}

static int open_bin(vb_source *source, const vb_source_options *options, vb_error *err) {
  vb_raw_source *self = (vb_raw_source *)source;
  uint32_t head[2];
  (void)options;
  int status = vb_input_open(&self->input, source->path, err);
  if (status) return status;
  int64_t there = vb_input_need(&self->input, HEADER, err);
  if (there < 0) return (int)there;
  if (there < HEADER)
    return vb_fail(err, VB_EINVAL, "%s: has %lld bytes, less than the header of a .%s file",
                   source->path, (long long)there, source->kind->name);
  memcpy(head, vb_input_at(&self->input), sizeof head);
  status = vb_source_add_values(source, "vector", dtype_of(source), head[1], err);
  if (status) return status;
  uint64_t ids = (uint64_t)head[0] * vb_source_row_bytes(source);
  uint64_t spare =
      source->kind == &vb_source_ibin && self->input.size == HEADER + 2 * ids ? ids : 0;
  return vb_raw_begin(source, HEADER, head[0], spare, err);
}

#define BIN(kind)                                                                                  \
  const vb_source_kind vb_source_##kind = {                                                        \
      .name = #kind,                                                                               \
      .suffixes = "." #kind,                                                                       \
      .size = sizeof(vb_raw_source),                                                               \
      .open = open_bin,                                                                            \
      .next = vb_raw_next,                                                                         \
      .block = vb_raw_block,                                                                       \
      .close = vb_raw_close,                                                                       \
  }
BIN(fbin);
BIN(u8bin);
BIN(i8bin);
BIN(ibin);
