/* Datasets by the name that people give: BASE, BASE.yaml or BASE.bin. */
#include "base/build.h"
#include "dataset/dataset.h"
#include "dataset/legacy.h"

#include <limits.h>
#include <stdio.h>
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

/* The two files of BASE, `length` bytes of it. */
static int open_files(vb_dataset **out, const char *base, int length, vb_error *err) {
  char schema[PATH_MAX], data[PATH_MAX];
  int written = snprintf(schema, sizeof schema, "%.*s.yaml", length, base);
  if (written < 0 || (size_t)written >= sizeof schema)
    return vb_fail(err, VB_EIO, "%.100s...: the name of a dataset is too long", base);
  (void)snprintf(data, sizeof data, "%.*s.bin", length, base);
  if (access(schema, F_OK) != 0 && vb_legacy_is(data)) return open_legacy(out, data, err);
  return vb_dataset_open(out, schema, data, err);
}

static bool is_there(const char *base, int length) {
  static const char *const ends[] = {"yaml", "bin"};
  char path[PATH_MAX];
  for (size_t i = 0; i < VB_ARRAY_LENGTH(ends); i++) {
    (void)snprintf(path, sizeof path, "%.*s.%s", length, base, ends[i]);
    if (access(path, F_OK) == 0) return true;
  }
  return false;
}

/* NAME and datasets/NAME are looked for among those that came with the program. */
static bool find_installed(char *out, size_t size, const char *base, int length) {
  static const char folder[] = "datasets/";
  char directory[PATH_MAX];
  int skipped = strncmp(base, folder, sizeof folder - 1) == 0 ? (int)sizeof folder - 1 : 0;
  const char *name = base + skipped;
  if (length <= skipped || memchr(name, '/', (size_t)(length - skipped))) return false;
  vb_build_datasets_directory(directory, sizeof directory);
  int written = snprintf(out, size, "%s/%.*s", directory, length - skipped, name);
  return written > 0 && (size_t)written < size && is_there(out, written);
}

int vb_dataset_open_base(vb_dataset **out, const char *path, vb_error *err) {
  char installed[PATH_MAX];
  size_t base = strlen(path);
  if (ends_with(path, ".yaml")) base -= 5;
  if (ends_with(path, ".bin")) base -= 4;
  int length = base < PATH_MAX ? (int)base : PATH_MAX;
  if (!is_there(path, length) && find_installed(installed, sizeof installed, path, length))
    return open_files(out, installed, (int)strlen(installed), err);
  return open_files(out, path, length, err);
}
