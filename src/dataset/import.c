#include "dataset/import.h"

#include "base/output.h"
#include "dataset/source_kind.h"
#include "dataset/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a step: long enough to be worth the call, short enough for a progress bar. */
enum { STEP_ROWS = 8192, STEP_BYTES = 4 * 1024 * 1024 };

typedef struct binding {
  size_t source, column;
  int target;
  vb_store store;
} binding;

typedef struct table {
  vb_source **sources;
  size_t source_count;
  binding *bindings;
  size_t binding_count;
  size_t width; /* of a record or query */
  uint64_t rows;
} table;

struct vb_import {
  vb_import_options options;
  vb_writer *writer;
  vb_layout layout; /* of a schema with one record and one query */
  table tables[VB_TABLE_COUNT];
  int at; /* the table that is being filled */
};

static const int sections[VB_TABLE_COUNT] = {
    [VB_TABLE_RECORDS] = VB_SECTION_RECORDS,
    [VB_TABLE_QUERIES] = VB_SECTION_QUERIES,
    [VB_TABLE_NEIGHBORS] = VB_SECTION_TRUTH,
    [VB_TABLE_DISTANCES] = VB_SECTION_DISTANCES,
};

static const vb_schema *schema_of(const vb_import *import) {
  return vb_writer_schema(import->writer);
}

/* --- making ----------------------------------------------------------------------------------- */

int vb_import_new(vb_import **out, const char *base, const vb_schema *schema,
                  const vb_import_options *options, vb_error *err) {
  vb_import *import = calloc(1, sizeof *import);
  if (!import) return vb_fail(err, VB_ENOMEM, "%s: out of memory", base);
  import->options = *options;
  int status = vb_writer_new(&import->writer, base, schema, err);
  if (!status) status = vb_layout_init(&import->layout, schema_of(import), err);
  if (status) {
    vb_import_free(import);
    return status;
  }
  import->tables[VB_TABLE_RECORDS].width = (size_t)vb_writer_record_bytes(import->writer);
  import->tables[VB_TABLE_QUERIES].width = (size_t)vb_writer_query_bytes(import->writer);
  *out = import;
  return VB_OK;
}

void vb_import_free(vb_import *import) {
  if (!import) return;
  for (int i = 0; i < VB_TABLE_COUNT; i++) {
    table *of = &import->tables[i];
    for (size_t j = 0; j < of->source_count; j++) vb_source_close(of->sources[j]);
    free(of->sources);
    free(of->bindings);
  }
  vb_layout_fini(&import->layout);
  vb_writer_free(import->writer);
  free(import);
}

static int out_of_memory(const vb_import *import, vb_error *err) {
  return vb_fail(err, VB_ENOMEM, "%s: out of memory", vb_writer_data_path(import->writer));
}

/* The old format's files are called .bin too. */
static int check_other(const vb_import *import, const char *path, vb_error *err) {
  if (!vb_output_same(path, vb_writer_data_path(import->writer))) return VB_OK;
  return vb_fail(err, VB_EINVAL, "%s: would be replaced by what is made of it; choose another name",
                 path);
}

int vb_import_add(vb_import *import, int which, vb_source *source, vb_error *err) {
  table *to = &import->tables[which];
  int status = check_other(import, source->path, err);
  if (status) return status;
  vb_source **sources = realloc(to->sources, (to->source_count + 1) * sizeof(vb_source *));
  if (!sources) return out_of_memory(import, err);
  to->sources = sources;
  to->sources[to->source_count] = source;
  return (int)to->source_count++;
}

static int find_column(vb_source *source, const char *name, vb_error *err) {
  for (size_t i = 0; i < source->column_count; i++)
    if (strcmp(source->columns[i].name, name) == 0) return (int)i;
  if (source->kind == &vb_source_jsonl)
    return vb_source_add_column(source, name, strlen(name), err);
  return vb_fail(err, VB_EINVAL, "%s: has no column '%s'", source->path, name);
}

static void place(const vb_import *import, int which, binding *to) {
  const vb_schema *schema = schema_of(import);
  to->store.truncate = import->options.truncate != 0;
  if (to->target < 0) return;
  const vb_place *places =
      which == VB_TABLE_QUERIES ? import->layout.query_fields : import->layout.fields;
  to->store.field = &schema->fields[to->target];
  to->store.offset = places[to->target].offset;
  to->store.size = places[to->target].size;
}

int vb_import_bind(vb_import *import, int which, int source, const char *column, int target,
                   vb_error *err) {
  table *to = &import->tables[which];
  int at = find_column(to->sources[source], column, err);
  if (at < 0) return at;
  binding *bindings = realloc(to->bindings, (to->binding_count + 1) * sizeof *bindings);
  if (!bindings) return out_of_memory(import, err);
  to->bindings = bindings;
  binding *made = &bindings[to->binding_count++];
  *made = (binding){.source = (size_t)source, .column = (size_t)at, .target = target};
  place(import, which, made);
  return VB_OK;
}

/* --- rows ------------------------------------------------------------------------------------- */

static const char *target_name(const vb_import *import, const binding *of) {
  if (of->target >= 0) return schema_of(import)->fields[of->target].name;
  return of->target == VB_IMPORT_KEY ? "the key" : "the members";
}

/* Says where it is that `inner` is wrong. */
static int fail_at(const vb_import *import, const binding *at, const vb_error *inner,
                   vb_error *err) {
  const table *of = &import->tables[import->at];
  const vb_source *source = of->sources[at->source];
  const char *entry = import->at == VB_TABLE_RECORDS ? "record" : "query";
  char line[32] = "";
  if (source->line) (void)snprintf(line, sizeof line, ":%" PRIu64, source->line);
  if (at->target == VB_IMPORT_WHOLE)
    return vb_fail(err, inner->status, "%s%s: %s %" PRIu64 ": %s", source->path, line, entry,
                   of->rows, inner->text);
  return vb_fail(err, inner->status, "%s%s: %s %" PRIu64 ", %s%s%s: %s", source->path, line, entry,
                 of->rows, at->target >= 0 ? "field '" : "", target_name(import, at),
                 at->target >= 0 ? "'" : "", inner->text);
}

static int store_key(vb_import *import, binding *to, const vb_cell *cell, vb_error *err) {
  const vb_schema *schema = schema_of(import);
  size_t length = cell->length;
  if (cell->kind == VB_CELL_NONE || cell->kind == VB_CELL_EMPTY) {
    to->store.missing++;
    return vb_writer_key(import->writer, "", 0, err);
  }
  if (cell->kind > VB_CELL_BOOLEAN) return vb_fail(err, VB_EINVAL, "is no text");
  if (length == 0) to->store.missing++;
  if (length > schema->key_bytes && import->options.truncate) {
    length = (size_t)schema->key_bytes;
    if (schema->key_encoding == VB_ENCODING_UTF8)
      length = vb_store_whole_characters(cell->bytes, length);
    to->store.truncated++;
  }
  return vb_writer_key(import->writer, cell->bytes, length, err);
}

static int store_target(vb_import *import, binding *to, char *record, vb_error *err) {
  const vb_source *source = import->tables[import->at].sources[to->source];
  const vb_cell *cell = &source->cells[to->column];
  if (to->target == VB_IMPORT_KEY) return store_key(import, to, cell, err);
  if (to->target == VB_IMPORT_MEMBERS)
    return vb_store_members(&to->store, schema_of(import), &import->layout, cell, record, err);
  return vb_store_cell(&to->store, &source->columns[to->column], cell, record, err);
}

static int store_row(vb_import *import, table *of, vb_error *err) {
  vb_error inner = {.status = 0};
  char *record = vb_writer_room(import->writer, sections[import->at], of->width, err);
  if (!record) return VB_EIO;
  for (size_t i = 0; i < of->binding_count; i++) {
    binding *to = &of->bindings[i];
    uint64_t missing = to->store.missing;
    int status = store_target(import, to, record, &inner);
    if (!status && import->options.strict && to->store.missing != missing)
      status = vb_fail(&inner, VB_EINVAL, "is missing, and --strict was given");
    if (status) return fail_at(import, to, &inner, err);
  }
  of->rows++;
  return VB_OK;
}

/* How many rows a source has in all, once another one has ended; it is read on for it. */
static uint64_t count_rows(vb_source *source) {
  if (source->rows != UINT64_MAX) return source->rows;
  while (vb_source_next(source, NULL) > 0) continue;
  return source->row;
}

static int unequal(const table *of, const vb_source *one, vb_source *other, vb_error *err) {
  uint64_t more = count_rows(other);
  return vb_fail(err, VB_EINVAL, "%s has %" PRIu64 " rows, %s has %" PRIu64, one->path, of->rows,
                 other->path, more);
}

/* A row of every source: 1, or 0 when all have ended. */
static int next_of_all(table *of, vb_error *err) {
  int first = vb_source_next(of->sources[0], err);
  if (first < 0) return first;
  for (size_t i = 1; i < of->source_count; i++) {
    int got = vb_source_next(of->sources[i], err);
    if (got < 0) return got;
    if (got && !first) return unequal(of, of->sources[0], of->sources[i], err);
    if (!got && first) return unequal(of, of->sources[i], of->sources[0], err);
  }
  return first;
}

static int step_rows(vb_import *import, table *of, vb_error *err) {
  size_t bytes = 0;
  for (int i = 0; i < STEP_ROWS && bytes < STEP_BYTES; i++, bytes += of->width) {
    int got = next_of_all(of, err);
    if (got > 0) got = store_row(import, of, err) ?: 1;
    if (got <= 0) return got;
  }
  return 1;
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* Whether rows are records as they are. */
static bool is_copy(const table *of) {
  if (of->source_count != 1 || of->binding_count != 1) return false;
  const binding *only = &of->bindings[0];
  const vb_source *source = of->sources[0];
  if (!vb_source_has_blocks(source) || only->target < 0) return false;
  const vb_column *column = &source->columns[0];
  const vb_field *field = only->store.field;
  return field->type <= VB_FIELD_NUMERIC && field->dtype == column->dtype &&
         of->width == vb_source_row_bytes(source) && only->store.size == of->width;
}

/* Finds the row with the NaN by storing rows until one fails. */
static int tell_nan(vb_import *import, table *of, const char *rows, int64_t count, vb_error *err) {
  int status = VB_OK;
  for (int64_t i = 0; !status && i < count; i++) {
    of->sources[0]->cells[0].bytes = rows + (size_t)i * of->width;
    status = store_row(import, of, err);
  }
  return status;
}

static int step_block(vb_import *import, table *of, vb_error *err) {
  const char *rows;
  const vb_column *column = &of->sources[0]->columns[0];
  for (size_t bytes = 0; bytes < STEP_BYTES;) {
    int64_t count = vb_source_block(of->sources[0], &rows, err);
    if (count <= 0) return (int)count;
    size_t size = (size_t)count * of->width;
    if (!vb_dtype_finite(column->dtype, rows, (size_t)count * column->dimensions))
      return tell_nan(import, of, rows, count, err);
    int status = vb_writer_put(import->writer, sections[import->at], rows, size, err);
    if (status) return status;
    of->rows += (uint64_t)count;
    bytes += size;
  }
  return 1;
}

/* --- neighbours, distances -------------------------------------------------------------------- */

/* The row's first values, in another type, from values or from a list. */
static int read_row(const table *of, vb_store *store, char *to, vb_error *err) {
  const binding *from = &of->bindings[0];
  const vb_source *source = of->sources[0];
  vb_column column = source->columns[from->column];
  if (column.dtype >= 0 && column.dimensions > store->field->dimensions)
    column.dimensions = store->field->dimensions;
  return vb_store_cell(store, &column, &source->cells[from->column], to, err);
}

/* Ids are read as int64, in which -1 is "none" whatever they were. */
static int put_ids(vb_import *import, const table *of, uint64_t *ids, vb_error *err) {
  const vb_column *column = &of->sources[0]->columns[of->bindings[0].column];
  uint64_t count = schema_of(import)->neighbors;
  uint64_t records = vb_writer_count(import->writer, VB_SECTION_RECORDS);
  for (uint64_t i = 0; i < count; i++) {
    if (ids[i] == UINT64_MAX || (column->dtype == VB_DTYPE_UINT32 && ids[i] == UINT32_MAX))
      ids[i] = UINT64_MAX;
    else if (ids[i] >= records)
      return vb_fail(err, VB_EINVAL,
                     "neighbour %" PRIu64 " is %" PRId64 "; there are %" PRIu64 " records", i,
                     (int64_t)ids[i], records);
  }
  return vb_writer_ids(import->writer, ids, (size_t)count, err);
}

static int put_row(vb_import *import, table *of, char *row, vb_error *err) {
  bool ids = import->at == VB_TABLE_NEIGHBORS;
  const vb_column *column = &of->sources[0]->columns[of->bindings[0].column];
  uint64_t count = schema_of(import)->neighbors;
  const vb_field field = {.name = "",
                          .type = VB_FIELD_VECTOR,
                          .dtype = !ids                               ? VB_DTYPE_FLOAT32
                                   : column->dtype == VB_DTYPE_UINT64 ? VB_DTYPE_UINT64
                                                                      : VB_DTYPE_INT64,
                          .dimensions = count};
  vb_store store = {.field = &field, .size = vb_dtype_bytes(field.dtype, count)};
  vb_error inner = {.status = 0};
  int status = read_row(of, &store, row, &inner);
  if (!status && store.missing) status = vb_fail(&inner, VB_EINVAL, "is missing");
  if (!status && ids) status = put_ids(import, of, (uint64_t *)(void *)row, &inner);
  if (!status && !ids)
    status = vb_writer_put(import->writer, VB_SECTION_DISTANCES, row, (size_t)store.size, &inner);
  if (status) return fail_at(import, &of->bindings[0], &inner, err);
  of->rows++;
  return VB_OK;
}

static int step_truth(vb_import *import, table *of, vb_error *err) {
  char *row = calloc((size_t)schema_of(import)->neighbors, sizeof(uint64_t));
  int got = row ? 1 : out_of_memory(import, err);
  for (int i = 0; got > 0 && i < STEP_ROWS; i++) {
    got = vb_source_next(of->sources[0], err);
    if (got > 0) got = put_row(import, of, row, err) ?: 1;
  }
  free(row);
  return got;
}

/* --- steps ------------------------------------------------------------------------------------ */

static int step_table(vb_import *import, table *of, vb_error *err) {
  if (of->source_count == 0) return 0;
  if (import->at >= VB_TABLE_NEIGHBORS) return step_truth(import, of, err);
  return is_copy(of) ? step_block(import, of, err) : step_rows(import, of, err);
}

int vb_import_step(vb_import *import, vb_error *err) {
  if (import->at == VB_TABLE_COUNT) return 0;
  int got = step_table(import, &import->tables[import->at], err);
  if (got) return got;
  return ++import->at < VB_TABLE_COUNT;
}

int vb_import_progress(const vb_import *import, uint64_t *done, uint64_t *total, uint64_t *rows) {
  const table *of = &import->tables[import->at < VB_TABLE_COUNT ? import->at : 0];
  *done = *total = 0;
  *rows = of->rows;
  for (size_t i = 0; i < of->source_count; i++) {
    *done += of->sources[i]->bytes_taken;
    *total += of->sources[i]->bytes;
  }
  return import->at;
}

int vb_import_finish(vb_import *import, vb_error *err) {
  const table *records = &import->tables[VB_TABLE_RECORDS];
  if (records->source_count && records->rows == 0)
    return vb_fail(err, VB_EINVAL, "%s: holds no records", records->sources[0]->path);
  return vb_writer_finish(import->writer, err);
}

void vb_import_losses(const vb_import *import, int which, int target, uint64_t *missing,
                      uint64_t *truncated) {
  const table *of = &import->tables[which];
  *missing = *truncated = 0;
  for (size_t i = 0; i < of->binding_count; i++) {
    if (of->bindings[i].target != target) continue;
    *missing += of->bindings[i].store.missing;
    *truncated += of->bindings[i].store.truncated;
  }
}

const vb_writer *vb_import_writer(const vb_import *import) {
  return import->writer;
}
