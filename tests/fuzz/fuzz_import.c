/* Fuzz target of dataset/store and dataset/members: whatever JSON Lines hold, their cells become
 * bytes within their field, or an error with a reason. */
#include "dataset/store.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
    "version: 1\n"
    "record:\n"
    "  collection: { type: zset, max_members: 2, member: { fields: [ { name: score, type: numeric "
    "},"
    " { name: value, type: text, max_bytes: 3, length: variable } ] } }\n"
    "sections: { records: { count: 1 } }\n";

static void check(bool holds) {
  if (!holds) abort();
}

/* A place of exactly its size, so that a sanitizer sees what goes beyond. */
static void store_one(vb_field *field, uint64_t size, const vb_source *source, size_t column) {
  vb_error err = {.status = 0};
  char *record = calloc(1, size);
  for (int truncate = 0; truncate < 2; truncate++) {
    vb_store store = {.field = field, .size = size, .truncate = truncate};
    memset(record, 0, size);
    int status =
        vb_store_cell(&store, &source->columns[column], &source->cells[column], record, &err);
    check(status == VB_OK || (status == VB_EINVAL && *err.text));
  }
  free(record);
}

static void store_members(const vb_schema *schema, const vb_layout *layout, const vb_source *source,
                          size_t column) {
  vb_error err = {.status = 0};
  char *record = calloc(1, layout->record_size);
  vb_store store = {.truncate = true};
  int status = vb_store_members(&store, schema, layout, &source->cells[column], record, &err);
  check(status == VB_OK || (status == VB_EINVAL && *err.text));
  free(record);
}

static void store_row(const vb_schema *schema, const vb_layout *layout, const vb_source *source) {
  vb_field text, number, vector, bits;
  vb_field_init(&text, VB_FIELD_TEXT);
  text.max_bytes = 5;
  vb_field_init(&number, VB_FIELD_NUMERIC);
  number.dtype = VB_DTYPE_INT64;
  vb_field_init(&vector, VB_FIELD_VECTOR);
  vector.dimensions = 3;
  vb_field_init(&bits, VB_FIELD_VECTOR);
  bits.dtype = VB_DTYPE_BINARY;
  bits.dimensions = 11;
  for (size_t i = 0; i < source->column_count; i++) {
    store_one(&text, 5, source, i);
    store_one(&number, 8, source, i);
    store_one(&vector, 12, source, i);
    store_one(&bits, 2, source, i);
    store_members(schema, layout, source, i); /* last: it undoes escapes in place */
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  vb_error err = {.status = 0};
  vb_schema *schema = NULL;
  vb_layout layout;
  int fd;
  check(!vb_schema_parse(&schema, schema_text, sizeof schema_text - 1, "x.yaml", &err));
  check(!vb_layout_init(&layout, schema, &err));
  vb_source *source = table_open(data, size, "jsonl", &fd, &err);
  while (source && vb_source_next(source, &err) > 0) store_row(schema, &layout, source);
  vb_source_close(source);
  (void)close(fd);
  vb_layout_fini(&layout);
  vb_schema_free(schema);
  return 0;
}
