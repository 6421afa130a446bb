/* What reading a mapped dataset costs: a field, a key, a variable field of random records in cache,
 * in ns a call; and opening a large one, in ms. */
#include "base/clock.h"
#include "base/random.h"
#include "dataset/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS = 1024, CALLS = 1 << 24 };

static const char schema_text[] =
    "version: 1\n"
    "record: { fields: [ { name: v, type: vector, dimensions: 4 }, { name: t, type: text, length: "
    "variable, max_bytes: 12 }, { name: g, type: tag, max_bytes: 16 } ] }\n"
    "sections: { records: { count: 1024 }, keys: { max_bytes: 16 } }\n";

static vb_dataset *dataset;
static size_t sum;

static void die(const vb_error *err) {
  (void)fprintf(stderr, "%s\n", err->text);
  exit(1);
}

static void make(const char *path, uint64_t size) {
  FILE *file = fopen(path, "wb");
  char *data = calloc(1, size);
  for (uint64_t i = 0; i < RECORDS; i++) {
    memcpy(data + i * 48 + 16, "\5\0\0\0hello", 9);
    memcpy(data + i * 48 + 32, "category", 8);
    memcpy(data + RECORDS * 48 + i * 16, "key:00000042", 12);
  }
  if (!file || fwrite(data, 1, size, file) != size || fclose(file)) exit(1);
  free(data);
}

static void open_dataset(void) {
  char path[] = "/tmp/vbench-bench-XXXXXX";
  vb_schema *schema = NULL;
  vb_error err;
  int fd = mkstemp(path);
  make(path, RECORDS * 64);
  if (vb_schema_parse(&schema, schema_text, strlen(schema_text), "bench", &err) ||
      vb_dataset_attach(&dataset, schema, NULL, path, &err))
    die(&err);
  vb_schema_free(schema);
  (void)close(fd);
  (void)unlink(path);
}

static void measure(const char *what, int field) {
  vb_rng rng = {1};
  vb_ns start = vb_now();
  for (int i = 0; i < CALLS; i++) {
    vb_view view;
    uint64_t record = vb_rng_next(&rng) % RECORDS;
    if (field < 0)
      vb_dataset_key(dataset, record, &view);
    else
      vb_dataset_field(dataset, record, (uint32_t)field, &view);
    sum += view.length;
  }
  printf("%-24s %5.1f ns\n", what, (double)(vb_now() - start) / CALLS);
}

/* A terabyte that takes no room on the disk. */
static void measure_opening(void) {
  char path[] = "/tmp/vbench-bench-XXXXXX";
  vb_schema *schema = NULL;
  vb_error err;
  int fd = mkstemp(path);
  static const char text[] = "version: 1\n"
                             "record: { fields: [ { name: t, type: text, max_bytes: 1024 } ] }\n"
                             "sections: { records: { count: 1073741824 } }\n";
  if (fd < 0 || ftruncate(fd, 1ll << 40)) exit(1);
  vb_ns start = vb_now();
  if (vb_schema_parse(&schema, text, strlen(text), "bench", &err) ||
      vb_dataset_attach(&dataset, schema, NULL, path, &err))
    die(&err);
  printf("%-24s %7.3f ms\n", "opening a terabyte", (double)(vb_now() - start) / 1e6);
  vb_dataset_close(dataset);
  vb_schema_free(schema);
  (void)close(fd);
  (void)unlink(path);
}

int main(void) {
  measure_opening();
  open_dataset();
  measure("a vector", 0);
  measure("a text of its length", 1);
  measure("a tag without its padding", 2);
  measure("a stored key", -1);
  vb_dataset_close(dataset);
  return sum == 0;
}
