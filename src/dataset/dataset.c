#include "dataset/dataset.h"

#include "dataset/mapping.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX = 4 }; /* of a variable length, and of a collection's count */

/* Where a field lies, and how much of it is sent. */
typedef struct slot {
  uint64_t offset;
  uint64_t bytes; /* without the prefix */
  bool variable;  /* a prefix says how many of them */
  bool trimmed;   /* NULs at the end are padding */
} slot;

struct vb_dataset {
  const char *records, *keys, *queries, *truth, *distances; /* in the mapping; NULL when absent */
  slot *fields, *query_fields;                              /* of a query: bytes 0 when absent */
  slot key;
  uint64_t key_size, record_size, query_size, member_size, neighbors, record_count;
  uint32_t members_max;
  bool wide_ids; /* u64 */
  vb_schema *schema;
  vb_layout layout;
  vb_mapping mapping;
  /* Written by readers that find something wrong; its own line, so that they disturb nobody. */
  _Alignas(VB_CACHE_LINE) _Atomic uint64_t clamped;
};

/* --- opening ---------------------------------------------------------------------------------- */

static slot slot_of(const vb_field *field, const vb_place *place) {
  bool bytes = field->type > VB_FIELD_NUMERIC;
  bool variable = bytes && field->variable;
  return (slot){.offset = place->offset,
                .bytes = place->size < PREFIX || !variable ? place->size : place->size - PREFIX,
                .variable = variable,
                .trimmed = bytes && !variable && field->type != VB_FIELD_BLOB};
}

static int copy_layout(vb_dataset *dataset, const vb_layout *layout, vb_error *err) {
  size_t bytes = layout->field_count * sizeof *layout->fields;
  dataset->layout = *layout;
  dataset->layout.fields = malloc(bytes);
  dataset->layout.query_fields = malloc(bytes);
  if (!dataset->layout.fields || !dataset->layout.query_fields)
    return vb_fail(err, VB_ENOMEM, "a dataset: out of memory");
  memcpy(dataset->layout.fields, layout->fields, bytes);
  memcpy(dataset->layout.query_fields, layout->query_fields, bytes);
  return VB_OK;
}

static int prepare_fields(vb_dataset *dataset, vb_error *err) {
  uint32_t count = dataset->schema->field_count;
  dataset->fields = calloc(count, sizeof *dataset->fields);
  dataset->query_fields = calloc(count, sizeof *dataset->query_fields);
  if (!dataset->fields || !dataset->query_fields)
    return vb_fail(err, VB_ENOMEM, "a dataset: out of memory");
  for (uint32_t i = 0; i < count; i++) {
    const vb_field *field = &dataset->schema->fields[i];
    dataset->fields[i] = slot_of(field, &dataset->layout.fields[i]);
    dataset->query_fields[i] = slot_of(field, &dataset->layout.query_fields[i]);
  }
  return VB_OK;
}

static void prepare_sizes(vb_dataset *dataset) {
  const vb_schema *schema = dataset->schema;
  const vb_layout *layout = &dataset->layout;
  dataset->key_size = layout->key_size;
  dataset->key = (slot){.bytes = schema->key_bytes, .variable = schema->key_variable};
  dataset->record_size = layout->record_size;
  dataset->query_size = layout->query_size;
  dataset->member_size = layout->member_size;
  dataset->members_max = (uint32_t)schema->max_members;
  dataset->neighbors = schema->neighbors;
  dataset->record_count = schema->records;
  dataset->wide_ids = layout->id_size == sizeof(uint64_t);
}

static const char *section_at(const vb_dataset *dataset, int section) {
  const vb_place *place = &dataset->layout.sections[section];
  return place->size ? dataset->mapping.data + place->offset : NULL;
}

static int map_data(vb_dataset *dataset, const char *path, vb_error *err) {
  int status = vb_mapping_open(&dataset->mapping, path, err);
  if (status) return status;
  if (dataset->mapping.size < dataset->layout.total)
    return vb_fail(err, VB_EINVAL,
                   "%s: %" PRIu64 " bytes, and the schema says %" PRIu64 " (%" PRIu64
                   " records of %" PRIu64 " bytes)",
                   path, dataset->mapping.size, dataset->layout.total, dataset->schema->records,
                   dataset->record_size);
  dataset->records = section_at(dataset, VB_SECTION_RECORDS);
  dataset->keys = section_at(dataset, VB_SECTION_KEYS);
  dataset->queries = section_at(dataset, VB_SECTION_QUERIES);
  dataset->truth = section_at(dataset, VB_SECTION_TRUTH);
  dataset->distances = section_at(dataset, VB_SECTION_DISTANCES);
  return VB_OK;
}

static int attach(vb_dataset *dataset, const vb_layout *layout, const char *path, vb_error *err) {
  int status = VB_OK;
  if (layout)
    status = copy_layout(dataset, layout, err);
  else
    status = vb_layout_init(&dataset->layout, dataset->schema, err);
  if (!status) status = prepare_fields(dataset, err);
  if (status) return status;
  prepare_sizes(dataset);
  return map_data(dataset, path, err);
}

/* Takes the schema over, whatever comes of it. */
static int open_with(vb_dataset **out, vb_schema *schema, const vb_layout *layout, const char *path,
                     vb_error *err) {
  vb_dataset *dataset = aligned_alloc(VB_CACHE_LINE, sizeof *dataset);
  if (!schema || !dataset) {
    vb_schema_free(schema);
    free(dataset);
    return vb_fail(err, VB_ENOMEM, "%s: out of memory", path);
  }
  memset(dataset, 0, sizeof *dataset);
  dataset->schema = schema;
  int status = attach(dataset, layout, path, err);
  if (status)
    vb_dataset_close(dataset);
  else
    *out = dataset;
  return status;
}

int vb_dataset_open(vb_dataset **out, const char *schema_path, const char *data_path,
                    vb_error *err) {
  vb_schema *schema = NULL;
  int status = vb_schema_read(&schema, schema_path, err);
  return status ? status : open_with(out, schema, NULL, data_path, err);
}

int vb_dataset_attach(vb_dataset **out, const vb_schema *schema, const vb_layout *layout,
                      const char *data_path, vb_error *err) {
  return open_with(out, vb_schema_copy(schema), layout, data_path, err);
}

void vb_dataset_close(vb_dataset *dataset) {
  if (!dataset) return;
  vb_mapping_close(&dataset->mapping);
  vb_layout_fini(&dataset->layout);
  vb_schema_free(dataset->schema);
  free(dataset->fields);
  free(dataset->query_fields);
  free(dataset);
}

const vb_schema *vb_dataset_schema(const vb_dataset *dataset) {
  return dataset->schema;
}

const vb_layout *vb_dataset_layout(const vb_dataset *dataset) {
  return &dataset->layout;
}

const char *vb_dataset_path(const vb_dataset *dataset) {
  return dataset->mapping.path;
}

uint64_t vb_dataset_excess(const vb_dataset *dataset) {
  return dataset->mapping.size - dataset->layout.total;
}

int vb_dataset_check(const vb_dataset *dataset, vb_error *err) {
  return vb_mapping_check(&dataset->mapping, err);
}

uint64_t vb_dataset_clamped(const vb_dataset *dataset) {
  return atomic_load_explicit(&dataset->clamped, memory_order_relaxed);
}

void vb_dataset_advise(const vb_dataset *dataset, int section, int use) {
  const vb_place *place = &dataset->layout.sections[section];
  enum vb_access access = VB_ACCESS_NORMAL;
  if (use == VB_USE_LOAD) access = VB_ACCESS_SEQUENTIAL;
  if (use == VB_USE_RANDOM) access = VB_ACCESS_RANDOM;
  if (place->size) vb_mapping_advise(&dataset->mapping, place->offset, place->size, access);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The dataset is const for its readers but for this count of what was wrong in it. */
static void note_clamped(const vb_dataset *dataset) {
  vb_dataset *writable = (vb_dataset *)(uintptr_t)dataset;
  (void)atomic_fetch_add_explicit(&writable->clamped, 1, memory_order_relaxed);
}

static uint32_t load_u32(const char *from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

static void view_variable(const vb_dataset *dataset, const char *at, uint64_t bytes, vb_view *out) {
  uint64_t length = load_u32(at);
  if (VB_UNLIKELY(length > bytes)) {
    note_clamped(dataset);
    length = bytes;
  }
  *out = (vb_view){at + PREFIX, length};
}

/* The length without NULs at the end, eight at a time. */
static uint64_t trimmed(const char *data, uint64_t length) {
  uint64_t word = 0;
  for (; length >= sizeof word; length -= sizeof word) {
    memcpy(&word, data + length - sizeof word, sizeof word);
    if (word) return length - (uint64_t)__builtin_clzll(word) / 8;
  }
  while (length && !data[length - 1]) length--;
  return length;
}

static inline void view(const vb_dataset *dataset, const char *base, const slot *of, vb_view *out) {
  const char *at = base + of->offset;
  if (VB_UNLIKELY(of->variable)) {
    view_variable(dataset, at, of->bytes, out);
    return;
  }
  out->data = at;
  out->length = of->trimmed ? trimmed(at, of->bytes) : of->bytes;
}

void vb_dataset_field(const vb_dataset *dataset, uint64_t record, uint32_t field, vb_view *out) {
  view(dataset, dataset->records + record * dataset->record_size, &dataset->fields[field], out);
}

uint32_t vb_dataset_members(const vb_dataset *dataset, uint64_t record) {
  if (!dataset->members_max) return 0;
  uint32_t count = load_u32(dataset->records + record * dataset->record_size);
  if (VB_LIKELY(count <= dataset->members_max)) return count;
  note_clamped(dataset);
  return dataset->members_max;
}

void vb_dataset_member(const vb_dataset *dataset, uint64_t record, uint32_t member, uint32_t field,
                       vb_view *out) {
  const char *slots = dataset->records + record * dataset->record_size + PREFIX;
  view(dataset, slots + member * dataset->member_size, &dataset->fields[field], out);
}

void vb_dataset_key(const vb_dataset *dataset, uint64_t record, vb_view *out) {
  *out = (vb_view){0};
  if (!dataset->keys) return;
  view(dataset, dataset->keys + record * dataset->key_size, &dataset->key, out);
  if (!dataset->key.variable) out->length = strnlen(out->data, out->length);
}

void vb_dataset_query(const vb_dataset *dataset, uint64_t query, uint32_t field, vb_view *out) {
  const slot *of = &dataset->query_fields[field];
  if (!of->bytes)
    *out = (vb_view){0};
  else
    view(dataset, dataset->queries + query * dataset->query_size, of, out);
}

uint64_t vb_dataset_neighbor(const vb_dataset *dataset, uint64_t query, uint64_t rank) {
  uint64_t id = UINT64_MAX, index = query * dataset->neighbors + rank;
  if (!dataset->truth) return id;
  if (dataset->wide_ids) {
    memcpy(&id, dataset->truth + index * sizeof id, sizeof id);
  } else {
    uint32_t narrow = load_u32(dataset->truth + index * sizeof narrow);
    if (narrow != UINT32_MAX) id = narrow;
  }
  if (VB_LIKELY(id < dataset->record_count) || id == UINT64_MAX) return id;
  note_clamped(dataset);
  return UINT64_MAX;
}

double vb_dataset_distance(const vb_dataset *dataset, uint64_t query, uint64_t rank) {
  float distance;
  if (!dataset->distances) return (double)NAN;
  memcpy(&distance, dataset->distances + (query * dataset->neighbors + rank) * sizeof distance,
         sizeof distance);
  return isnan(distance) ? (double)NAN : (double)distance; /* as vb_number_value */
}

int vb_dataset_empty(const vb_dataset *dataset, uint64_t record) {
  vb_view key;
  if (dataset->members_max && !vb_dataset_members(dataset, record)) return 1;
  if (!dataset->keys) return 0;
  vb_dataset_key(dataset, record, &key);
  return !key.length;
}

void vb_dataset_section(const vb_dataset *dataset, int section, vb_view *out) {
  const char *at = section_at(dataset, section);
  *out = (vb_view){at, at ? dataset->layout.sections[section].size : 0};
}
