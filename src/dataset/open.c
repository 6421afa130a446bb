/* Datasets by the name that people give: BASE, BASE.yaml or BASE.bin. */
#include "dataset/dataset.h"
#include "dataset/legacy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *path, const char *end) {
  size_t length = strlen(path), tail = strlen(end);
  return length > tail && !strcmp(path + length - tail, end);
}

/* The places of an old file are those of its header, whatever the order. */
static int place_legacy(vb_layout *layout, const vb_legacy *header, const vb_schema *schema,
                        vb_error *err) {
  int status = vb_layout_init(layout, schema, err);
  if (status) return status;
  layout->sections[VB_SECTION_RECORDS].offset = header->vectors_offset;
  layout->sections[VB_SECTION_QUERIES].offset = header->queries_offset;
  layout->sections[VB_SECTION_TRUTH].offset = header->neighbors_offset;
  layout->sections[VB_SECTION_DISTANCES].offset = header->distances_offset;
  layout->total = header->size;
  return VB_OK;
}

static int open_legacy(vb_dataset **out, const char *path, vb_error *err) {
  vb_legacy header;
  vb_schema *schema = NULL;
  vb_layout layout = {0};
  int status = vb_legacy_read(&header, path, err);
  if (!status) status = vb_legacy_schema(&schema, &header, err);
  if (!status) status = place_legacy(&layout, &header, schema, err);
  if (!status) status = vb_dataset_attach(out, schema, &layout, path, err);
  vb_layout_fini(&layout);
  vb_schema_free(schema);
  return status;
}

int vb_dataset_open_base(vb_dataset **out, const char *path, vb_error *err) {
  size_t base = strlen(path);
  if (ends_with(path, ".yaml")) base -= 5;
  if (ends_with(path, ".bin")) base -= 4;
  char *schema = malloc(base + 6), *data = malloc(base + 6);
  int status = VB_OK;
  if (schema && data) {
    (void)snprintf(schema, base + 6, "%.*s.yaml", (int)base, path);
    (void)snprintf(data, base + 6, "%.*s.bin", (int)base, path);
    if (access(schema, F_OK) != 0 && vb_legacy_is(data))
      status = open_legacy(out, data, err);
    else
      status = vb_dataset_open(out, schema, data, err);
  } else {
    status = vb_fail(err, VB_ENOMEM, "%s: out of memory", path);
  }
  free(schema);
  free(data);
  return status;
}
