#include "base/output.h"
#include "dataset/metadata.h"
#include "dataset/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void add(vb_bytes *out, const char *format, ...) VB_PRINTF(2, 3);

static void add(vb_bytes *out, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  vb_bytes_append(out, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

/* "key: text", behind what stands in the same braces. */
static void add_text(vb_bytes *out, bool first, const char *key, const char *text) {
  add(out, "%s%s: ", first ? "" : ", ", key);
  vb_yaml_text(out, text);
}

static void write_metadata(const vb_schema *schema, vb_bytes *out) {
  bool first = true;
  if (!schema->name && !schema->description && !schema->metadata) return;
  add(out, "metadata: { ");
  if (schema->name) add_text(out, true, "name", schema->name);
  first = !schema->name;
  if (schema->description) add_text(out, first, "description", schema->description);
  first = first && !schema->description;
  if (schema->metadata) {
    if (!first) add(out, ", ");
    vb_bytes_append(out, schema->metadata, strlen(schema->metadata));
  }
  add(out, " }\n");
}

static void write_workload(const vb_schema *schema, vb_bytes *out) {
  if (!schema->load) return;
  add(out, "workload: { type: %s, command: %s }\n", vb_load_types[schema->load],
      vb_loads[schema->load]);
}

static void write_lengths(const vb_field *field, vb_bytes *out) {
  if (field->encoding) add(out, ", encoding: %s", vb_encodings[field->encoding]);
  add(out, ", length: %s, max_bytes: %" PRIu64, field->variable ? "variable" : "fixed",
      field->max_bytes);
  if (field->optional) add(out, ", optional: true");
}

static void write_field(const vb_field *field, vb_bytes *out) {
  add(out, "{ ");
  if (*field->name) {
    add_text(out, true, "name", field->name);
    add(out, ", ");
  }
  add(out, "type: %s", vb_field_types[field->type]);
  if (field->type <= VB_FIELD_NUMERIC) add(out, ", dtype: %s", vb_dtype_name(field->dtype));
  if (field->type == VB_FIELD_VECTOR) add(out, ", dimensions: %" PRIu64, field->dimensions);
  if (field->type > VB_FIELD_NUMERIC) write_lengths(field, out);
  add(out, " }");
}

static void write_fields(const vb_schema *schema, const char *indent, vb_bytes *out) {
  for (uint32_t i = 0; i < schema->field_count; i++) {
    add(out, "%s- ", indent);
    write_field(&schema->fields[i], out);
    add(out, "\n");
  }
}

static void write_collection(const vb_schema *schema, vb_bytes *out) {
  add(out, "  collection:\n    type: %s\n    max_members: %" PRIu64 "\n    member:",
      vb_collections[schema->collection], schema->max_members);
  if (schema->collection == VB_COLLECTION_ZSET) {
    add(out, "\n      fields:\n");
    write_fields(schema, "        ", out);
    return;
  }
  add(out, " ");
  write_field(&schema->fields[0], out);
  add(out, "\n");
}

static void write_record(const vb_schema *schema, vb_bytes *out) {
  add(out, "record:\n");
  if (schema->record_size) add(out, "  size: %" PRIu64 "\n", schema->record_size);
  if (schema->collection) {
    write_collection(schema, out);
    return;
  }
  add(out, "  fields:\n");
  write_fields(schema, "    ", out);
}

static void write_keys(const vb_schema *schema, vb_bytes *out) {
  if (schema->keys) {
    add(out, "  keys: { present: true");
    if (schema->key_encoding) add(out, ", encoding: %s", vb_encodings[schema->key_encoding]);
    add(out, ", length: %s, max_bytes: %" PRIu64 " }\n",
        schema->key_variable ? "variable" : "fixed", schema->key_bytes);
  } else if (schema->key_pattern) {
    add(out, "  keys: { present: false");
    add_text(out, false, "pattern", schema->key_pattern);
    add(out, " }\n");
  }
}

static void write_queries(const vb_schema *schema, vb_bytes *out) {
  bool first = true;
  if (!schema->queries) return;
  add(out, "  queries: { present: true, count: %" PRIu64, schema->queries);
  for (uint32_t i = 0; i < schema->field_count; i++) {
    if (!schema->fields[i].queried) continue;
    add(out, "%s", first ? ", query_fields: [" : ", ");
    vb_yaml_text(out, schema->fields[i].name);
    first = false;
  }
  add(out, first ? " }\n" : "] }\n");
}

static void write_truth(const vb_schema *schema, vb_bytes *out) {
  add(out,
      "  ground_truth: { present: true, neighbors_per_query: %" PRIu64
      ", id_type: %s, distances: %s",
      schema->neighbors, vb_id_types[schema->id_type], schema->distances ? "true" : "false");
  if (schema->filter) add_text(out, false, "filter", schema->filter);
  add(out, " }\n");
}

static void write_sections(const vb_schema *schema, vb_bytes *out) {
  add(out, "sections:\n  records: { count: %" PRIu64, schema->records);
  if (schema->records_offset) add(out, ", offset: %" PRIu64, schema->records_offset);
  add(out, " }\n");
  write_keys(schema, out);
  write_queries(schema, out);
  if (schema->neighbors) write_truth(schema, out);
}

static void write_field_metadata(const vb_schema *schema, vb_bytes *out) {
  bool first = true;
  for (uint32_t i = 0; i < schema->field_count; i++) {
    const vb_field *field = &schema->fields[i];
    if (!field->distance && !field->index_type) continue;
    add(out, "%s  ", first ? "field_metadata:\n" : "");
    vb_yaml_text(out, field->name);
    if (field->distance)
      add(out, ": { distance_metric: %s }\n", vb_distances[field->distance]);
    else
      add(out, ": { index_type: %s }\n", vb_index_types[field->index_type]);
    first = false;
  }
}

/* A text that is no UTF-8, or a count that was never set, would be found by the next reader: this
 * is the first one. */
static int read_back(const vb_bytes *text, vb_error *err) {
  vb_schema *schema = NULL;
  int status = vb_schema_parse(&schema, text->data, text->length, "the schema to be written", err);
  vb_schema_free(schema);
  return status;
}

int vb_schema_render(const vb_schema *schema, char **text, size_t *length, vb_error *err) {
  vb_bytes out = {0};
  int status = vb_schema_check(schema, err);
  if (status) return status;
  add(&out, "version: %d\n", VB_SCHEMA_VERSION);
  write_metadata(schema, &out);
  write_workload(schema, &out);
  write_record(schema, &out);
  write_sections(schema, &out);
  write_field_metadata(schema, &out);
  status = read_back(&out, err);
  if (status) {
    vb_bytes_fini(&out);
    return status;
  }
  vb_bytes_append(&out, "", 1);
  *text = out.data;
  *length = out.length - 1;
  return VB_OK;
}

int vb_schema_write(const vb_schema *schema, const char *path, vb_error *err) {
  char *text = NULL;
  size_t length = 0;
  int status = vb_schema_render(schema, &text, &length, err);
  if (!status) status = vb_output_write(path, text, length, err);
  free(text);
  return status;
}

static bool holds(const char *path, const char *text, size_t length) {
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  bool same = true;
  for (size_t i = 0; i < length && same; i++) same = getc(file) == (unsigned char)text[i];
  same = same && getc(file) == EOF && !ferror(file);
  (void)fclose(file);
  return same;
}

int vb_schema_is_written(const vb_schema *schema, const char *path) {
  char *text = NULL;
  size_t length = 0;
  vb_error err = {.status = 0};
  if (vb_schema_render(schema, &text, &length, &err)) return 0;
  bool same = holds(path, text, length);
  free(text);
  return same;
}
