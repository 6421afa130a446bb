#include "dataset/raw_rows.h"

enum { BLOCK = 128 * 1024 };

int vb_raw_begin(vb_source *source, size_t header, uint64_t rows, uint64_t spare, vb_error *err) {
  vb_raw_source *self = (vb_raw_source *)source;
  size_t width = vb_source_row_bytes(source);
  uint64_t want, size = self->input.size;
  if (__builtin_mul_overflow(rows, width, &want) || __builtin_add_overflow(want, header, &want))
    return vb_fail(err, VB_EINVAL, "%s: says that it has %llu rows, which no file holds",
                   source->path, (unsigned long long)rows);
  if (size && (size < want || size - want > spare))
    return vb_fail(err, VB_EINVAL,
                   "%s: %s: %llu rows of %zu bytes and the header take %llu bytes, "
                   "the file has %llu",
                   source->path, size < want ? "is cut short" : "is longer than it says",
                   (unsigned long long)rows, width, (unsigned long long)want,
                   (unsigned long long)size);
  vb_input_take(&self->input, header);
  source->rows = rows;
  source->bytes = want;
  return VB_OK;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

int64_t vb_raw_block(vb_source *source, const char **rows, vb_error *err) {
  vb_raw_source *self = (vb_raw_source *)source;
  size_t width = vb_source_row_bytes(source);
  vb_input_take(&self->input, self->given);
  source->bytes_taken = self->input.taken;
  self->given = 0;
  uint64_t left = (source->bytes - self->input.taken) / width;
  if (left == 0) return 0;
  uint64_t count = smaller(left, width > BLOCK ? 1 : BLOCK / width);
  int64_t there = vb_input_need(&self->input, (size_t)count * width, err);
  if (there < 0) return there;
  count = smaller(count, (uint64_t)there / width);
  if (count == 0)
    return vb_fail(err, VB_EINVAL, "%s: is cut short: %llu rows are missing", source->path,
                   (unsigned long long)left);
  self->given = (size_t)count * width;
  *rows = vb_input_at(&self->input);
  return (int64_t)count;
}

int vb_raw_next(vb_source *source, vb_error *err) {
  return vb_source_next_of_block(source, &((vb_raw_source *)source)->rows, err);
}

void vb_raw_close(vb_source *source) {
  vb_input_close(&((vb_raw_source *)source)->input);
}
