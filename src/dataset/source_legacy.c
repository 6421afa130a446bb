/* The old format of one file, a table at a time. */
#include "dataset/dtype.h"
#include "dataset/legacy.h"
#include "dataset/raw_rows.h"

#include <unistd.h>

typedef struct place {
  uint64_t offset, rows, values;
  int dtype;
} place;

static place place_of(const vb_legacy *header, int table) {
  const place places[VB_TABLE_COUNT] = {
      [VB_TABLE_RECORDS] = {header->vectors_offset, header->vectors, header->dimensions,
                            header->dtype},
      [VB_TABLE_QUERIES] = {header->queries_offset, header->queries, header->dimensions,
                            header->dtype},
      [VB_TABLE_NEIGHBORS] = {header->neighbors_offset, header->queries, header->neighbors,
                              VB_DTYPE_UINT64},
      [VB_TABLE_DISTANCES] = {header->distances_offset,
                              header->distances_offset ? header->queries : 0, header->neighbors,
                              VB_DTYPE_FLOAT32},
  };
  return places[table];
}

static int open_legacy(vb_source *source, const vb_source_options *options, vb_error *err) {
  vb_raw_source *self = (vb_raw_source *)source;
  vb_legacy header;
  int status = vb_legacy_read(&header, source->path, err);
  if (status) return status;
  place of = place_of(&header, options->table);
  status = vb_input_open(&self->input, source->path, err);
  if (status) return status;
  status = vb_source_add_values(source, "vector", of.dtype, of.values, err);
  if (status) return status;
  if (lseek(self->input.fd, (off_t)of.offset, SEEK_SET) < 0)
    return vb_fail(err, VB_EIO, "%s: %m", source->path);
  self->input.size = of.rows * vb_source_row_bytes(source); /* what is read of it */
  return vb_raw_begin(source, 0, of.rows, 0, err);
}

const vb_source_kind vb_source_legacy = {
    .name = "legacy",
    .suffixes = "",
    .size = sizeof(vb_raw_source),
    .open = open_legacy,
    .next = vb_raw_next,
    .block = vb_raw_block,
    .close = vb_raw_close,
};
