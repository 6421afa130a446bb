/* Fuzz target of dataset/dataset: whatever the bytes of a data file, reading stays within the
 * record, its lengths within the schema's. The input is the data of a few records of every kind. */
#include "dataset/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fields[] =
    "version: 1\n"
    "record: { fields: [ { name: v, type: vector, dimensions: 3, dtype: float16 }, { name: t, "
    "type: "
    "text, length: variable, max_bytes: 5 }, { name: g, type: tag, max_bytes: 3 }, { name: n, "
    "type: "
    "numeric } ] }\n"
    "sections: { records: { count: 1 }, keys: { length: variable, max_bytes: 6 }, queries: { "
    "count: "
    "1 }, ground_truth: { neighbors_per_query: 2, id_type: u32, distances: true } }\n";
static const char members[] =
    "version: 1\n"
    "record: { collection: { type: zset, max_members: 3, member: { fields: [ { name: score, type: "
    "numeric, dtype: float32 }, { name: value, type: text, length: variable, max_bytes: 4 } ] } } "
    "}\n"
    "sections: { records: { count: 2 }, keys: { max_bytes: 4 } }\n";

static void check(bool holds) {
  if (!holds) abort();
}

/* Touches every byte, so that a sanitizer sees one that is not ours. */
static void use(const vb_view *view, size_t most) {
  size_t sum = 0;
  check(view->length <= most);
  for (size_t i = 0; i < view->length; i++) sum += (unsigned char)view->data[i];
  check(sum <= 255 * most);
}

static void read_fields(const vb_dataset *dataset) {
  const vb_schema *schema = vb_dataset_schema(dataset);
  vb_view view;
  for (uint32_t i = 0; i < schema->field_count; i++) {
    vb_dataset_field(dataset, 0, i, &view);
    use(&view, vb_dataset_layout(dataset)->fields[i].size);
    vb_dataset_query(dataset, 0, i, &view);
    use(&view, vb_dataset_layout(dataset)->query_fields[i].size);
  }
  vb_dataset_key(dataset, 0, &view);
  use(&view, 6);
  for (uint64_t rank = 0; rank < 2; rank++) {
    uint64_t id = vb_dataset_neighbor(dataset, 0, rank);
    check(id == UINT64_MAX || id < schema->records);
    (void)vb_dataset_distance(dataset, 0, rank);
  }
}

static void read_members(const vb_dataset *dataset) {
  for (uint64_t record = 0; record < 2; record++) {
    vb_view view;
    uint32_t count = vb_dataset_members(dataset, record);
    check(count <= 3);
    for (uint32_t i = 0; i < count; i++) {
      vb_dataset_member(dataset, record, i, 1, &view);
      use(&view, 4);
    }
    vb_dataset_key(dataset, record, &view);
    use(&view, 4);
    (void)vb_dataset_empty(dataset, record);
  }
}

/* A file of the input, or of its beginning and zeros. */
static void run(const char *text, const uint8_t *data, size_t size,
                void (*read)(const vb_dataset *dataset)) {
  char path[] = "/tmp/vbench-fuzz-XXXXXX";
  vb_schema *schema = NULL;
  vb_dataset *dataset = NULL;
  vb_layout layout;
  vb_error err;
  int fd = mkstemp(path);
  check(fd >= 0 && vb_schema_parse(&schema, text, strlen(text), "x", &err) == VB_OK);
  check(vb_layout_init(&layout, schema, &err) == VB_OK);
  check(write(fd, data, size) == (ssize_t)size);
  int status = vb_dataset_attach(&dataset, schema, NULL, path, &err);
  check((status == VB_OK) == (size >= layout.total));
  if (!status) read(dataset);
  vb_dataset_close(dataset);
  vb_layout_fini(&layout);
  vb_schema_free(schema);
  (void)close(fd);
  (void)unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  run(fields, data, size, read_fields);
  run(members, data, size, read_members);
  return 0;
}
