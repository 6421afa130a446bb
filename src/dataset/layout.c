#include "dataset/layout.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PREFIX = 4 }; /* of a variable length, and of a collection's count */

/* Sums and products that remember whether one went over 2^63, which no file can have. */
typedef struct sum {
  uint64_t value;
  bool over;
} sum;

static const uint64_t most = INT64_MAX;

static uint64_t times(sum *s, uint64_t a, uint64_t b) {
  uint64_t product;
  if (!__builtin_mul_overflow(a, b, &product) && product <= most) return product;
  s->over = true;
  return 0;
}

static uint64_t plus(sum *s, uint64_t a, uint64_t b) {
  uint64_t total;
  if (!__builtin_add_overflow(a, b, &total) && total <= most) return total;
  s->over = true;
  return 0;
}

static void append(sum *s, vb_place *place, uint64_t size) {
  *place = (vb_place){.offset = s->value, .size = size};
  s->value = plus(s, s->value, size);
}

static uint64_t size_of(sum *s, const vb_field *field) {
  switch ((enum vb_field_type)field->type) {
  case VB_FIELD_VECTOR:
    (void)times(s, field->dimensions, 8); /* the widest dtype */
    return vb_dtype_bytes(field->dtype, s->over ? 1 : field->dimensions);
  case VB_FIELD_NUMERIC: return vb_dtype_bytes(field->dtype, 1);
  case VB_FIELD_TEXT:
  case VB_FIELD_TAG:
  case VB_FIELD_BLOB: break;
  }
  return plus(s, field->max_bytes, field->variable ? PREFIX : 0);
}

static int place_fields(vb_layout *layout, const vb_schema *schema, vb_error *err) {
  sum record = {0}, query = {0};
  for (uint32_t i = 0; i < schema->field_count; i++) {
    uint64_t size = size_of(&record, &schema->fields[i]);
    append(&record, &layout->fields[i], size);
    if (schema->queries && vb_schema_queried(schema, i))
      append(&query, &layout->query_fields[i], size);
    if (record.over)
      return vb_fail(err, VB_EINVAL, "field '%s': the record would be larger than 2^63 bytes",
                     schema->fields[i].name);
  }
  if (schema->collection) {
    layout->member_size = record.value;
    record.value = plus(&record, PREFIX, times(&record, schema->max_members, record.value));
  }
  if (record.over)
    return vb_fail(err, VB_EINVAL, "collection: the record would be larger than 2^63 bytes");
  layout->record_size = record.value;
  layout->query_size = query.value;
  return VB_OK;
}

static int place_record(vb_layout *layout, const vb_schema *schema, vb_error *err) {
  int status = place_fields(layout, schema, err);
  if (status || !schema->record_size) return status;
  if (schema->record_size < layout->record_size)
    return vb_fail(err, VB_EINVAL,
                   "record.size is %" PRIu64 ", and what the record holds takes %" PRIu64,
                   schema->record_size, layout->record_size);
  layout->record_size = schema->record_size;
  return VB_OK;
}

static int place_sections(vb_layout *layout, const vb_schema *schema, vb_error *err) {
  sum file = {.value = schema->records_offset, .over = schema->records_offset > most};
  if (schema->keys)
    layout->key_size = plus(&file, schema->key_bytes, schema->key_variable ? PREFIX : 0);
  if (schema->neighbors) layout->id_size = schema->id_type == VB_ID_U32 ? 4 : 8;
  uint64_t neighbors = times(&file, schema->queries, schema->neighbors);
  const uint64_t counts[VB_SECTIONS][2] = {
      [VB_SECTION_RECORDS] = {schema->records, layout->record_size},
      [VB_SECTION_KEYS] = {schema->records, layout->key_size},
      [VB_SECTION_QUERIES] = {schema->queries, layout->query_size},
      [VB_SECTION_TRUTH] = {neighbors, layout->id_size},
      [VB_SECTION_DISTANCES] = {neighbors, schema->distances ? sizeof(float) : 0},
  };
  for (int i = 0; i < VB_SECTIONS; i++) {
    append(&file, &layout->sections[i], times(&file, counts[i][0], counts[i][1]));
    if (file.over)
      return vb_fail(err, VB_EINVAL, "sections.%s: the file would be larger than 2^63 bytes",
                     vb_section_name(i));
  }
  layout->total = file.value;
  return VB_OK;
}

int vb_layout_init(vb_layout *layout, const vb_schema *schema, vb_error *err) {
  *layout = (vb_layout){.field_count = schema->field_count};
  int status = vb_schema_check(schema, err);
  if (status) return status;
  layout->fields = calloc(schema->field_count, sizeof *layout->fields);
  layout->query_fields = calloc(schema->field_count, sizeof *layout->query_fields);
  if (layout->fields && layout->query_fields)
    status = place_record(layout, schema, err);
  else
    status = vb_fail(err, VB_ENOMEM, "a layout: out of memory");
  if (!status) status = place_sections(layout, schema, err);
  if (status) vb_layout_fini(layout);
  return status;
}

void vb_layout_fini(vb_layout *layout) {
  free(layout->fields);
  free(layout->query_fields);
  *layout = (vb_layout){0};
}

const char *vb_section_name(int section) {
  static const char *const names[] = {"records", "keys", "queries", "ground_truth", "distances"};
  return section >= 0 && section < VB_SECTIONS ? names[section] : "?";
}
